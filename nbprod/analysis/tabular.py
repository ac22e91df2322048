"""Columns of abstract frames: reading, mapping, selecting and writing them, and changing the rows under them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import apart, labels, places
from nbprod.analysis.state import column_of_rest, with_rows
from nbprod.analysis.values import (
    NONE,
    NOTHING,
    Fact,
    Obj,
    Rows,
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


TABULAR = frozenset({"frame", "array", "series"})

ROW_COUNT = "row-count"
"""The name of a number of rows, with the table as its part."""

POSITIONS = "positions"
"""The name of a list or an array with something for each row of a table, by its place."""


def positions(args: Sequence[Value]) -> str:
    """The name of a sequence that is made with these arguments: whether it is as long as a table."""
    return POSITIONS if any(value.name in (ROW_COUNT, POSITIONS) for value in args) else ""


def column(run: Interpreter, base: Value, name: str) -> Fact:
    """The fact of one column of a frame (or of a frame-like array), its reference included."""
    obj = run.obj(base)
    fact = obj.columns.get(name) or _indicator(obj, name)
    if fact is None:
        if obj.rest is not None:
            fact = column_of_rest(obj, name)
            columns = {**obj.columns, name: fact}
            run.state.heap[base.obj] = replace(obj, columns=columns)
        elif obj.rows is None and not obj.columns and obj.fact.time < Time.ROW:
            fact = combine("column:" + name, (obj.fact,))
        else:
            # Of rows it may be made of any column, for all that is known.
            whole = obj.fact if obj.rows is None else replace(obj.fact, inputs=frozenset("*"))
            fact = run.assumed(replace(combine("missing:" + name, (whole,)), time=Time.ROW, rows=obj.rows))
    return traced(with_rows(fact, obj.rows), base.fact.serve | obj.fact.serve, base.fact.fit | obj.fact.fit)


def _indicator(obj: Obj, name: str) -> Fact | None:
    """The fact of an indicator column that `get_dummies` has made, by the longest beginning of its name that fits.

    Where not all columns are known, one of the same beginning may be none of these.
    """
    fitting = [(len(start), of) for start, of in obj.dummies.items() if of in obj.columns and name.startswith(start)]
    unknown = any(not of and part in name for part, of in obj.dummies.items())
    if not fitting and not unknown:
        return None
    rest = [] if obj.rest is None else [obj.rest]
    made = [obj.columns[max(fitting)[1]]] if fitting else list(obj.columns.values())
    return combine("column:" + name, [*made, *rest])


def derived(run: Interpreter, base: Value, obj: Obj, *extra: Fact) -> Value:
    """A new object made from `base`: its reference carries the statements that led to `base`."""
    serve, fit = base.fact.serve, base.fact.fit
    assumed, refused = base.fact.assumed, base.fact.refused
    for fact in extra:
        serve |= fact.serve
        fit |= fact.fit
        assumed |= fact.assumed
        refused |= fact.refused
    return run.new(obj, Fact(serve=serve, fit=fit, assumed=assumed, refused=refused))


def columnwise(
    run: Interpreter, base: Value, op: str, extra: Sequence[Fact] = (), kind: str | None = None, assumed: bool = False
) -> Value:
    """`op` applied to each column of `base` on its own."""
    obj = run.obj(base)
    at = run.at

    def step(fact: Fact) -> Fact:
        made = combine(op, (fact, *extra))
        return replace(made, assumed=made.assumed | 1 << at) if assumed else made

    return derived(run, base, mapped(obj, step, kind))


def mapped(obj: Obj, step: Callable[[Fact], Fact], kind: str | None = None) -> Obj:
    """The object with `step` applied to the fact of every column."""
    if not obj.columns and obj.rest is None:
        return replace(obj, kind=kind or obj.kind, fact=step(obj.fact))
    return replace(
        obj,
        kind=kind or obj.kind,
        columns={name: step(fact) for name, fact in obj.columns.items()},
        rest=None if obj.rest is None else step(obj.rest),
        history=(*obj.history, step),
    )


def select(run: Interpreter, base: Value, names: Sequence[str], key: Fact = NOTHING) -> Value:
    """The sub-frame of the named columns, in that order."""
    facts = {name: column(run, base, name) for name in names}
    if key.time is Time.LEARNED or key.serve:
        facts = {name: traced(fact, key.serve, key.fit) for name, fact in facts.items()}
    obj = run.obj(base)
    return derived(run, base, Obj(obj.kind, obj.fact, columns=facts, rows=obj.rows))


def select_learned(run: Interpreter, base: Value, key: Fact) -> Value:
    """The sub-frame of columns whose names are learned: any column may be in it."""
    obj = run.obj(base)
    chosen_by = frozenset(number for number in key.learned_at if number >= 0 and _ranks(run.learnings[number].what))

    def step(fact: Fact) -> Fact:
        made = traced(fact, key.serve, key.fit)
        return replace(
            made,
            digest=digest_of("among", made.digest, key.digest),
            learns=made.learns | key.learns,
            learned_at=made.learned_at | chosen_by,
        )

    return derived(run, base, replace(mapped(obj, step), maybe=replace(key, serve=0)), key)


RANKINGS = frozenset(
    {
        "chi2", "corr", "corrwith", "f_classif", "f_regression", "mutual_info_classif", "mutual_info_regression",
        "pearsonr", "r_regression", "spearmanr",
    }
)  # fmt: skip
"""Statistics that tell what a column says of the labels; counts of gaps and types tell nothing of them."""


def _ranks(what: str) -> bool:
    """Whether what was learned says which columns are of use: `corr`, `fit:SelectKBest`, `fit:RandomForest…`."""
    return what.startswith("fit:") or what.rpartition(".")[2] in RANKINGS


FOLD = "fold"
"""The link in the chain of rows that are one part of a division for cross-validation."""


def change_rows(
    run: Interpreter,
    node: ast.AST,
    base: Value,
    of: ast.AST | None,
    op: str,
    choice: Sequence[Fact] = (),
    side: str = "",
    condition: Fact | None = None,
) -> Value:
    """`base` with rows dropped, chosen, added or put in another order: a matter of training only.

    `condition` is a value for each row that alone says whether it is chosen.
    """
    obj = run.obj(base)
    rows = obj.rows
    link = _end(node) or (EACH if op in ("filter", "slice") and not side and is_of_round(run, choice) else op)
    if rows is None:

        def step(fact: Fact) -> Fact:
            made = combine(op, (fact, *choice))
            return made if fact.rows is None else replace(made, rows=changed_rows(run, fact.rows, op, choice, link))

        return derived(run, base, mapped(obj, step))
    new = changed_rows(run, rows, op, choice, apart.link_of(run, rows, op, choice, link))
    if side:
        new = replace(new, side=side, split=run.at, chain=(*rows.chain, f"{FOLD}:{new.digest}:{side}"))
    made = derived(run, base, apart.without_mark(run, new, replace(moved(obj, new), chosen=condition)))
    run.note(node, made, "row-changing", of)
    return made


EACH = "each"
"""The link in the chain of rows that are others in each round of a loop: those of `table[table["a"] == k]`, or those of
a file whose name the loop gives."""


def is_of_round(run: Interpreter, choice: Sequence[Fact]) -> bool:
    """Whether what chooses rows is made of what a loop around it binds."""
    chosen = 0
    for fact in choice:
        chosen |= fact.fit
    program = run.program
    return any(
        chosen >> place.id & 1 and isinstance(place.node, ast.For)
        for at in dict.fromkeys((run.at, run.top))
        for place in (program.statements[at], *program.around(at))
    )


def _end(node: ast.AST) -> str:
    """`head` for `table[:n]` and `table[0:n]`, `tail` for `table[n:]`: they take tables put together apart again."""
    key = node.slice if isinstance(node, ast.Subscript) else None
    match key.elts[0] if isinstance(key, ast.Tuple) and key.elts else key:
        case ast.Slice(lower=None | ast.Constant(value=0), upper=ast.expr(), step=None):
            return "head"
        case ast.Slice(lower=ast.expr(), upper=None, step=None):
            return "tail"
        case _:
            return ""


def changed_rows(run: Interpreter, rows: Rows, op: str, choice: Sequence[Fact], link: str = "") -> Rows:
    """Rows after a choice among them, which `link` names in their chain."""
    fit = rows.fit | run.fit
    for fact in choice:
        fit |= fact.fit | (0 if fact.rows is None else fact.rows.fit)
    of_others = [fact.rows.digest for fact in choice if fact.rows is not None and fact.rows.digest != rows.digest]
    digest = digest_of(op, rows.digest, *(fact.digest for fact in choice), *of_others)
    return replace(rows, fit=fit, digest=digest, chain=(*rows.chain, f"{link or op}:{digest}"))


def moved(obj: Obj, rows: Rows) -> Obj:
    """The object's columns over other rows."""

    def step(fact: Fact) -> Fact:
        return with_rows(fact, rows) if fact.rows is not None else fact

    if not obj.columns and obj.rest is None:
        return replace(obj, fact=with_rows(obj.fact, rows), rows=rows)
    return replace(
        obj,
        columns={name: step(fact) for name, fact in obj.columns.items()},
        rest=None if obj.rest is None else step(obj.rest),
        rows=rows,
    )


