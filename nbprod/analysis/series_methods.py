"""Methods of series, arrays and their accessors."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import (
    builtin_calls,
    calls,
    column_masks,
    column_names,
    flow,
    labels,
    methods,
    row_numbers,
    tabular,
    views,
)
from nbprod.analysis.state import with_rows
from nbprod.analysis.tables import method_behaviour
from nbprod.analysis.values import (
    NONE,
    NOTHING,
    Fact,
    Obj,
    Time,
    Value,
    combine,
    reduce_rows,
    traced,
)

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


OF_ARRAY = frozenset({"fill", "itemset", "partition", "put", "resize", "sort"})
"""Methods of arrays that change the array itself, and give nothing."""


def series_method(
    run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """A method of a series or an array; with `inplace=True` it changes the object itself."""
    in_place = methods.flag(kwargs, "inplace") or (name in OF_ARRAY and node is run.bare)
    given = {key: value for key, value in kwargs.items() if key != "inplace"}
    made = _series_result(run, node, base, name, args, given)
    if not in_place:
        return made
    fact = traced(run.data(made), run.serve, run.fit)
    views.write_through(run, base, fact)
    if base.obj >= 0 and run.obj(base).kind == "series":
        run.write(base.obj, replace(run.obj(base), fact=fact, rows=fact.rows, columns={}, rest=None))
    elif name in OF_ARRAY:
        run.touch(base)
    return NONE


def _as_frame(base: Value, obj: Obj, whole: Fact, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Obj:
    """The frame of a series, whose column has the name that is given, or else the series' own where it is known."""
    given = kwargs.get("name", args[0] if args and name == "to_frame" else NONE)
    made = Obj("frame", rows=obj.rows, origin=obj.origin, history=obj.history)
    if isinstance(given.const, str):
        return replace(made, columns={given.const: whole})
    if obj.columns or obj.rest is not None:
        return replace(made, columns=obj.columns, rest=obj.rest)
    if base.view and base.view[1]:
        return replace(made, columns={base.view[1]: whole})
    return replace(made, rest=whole)


