"""Functions of pandas whose result has columns of its own."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import below, calls, joins, labels, methods, places, tabular
from nbprod.analysis.tables import function_behaviour
from nbprod.analysis.values import (
    NONE,
    NOTHING,
    Fact,
    Obj,
    Rows,
    Time,
    Value,
    combine,
    reduce_rows,
    traced,
    with_refusals,
)

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


def pandas_call(run: Interpreter, node: ast.Call, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """The result of a function of pandas."""
    behaviour = function_behaviour("pandas." + name)
    if behaviour == "read":
        return calls.read(run, node, "pandas." + name, args, kwargs)
    facts = calls.facts_of(run, args, kwargs)
    match name:
        case "DataFrame" | "DataFrame.from_dict" | "DataFrame.from_records":
            return _labelled(run, data_frame(run, node, args, kwargs), args, kwargs)
        case "Series" | "Index":
            fact = combine("Series", calls.facts_of(run, args, _without_rows(kwargs)))
            made = replace(run.series(fact), name=tabular.positions(args[:1]))
            return _labelled(run, made, args, kwargs)
        case "Categorical" | "CategoricalIndex" if args:
            return tabular.columnwise(run, column_of(run, args[0]), "Categorical", facts[1:])
        case "concat":
            made = concat(run, node, args, kwargs)
            return labels.relabelled(run, made, anew=True) if methods.flag(kwargs, "ignore_index") else made
        case "merge":
            left = kwargs["left"] if "left" in kwargs else args[0] if args else NONE
            return joins.merge(run, node, left, args if "left" in kwargs else args[1:], kwargs, function=True)
        case "get_dummies":
            return methods.get_dummies(run, node, args, kwargs)
        case "cut":
            return methods.cut(run, node, args, kwargs)
        case "qcut" | "factorize" if args:
            made = tabular.broadcast(
                run, node, args[0] if args[0].obj >= 0 else run.series(run.data(args[0])), name, node, facts[1:]
            )
            if name == "factorize":
                return Value("tuple", parts=(made, Value("learned", reduce_rows("uniques", (run.data(args[0]),)))))
            return made
        case "isna" | "isnull" | "notna" | "notnull" | "to_numeric" | "to_datetime" | "to_timedelta" if args:
            if name == "to_datetime" and infers_format(run, args, kwargs):
                return methods.to_datetime(run, node, args, kwargs)
            if args[0].obj >= 0:
                return tabular.columnwise(run, args[0], "pandas." + name, facts[1:])
            return Value("scalar", combine("pandas." + name, facts))
    if behaviour is not None:
        return calls.by_behaviour(run, node, "pandas." + name, behaviour, args, kwargs)
    return calls.unknown_call(run, Value("lib", name="pandas." + name), args, kwargs, "pandas." + name)


def _labelled(run: Interpreter, made: Value, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """A table or a column that was just made: what has no labels is numbered, unless it is given an index."""
    data = args[0] if args else kwargs.get("data", NONE)
    if "index" in kwargs or len(args) > 1:
        return labels.relabelled(run, made)
    parts = list(run.obj(data).items.values()) if data.kind == "dict" and data.obj >= 0 else [data]
    by_place = [part.kind in places.BY_PLACE for part in parts if run.data(part).time is Time.ROW]
    return labels.relabelled(run, made, anew=True) if by_place and all(by_place) else made


def _without_rows(kwargs: Mapping[str, Value]) -> dict[str, Value]:
    """The arguments without the index of a table's rows, which gives labels and no values."""
    return {name: value for name, value in kwargs.items() if name != "index" or value.kind != "rowindex"}


def column_of(run: Interpreter, value: Value) -> Value:
    """A value as a column of data."""
    return value if value.obj >= 0 else run.series(run.data(value))


def infers_format(run: Interpreter, args: Sequence[Value], kwargs: Mapping[str, Value]) -> bool:
    """`to_datetime` without a format takes it from the first element: state that training learns."""
    return "format" not in kwargs and "unit" not in kwargs and run.data(args[0]).time is Time.ROW and len(args) < 2