def as_table(run: Interpreter, value: Value) -> Value:
    """`value`, which is used as rows; where nobody knows what it is, rows of a table of its own."""
    fact = run.data(value)
    if fact.rows is not None or value.is_const:
        return value
    number = int(digest_of("table", fact.digest, f"{fact.fit:x}")[:12], 16)
    rows = Rows(-2 - number, digest=fact.digest)
    if value.kind in ("unknown", "learned", "scalar", "method") and value.obj < 0:
        return replace(value, kind="unknown", fact=replace(fact, rows=rows))
    if value.kind == "list" and value.obj >= 0 and run.obj(value).rest is not None:
        return Value("unknown", replace(fact, rows=rows))
    if value.kind in TABULAR and value.obj >= 0:
        return replace(value, obj=run.store(mapped(run.obj(value), lambda fact: replace(fact, rows=rows))))
    return value


def schema_of(run: Interpreter, base: Value, what: str) -> Fact:
    """What is read of a frame's schema: known after training, looking at no value of a row."""
    obj = run.obj(base)
    whole = run.data(base)
    return Fact(
        time=min(whole.time, Time.LEARNED) if obj.rows is None else Time.LEARNED,
        serve=whole.serve if obj.rows is None else 0,
        fit=obj.fact.fit | base.fact.fit | run.fit,
        digest=digest_of(what, obj.fact.digest, *obj.columns),
        refused=base.fact.refused,
    )


