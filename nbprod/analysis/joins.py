"""Joins of tables: a lookup of each row's key in a second table, or two halves of one record put together.

Where many rows have one key, the second table is a lookup table: it is learned, and serving looks each row up in it.
Where each row has a row of its own in the second table, the two are halves of a record; then the joined rows are the
raw rows, so that a record to be served brings both halves. What the files beside the notebook say of their keys
(`keys.py`) tells the one from the other; where they say nothing, a lookup is taken, and training checks it.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from nbprod.analysis import calls, labels, methods, pandas_calls, records, tabular
from nbprod.analysis.keys import TABLES, Joined, JoinKind, KeySource
from nbprod.analysis.values import (
    NONE,
    Fact,
    Obj,
    Time,
    Value,
    combine,
    digest_of,
    reduce_rows,
    traced,
    with_refusals,
)

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

MERGE = ("right", "how", "on", "left_on", "right_on", "left_index", "right_index", "sort", "suffixes")
JOIN = ("other", "on", "how", "lsuffix", "rsuffix", "sort")
"""The parameters of `merge` and of `DataFrame.join` behind the left table, in pandas' order."""

Keys = tuple[str, ...] | None
"""The key columns of a table; None stands for its index, `()` for columns that nobody can name."""


class Join(Struct, frozen=True):
    """What a call says of a join. `function`: the left table is an argument, as in `pd.merge(left, right)`."""

    name: str
    function: bool
    how: str
    left_on: Keys
    right_on: Keys
    suffixes: tuple[str, str]
    one_to_one: bool


class Lookup(Struct, frozen=True):
    """A join that looks rows up in a table, whose expression is `table`; `first` where it is the left one.

    `keys` are the key columns of the rows; `root` numbers the table's raw data, -1 where it is learned of other data.
    `learned`: the table is known without any row of it, so that only the unmatched rows are a matter of training.
    `elsewhere`: it is the data of another raw table, of which new rows may have no part.
    """

    join: Join
    table: ast.expr
    first: bool
    keys: Keys
    root: int
    learned: bool
    elsewhere: bool


def merge(
    run: Interpreter, node: ast.Call, left: Value, args: list[Value], kwargs: dict[str, Value], *, function: bool
) -> Value:
    """`left.merge(right, …)` or, as a `function`, `pd.merge(left, right, …)`."""
    given = {**dict(zip(MERGE, args, strict=False)), **kwargs}
    right = given.get("right", NONE)
    if left.kind != "frame" or "right" not in given:
        others = {name: value for name, value in given.items() if name not in TABLES}
        return calls.unknown_call(run, left, [right], others, "merge")
    on = given.get("on", NONE)
    keys = _shared(run, left, right) if not given.keys() & set(MERGE[2:7]) else _names(run, on)
    by_index = [methods.flag(given, name) for name in ("left_index", "right_index")]
    left_on, right_on = (
        None if index else _names(run, given[side]) if side in given else keys
        for index, side in zip(by_index, ("left_on", "right_on"), strict=True)
    )
    suffixes = run.elements(given["suffixes"]) if "suffixes" in given else None
    texts = [str(part.const) if isinstance(part.const, str) else "" for part in suffixes or ()]
    join = Join(
        "merge",
        function,
        _text(given.get("how"), "inner"),
        left_on,
        right_on,
        (texts[0], texts[1]) if len(texts) == 2 else ("_x", "_y"),
        _text(given.get("validate"), "") in ("1:1", "one_to_one"),
    )
    return _joined(run, node, left, right, join, _others(run, given))


