"""Calls of methods: dispatch by receiver, and what several kinds of receivers share."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import (
    calls,
    classes,
    container_methods,
    estimators,
    frame_methods,
    functions,
    group_methods,
    mutation,
    networks,
    outside,
    row_numbers,
    series_methods,
    shuffling,
    tabular,
    torch_modules,
)
from nbprod.analysis.tables import axis_position, function_behaviour
from nbprod.analysis.values import (
    NONE,
    NOTHING,
    Fact,
    Obj,
    Time,
    Value,
    combine,
    join_rows,
    reduce_rows,
    with_refusals,
)

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


def call_method(run: Interpreter, node: ast.Call, fn: Value, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """Call a method of a value, by the kind of the receiver."""
    receiver, _, name = fn.name.partition(".")
    base = fn.parts[0] if fn.parts else NONE
    if base.ident >= 0 and base.obj >= 0:
        mutation.after_method(run, node, base, name, kwargs)
    if name == "backward":
        torch_modules.trained(run, node, base, args, kwargs)
    if name in torch_modules.GIVE_THEMSELVES and torch_modules.is_module(run, base):
        mutation.after_method(run, node, base, name, kwargs)
        return base
    if receiver == "rng":
        own = shuffling.by_generator if name == "shuffle" else outside.of_generator
        return own(run, node, base, name, args, kwargs)
    if base.kind in mutation.OPAQUE and mutation.changes_receiver(name, kwargs, alone=node is run.bare):
        facts = calls.facts_of(run, args, kwargs)
        surely = mutation.surely_changes(name, kwargs)
        mutation.change_value(run, receiver_node(node), base, name, facts, surely=surely)
        if node is run.bare and base.obj < 0:
            run.touch(base)
            return NONE
    match receiver:
        case "frame":
            return frame_methods.frame_method(run, node, base, name, args, kwargs)
        case "series" | "array" | "rowindex":
            return series_methods.series_method(run, node, base, name, args, kwargs)
        case "str" | "dt" | "cat" if base.obj >= 0 and base.kind in ("series", "array", "rowindex", "frame"):
            return series_methods.accessor_method(run, node, base, receiver, name, args, kwargs)
        case "index":
            return series_methods.index_method(run, node, base, name, args, kwargs)
        case "groupby":
            return group_methods.group_method(run, node, base, name, args, kwargs)
        case "network":
            return networks.call_network(run, node, base, name, args, kwargs)
        case "estimator":
            return estimators.call_estimator(run, node, base, name, args, kwargs)
        case "list" | "set":
            return container_methods.list_method(run, base, name, args)
        case "dict":
            return container_methods.dict_method(run, base, name, args, kwargs)
        case "parent":
            return classes.call_parent(run, base, name, args, kwargs)
        case "class" if base.kind == "class":
            return classes.call_on_class(run, node, base, name, args, kwargs)
        case "instance":
            return classes.call_instance(run, node, base, name, args, kwargs)
        case "str" | "scalar":
            return container_methods.text_method(run, base, name, args, kwargs)
        case "window":
            return run.series(combine("window." + name, [run.data(base), *calls.facts_of(run, args, kwargs)]))
        case "row":
            frame = base.parts[0]
            if name == "get" and args and args[0].is_const and isinstance(args[0].const, str):
                return row_numbers.row_of(run, base, args[0].const)
            return tabular.of_row(run, combine("row." + name, [run.data(frame), *calls.facts_of(run, args, kwargs)]))
        case _ if run.per_row and all(value.kind not in TABULAR for value in (base, *args)):
            return run.scalar(combine("call:" + name, [run.data(base), *calls.facts_of(run, args, kwargs)]))
        case _:
            return calls.unknown_method(run, node, base, name, args, kwargs)


TABULAR = frozenset({"frame", "series", "array", "rowindex", "estimator"})


def is_row_wise(function: Value) -> bool:
    """Whether a value is a library's function that gives one value for each row, such as `np.log`."""
    return function.kind == "lib" and function_behaviour(function.name) in ("row-wise", "columnwise")