def rename_all(run: Interpreter, base: Value, value: Value) -> None:
    """`df.columns = …`: by position where all names are known, otherwise nothing is known of the names."""
    obj = run.obj(base)
    names = run.strings(value)
    learned = run.data(value)
    structure = traced(obj.fact, run.serve | learned.serve, run.fit | learned.fit)
    structure = replace(structure, digest=digest_of("names", structure.digest, learned.digest))
    if names is not None and obj.rest is None and len(names) == len(obj.columns):
        columns = dict(zip(names, obj.columns.values(), strict=True))
        run.write(base.obj, replace(obj, fact=structure, columns=columns))
        return
    whole = run.data(base)
    run.write(base.obj, replace(obj, fact=structure, columns={}, rest=whole, origin=None, history=()))


def row_fact(run: Interpreter, base: Value) -> Fact:
    """The fact of a frame's rows, apart from its columns' values."""
    obj = run.obj(base)
    rows = obj.rows
    if rows is None:
        whole = run.data(base)
        return traced(obj.fact, whole.serve, whole.fit)
    return Fact(Time.ROW, 0, rows.fit | base.fact.fit, digest=digest_of("rows"), rows=rows)


def of_row(run: Interpreter, fact: Fact) -> Value:
    """A value of the row at hand; that it was looked at is kept, as a branch on it decides what is returned."""
    run.looked_at.append(fact)
    return run.scalar(fact)