def join(run: Interpreter, node: ast.Call, left: Value, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`left.join(other, …)`: by the index of `other`, and by that of `left` or by a column of it."""
    given = {**dict(zip(JOIN, args, strict=False)), **kwargs}
    other = given.get("other", NONE)
    on = _names(run, given["on"]) if "on" in given else None
    rows = run.obj(left).rows
    related = rows is None or run.data(other).rows is None or run.data(other).rows.root == rows.root  # type: ignore[union-attr]
    if other.kind != "frame" or (on is None and related):
        return pandas_calls.side_by_side(run, [left, other])
    suffixes = _text(given.get("lsuffix"), ""), _text(given.get("rsuffix"), "")
    one_to_one = _text(given.get("validate"), "") in ("1:1", "one_to_one")
    said = Join("join", False, _text(given.get("how"), "left"), on, None, suffixes, one_to_one)
    return _joined(run, node, left, other, said, _others(run, given))


def _others(run: Interpreter, given: Mapping[str, Value]) -> list[Fact]:
    return calls.facts_of(run, [], {name: value for name, value in given.items() if name not in TABLES})


def _text(value: Value | None, default: str) -> str:
    if value is None:
        return default
    return value.const if isinstance(value.const, str) else "?"


def _names(run: Interpreter, value: Value) -> Keys:
    names = run.strings(value) if value.kind != "none" else None
    return tuple(names or ())


def _shared(run: Interpreter, left: Value, right: Value) -> Keys:
    """The columns that both tables have, which `merge` takes where it is told of none."""
    tables = [run.obj(left), run.obj(right)]
    if right.obj < 0 or any(table.rest is not None for table in tables):
        return ()
    return tuple(name for name in tables[0].columns if name in tables[1].columns)


# ---------------------------------------------------------------------- which kind of join


def _joined(run: Interpreter, node: ast.Call, left: Value, right: Value, join: Join, facts: Sequence[Fact]) -> Value:
    """The result of a join, by what the two tables are."""
    times = [Time.ROW if _is_rows(run, side) else run.data(side).time for side in (left, right)]
    if Time.ROW not in times:
        return _of_learned(run, left, right, facts)
    if times[1] is not Time.ROW:
        return _looked_up(run, node, left, right, join, facts, first=False)
    if times[0] is not Time.ROW:
        return _looked_up(run, node, right, left, join, facts, first=True)
    rows = [run.data(side).rows for side in (left, right)]
    if join.left_on is None and join.right_on is None and rows[0] and rows[1] and rows[0].root == rows[1].root:
        return pandas_calls.side_by_side(run, [left, right])
    match _kind(run, node, left, right, join):
        case JoinKind.RECORDS:
            return _records(run, node, left, right, join)
        case JoinKind.LEFT_LOOKUP:
            return _looked_up(run, node, right, left, join, facts, first=True)
        case JoinKind.MANY:
            return _refused(run, node, left, right, join, MANY_TO_MANY)
        case _:
            return _looked_up(run, node, left, right, join, facts, first=False)


def _is_rows(run: Interpreter, table: Value) -> bool:
    return table.obj >= 0 and run.obj(table).rows is not None


def _kind(run: Interpreter, node: ast.Call, left: Value, right: Value, join: Join) -> str:
    """What a join is, as `keys.py` tells it; where nothing tells, a lookup."""
    text = ast.unparse(node)
    found = Joined(text, _source(run, left, join.left_on), _source(run, right, join.right_on))
    if found not in run.joined:
        run.joined.append(found)
    if join.one_to_one or (join.left_on is None and not run.obj(left).index):
        return JoinKind.RECORDS
    return run.joins.get(text, JoinKind.LOOKUP)


def _source(run: Interpreter, table: Value, keys: Keys) -> KeySource | None:
    """The file and the columns in it that a table's keys are read from, where they are as they were read."""
    obj = run.obj(table)
    facts = list(obj.index.values()) if keys is None else [_column(run, table, name) for name in keys]
    if not facts or obj.rows is None:
        return None
    columns = [next(iter(fact.inputs), "") for fact in facts]
    if any(fact.digest != digest_of("raw", name) for fact, name in zip(facts, columns, strict=True)):
        return None
    root = run.halves.get(obj.rows.root, (obj.rows.root,))[0]
    read = run.events[root] if 0 <= root < len(run.events) else None
    if read is None or not isinstance(read.const, str):
        return None
    return KeySource(read.const, read.name, read.node, tuple(columns), whole=not obj.rows.chain)


def _column(run: Interpreter, table: Value, name: str) -> Fact:
    obj = run.obj(table)
    return obj.index[name] if name in obj.index and name not in obj.columns else tabular.column(run, table, name)


# ---------------------------------------------------------------------- lookups


def _of_learned(run: Interpreter, left: Value, right: Value, facts: Sequence[Fact]) -> Value:
    """A join of two tables of which neither has a row that is served."""
    whole = combine("merge", (run.data(left), run.data(right), *facts))
    obj = run.obj(left)
    both = {**run.obj(right).columns, **obj.columns}
    columns = {name: combine("merge", (fact, whole)) for name, fact in both.items()}
    return tabular.derived(run, left, replace(obj, columns=columns, rest=whole, origin=None, history=()), right.fact)


def _looked_up(
    run: Interpreter, node: ast.Call, base: Value, table: Value, join: Join, facts: Sequence[Fact], *, first: bool
) -> Value:
    """`base` with the columns of `table` (the left one where it is `first`), each row's by its key."""
    if join.how not in ("inner", "right" if first else "left"):
        return _refused(run, node, base, table, join, ROWS_OF_BOTH)
    own, other = (join.right_on, join.left_on) if first else (join.left_on, join.right_on)
    if own is None and not run.obj(base).index:
        return _refused(run, node, base, table, join, BY_PLACE)
    keys = [_column(run, base, name) for name in (run.obj(base).index if own is None else own)] or [run.data(base)]
    obj, content = run.obj(base), run.obj(table)
    whole = run.data(table)
    is_learned = whole.time is not Time.ROW
    event = run.learned(node, "lookup", content.rows) if not is_learned else -1
    by = [_column(run, table, name) for name in other or ()]
    content = run.obj(table)

    def looked_up(fact: Fact) -> Fact:
        seen = combine("lookup", (fact, *by)) if is_learned else reduce_rows("lookup", (fact, *by), event)
        seen = traced(seen, whole.serve if is_learned else 0, whole.fit)
        return replace(combine("lookup", (*keys, seen, *facts)), time=Time.ROW, rows=obj.rows)

    made = _columns_of_both(obj, content, join, looked_up, first)
    ref = Fact(serve=table.fact.serve if is_learned else 0, fit=whole.fit)
    if join.how == "inner" and obj.rows is not None:
        rows = tabular.changed_rows(run, obj.rows, "merge", [combine("lookup", (*keys, looked_up(whole)))])
        made = tabular.moved(made, rows)
    result = tabular.derived(run, base, made, ref)
    if join.name == "merge" and None not in (join.left_on, join.right_on):
        result = labels.relabelled(run, result, anew=True)
    roots = _roots_of(run, whole)
    elsewhere = bool(roots) and obj.rows is not None and obj.rows.root not in roots
    if is_learned and join.how != "inner" and not elsewhere:
        return result
    operand = operands(node, join)[0 if first else 1]
    run.lookups[id(node)] = Lookup(join, operand, first, own, min(roots, default=-1), is_learned, elsewhere)
    return run.note(node, result, "lookup", operand)


def _roots_of(run: Interpreter, fact: Fact) -> set[int]:
    """The raw tables that data is of, or that it was learned of."""
    learned = (run.learnings[number].rows for number in fact.learned_at if number >= 0)
    return {rows.root for rows in (fact.rows, *learned) if rows is not None}


def _columns_of_both(obj: Obj, other: Obj, join: Join, looked_up: Any, first: bool) -> Obj:
    """The columns of a lookup: the rows' own, and those of the table; what both have gets the suffixes."""
    own_keys, keys = (join.right_on, join.left_on) if first else (join.left_on, join.right_on)
    shared = set(own_keys or ()) & set(keys or ())
    twice = (set(obj.columns) & set(other.columns)) - shared
    own_suffix, suffix = join.suffixes[::-1] if first else join.suffixes
    own = {name + own_suffix if name in twice else name: fact for name, fact in obj.columns.items()}
    theirs = {
        name + suffix if name in twice else name: looked_up(fact)
        for name, fact in other.columns.items()
        if name not in shared
    }
    for name in set(keys or ()) - shared - theirs.keys():
        theirs[name] = looked_up(other.fact if other.rest is None else other.rest)
    columns = {**theirs, **own} if first else {**own, **theirs}
    if other.rest is None and (other.columns or other.rows is not None):
        return replace(obj, columns=columns)
    unnamed = looked_up(other.fact if other.rest is None else other.rest)
    rest = unnamed if obj.rest is None else combine("merge", (obj.rest, unnamed))
    return replace(obj, columns=columns, rest=rest, origin=None, history=())


def operands(node: ast.Call, join: Join) -> tuple[ast.expr, ast.expr]:
    """The expressions of the left and of the right table."""
    named = {keyword.arg: keyword.value for keyword in node.keywords}
    if not join.function:
        assert isinstance(node.func, ast.Attribute)
        return node.func.value, node.args[0] if node.args else named["other" if join.name == "join" else "right"]
    positional = list(node.args)
    left = named.get("left") or positional.pop(0)
    return left, named.get("right") or positional[0]


# ---------------------------------------------------------------------- halves of records


def _records(run: Interpreter, node: ast.Call, left: Value, right: Value, join: Join) -> Value:
    """The joined rows as raw rows, where nothing was done to either table but to read it."""
    if not (records.is_raw(run, left) and records.is_raw(run, right)):
        return _refused(run, node, left, right, join, HALVES)
    both = _columns_of_both(run.obj(left), run.obj(right), join, lambda fact: fact, False)
    numbered = 0 if join.name == "merge" and None not in (join.left_on, join.right_on) else -1
    return records.raw_rows(
        run,
        node,
        f"pandas.{join.name}",
        (left, right),
        both.columns,
        is_open=both.rest is not None,
        numbered=numbered,
    )


# ---------------------------------------------------------------------- what is refused

ROWS_OF_BOTH = (
    "outer-join",
    "rows of the second table that belong to none of the first become rows of their own",
    "use how='left' from the table whose rows the model is trained on",
)
MANY_TO_MANY = (
    "many-to-many-join",
    "the keys repeat in both tables, so that a row becomes several, and a row that is served is one",
    "make the second table one row for each key first: drop_duplicates(key), or groupby(key).agg(…)",
)
HALVES = (
    "join-of-records",
    "each row has a row of its own in the second table, where a new row has none, and the tables were changed before",
    "join them right after they are read; the joined rows are then the raw rows, and what follows is prepared of them",
)
BY_PLACE = (
    "join-by-position",
    "rows are joined by their place in two tables, and a row that is served has none",
    "give both tables a column that tells what belongs together, and join on it",
)


def _refused(
    run: Interpreter, node: ast.Call, base: Value, other: Value, join: Join, why: tuple[str, str, str]
) -> Value:
    bit = run.refuse(node, *why)
    seen = run.data(base), run.data(other)

    def joined(fact: Fact) -> Fact:
        return combine("merge", (fact, *seen))

    both = _columns_of_both(run.obj(base), run.obj(other), join, lambda fact: fact, False)
    made = tabular.derived(run, base, tabular.mapped(both, joined))
    return replace(made, fact=with_refusals(made.fact, bit))