def data_frame(run: Interpreter, node: ast.Call, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`pd.DataFrame(…)`: columns by name or position where they can be told."""
    data = args[0] if args else kwargs.get("data", NONE)
    names_value = kwargs.get("columns", args[2] if len(args) > 2 else NONE)
    names = run.strings(names_value) if names_value.kind != "none" else None
    whole = run.data(data)
    learned_names = run.data(names_value)
    if data.kind == "dict" and data.obj >= 0 and run.obj(data).rest is None:
        columns = {str(key): run.data(value) for key, value in run.obj(data).items.items()}
        rows = combine("rows", list(columns.values())).rows if columns else None
        return run.new(
            Obj("frame", Fact(digest="frame"), columns=columns, rows=rows),
            Fact(serve=data.fact.serve, fit=data.fact.fit),
        )
    if data.kind in ("frame", "array") and data.obj >= 0:
        obj = run.obj(data)
        made = replace(obj, kind="frame")
        if names is not None and obj.rest is None and len(names) == len(obj.columns):
            made = replace(made, columns=dict(zip(names, obj.columns.values(), strict=True)))
        elif names is not None:
            made = replace(
                made,
                columns={n: combine(f"part:{i}", (whole,)) for i, n in enumerate(names)},
                rest=None,
                history=(),
                origin=None,
            )
        elif obj.columns and names_value.kind == "none":
            pass
        elif learned_names.time > Time.CONSTANT and not (obj.rest is None and obj.columns):
            made = replace(made, columns={}, rest=whole, history=(), origin=None)
        return tabular.derived(run, data, made, learned_names)
    if whole.time is Time.ROW:
        columns = {n: combine(f"part:{i}", (whole,)) for i, n in enumerate(names)} if names else {}
        rest = None if names else whole
        ref = traced(data.fact, learned_names.serve, learned_names.fit)
        return run.new(Obj("frame", Fact(digest="frame"), columns=columns, rest=rest, rows=whole.rows), ref)
    if (
        data.kind in ("unknown", "scalar")
        and whole.time is Time.CONSTANT
        and names_value.kind != "none"
        and not data.is_const
    ):
        return calls.read(run, node, "pandas.DataFrame", args, kwargs)
    fact = combine("DataFrame", calls.facts_of(run, args, kwargs))
    rest = None if names is not None or data.kind == names_value.kind == "none" else fact
    return run.new(Obj("frame", fact, columns=dict.fromkeys(names or (), fact), rest=rest))


def concat(run: Interpreter, node: ast.Call, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`pd.concat`: side by side, or rows below rows."""
    container = args[0] if args else kwargs.get("objs", NONE)
    parts = run.elements(container)
    axis = kwargs.get("axis", args[1] if len(args) > 1 else NONE)
    sideways = axis.is_const and axis.const in (1, "columns")
    if parts is None:
        return calls.unknown_call(run, Value("lib", name="pandas.concat"), args, kwargs, "pandas.concat")
    tables = [part for part in parts if part.obj >= 0 and part.kind in ("frame", "series", "array")]
    if sideways:
        return side_by_side(run, parts)
    if not tables:
        return Value("unknown", combine("concat", [run.data(part) for part in parts]))
    return below.rows_below(run, node, tables)


def _each_beside(run: Interpreter, part: Value, rows: Rows | None) -> Value:
    """A table that is put beside others by the labels of its rows."""
    bit = labels.refused_beside(run, run.data(part).rows, rows)
    if not bit:
        return part
    if part.obj < 0:
        return replace(part, fact=with_refusals(part.fact, bit))
    return tabular.derived(run, part, tabular.mapped(run.obj(part), lambda fact: with_refusals(fact, bit)))


def side_by_side(run: Interpreter, parts: Sequence[Value]) -> Value:
    """Frames and series next to each other; a name in two of them means what either holds.

    Tables of columns that were chosen by learned names have the same names, for all that is known.
    """
    columns: dict[str, Fact] = {}
    dummies: dict[str, str] = {}
    rest: list[Fact] = []
    structure: list[Fact] = []
    perhaps: list[Fact] = []
    history: tuple[object, ...] = ()
    origin = None
    open_part: Obj | None = None
    first = next((rows for part in parts if (rows := run.data(part).rows) is not None), None)
    for number, part in enumerate(_each_beside(run, part, first) for part in parts):
        if part.obj >= 0 and part.kind in ("frame", "array"):
            obj = run.obj(part)
            structure.append(obj.fact)
            dummies |= obj.dummies
            perhaps += [] if obj.maybe is None else [obj.maybe]
            for name in obj.columns:
                fact = tabular.column(run, part, name)
                columns[name] = combine("concat", (columns[name], fact)) if name in columns else fact
            if obj.rest is not None:
                rest.append(traced(obj.rest, part.fact.serve, part.fact.fit))
                open_part = obj
        elif part.obj >= 0:
            name = part.view[1] if part.view and part.view[1] else f"concat:{number}"
            columns[name] = run.data(part)
        elif part.kind != "none":
            columns[f"concat:{number}"] = run.data(part)
    if len(rest) == 1 and open_part is not None:
        origin, history = open_part.origin, open_part.history
    whole = combine("concat", [*columns.values(), *rest]) if columns or rest else NOTHING
    made = Obj(
        "frame",
        combine("concat", structure) if structure else NOTHING,
        columns=columns,
        rest=None if not rest else rest[0] if len(rest) == 1 else combine("concat", rest),
        origin=origin,
        history=history,  # type: ignore[arg-type]
        rows=whole.rows,
        maybe=combine("concat", perhaps) if perhaps else None,
        dummies=dummies,
    )
    serve = fit = 0
    for part in parts:
        serve |= part.fact.serve
        fit |= part.fact.fit
    return run.new(made, Fact(serve=serve, fit=fit))