def row_index(run: Interpreter, node: ast.AST, base: Value) -> Value:
    """The index of row data, which no served row has, unless it was a column: `df.set_index("date")`.

    Where a condition has chosen the rows in the same expression (`df[df["a"] > 1].index`), it is kept beside the table:
    to write to these labels is to write where the condition holds.
    """
    fact = row_fact(run, base)
    obj = run.obj(base)
    index = obj.index
    parts: tuple[Value, ...] = (base,)
    if obj.chosen is not None and isinstance(node, ast.Attribute) and not isinstance(node.value, ast.Name):
        parts = (base, run.scalar(obj.chosen))
    if fact.time is Time.ROW and len(index) == 1:
        (own,) = index.values()
        own = traced(with_rows(own, fact.rows), base.fact.serve, base.fact.fit)
        return Value("rowindex", base.fact, run.store(Obj("rowindex", own, rows=fact.rows)), parts=parts)
    if fact.time is Time.ROW:
        bit = run.refuse(
            node,
            "row-position",
            "the index of a row is its place in the training table, or what the file had there, and a row that is "
            "served has none",
            "give the row an identifier of its own as a column (set_index may follow), or leave the index out of the "
            "features",
        )
        fact = with_refusals(fact, bit)
        return Value("rowindex", NOTHING, run.store(Obj("rowindex", fact, rows=fact.rows)), parts=parts)
    return Value("index", fact)


STATISTICS = frozenset({"pivot_table", "crosstab"})
"""Reshapings that are a statistic by group: something learned, as that of a groupby."""


def reshaped(run: Interpreter, node: ast.AST, base: Value, op: str) -> Value:
    """A result whose rows are other things than the operand's."""
    fact = run.data(base)
    if fact.time is Time.ROW and op in STATISTICS:
        return run.series(reduce_rows(op, (fact,), run.learned(node, op, fact.rows)))
    if fact.time is Time.ROW:
        bit = run.refuse(
            node,
            op,
            f"{op} makes a table whose rows are not the rows that are served",
            "build such tables before the raw frame, or use them only as something learned (a mean by group, a lookup)",
        )
        fact = replace(reduce_rows(op, (fact,)), refused=fact.refused | bit)
    return run.series(fact)


def broadcast(
    run: Interpreter,
    node: ast.AST,
    base: Value,
    idiom: str,
    of: ast.AST | None,
    extra: Sequence[Fact] = (),
    learns: str | None = None,
) -> Value:
    """An operation that looks over rows and writes to each of them, as the idiom of that name splits it.

    `learns` says what it learns of the rows, where the idiom's name does not.
    """
    fact = run.data(base)
    event = run.learned(node, learns or idiom, fact.rows)

    def step(part: Fact) -> Fact:
        if part.time < Time.ROW:
            return combine(idiom, (part, *extra))
        seen = reduce_rows(idiom, (part, *extra), event)
        made = combine(idiom + ".apply", (part, *extra, seen))
        return made

    made = derived(run, base, mapped(run.obj(base), step))
    if fact.time is Time.ROW:
        run.note(node, made, "idiom:" + idiom, of)
    return made


def set_column(
    run: Interpreter, base: Value, name: str, value: Value, key: Fact = NOTHING, mask: Sequence[Fact] = ()
) -> None:
    """`df[name] = value`, or only where `mask` says so."""
    obj = run.obj(base)
    fact = run.data(value) if mask or obj.rows is None else put_beside(run, value, obj.rows)
    if value.name == POSITIONS and obj.rows is not None:
        fact = by_position_of_row(run, fact)
    if mask:
        has = name in obj.columns or obj.rest is not None
        old = (column(run, base, name),) if has else ()
        obj = run.obj(base)
        fact = combine("set-where", (*old, *mask, fact))
    elif fact.time < Time.ROW:
        fact = replace(fact, digest=digest_of("every-row", fact.digest))
    fact = with_rows(fact, obj.rows) if fact.time is Time.ROW else fact
    fact = traced(fact, run.serve | key.serve, run.fit | key.fit)
    run.write(base.obj, replace(obj, columns={**obj.columns, name: fact}))


def insert_column(run: Interpreter, base: Value, place: Value, name: str, value: Value) -> None:
    """`df.insert(place, name, value)`; a place that is not known is taken to be the end."""
    set_column(run, base, name, value)
    obj = run.obj(base)
    if place.is_const and isinstance(place.const, int):
        columns = [(other, fact) for other, fact in obj.columns.items() if other != name]
        columns.insert(place.const, (name, obj.columns[name]))
        run.write(base.obj, replace(obj, columns=dict(columns)))


