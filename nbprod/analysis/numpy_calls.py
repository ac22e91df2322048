"""Functions of NumPy."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import calls, draws, methods, outside, splitting, tabular
from nbprod.analysis.populations import COPIES, one_below_the_other
from nbprod.analysis.tables import axis_position, function_behaviour
from nbprod.analysis.values import (
    NONE,
    NOTHING,
    Event,
    Fact,
    Obj,
    Rows,
    Time,
    Value,
    combine,
    reduce_rows,
)

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


INVERSES = {"expm1": "log1p", "exp": "log", "exp2": "log2", "square": "sqrt", "sinh": "arcsinh", "log": "exp"}
"""Functions that turn predictions back, by the function that a target was transformed with."""


FILLED = frozenset({"zeros", "ones", "full", "empty"})
"""Functions that make an array of one value, by its shape."""


COPIED = frozenset({"array", "asarray"})
"""Functions that give the values of a table as an array."""


BELOW = frozenset({"concat", "concatenate", "row_stack", "vstack"})
"""Functions that put tables one below the other, unless an axis says otherwise."""


REPEATS = frozenset({"repeat", "tile"})
"""Functions that give each row several times."""


WITHOUT_LABELS = frozenset(
    {"where", "select", "choose", "piecewise", "array", "asarray", "digitize", "isin", "nan_to_num", "searchsorted"}
)
"""Functions that give an array where they are given a column; the others give a column, with its labels."""


def numpy_call(run: Interpreter, node: ast.Call, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """The result of a function of NumPy."""
    behaviour = function_behaviour("numpy." + name)
    qualified = "numpy." + name
    facts = calls.facts_of(run, args, kwargs)
    first = args[0] if args else NONE
    if name in ("random.permutation", "random.permuted"):
        if run.data(first).time is not Time.ROW:
            return outside.drawn(run, node, qualified, args, kwargs)
        draws.by_chance(run, draws.GLOBAL, facts)
    if name in splitting.CUTS and first.obj >= 0 and (cut := splitting.cut(run, node, args, kwargs)) is not None:
        return cut
    if name in INVERSES or name in INVERSES.values():
        run.event(Event("rescale", run.at, run.top, node, qualified, facts=(run.data(first),)))
    if behaviour in ("reduction", "cross-row", "row-ordering") and run.data(first).time is Time.ROW:
        along = methods.axis(axis_position("module", name), args, kwargs)
        if along == 1 or (along == -1 and (first.kind == "frame" or _is_predicted(run.data(first)))):
            return within_rows(run, qualified, behaviour, first, facts)
    match behaviour:
        case "row-wise" if name in ("column_stack", "hstack", "c_"):
            parts = run.elements(first) or [first]
            return tabular.stack(run, parts, "numpy." + name)
        case "row-changing" if name in ("concatenate", "concat", "append", "stack") and _is_sideways(args, kwargs):
            joined = [*args[:2], *(kwargs[key] for key in ("arr", "values") if key in kwargs)]
            parts = [p for a in (joined if name == "append" else args[:1]) for p in (run.elements(a) or [a])]
            return tabular.stack(run, parts, "numpy." + name)
        case "row-changing" if name in BELOW or name in REPEATS:
            made = calls.by_behaviour(run, node, qualified, behaviour, args, kwargs)
            return _of_rows_below(run, made, name, first, facts)
        case "like":
            return run.series(combine(qualified, facts))
        case "read":
            return calls.read(run, node, qualified, args, kwargs)
    if name == "random.seed":
        return outside.seeded(run, node, qualified, facts)
    if name == "where" and len(args) == 1:
        fact = combine(qualified, facts)
        return Value("learned", reduce_rows(qualified, facts)) if fact.time is Time.ROW else Value("scalar", fact)
    if name in FILLED and (counted := _counted(node, args[0] if args else kwargs.get("shape", NONE))) is not None:
        return one_for_each(run, qualified, *counted, facts[1:])
    if behaviour is not None:
        made = calls.by_behaviour(run, node, qualified, behaviour, args, kwargs)
        if made.kind in (("series", "frame") if name in COPIED else ("series",)) and name in WITHOUT_LABELS:
            made = run.new(replace(run.obj(made), kind="array"), made.fact)
        if name in FILLED and made.fact.time < Time.ROW and made.obj < 0:
            made = Value("array", NOTHING, run.store(Obj("array", made.fact)))
        return replace(made, name=tabular.positions(args[:3])) if behaviour == "constant" else made
    return calls.unknown_call(run, Value("lib", name=qualified), args, kwargs, qualified)


def _is_sideways(args: Sequence[Value], kwargs: Mapping[str, Value]) -> bool:
    """Whether arrays are put next to each other: `axis=1`, or along a further axis of images."""
    axis = kwargs.get("axis", args[-1] if len(args) > 1 else NONE)
    return axis.is_const and type(axis.const) is int and axis.const != 0


def _of_rows_below(run: Interpreter, made: Value, name: str, first: Value, facts: list[Fact]) -> Value:
    """`made` over the rows that it has: those of several tables, which may be copies, or each row several times.

    Columns that are put one below the other (`np.vstack([a, b]).T`) make no rows.
    """
    tables = (run.elements(first) or []) if name in BELOW else [first]
    rows = [each for table in tables if (each := run.data(table).rows) is not None]
    if made.obj < 0 or run.data(made).time is not Time.ROW or len(rows) < len(tables) or not rows:
        return made
    if name in REPEATS:
        return replace(made, obj=run.store(tabular.moved(run.obj(made), _repeated(run, rows[0], name, facts))))
    if any(table.kind not in ("frame", "array") for table in tables):
        return made
    together = one_below_the_other(rows, tabular.changed_rows(run, rows[0], name, facts).digest)
    return replace(made, obj=run.store(tabular.moved(run.obj(made), together)))


def _repeated(run: Interpreter, rows: Rows, name: str, facts: list[Fact]) -> Rows:
    return tabular.changed_rows(run, rows, COPIES + name, facts)


def _is_predicted(fact: Fact) -> bool:
    """Whether data is predictions, whose last axis is that of the classes where the call names it."""
    return any(number < 0 for number in fact.learned_at)


def _counted(node: ast.Call, shape: Value) -> tuple[ast.expr, Value] | None:
    """What counts rows in the call itself, as in `np.zeros(len(df))` and `np.ones((X.shape[0], 1))`, and the count."""
    given = node.args[:1] or [keyword.value for keyword in node.keywords if keyword.arg == "shape"]
    if not given:
        return None
    written, count = given[0], shape
    if isinstance(written, ast.Tuple | ast.List) and written.elts and shape.parts:
        written, count = written.elts[0], shape.parts[0]
    return None if count.name != tabular.ROW_COUNT or isinstance(written, ast.Name) else (written, count)


def one_for_each(run: Interpreter, qualified: str, written: ast.expr, count: Value, others: list[Fact]) -> Value:
    """`np.zeros(len(df))`: as long as the rows at hand, so that they are counted anew when they are served."""
    frame = count.parts[0]
    for part in ast.walk(written):  # `X.shape` as well, in `X.shape[0]`
        if id(part) in run.notes:
            run.note(part, count, time=Time.ROW)
    run.note(written, count, time=Time.ROW)
    rows = tabular.row_fact(run, frame) if frame.kind == "frame" else run.data(frame)
    return run.series(combine(qualified, [replace(rows, serve=rows.serve | frame.fact.serve), *others]))


def within_rows(run: Interpreter, qualified: str, behaviour: str, first: Value, facts: list[Fact]) -> Value:
    """`axis=1`: one value for each row, or each row's values in another order or summed up."""
    whole = combine("across." + qualified, facts)
    if behaviour == "reduction" or first.obj < 0:
        return run.series(whole)
    obj = run.obj(first)
    return tabular.derived(run, first, Obj("array", obj.fact, rest=whole, rows=obj.rows))
