"""Python's built-in functions."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from nbprod.analysis import attributes, calls, classes, flow, outside, places, row_numbers, tabular
from nbprod.analysis.tabular import POSITIONS, ROW_COUNT
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
)

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


CONVERSIONS: dict[str, Callable[[Any], object]] = {"int": int, "float": float, "str": str, "bool": bool, "abs": abs}


def builtin_call(run: Interpreter, node: ast.Call, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """The result of a built-in function."""
    first = args[0] if args else NONE
    facts = calls.facts_of(run, args, kwargs)
    match name:
        case "print" | "display" | "help" | "exit" | "quit" | "breakpoint":
            return NONE
        case "exec" | "eval" | "compile":
            return outside.made_of_text(run, node, name, first)
        case "input" | "open":
            return outside.taken(run, node, name, facts)
        case "id" | "get_ipython":
            return Value("unknown", combine("builtins." + name, facts))
        case "list" | "tuple" | "sorted" | "set" | "frozenset" | "reversed":
            made = collection(run, node, name, args, facts)
            return replace(made, name=POSITIONS) if first.name == POSITIONS else made
        case "dict":
            return dict_call(run, args, kwargs)
        case "len":
            elements = run.elements(first)
            if elements is not None:
                return run.constant(len(elements), replace(combine("len", facts), digest="-"))
            if run.per_row and first.kind not in ("frame", "series", "array", "rowindex"):
                return Value("scalar", combine("len", facts))
            if first.kind == "frame" or run.data(first).time is Time.ROW:
                base = tabular.row_fact(run, first) if first.kind == "frame" else facts[0]
                fact = reduce_rows("len", (base,), run.learned(node, "len", base.rows))
                return Value("scalar", fact, name=ROW_COUNT, parts=(first,))
            return Value("scalar", combine("len", facts))
        case "range":
            if all(a.is_const and isinstance(a.const, int) for a in args) and args:
                try:
                    return Value(
                        "range",
                        replace(combine("range", facts), digest=digest_of("range", repr([a.const for a in args]))),
                        const=range(*(a.const for a in args)),
                    )
                except (TypeError, ValueError):
                    pass
            fact = combine("range", facts)
            return replace(
                Value("list" if fact.time is not Time.ROW else "unknown", fact), name=tabular.positions(args)
            )
        case "enumerate" | "zip" | "map" | "filter":
            return iterated(run, node, name, args)
        case (
            "int"
            | "float"
            | "str"
            | "bool"
            | "round"
            | "abs"
            | "complex"
            | "ord"
            | "chr"
            | "hash"
            | "repr"
            | "format"
            | "divmod"
            | "pow"
            | "bytes"
            | "type"
            | "isinstance"
            | "hasattr"
            | "callable"
            | "issubclass"
        ):
            if (
                first.is_const
                and name in CONVERSIONS
                and len(args) == 1
                and isinstance(first.const, int | float | str | bool)
            ):
                try:
                    folded = CONVERSIONS[name](first.const)
                    return run.constant(folded, replace(combine(name, facts), digest="-"))
                except (ValueError, TypeError, OverflowError):
                    pass
            fact = combine(name, facts)
            if (
                name in ("isinstance", "type", "hasattr", "callable")
                and first.kind != "scalar"
                and fact.time is Time.ROW
                and not run.per_row
            ):
                fact = reduce_rows(name, facts)
            return Value("str" if name in ("str", "repr", "format", "chr") else "scalar", fact)
        case "sum" | "min" | "max" | "any" | "all":
            fact = combine(name, facts)
            if fact.time is Time.ROW and run.per_row == 0:
                return Value("scalar", reduce_rows(name, facts, run.learned(node, name, fact.rows)))
            return Value("scalar", fact)
        case "getattr":
            if len(args) >= 2 and args[1].is_const and isinstance(args[1].const, str):
                named = ast.copy_location(ast.Attribute(node.args[0], args[1].const, ast.Load()), node)
                run.made.append(named)
                return attributes.get_attribute(run, named, first)
            return Value("unknown", combine(name, facts))
        case "setattr" if len(args) == 3 and isinstance(args[1].const, str):
            attributes.set_attribute(run, ast.Attribute(node.args[0], args[1].const, ast.Store()), first, args[2])
            return NONE
        case "globals" | "locals" | "vars" if not args and (name == "globals" or run.state.local is None):
            return Value("namespace", combine(name, facts))
        case "super":
            return classes.parent(run)
        case "next" if args and args[0].kind == "stream" and args[0].parts and args[0].name != flow.OF_ROWS:
            return args[0].parts[0]
        case "setattr" | "delattr" | "vars" | "globals" | "locals" | "object" | "iter" | "next":
            return Value("unknown", combine(name, facts))
        case _:
            return Value("unknown", combine("builtins." + name, facts))


def collection(run: Interpreter, node: ast.Call, name: str, args: Sequence[Value], facts: Sequence[Fact]) -> Value:
    """`list(…)`, `set(…)`, `sorted(…)` and their kin."""
    kind = {"tuple": "list", "sorted": "list", "reversed": "list", "frozenset": "set"}.get(name, name)
    if not args:
        return run.new(Obj(kind))
    first = args[0]
    if first.name == flow.OF_FOLDS and name in ("list", "tuple"):
        return first
    elements = flow.iterate(run, first)
    perhaps = run.candidates(first) if name != "reversed" else None
    if perhaps is not None:
        elements = [run.constant(each) for each in perhaps]
    ref = Fact(serve=first.fact.serve, fit=first.fact.fit)
    if elements is not None:
        if name == "sorted" and all(e.is_const for e in elements):
            with contextlib.suppress(TypeError):
                elements = sorted(elements, key=lambda e: e.const)
        if name == "reversed":
            elements = elements[::-1]
        fact = run.data(first)
        made = run.list_of(elements, kind, fact=ref)
        if name in ("list", "tuple") and outside.has_no_order(run, first):
            return outside.order_taken(run, node, made)
        if fact.time is Time.LEARNED:
            obj = run.obj(made)
            run.state.heap[made.obj] = replace(
                obj,
                fact=replace(obj.fact, time=Time.LEARNED, fit=fact.fit, digest=fact.digest),
                maybe=None if perhaps is None else replace(fact, serve=0),
            )
        return made
    fact = combine(name, facts)
    if first.kind == "frame":
        schema = tabular.schema_of(run, first, "columns")
        return run.new(Obj(kind, rest=schema), ref)
    if fact.time is Time.ROW:
        if name in ("set", "sorted", "frozenset"):
            return run.new(Obj(kind, rest=reduce_rows(name, facts, run.learned(node, name, fact.rows))), ref)
        return run.new(Obj("array", fact, rows=fact.rows))
    return run.new(Obj(kind, rest=fact), ref)


def dict_call(run: Interpreter, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """`dict(…)`."""
    if not args:
        return run.new(Obj("dict", items=dict(kwargs)))
    if args[0].kind == "dict" and args[0].obj >= 0:
        obj = run.obj(args[0])
        return run.new(replace(obj, items={**obj.items, **kwargs}), args[0].fact)
    facts = calls.facts_of(run, args, kwargs)
    fact = combine("dict", facts)
    if fact.time is Time.ROW:
        fact = reduce_rows("dict", facts)
    return run.new(Obj("dict", rest=fact))


def iterated(run: Interpreter, node: ast.Call, name: str, args: Sequence[Value]) -> Value:
    """`enumerate`, `zip`, `map`, `filter` over known elements; otherwise a value that stands for all."""
    if name in ("map", "filter"):
        fn, rest = args[0], args[1:]
        lists = [flow.iterate(run, value) for value in rest]
        if lists and all(one is not None for one in lists) and name == "map":
            made = [
                calls.invoke(run, node, fn, list(row), {}) for row in zip(*(one or [] for one in lists), strict=False)
            ]
            return run.list_of(made)
        return Value("unknown", combine(name, [run.data(value) for value in args]))
    lists = [flow.iterate(run, value) for value in args]
    if lists and all(one is not None for one in lists):
        known = [one or [] for one in lists]
        if name == "enumerate":
            rows = [Value("tuple", parts=(run.constant(i), value)) for i, value in enumerate(known[0])]
        else:
            rows = [Value("tuple", parts=row) for row in zip(*known, strict=False)]
        return Value("iterated", combine(name, [run.data(value) for value in args]), parts=tuple(rows))
    return streamed(run, node, name, args)


def streamed(run: Interpreter, node: ast.Call, name: str, args: Sequence[Value]) -> Value:
    """`enumerate` and `zip` of what has too many elements to name: one that stands for all."""
    facts = [run.data(value) for value in args]
    counted = next((fact for value, fact in zip(args, facts, strict=True) if _is_of_rows(value, fact)), None)
    parts = [flow.quiet_element(run, value, node) for value in args]
    if counted is not None:
        parts = [_of_row(run, part, counted) for part in parts]
    if name == "enumerate":
        one = Value("scalar") if counted is None else row_numbers.number(run, node, counted, row_numbers.PLACE)
        parts = [one, *parts]
    kind = "" if counted is None else flow.OF_ROWS
    return Value("stream", combine(name, facts), name=kind, parts=(Value("tuple", parts=tuple(parts)),))


def _is_of_rows(value: Value, fact: Fact) -> bool:
    return fact.time is Time.ROW and (value.kind in ("series", "array") or value.name == flow.OF_ROWS)


def _of_row(run: Interpreter, part: Value, counted: Fact) -> Value:
    """What one of several things that are gone through side by side has for a row."""
    if part.kind == "tuple":
        return replace(part, parts=tuple(_of_row(run, each, counted) for each in part.parts))
    return part if part.obj >= 0 else replace(part, fact=places.beside(run, part.fact, counted.rows))


def extend_list(run: Interpreter, base: Value, more: Value) -> None:
    """`base += more` for lists: in place."""
    obj = run.obj(base)
    elements = run.elements(more)
    if elements is None or obj.rest is not None:
        facts = [run.data(more), *([] if obj.rest is None else [obj.rest])]
        run.write(base.obj, replace(obj, rest=traced(combine("extend", facts), run.serve, run.fit)))
        return
    items = dict(obj.items)
    for element in elements:
        items[len(items)] = run.bound(element)
    run.write(base.obj, replace(obj, items=items))