def flag(kwargs: Mapping[str, Value], name: str) -> bool:
    """Whether a keyword argument is known to be true."""
    value = kwargs.get(name)
    return value is not None and value.is_const and bool(value.const)


def denied(kwargs: Mapping[str, Value], name: str) -> bool:
    """Whether a keyword argument is known to be false."""
    value = kwargs.get(name)
    return value is not None and value.is_const and not value.const


def sideways(args: Sequence[Value], kwargs: Mapping[str, Value], position: int = 0) -> bool:
    """Whether a call works along the columns of each row: `axis=1`."""
    axis = kwargs.get("axis", args[position] if len(args) > position else NONE)
    return axis.is_const and axis.const in (1, "columns") and axis.const is not True


def axis(position: int | None, args: Sequence[Value], kwargs: Mapping[str, Value]) -> int | None:
    """The axis that a call names, None where it names none; `position` is where it may stand among the arguments."""
    value = kwargs.get("axis", args[position] if position is not None and 0 <= position < len(args) else NONE)
    if not value.is_const or isinstance(value.const, bool):
        return None
    return {"index": 0, "rows": 0, "columns": 1}.get(value.const, value.const) if value.const in AXES else None


AXES = (-1, 0, 1, "index", "rows", "columns")


def along_columns(receiver: str, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> bool:
    """Whether a method works within each row: `axis=1`, where that method takes its axis."""
    position = axis_position(receiver, name)
    return position is not None and axis(position, args, kwargs) == 1


def receiver_node(node: ast.Call) -> ast.AST | None:
    """The expression that a method is called on."""
    return node.func.value if isinstance(node.func, ast.Attribute) else None


def per_row(run: Interpreter, node: ast.AST, fn: Value, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Fact:
    """The fact of a function applied to each row or element."""
    facts = [arg.fact if arg.kind == "row" else run.data(arg) for arg in args]
    if fn.kind != "function":
        if fn.kind == "class" or (
            fn.kind == "lib" and fn.name.partition(".")[0] in ("builtins", "numpy", "math", "pandas", "datetime", "re")
        ):
            return combine("each:" + fn.name, facts)
        if fn.kind == "method":
            whole = combine("each:" + fn.name, [run.data(fn), *facts])
            return whole
        return run.assumed(combine("each:" + (fn.name or "?"), [run.data(fn), *facts]))
    learned_before = len(run.learnings)
    around, run.looked_at = run.looked_at, []
    run.per_row += 1
    try:
        value = functions.call_function(run, fn, list(args), kwargs)
    finally:
        run.per_row -= 1
        looked_at, run.looked_at = run.looked_at, around
    around.extend(looked_at)
    fact = run.data(value)
    if looked_at:
        fact = combine("each", [fact, *looked_at])
    made = combine("each", [fact, *facts]) if fact.time < Time.ROW or not fact.inputs else fact
    made = replace(made, time=max([made.time, *(f.time for f in facts)]))
    if len(run.learnings) > learned_before:
        made = with_refusals(made, refuse_learning_by_row(run, node))
    return made


def refuse_learning_by_row(run: Interpreter, node: ast.AST) -> int:
    """What is learned anew for each row: a row that is served comes alone."""
    return run.refuse(
        node,
        "learned-in-row-function",
        "the function that is applied to each row looks at other rows as well",
        "compute the value before, in a statement of its own, and let the function use it",
    )


def get_dummies(run: Interpreter, node: ast.Call, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`pd.get_dummies`: categories are learned per column; the columns encoded are given or learned."""
    base = args[0] if args else kwargs.get("data", NONE)
    options = [run.data(v) for k, v in sorted(kwargs.items()) if k not in ("data", "columns")]
    facts = [*(run.data(v) for v in args[1:]), *options]
    whole = run.data(base)
    if whole.time is not Time.ROW or base.obj < 0:
        return Value("frame", NOTHING, run.store(Obj("frame", combine("get_dummies", [whole, *facts]))))
    event = run.learned(node, "get_dummies", whole.rows)
    obj = run.obj(base)

    def encoded(fact: Fact) -> Fact:
        seen = reduce_rows("categories", (fact, *facts), event)
        made = combine("dummies", (fact, seen, *facts))
        run.dummies[made.digest] = fact.digest
        return made

    columns = kwargs.get("columns", args[4] if len(args) > 4 else NONE)
    names = run.strings(columns) if columns.kind != "none" else None
    if base.kind == "series":
        made = run.new(
            Obj("frame", NOTHING, rest=encoded(whole), rows=whole.rows), Fact(serve=base.fact.serve, fit=base.fact.fit)
        )
    elif names is not None:
        kept = {n: f for n, f in obj.columns.items() if n not in names}
        dummies = {n: encoded(tabular.column(run, base, n)) for n in names}
        obj = run.obj(base)
        expanded = {f"{n}_*": fact for n, fact in dummies.items()}
        starts = _beginnings(run, names, args, kwargs)
        named = {start: f"{n}_*" for n, start in zip(names, starts, strict=True)} if starts is not None else {"": ""}
        obj = replace(obj, columns={**kept, **expanded}, dummies={**obj.dummies, **named})
        made = tabular.derived(run, base, obj, run.data(columns))
    else:

        def either(fact: Fact) -> Fact:
            return encoded(fact)

        # Which columns are texts is for the data to tell: any may have given way to indicators.
        starts, (between,) = (_beginnings(run, of, args, kwargs) or [""] for of in (list(obj.columns), [""]))
        named = dict(zip(starts, obj.columns, strict=True)) if len(starts) == len(obj.columns) else {}
        obj = replace(tabular.mapped(obj, either), dummies={**named, between: ""})
        made = tabular.derived(run, base, obj, replace(run.data(columns), time=Time.CONSTANT))
    run.note(node, made, "idiom:get_dummies", node)
    return made


def _beginnings(
    run: Interpreter, names: Sequence[str], args: Sequence[Value], kwargs: Mapping[str, Value]
) -> list[str] | None:
    """How the names of the indicators of each column begin; None where that is not known."""
    prefix = kwargs.get("prefix", args[1] if len(args) > 1 else NONE)
    between = kwargs.get("prefix_sep", args[2] if len(args) > 2 else Value("str", const="_"))
    if prefix.kind == "dict":
        items = run.obj(prefix).items
        before = [each.const for name in names if (each := items.get(name)) and isinstance(each.const, str)]
    else:
        before = list(names) if prefix.kind == "none" else run.strings(prefix) or []
    if not isinstance(between.const, str):
        return None
    before = before * len(names) if len(before) == 1 else before
    return [name + between.const for name in before] if len(before) == len(names) else None


def cut(run: Interpreter, node: ast.Call, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`pd.cut`: with given edges each row stands alone; with a number of bins the edges are learned."""
    base = args[0] if args else kwargs.get("x", NONE)
    bins = args[1] if len(args) > 1 else kwargs.get("bins", NONE)
    facts = calls.facts_of(run, args[1:], {k: v for k, v in kwargs.items() if k != "x"})
    if (
        bins.kind in ("list", "tuple", "learned", "array", "series", "index", "range")
        and run.data(bins).time < Time.ROW
    ):
        made = run.series(combine("cut", [run.data(base), *facts]))
        return made
    return tabular.broadcast(run, node, base if base.obj >= 0 else run.series(run.data(base)), "cut", node, facts)


def to_datetime(run: Interpreter, node: ast.Call, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`pd.to_datetime` without a format: the format is learned."""
    facts = calls.facts_of(run, args[1:], kwargs)
    base = args[0] if args[0].obj >= 0 else run.series(run.data(args[0]))
    if run.per_row:
        return run.scalar(combine("to_datetime", [run.data(base), *facts]))
    return tabular.broadcast(run, node, base, "to_datetime", node, facts)


WINDOWS = frozenset({"rolling", "expanding", "ewm", "resample"})
"""Operations that give windows over rows, on which a statistic is called next."""


FILLS = frozenset({"ffill", "bfill", "pad", "backfill", "interpolate", "fillna(method=…)"})
"""Operations that give a row the value of another, which may be on the other side of a later split."""


ALONG = FILLS | frozenset(
    {"shift", "diff", "pct_change", "cumsum", "cumprod", "cummax", "cummin", "cumcount", "rolling", "expanding", "ewm"}
)
"""Operations of pandas that give one value for each row, made of the rows before or behind it."""

_IN_ORDER = frozenset({"sort_values", "sort_index", "reset_index"})


def cross_row(run: Interpreter, node: ast.AST, name: str, base: Value, facts: Sequence[Fact]) -> Value:
    """An operation in which a row's value needs its neighbours: refused where it reaches the model."""
    whole = run.data(base)
    if whole.time < Time.ROW:
        return run.series(combine(name, [whole, *facts]))
    bit = run.refuse(
        node,
        name,
        f"{name} computes a row's value from the rows around it, and a row that is served comes alone",
        "bring the value in as a column of the raw data, or export for whole batches: --batch",
    )
    run.neighbours |= bit
    if base.kind in ("frame", "series") and name.removeprefix("groupby.") in ALONG and _has_all_rows(whole):
        run.along |= bit
    if isinstance(node, ast.Call) and _looks_ahead(run, node, name.rpartition(".")[2]):
        run.ahead |= bit

    filled = {run.learned(node, name, whole.rows)} if name in FILLS else frozenset[int]()

    def step(fact: Fact) -> Fact:
        made = combine(name, (fact, *facts))
        return replace(made, refused=made.refused | bit, learned_at=made.learned_at | filled)

    if name.rpartition(".")[2] in WINDOWS:
        return Value("window", step(whole))
    return tabular.derived(run, base, tabular.mapped(run.obj(base), step)) if base.obj >= 0 else run.series(step(whole))


def _looks_ahead(run: Interpreter, node: ast.Call, name: str) -> bool:
    """Whether an operation takes what stands in later rows: `shift(-1)`, `bfill()`, `rolling(3, center=True)`."""
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    match name:
        case "shift" | "diff" | "pct_change":
            periods = given.get("periods", node.args[0] if node.args else None)
            number = run.eval(periods).const if isinstance(periods, ast.Constant | ast.Name | ast.UnaryOp) else 1
            return isinstance(number, int | float) and number < 0
        case "rolling":
            center = given.get("center")
            return isinstance(center, ast.Constant) and center.value is True
        case _:
            return name in ("bfill", "backfill")


def _has_all_rows(fact: Fact) -> bool:
    """Whether no row of the raw table was left out before, so that each has the neighbours that it has in a batch."""
    rows = fact.rows
    return rows is not None and not rows.mix and all(link.partition(":")[0] in _IN_ORDER for link in rows.chain)


def rows_of_calls(run: Interpreter, node: ast.Call, name: str, facts: Sequence[Fact]) -> Value:
    """A function of a library that changes rows: `np.delete`, `np.concatenate`, …"""
    fact = combine(name, facts)
    if fact.time is not Time.ROW:
        return run.series(fact)
    bit = run.refuse(
        node,
        name,
        f"{name} makes an array with other rows than its operand's",
        "choose rows on the frame, before it becomes an array",
    )
    return run.series(with_refusals(fact, bit))


def invoke_on(run: Interpreter, node: ast.Call, fn: Value, base: Value) -> Value:
    """A callable given where a value is expected: `df.assign(x=lambda d: …)`."""
    return calls.invoke(run, node, fn, [base], {})


def rows_of(run: Interpreter, values: Sequence[Value]) -> object:
    """The rows that several values have together."""
    rows = None
    for value in values:
        rows = join_rows(rows, run.data(value).rows)
    return rows
