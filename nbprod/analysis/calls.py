"""Calls: builtins, functions of libraries by table, functions of the notebook by following them."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nbprod.analysis import estimators, frames, methods
from nbprod.analysis.tables import SINK_LIBRARIES, estimator_kind, function_behaviour, learning_function
from nbprod.analysis.values import NONE, NOTHING, Event, Fact, Obj, Rows, Time, Value, combine, digest_of, reduce_rows, traced

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

Arguments = tuple[list[Value], dict[str, Value]]


def call(run: Interpreter, node: ast.Call) -> Value:
    fn = run.eval(node.func)
    args: list[Value] = []
    for argument in node.args:
        value = run.eval(argument)
        if isinstance(argument, ast.Starred):
            args.extend(run.elements(value) or [value])
        else:
            args.append(value)
    kwargs: dict[str, Value] = {}
    for keyword in node.keywords:
        value = run.eval(keyword.value)
        if keyword.arg is not None:
            kwargs[keyword.arg] = value
        elif value.kind == "dict" and value.obj >= 0:
            kwargs.update({str(k): v for k, v in run.obj(value).items.items()})
    return invoke(run, node, fn, args, kwargs)


def invoke(run: Interpreter, node: ast.Call, fn: Value, args: list[Value], kwargs: dict[str, Value]) -> Value:
    match fn.kind:
        case "function":
            made = run.call_function(fn, args, kwargs, node)
            run.note(node, made, "user-call", node.func)
            return made
        case "class":
            return estimators.construct_local(run, node, fn, args, kwargs)
        case "method":
            return methods.call_method(run, node, fn, args, kwargs)
        case "lib" | "module":
            return _library(run, node, fn.name, args, kwargs)
        case "estimator" | "instance":
            return Value("unknown", combine("call", [run.data(fn), *facts_of(run, args, kwargs)]))
        case "accessor":
            return methods.call_method(run, node, Value("method", name=fn.name, parts=fn.parts), args, kwargs)
        case _:
            return unknown_call(run, node, fn, args, kwargs)


def facts_of(run: Interpreter, args: Sequence[Value], kwargs: Mapping[str, Value]) -> list[Fact]:
    """The facts of all arguments; keywords in the order of their names, so that their order does not count."""
    return [
        *(run.data(value) for value in args),
        *(replace(run.data(kwargs[name]), digest=digest_of(name, run.data(kwargs[name]).digest)) for name in sorted(kwargs)),
    ]


def unknown_call(
    run: Interpreter, node: ast.Call, fn: Value, args: Sequence[Value], kwargs: Mapping[str, Value], name: str = ""
) -> Value:
    """A call of which nothing is known: taken as row-wise, and marked as assumed."""
    facts = facts_of(run, args, kwargs)
    fact = combine("call:" + (name or fn.name), [run.data(fn), *facts])
    if fact.time is Time.ROW:
        fact = run.assumed(fact)
        tabular = next((a for a in args if a.kind in ("frame", "series", "array")), None)
        if tabular is not None and tabular.kind == "frame":
            return frames.derived(run, tabular, Obj("frame", run.obj(tabular).fact, rest=fact, rows=run.obj(tabular).rows))
        return run.series(fact) if run.per_row == 0 else Value("scalar", fact)
    return Value("unknown", fact)


def _library(run: Interpreter, node: ast.Call, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    package, _, rest = name.partition(".")
    if package == "builtins":
        return _builtin(run, node, rest, args, kwargs)
    if package in SINK_LIBRARIES:
        if name == "seaborn.load_dataset":
            return read(run, node, name, args, kwargs)
        if name in ("tqdm.tqdm", "tqdm.notebook.tqdm", "tqdm.auto.tqdm") and args:
            return args[0]
        return Value("unknown", NOTHING)
    if package == "pandas":
        return _pandas(run, node, rest, args, kwargs)
    if package == "numpy":
        return _numpy(run, node, rest, args, kwargs)
    behaviour = learning_function(name)
    if behaviour is not None:
        return estimators.learning_call(run, node, name, behaviour, args, kwargs)
    if estimator_kind(name) is not None or estimators.looks_like_estimator(name):
        return estimators.construct(run, node, name, args, kwargs)
    behaviour = function_behaviour(name)
    if behaviour is not None:
        return by_behaviour(run, node, name, behaviour, args, kwargs)
    if name in ("copy.copy", "copy.deepcopy") and args:
        return replace(args[0]) if args[0].obj < 0 else frames.derived(run, args[0], run.obj(args[0]))
    if package in PURE_LIBRARIES and not name.endswith((".now", ".today", ".utcnow")):
        fact = combine(name, facts_of(run, args, kwargs))
        return Value("scalar", fact)
    if package in ("datetime", "time") and rest.rpartition(".")[2] in ("now", "today", "utcnow", "time"):
        return Value("scalar", Fact(digest=digest_of(name)))
    return unknown_call(run, node, Value("lib", name=name), args, kwargs, name)


PURE_LIBRARIES = frozenset(
    "re math string datetime dateutil unicodedata json html textwrap difflib decimal fractions statistics operator "
    "calendar itertools functools collections ast hashlib numbers cmath urllib".split()
)


def by_behaviour(
    run: Interpreter, node: ast.Call, name: str, behaviour: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """The result of a library function of which the tables know what it does to rows."""
    facts = facts_of(run, args, kwargs)
    first = args[0] if args else next(iter(kwargs.values()), NONE)
    match behaviour:
        case "columnwise" if first.kind in ("frame", "array") and run.obj(first).kind in ("frame", "array"):
            return frames.columnwise(run, first, name, facts[1:])
        case "columnwise" | "row-wise":
            fact = combine(name, facts)
            if fact.time is Time.ROW and run.per_row == 0 or any(a.kind in ("series", "array") for a in args):
                return run.series(fact)
            return Value("scalar", fact)
        case "reduction":
            fact = combine(name, facts)
            seen = reduce_rows(name, facts, run.learned(node, name, fact.rows)) if fact.time is Time.ROW else fact
            return Value("learned" if fact.time is Time.ROW else "scalar", seen)
        case "broadcast":
            return frames.broadcast(run, node, first if first.obj >= 0 else run.series(run.data(first)), idiom_of(name), node, facts[1:])
        case "cross-row":
            return methods.cross_row(run, node, name.rpartition(".")[2], first, facts)
        case "row-changing" | "row-ordering":
            return methods.rows_of_calls(run, node, name, args, facts)
        case "reshaping":
            return frames.reshaped(run, node, first if first.obj >= 0 else run.series(run.data(first)), name.rpartition(".")[2])
        case "sink":
            return NONE
        case "constant":
            return Value("unknown", combine(name, facts))
        case _:
            return unknown_call(run, node, Value("lib", name=name), args, kwargs, name)


IDIOMS = {
    "pandas.get_dummies": "get_dummies",
    "pandas.qcut": "qcut",
    "pandas.cut": "cut",
    "pandas.factorize": "factorize",
}


def idiom_of(name: str) -> str:
    return IDIOMS.get(name, name.rpartition(".")[2])


# ---------------------------------------------------------------------- pandas


def _pandas(run: Interpreter, node: ast.Call, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    behaviour = function_behaviour("pandas." + name)
    if behaviour == "read":
        return read(run, node, "pandas." + name, args, kwargs)
    facts = facts_of(run, args, kwargs)
    match name:
        case "DataFrame" | "DataFrame.from_dict" | "DataFrame.from_records":
            return _data_frame(run, node, args, kwargs)
        case "Series" | "Index":
            fact = combine("Series", facts)
            return run.series(fact)
        case "concat":
            return _concat(run, node, args, kwargs)
        case "merge":
            left, right = (*args, NONE, NONE)[:2]
            return methods.merge(run, node, kwargs.get("left", left), [kwargs.get("right", right), *args[2:]], kwargs)
        case "get_dummies":
            return methods.get_dummies(run, node, args, kwargs)
        case "cut":
            return methods.cut(run, node, args, kwargs)
        case "qcut" | "factorize" if args:
            made = frames.broadcast(run, node, args[0] if args[0].obj >= 0 else run.series(run.data(args[0])), name, node, facts[1:])
            if name == "factorize":
                return Value("tuple", parts=(made, Value("learned", reduce_rows("uniques", (run.data(args[0]),)))))
            return made
        case "isna" | "isnull" | "notna" | "notnull" | "to_numeric" | "to_datetime" | "to_timedelta" if args:
            if name == "to_datetime" and _infers_format(run, args, kwargs):
                return methods.to_datetime(run, node, args, kwargs)
            if args[0].obj >= 0:
                return frames.columnwise(run, args[0], "pandas." + name, facts[1:])
            return Value("scalar", combine("pandas." + name, facts))
    if behaviour is not None:
        return by_behaviour(run, node, "pandas." + name, behaviour, args, kwargs)
    return unknown_call(run, node, Value("lib", name="pandas." + name), args, kwargs, "pandas." + name)


def _infers_format(run: Interpreter, args: Sequence[Value], kwargs: Mapping[str, Value]) -> bool:
    """`to_datetime` without a format takes it from the first element: state that training learns."""
    return "format" not in kwargs and "unit" not in kwargs and run.data(args[0]).time is Time.ROW and len(args) < 2


def read(run: Interpreter, node: ast.Call, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """A call that brings in raw rows."""
    path = next((v.const for v in (*args[:1], kwargs.get("filepath_or_buffer", NONE), kwargs.get("path", NONE)) if v.is_const and isinstance(v.const, str)), None)
    for number, event in enumerate(run.events):
        if event.kind == "read" and event.node is node:
            root = number
            break
    else:
        root = len(run.events)
        run.event(Event("read", run.at, run.top, node, name, const=path, facts=tuple(facts_of(run, args, kwargs))))
    rows = Rows(root, fit=run.fit, digest=f"raw{root}")
    made = combine("read", facts_of(run, args, kwargs))
    structure = Fact(digest="raw", serve=0, fit=made.fit)

    def origin(column: str) -> Fact:
        return Fact(Time.ROW, inputs=frozenset({column}), digest=digest_of("raw", column), rows=rows)

    known = run.schemas.get(path) if path is not None else None
    if known is not None:
        columns = {column: origin(column) for column in known}
        value = run.new(Obj("frame", structure, columns=columns, rows=rows, type=""))
    else:
        rest = Fact(Time.ROW, inputs=frozenset({"*"}), digest="raw*", rows=rows)
        value = run.new(Obj("frame", structure, rest=rest, origin=origin, rows=rows))
    return run.note(node, value, "reads")


def _data_frame(run: Interpreter, node: ast.Call, args: list[Value], kwargs: dict[str, Value]) -> Value:
    data = args[0] if args else kwargs.get("data", NONE)
    names_value = kwargs.get("columns", args[2] if len(args) > 2 else NONE)
    names = run.strings(names_value) if names_value.kind != "none" else None
    whole = run.data(data)
    learned_names = run.data(names_value)
    if data.kind == "dict" and data.obj >= 0 and run.obj(data).rest is None:
        columns = {str(key): run.data(value) for key, value in run.obj(data).items.items()}
        rows = combine("rows", list(columns.values())).rows if columns else None
        return run.new(Obj("frame", Fact(digest="frame"), columns=columns, rows=rows), Fact(serve=data.fact.serve, fit=data.fact.fit))
    if data.kind in ("frame", "array") and data.obj >= 0:
        obj = run.obj(data)
        made = replace(obj, kind="frame")
        if names is not None and obj.rest is None and len(names) == len(obj.columns):
            made = replace(made, columns=dict(zip(names, obj.columns.values(), strict=True)))
        elif names is not None:
            made = replace(made, columns={n: combine(f"part:{i}", (whole,)) for i, n in enumerate(names)}, rest=None, history=(), origin=None)
        elif obj.columns and names_value.kind == "none":
            pass
        elif learned_names.time > Time.CONSTANT and not (obj.rest is None and obj.columns):
            made = replace(made, columns={}, rest=whole, history=(), origin=None)
        return frames.derived(run, data, made, replace(learned_names, serve=0))
    if whole.time is Time.ROW:
        columns = {n: combine(f"part:{i}", (whole,)) for i, n in enumerate(names)} if names else {}
        rest = None if names else whole
        return run.new(Obj("frame", Fact(digest="frame"), columns=columns, rest=rest, rows=whole.rows), data.fact)
    if data.kind in ("unknown", "scalar") and whole.time is Time.CONSTANT and names_value.kind != "none" and not data.is_const:
        return read(run, node, "pandas.DataFrame", args, kwargs)
    return run.new(Obj("frame", combine("DataFrame", facts_of(run, args, kwargs))))


def _concat(run: Interpreter, node: ast.Call, args: list[Value], kwargs: dict[str, Value]) -> Value:
    container = args[0] if args else kwargs.get("objs", NONE)
    parts = run.elements(container)
    axis = kwargs.get("axis", args[1] if len(args) > 1 else NONE)
    sideways = axis.is_const and axis.const in (1, "columns")
    if parts is None:
        return unknown_call(run, node, Value("lib", name="pandas.concat"), args, kwargs, "pandas.concat")
    tabular = [part for part in parts if part.obj >= 0 and part.kind in ("frame", "series", "array")]
    if sideways:
        return _side_by_side(run, node, parts)
    if not tabular:
        return Value("unknown", combine("concat", [run.data(part) for part in parts]))
    whole = [run.data(part) for part in tabular]
    row_parts = [fact for fact in whole if fact.time is Time.ROW]
    first = tabular[0]
    if not row_parts:
        return frames.derived(run, first, frames.mapped(run.obj(first), lambda fact: combine("concat", (fact,))), *whole)
    bit = run.refuse(
        node,
        "concat-of-rows",
        "tables are put one below the other, and what follows sees the rows of both",
        "prepare one table and apply the same steps to the other, so that each can be served alone",
    )
    made = frames.change_rows(run, node, first, None, "concat", whole)
    return replace(made, fact=replace(made.fact, refused=made.fact.refused | bit))


def _side_by_side(run: Interpreter, node: ast.Call, parts: Sequence[Value]) -> Value:
    columns: dict[str, Fact] = {}
    rest: list[Fact] = []
    structure: list[Fact] = []
    history: tuple[object, ...] = ()
    origin = None
    open_part: Obj | None = None
    for number, part in enumerate(parts):
        if part.obj >= 0 and part.kind in ("frame", "array"):
            obj = run.obj(part)
            structure.append(obj.fact)
            for name in obj.columns:
                columns[name] = frames.column(run, part, name)
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
    )
    serve = fit = 0
    for part in parts:
        serve |= part.fact.serve
        fit |= part.fact.fit
    return run.new(made, Fact(serve=serve, fit=fit))


# ---------------------------------------------------------------------- numpy


def _numpy(run: Interpreter, node: ast.Call, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    behaviour = function_behaviour("numpy." + name)
    qualified = "numpy." + name
    facts = facts_of(run, args, kwargs)
    first = args[0] if args else NONE
    match behaviour:
        case "reduction":
            axis = kwargs.get("axis", args[1] if len(args) > 1 and name not in ("percentile", "quantile", "nanpercentile", "nanquantile") else NONE)
            if axis.is_const and axis.const == 1 and run.data(first).time is Time.ROW:
                return run.series(combine(qualified, facts))
        case "row-wise" if name in ("column_stack", "hstack", "c_"):
            parts = run.elements(first) or [first]
            return frames.stack(run, node, parts, "numpy." + name)
        case "row-changing" if name in ("concatenate", "append", "stack"):
            axis = kwargs.get("axis", args[-1] if len(args) > 1 else NONE)
            if axis.is_const and axis.const in (1, -1):
                parts = [p for a in (args if name == "append" else args[:1]) for p in (run.elements(a) or [a])]
                return frames.stack(run, node, parts, "numpy." + name)
        case "random":
            fact = combine(qualified, facts)
            run.event(Event("random", run.at, run.top, node, qualified))
            drawn = Fact(Time.LEARNED, fit=fact.fit | run.fit, digest=fact.digest, learns=fact.learns, learned_at=fact.learned_at)
            return Value("learned", drawn)
        case "like":
            return run.series(combine(qualified, facts))
        case "read":
            return read(run, node, qualified, args, kwargs)
    if name == "random.seed":
        run.event(Event("seed", run.at, run.top, node, qualified))
        return NONE
    if name in ("where",) and len(args) == 1:
        fact = combine(qualified, facts)
        return Value("learned", reduce_rows(qualified, facts)) if fact.time is Time.ROW else Value("scalar", fact)
    if behaviour is not None:
        return by_behaviour(run, node, qualified, behaviour, args, kwargs)
    return unknown_call(run, node, Value("lib", name=qualified), args, kwargs, qualified)


# ---------------------------------------------------------------------- builtins


def _builtin(run: Interpreter, node: ast.Call, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    first = args[0] if args else NONE
    facts = facts_of(run, args, kwargs)
    match name:
        case "print" | "display" | "input" | "help" | "open" | "id" | "exit" | "quit" | "get_ipython" | "breakpoint":
            return NONE
        case "list" | "tuple" | "sorted" | "set" | "frozenset" | "reversed":
            return _collection(run, node, name, args, facts)
        case "dict":
            return _dict_call(run, args, kwargs)
        case "len":
            elements = run.elements(first)
            if elements is not None:
                return run.constant(len(elements), replace(combine("len", facts), digest="-"))
            if first.kind == "frame" or run.data(first).time is Time.ROW:
                base = frames.row_fact(run, first) if first.kind == "frame" else facts[0]
                return Value("scalar", reduce_rows("len", (base,), run.learned(node, "len", base.rows)))
            return Value("scalar", combine("len", facts))
        case "range":
            if all(a.is_const and isinstance(a.const, int) for a in args) and args:
                try:
                    return Value("range", replace(combine("range", facts), digest=digest_of("range", repr([a.const for a in args]))), const=range(*(a.const for a in args)))
                except (TypeError, ValueError):
                    pass
            return Value("list", combine("range", facts)) if combine("range", facts).time is not Time.ROW else Value("unknown", combine("range", facts))
        case "enumerate" | "zip" | "map" | "filter":
            return _iterated(run, node, name, args)
        case "int" | "float" | "str" | "bool" | "round" | "abs" | "complex" | "ord" | "chr" | "hash" | "repr" | "format" | "divmod" | "pow" | "bytes" | "type" | "isinstance" | "hasattr" | "callable" | "issubclass":
            if first.is_const and name in ("int", "float", "str", "bool", "abs") and len(args) == 1 and isinstance(first.const, int | float | str | bool):
                try:
                    folded = {"int": int, "float": float, "str": str, "bool": bool, "abs": abs}[name](first.const)
                    return run.constant(folded, replace(combine(name, facts), digest="-"))
                except (ValueError, TypeError, OverflowError):
                    pass
            fact = combine(name, facts)
            if name in ("isinstance", "type", "hasattr", "callable") and first.kind not in ("scalar",) and fact.time is Time.ROW and not run.per_row:
                fact = reduce_rows(name, facts)
            return Value("str" if name in ("str", "repr", "format", "chr") else "scalar", fact)
        case "sum" | "min" | "max" | "any" | "all":
            fact = combine(name, facts)
            if fact.time is Time.ROW and run.per_row == 0:
                return Value("scalar", reduce_rows(name, facts, run.learned(node, name, fact.rows)))
            return Value("scalar", fact)
        case "getattr":
            if len(args) >= 2 and args[1].is_const and isinstance(args[1].const, str):
                made = ast.copy_location(ast.Attribute(node.args[0], args[1].const, ast.Load()), node)
                return frames.get_attribute(run, made, first)
            return Value("unknown", combine(name, facts))
        case "setattr" | "delattr" | "vars" | "globals" | "locals" | "exec" | "eval" | "compile" | "super" | "object" | "iter" | "next":
            return Value("unknown", combine(name, facts))
        case _:
            return Value("unknown", combine("builtins." + name, facts))


def _collection(run: Interpreter, node: ast.Call, name: str, args: Sequence[Value], facts: Sequence[Fact]) -> Value:
    kind = {"tuple": "list", "sorted": "list", "reversed": "list", "frozenset": "set"}.get(name, name)
    if not args:
        return run.new(Obj(kind))
    first = args[0]
    elements = run.iterate(first, node)
    ref = Fact(serve=first.fact.serve, fit=first.fact.fit)
    if elements is not None:
        if name == "sorted" and all(e.is_const for e in elements):
            try:
                elements = sorted(elements, key=lambda e: e.const)
            except TypeError:
                pass
        if name == "reversed":
            elements = elements[::-1]
        fact = run.data(first)
        made = run.list_of(elements, kind, fact=ref)
        if fact.time is Time.LEARNED:
            obj = run.obj(made)
            run.state.heap[made.obj] = replace(obj, fact=replace(obj.fact, time=Time.LEARNED, fit=fact.fit, digest=fact.digest))
        return made
    fact = combine(name, facts)
    if first.kind == "frame":
        schema = frames.schema_of(run, first, "columns")
        return run.new(Obj(kind, rest=schema), ref)
    if fact.time is Time.ROW:
        if name in ("set", "sorted", "frozenset"):
            return run.new(Obj(kind, rest=reduce_rows(name, facts, run.learned(node, name, fact.rows))), ref)
        return run.series(fact)
    return run.new(Obj(kind, rest=fact), ref)


def _dict_call(run: Interpreter, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if not args:
        return run.new(Obj("dict", items=dict(kwargs)))
    if args[0].kind == "dict" and args[0].obj >= 0:
        obj = run.obj(args[0])
        return run.new(replace(obj, items={**obj.items, **kwargs}), args[0].fact)
    facts = facts_of(run, args, kwargs)
    fact = combine("dict", facts)
    if fact.time is Time.ROW:
        fact = reduce_rows("dict", facts)
    return run.new(Obj("dict", rest=fact))


def _iterated(run: Interpreter, node: ast.Call, name: str, args: Sequence[Value]) -> Value:
    """`enumerate`, `zip`, `map`, `filter` over known elements; otherwise a value that stands for all."""
    if name in ("map", "filter"):
        fn, rest = args[0], args[1:]
        lists = [run.iterate(value, node) for value in rest]
        if lists and all(one is not None for one in lists) and name == "map":
            made = [invoke(run, node, fn, list(row), {}) for row in zip(*(one or [] for one in lists), strict=False)]
            return run.list_of(made)
        return Value("unknown", combine(name, [run.data(value) for value in args]))
    lists = [run.iterate(value, node) for value in args]
    if lists and all(one is not None for one in lists):
        known = [one or [] for one in lists]
        if name == "enumerate":
            rows = [Value("tuple", parts=(run.constant(i), value)) for i, value in enumerate(known[0])]
        else:
            rows = [Value("tuple", parts=row) for row in zip(*known, strict=False)]
        return Value("iterated", combine(name, [run.data(value) for value in args]), parts=tuple(rows))
    parts = [run._quiet_element(value, node) for value in args]
    if name == "enumerate":
        parts = [Value("scalar"), *parts]
    learned = [combine("element", (run.data(value),)) for value in args]
    del learned
    return Value("stream", combine(name, [run.data(value) for value in args]), parts=(Value("tuple", parts=tuple(parts)),))


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
