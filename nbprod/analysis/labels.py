"""The labels of rows: where `df["a"][3]` and `df.loc[3]` are the row at place 3, and which rows share a label.

So they are of a table that was read without an index of its own, and again after `reset_index`. A choice among the rows
keeps the labels they had, which are their places still where it took the first ones.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import tabular
from nbprod.analysis.values import Fact, Rows, Time, Value, same_rows, traced, with_refusals

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

_COUNTING = frozenset(
    f"pandas.{name}"
    for name in (
        "DataFrame",
        "read_clipboard",
        "read_csv",
        "read_excel",
        "read_feather",
        "read_fwf",
        "read_html",
        "read_sas",
        "read_spss",
        "read_sql",
        "read_sql_query",
        "read_sql_table",
        "read_stata",
        "read_table",
    )
)
"""What brings in rows that are called by their places, unless it is told otherwise."""

_WITHOUT_INDEX = 2
"""How many arguments by position none of these takes for the index."""


CHANGING = frozenset({"to_period", "to_timestamp", "tz_localize", "tz_convert", "swaplevel", "reorder_levels"})
"""Methods of tables that keep their values and call the rows otherwise."""

_KEEPING = ("sort_values:", "sort_index:", "reset_index:", "sample:")
"""What puts rows in another order; how many a sample leaves out is not known here."""


def are_counted(name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> bool:
    """Whether a call that brings in rows calls them by their places."""
    most = 1 if name == "pandas.DataFrame" else _WITHOUT_INDEX
    return name in _COUNTING and len(args) <= most and not {"index", "index_col", "**"} & kwargs.keys()


def are_places(rows: Rows) -> bool:
    """Whether the label of each row is its place."""
    return rows.numbered >= 0 and all(link.startswith("head:") for link in rows.chain[rows.numbered :])


def are_shared(a: Rows, b: Rows) -> bool:
    """Whether a row that stands in both is surely called the same in both, and by a label of its own."""
    return a.numbered >= 0 and b.numbered >= 0 and not are_other(a, b) and not any(_repeats(rows) for rows in (a, b))


def _repeats(rows: Rows) -> bool:
    """Whether rows that were chosen after they were numbered may stand there more than once."""
    return any(link.startswith("+") for link in rows.chain[rows.numbered :])


def are_other(a: Rows, b: Rows) -> bool:
    """Whether one row is called differently in two tables: they were numbered at different choices among the rows."""
    if min(a.numbered, b.numbered) < 0 or a.root != b.root or a.mix != b.mix:
        return False
    at_once = a.chain[: a.numbered] == b.chain[: b.numbered]
    return not at_once and not (are_places(a) and are_places(b) and same_rows(a, b))


def relabelled(run: Interpreter, made: Value, *, anew: bool = False) -> Value:
    """A table that was just made, whose rows have other labels than before: `anew` their places."""
    obj = run.obj(made) if made.obj >= 0 else None
    if obj is not None and obj.rows is not None:
        rows = replace(obj.rows, numbered=len(obj.rows.chain) if anew else -1)
        run.state.heap[made.obj] = replace(tabular.moved(obj, rows), index={}, chosen=None)
    return made


UNNAMED = ""
"""The name of an index that was made of values, and not of a column by its name."""


def renamed_in_place(run: Interpreter, base: Value, value: Value | None = None) -> None:
    """`df.index = …`: the same rows by other labels, which training and serving give them alike."""
    obj = run.obj(base)
    if obj.rows is not None:
        index = {} if value is None else index_made_of(run, base, value)
        rows = replace(obj.rows, fit=obj.rows.fit | run.fit, numbered=-1)
        run.write(base.obj, replace(tabular.moved(obj, rows), index=index, chosen=None))


def index_made_of(run: Interpreter, base: Value, value: Value) -> dict[str, Fact]:
    """The index of a table whose labels are values of its own rows: `df.index = pd.to_datetime(df["date"])`."""
    obj, fact = run.obj(base), run.data(value)
    if value.kind not in ("series", "array", "rowindex") or fact.time is not Time.ROW or fact.rows is None:
        return {}
    if not same_rows(fact.rows, obj.rows):
        return {}
    (name,) = obj.index if value.kind == "rowindex" and len(obj.index) == 1 else (UNNAMED,)
    return {name: traced(fact, run.serve, run.fit)}


def refused_beside(run: Interpreter, rows: Rows | None, table: Rows | None) -> int:
    """What is refused of a column over `rows` that is put beside a table, each row by its label; 0 for nothing."""
    if rows is None or table is None or not are_other(rows, table):
        return 0
    return run.refuse_here(
        "row-position",
        "pandas puts a column beside a table by the labels of the rows, and these two were numbered at different "
        "times: each row gets what belongs to another, or nothing",
        "give both the same labels: number the table anew first (df = df.reset_index(drop=True)), or make the column "
        "with index=df.index",
    )


def beside(run: Interpreter, fact: Fact, table: Rows) -> Fact:
    """What a column that is put beside these rows, each by its label, gives to them."""
    bit = refused_beside(run, fact.rows, table)
    if fact.rows is not None and _leaves_out(fact.rows, table):
        bit |= run.refuse_here(
            "rows-left-out",
            "it is made of some of the table's rows, and the others get no value in training; a row that is served "
            "would get one",
            "make it of all rows, and say where it holds: df['a'].where(condition), or df.loc[condition, 'a'] = …",
        )
    return with_refusals(fact, bit)


def _leaves_out(rows: Rows, table: Rows) -> bool:
    """Whether rows were chosen among those of a table, so that the table has others besides."""
    size = len(table.chain)
    if rows.root != table.root or rows.mix != table.mix or rows.chain[:size] != table.chain:
        return False
    return not all(link.startswith(_KEEPING) for link in rows.chain[size:])


CHOSEN_LABELS = "chosen-labels"
"""The operation of an expression that gives the labels of the rows a condition chooses."""


def index_of(run: Interpreter, node: ast.Attribute, base: Value) -> Value:
    """`table.index`, noted where it gives the labels of the rows that a condition chooses."""
    made = tabular.row_index(run, node, base)
    return run.note(node, made, CHOSEN_LABELS, node.value) if len(made.parts) > 1 else made


def condition_of(run: Interpreter, base: Value, key: Value) -> Fact | None:
    """The condition that chose the labels `key` among those of a table: `df[df["a"] > 1].index`, for `df` itself."""
    if key.kind != "rowindex" or len(key.parts) != 2:
        return None
    rows, chosen = run.obj(base).rows, run.obj(key.parts[0]).rows
    if rows is None or chosen is None or chosen.root != rows.root or chosen.chain[:-1] != rows.chain:
        return None
    return traced(run.data(key.parts[1]), key.fact.serve, key.fact.fit) if chosen.numbered == rows.numbered else None
