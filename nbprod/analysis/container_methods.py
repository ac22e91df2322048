"""Methods of lists, dicts and strings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import builtin_calls, calls, tabular
from nbprod.analysis.values import (
    NONE,
    Value,
    combine,
    traced,
)

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


def list_method(run: Interpreter, base: Value, name: str, args: list[Value]) -> Value:
    """Methods of lists and sets."""
    if base.obj < 0:
        return Value("unknown", combine("list." + name, [run.data(base), *(run.data(a) for a in args)]))
    obj = run.obj(base)
    match name:
        case "append" | "add" if args:
            kept = run.bound(args[0])
            if obj.rest is None and (
                name == "append" or not any(v.const == kept.const and v.is_const for v in obj.items.values())
            ):
                run.write(base.obj, replace(obj, items={**obj.items, len(obj.items): kept}))
            elif obj.rest is not None:
                rest = traced(combine("append", (obj.rest, run.data(kept))), run.serve, run.fit)
                run.write(base.obj, replace(obj, rest=rest))
            return NONE
        case "extend" | "update" if args:
            builtin_calls.extend_list(run, base, args[0])
            return NONE
        case "remove" | "discard" if args:
            if obj.rest is None and args[0].is_const:
                kept_items = [v for v in obj.items.values() if not (v.is_const and v.const == args[0].const)]
                run.write(
                    base.obj, replace(obj, fact=traced(obj.fact, run.serve, run.fit), items=dict(enumerate(kept_items)))
                )
            else:
                rest = traced(combine("remove", [run.data(base), run.data(args[0])]), run.serve, run.fit)
                run.write(base.obj, replace(obj, rest=rest))
            return NONE
        case "pop" | "clear" | "sort" | "reverse" | "insert":
            items = list(obj.items.values())
            if obj.rest is None and name == "reverse":
                items.reverse()
            popped = (
                items.pop(
                    args[0].const if args and isinstance(args[0].const, int) and abs(args[0].const) < len(items) else -1
                )
                if name == "pop" and items and obj.rest is None
                else Value("unknown", run.data(base), ident=base.obj)
                if name == "pop"
                else NONE
            )
            if name == "insert" and len(args) == 2 and isinstance(args[0].const, int):
                items.insert(args[0].const, run.bound(args[1]))
            run.write(
                base.obj,
                replace(
                    obj,
                    fact=traced(obj.fact, run.serve, run.fit),
                    items={} if name == "clear" else dict(enumerate(items)),
                ),
            )
            return popped
        case "index" | "count":
            return Value("scalar", combine(name, [run.data(base), *(run.data(a) for a in args)]))
        case "copy":
            return tabular.derived(run, base, obj)
        case _:
            if name.endswith("_update"):
                run.touch(base)
            return Value(
                "index" if base.kind == "set" else "unknown",
                combine(base.kind + "." + name, [run.data(base), *(run.data(a) for a in args)]),
            )


def dict_method(run: Interpreter, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """Methods of dicts."""
    if base.obj < 0:
        return Value("unknown", combine("dict." + name, [run.data(base)]))
    obj = run.obj(base)
    known = obj.rest is None
    match name:
        case "setdefault" if args and not (args[0].is_const and args[0].const in obj.items):
            kept = run.bound(args[1] if len(args) > 1 else NONE)
            if args[0].is_const and known:
                run.write(base.obj, replace(obj, items={**obj.items, args[0].const: kept}))
                return kept
            facts = [run.data(kept), run.data(args[0]), *([] if obj.rest is None else [obj.rest])]
            run.write(base.obj, replace(obj, rest=traced(combine("items", facts), run.serve, run.fit)))
            return Value("unknown", combine("dict.get", facts), ident=base.obj)
        case "get" | "setdefault" if args:
            if args[0].is_const and known and args[0].const in obj.items:
                return obj.items[args[0].const]
            found_fact = combine("dict.get", [run.data(base), *(run.data(a) for a in args)])
            return run.identified(Value("scalar", found_fact), base)
        case "keys":
            if known:
                return run.list_of([run.constant(key) for key in obj.items], fact=base.fact)
            return Value("keys", run.data(base))
        case "values":
            if known:
                return run.list_of(list(obj.items.values()), fact=base.fact)
            return Value("unknown", run.data(base), ident=base.obj)
        case "items":
            if known:
                rows = [Value("tuple", parts=(run.constant(key), value)) for key, value in obj.items.items()]
                return Value("iterated", base.fact, parts=tuple(rows))
            return Value(
                "stream",
                run.data(base),
                parts=(
                    Value(
                        "tuple",
                        parts=(
                            Value("str", run.data(base), symbol=run.symbol()),
                            Value("unknown", run.data(base), ident=base.obj),
                        ),
                    ),
                ),
            )
        case "update" if args:
            other = args[0]
            if other.kind == "dict" and other.obj >= 0 and run.obj(other).rest is None:
                items = {**obj.items, **{k: run.bound(v) for k, v in run.obj(other).items.items()}}
                run.write(base.obj, replace(obj, items=items))
            else:
                facts = [run.data(other), *([] if obj.rest is None else [obj.rest])]
                run.write(base.obj, replace(obj, rest=traced(combine("update", facts), run.serve, run.fit)))
            return dict_method(run, base, name, [], kwargs) if kwargs else NONE
        case "update":
            run.write(base.obj, replace(obj, items={**obj.items, **{k: run.bound(v) for k, v in kwargs.items()}}))
            return NONE
        case "clear":
            run.write(base.obj, replace(obj, items={}, rest=None, fact=traced(obj.fact, run.serve, run.fit)))
            return NONE
        case "pop" if args and args[0].is_const:
            found = obj.items.get(args[0].const, Value("unknown", run.data(base)))
            run.write(base.obj, replace(obj, items={k: v for k, v in obj.items.items() if k != args[0].const}))
            return found
        case "pop" | "popitem":
            run.touch(base)
            return Value("unknown", run.data(base), ident=base.obj)
        case "copy":
            return tabular.derived(run, base, obj)
        case _:
            return Value("unknown", combine("dict." + name, [run.data(base)]))


def text_method(run: Interpreter, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """Methods of strings and other scalars."""
    fact = combine("text." + name, [run.data(base), *calls.facts_of(run, args, kwargs)])
    if (
        base.is_const
        and isinstance(base.const, str)
        and all(a.is_const and isinstance(a.const, str | int) for a in args)
        and not kwargs
    ):
        if name in (
            "lower",
            "upper",
            "strip",
            "title",
            "capitalize",
            "replace",
            "lstrip",
            "rstrip",
            "swapcase",
            "casefold",
        ):
            try:
                return run.constant(getattr(base.const, name)(*(a.const for a in args)), replace(fact, digest="-"))
            except (TypeError, ValueError):
                return Value("str", fact)
        if name == "format":
            try:
                return run.constant(base.const.format(*(a.const for a in args)), replace(fact, digest="-"))
            except (IndexError, KeyError, ValueError, AttributeError):
                return Value("str", fact)
        if name == "split":
            return run.list_of([run.constant(part) for part in base.const.split(*(a.const for a in args))])
    kind = "str" if name in ("format", "join", "lower", "upper", "strip", "replace", "title") else "scalar"
    return Value(kind, fact)