def _series_result(
    run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    facts = calls.facts_of(run, args, kwargs)
    whole = run.data(base)
    obj = run.obj(base)
    of = methods.receiver_node(node)
    row = whole.time is Time.ROW
    receiver = "array" if base.kind == "array" else "series"
    match name:
        case "apply" | "map" | "transform" | "agg" | "aggregate" if args and (
            args[0].kind == "function" or args[0].kind == "method"
        ):
            if name in ("apply", "map", "transform") or not row:
                fact = methods.per_row(run, node, args[0], [run.scalar(whole), *_extra(run, kwargs)], {})
                return run.series(with_rows(fact, whole.rows) if row else fact)
        case "apply" | "transform" | "agg" | "aggregate" if args and isinstance(args[0].const, str):
            return _series_result(run, node, base, args[0].const, args[1:], kwargs)
        case "agg" | "aggregate" if args and methods.is_row_wise(args[0]):
            return _series_result(run, node, base, "apply", args, kwargs)
        case "fillna" if "method" in kwargs:
            return methods.cross_row(run, node, "fillna(method=…)", base, [])
        case "to_frame" | "reset_index" if not row or name == "to_frame":
            return tabular.derived(run, base, _as_frame(base, obj, whole, name, args, kwargs))
        case "reset_index" if base.kind == "series" and not methods.flag(kwargs, "drop"):
            frame = _as_frame(base, obj, whole, name, args, kwargs)
            numbers = tabular.by_position_of_row(run, whole)
            beside = tabular.derived(run, base, replace(frame, columns={"index": numbers, **frame.columns}))
            return labels.relabelled(run, beside, anew=True)
        case (
            "reshape"
            | "to_numpy"
            | "as_matrix"
            | "tolist"
            | "to_list"
            | "flatten"
            | "ravel"
            | "toarray"
            | "todense"
            | "A1"
            | "rename"
            | "copy"
            | "squeeze"
        ):
            made = tabular.derived(
                run, base, replace(obj, kind="array" if name not in ("rename", "copy", "squeeze") else obj.kind)
            )
            named = isinstance(args[0].const, str) if args else False
            return labels.relabelled(run, made) if name == "rename" and not named else made
        case "groupby":
            keys = args[0] if args else kwargs.get("by", NONE)
            return Value("groupby", combine("groupby", (run.data(keys),)), parts=(base, keys))
        case "items" | "iteritems":
            return Value(
                "stream",
                whole,
                name=flow.OF_ROWS if row else "",
                parts=(Value("tuple", parts=(_label(run, node, whole), Value("scalar", whole))),),
            )
        case "to_dict":
            return run.new(Obj("dict", rest=reduce_rows("to_dict", (whole,)) if row else whole), base.fact)
        case "value_counts" | "unique" | "mode" if row:
            return run.series(reduce_rows(name, (whole, *facts), run.learned(node, name, whole.rows)))
        case "drop" if not row:
            return run.series(combine("drop", (whole, *facts)))
        case "pipe" if args:
            return calls.invoke(run, node, args[0], [base, *args[1:]], kwargs)
    behaviour = method_behaviour(receiver, name)
    if behaviour is None and receiver == "array":
        behaviour = method_behaviour("sparse", name) or method_behaviour("series", name)
    if not row:
        if behaviour == "sink":
            return NONE
        fact = combine(name, [whole, *facts])
        return Value("scalar", fact) if behaviour == "reduction" and fact.time < Time.ROW else run.series(fact)
    match behaviour:
        case "reduction" | "cross-row" if _is_along_columns(receiver, name, args, kwargs):
            return run.series(combine("across." + name, [whole, *facts]))
        case "product" | "lookup":
            return calls.by_behaviour(run, node, "array." + name, behaviour, [base, *args], kwargs)
        case "reduction":
            return Value("scalar", reduce_rows(name, (whole, *facts), run.learned(node, name, whole.rows)))
        case "columnwise":
            made = tabular.columnwise(run, base, name, facts)
            return labels.relabelled(run, made) if name == "set_axis" else made
        case "row-wise":
            return run.series(combine(name, [whole, *facts]))
        case "row-changing" | "row-ordering":
            made = tabular.change_rows(run, node, base, of, name, [whole, *facts])
            anew = methods.flag(kwargs, "drop" if name == "reset_index" else "ignore_index")
            return labels.relabelled(run, made, anew=True) if anew else made
        case "broadcast":
            if name != "factorize":
                return tabular.broadcast(run, node, base, name, of, facts)
            codes = tabular.broadcast(run, node, base, "series-factorize", of, facts)
            return Value("tuple", parts=(codes, Value("learned", reduce_rows("uniques", (whole,)))))
        case "cross-row":
            return methods.cross_row(run, node, name, base, facts)
        case "reshaping":
            return tabular.reshaped(run, node, base, name)
        case "sink":
            return NONE
        case "schema":
            return Value("scalar", reduce_rows("schema." + name, (whole,)))
        case "mutator":
            run.write(base.obj, replace(obj, fact=traced(combine(name, [whole, *facts]), run.serve, run.fit)))
            return NONE
        case _:
            return tabular.columnwise(run, base, "series." + name, facts, assumed=True)


def _is_along_columns(receiver: str, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> bool:
    """Whether a method works within each row: `axis=1`, which only an array of rows and columns can be asked for."""
    named = receiver == "array" or "axis" in kwargs
    return named and methods.along_columns("array", name, args, kwargs)


def _label(run: Interpreter, node: ast.AST, whole: Fact) -> Value:
    """The label of one of a series' elements."""
    return row_numbers.number(run, node, whole, row_numbers.LABEL) if whole.time is Time.ROW else Value("scalar", whole)


def _extra(run: Interpreter, kwargs: Mapping[str, Value]) -> list[Value]:
    return run.elements(kwargs["args"]) or [] if "args" in kwargs else []


def accessor_method(
    run: Interpreter, node: ast.Call, base: Value, accessor: str, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """A method of `.str`, `.dt` or `.cat`."""
    if methods.flag(kwargs, "inplace"):
        given = {key: value for key, value in kwargs.items() if key != "inplace"}
        made = accessor_method(run, node, base, accessor, name, args, given)
        views.write_through(run, base, traced(run.data(made), run.serve, run.fit))
        return NONE
    facts = calls.facts_of(run, args, kwargs)
    behaviour = method_behaviour(accessor, name)
    whole = run.data(base)
    if behaviour == "broadcast" and whole.time is Time.ROW:
        made = tabular.broadcast(run, node, base, f"{accessor}-{name}", methods.receiver_node(node), facts)
        return Value("frame", made.fact, run.store(Obj("frame", rest=run.data(made), rows=whole.rows)))
    if accessor == "str" and name == "cat" and not args and "others" not in kwargs:
        return Value("scalar", reduce_rows("str.cat", (whole, *facts), run.learned(node, "str.cat", whole.rows)))
    if accessor == "dt" and name == "isocalendar":
        parts = {part: combine(f"dt.isocalendar.{part}", [whole]) for part in ("year", "week", "day")}
        return run.new(Obj("frame", NOTHING, columns=parts, rows=whole.rows), base.fact)
    expands = methods.flag(kwargs, "expand") or (name == "extract" and not methods.denied(kwargs, "expand"))
    if name == "partition" or (name in ("extract", "split", "rsplit") and expands):
        fact = combine(f"{accessor}.{name}", [whole, *facts])
        if name != "extract" and whole.time is Time.ROW:
            seen = reduce_rows("width", (fact,), run.learned(node, "width", whole.rows))
            fact = combine("split-width", (fact, seen))
            made = run.new(Obj("frame", NOTHING, rest=fact, rows=whole.rows), base.fact)
            return run.note(node, made, f"idiom:str-{name}", methods.receiver_node(node))
        return run.new(Obj("frame", NOTHING, rest=fact, rows=whole.rows), base.fact)
    return tabular.columnwise(
        run, base, f"{accessor}.{name}", facts, assumed=behaviour is None and whole.time is Time.ROW
    )


def index_method(
    run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """A method of an index of column names."""
    if name in ("tolist", "to_list"):
        return builtin_calls.collection(run, node, "list", [base], [run.data(base)])
    if name == "isin" and args and (mask := column_masks.is_in(run, base, args[0])) is not None:
        return mask
    fact = combine("index." + name, [run.data(base), *calls.facts_of(run, args, kwargs)])
    if fact.time is Time.ROW:
        fact = reduce_rows("index." + name, (fact,))
    method = name.removeprefix("str-")
    if method in column_names.TEXT_TESTS and name != method:
        found = column_names.tested(base, method, args, kwargs)
        return Value("index", fact, parts=base.parts) if found is None else column_masks.kept(run, base, found)
    if name != method or (name == "map" and args and base.is_const):
        made = (
            column_names.of_function(run, base.const, args[0])
            if name == "map"
            else column_names.changed(run, base, method, args, kwargs)
        )
        return Value("index", fact) if made is None else Value("index", fact, const=made, maybe=base.maybe)
    if base.is_const:
        names = list(base.const)
        other = run.strings(args[0]) if args else None
        if name in ("copy", "to_numpy"):
            return Value("index", fact, const=tuple(names), parts=base.parts, maybe=base.maybe)
        if name in ("drop", "difference") and other is not None:
            kept = [n for n in names if n not in other]
            return Value("index", fact, const=tuple(sorted(kept) if name == "difference" else kept))
    if name == "get_loc":
        known = list(base.const) if base.is_const and not base.maybe else []
        if args and args[0].is_const and args[0].const in known:
            return Value("scalar", fact, const=known.index(args[0].const))
        return Value("scalar", fact)
    return Value("index", fact, parts=base.parts)