def by_position_of_row(run: Interpreter, fact: Fact) -> Fact:
    """What is given to rows by their place in the training table, which no served row has."""
    bit = run.refuse_here(
        "row-position",
        "each row of the training table is given something by its place there; a row that is served has none",
        "give the rows an identifier of their own as a column, or leave this one out of the features",
    )
    return with_refusals(fact, bit)


def set_columns(run: Interpreter, base: Value, names: Sequence[str], value: Value, key: Fact = NOTHING) -> None:
    """`df[names] = value`, column by column where the value has as many."""
    parts: list[Fact] | None = None
    if value.obj >= 0 and value.kind in ("frame", "array"):
        other = run.obj(value)
        if other.rest is None and len(other.columns) == len(names):
            parts = [column(run, value, name) for name in other.columns]
    if parts is None:
        whole = run.data(value)
        parts = [combine(f"part:{number}", (whole,)) for number in range(len(names))]
    for name, fact in zip(names, parts, strict=True):
        set_column(run, base, name, Value("scalar", fact), key)


def drop_columns(run: Interpreter, base: Value, names: Sequence[str] | None, key: Fact, *, in_place: bool) -> Value:
    """The frame without the named columns; without knowing which, where the names are learned."""
    obj = run.obj(base)
    structure = traced(obj.fact, run.serve | key.serve, run.fit | key.fit) if in_place else obj.fact
    if names is None:
        made = replace(
            mapped(
                obj,
                lambda fact: traced(
                    replace(fact, digest=digest_of("among", fact.digest, key.digest)), key.serve, key.fit
                ),
            ),
            fact=structure,
        )
    else:
        gone = set(names)
        made = replace(obj, fact=structure, columns={n: f for n, f in obj.columns.items() if n not in gone})
        for name in names:
            run.dropped.append((run.at, obj.columns[name].serve if name in obj.columns else 0, name))
        if obj.rest is not None:
            hidden = obj.origin
            made = replace(made, origin=hidden)
    if in_place:
        run.write(base.obj, made)
        return NONE
    return derived(run, base, made, key)


def bits(values: Sequence[Value], which: str) -> int:
    """The statements behind the references of several values."""
    bits = 0
    for value in values:
        bits |= getattr(value.fact, which)
    return bits


def stack(run: Interpreter, parts: Sequence[Value], op: str) -> Value:
    """Arrays or frames side by side."""
    columns: dict[str, Fact] = {}
    with_rows_at_hand = any(run.data(part).time is Time.ROW for part in parts)
    for number, part in enumerate(parts):
        if part.obj >= 0 and part.kind in ("frame", "array") and run.obj(part).rest is None and run.obj(part).columns:
            for name in run.obj(part).columns:
                key = name if name not in columns else f"{name}.{number}"
                columns[key] = column(run, part, name)
        elif part.kind == "series" and part.view is not None and part.view[1]:
            columns[part.view[1]] = run.data(part)
        else:
            columns[f"{op}:{number}"] = beside_rows(run, part) if with_rows_at_hand else run.data(part)
    first = next((fact.rows for fact in columns.values() if fact.rows is not None), None)
    columns = {name: places.beside(run, fact, first) for name, fact in columns.items()}
    facts = list(columns.values())
    rows = combine(op, facts).rows if facts else None
    ref = Fact(serve=bits(parts, "serve"), fit=bits(parts, "fit"))
    return run.new(Obj("array" if op.startswith("numpy") else "frame", columns=columns, rows=rows), ref)


def put_beside(run: Interpreter, value: Value, rows: Rows) -> Fact:
    """What a value that becomes a column gives to the rows of its table: by their places, or by their labels."""
    if value.kind in places.BY_PLACE:
        return places.beside(run, beside_rows(run, value) if value.kind == "array" else run.data(value), rows)
    return labels.beside(run, run.data(value), rows)


def beside_rows(run: Interpreter, value: Value) -> Fact:
    """What stands beside the rows at hand: an array that is made elsewhere has no part for a row that is served."""
    fact = run.data(value)
    if value.kind not in ("array", "series") or fact.time is Time.ROW or run.per_row:
        return fact
    bit = run.refuse_here(
        "training-length",
        "an array that is made elsewhere stands beside the rows, as long as the training table; a served row is one",
        "make it as long as the rows at hand: `np.ones((len(X), 1))`",
    )
    return with_refusals(fact, bit)
