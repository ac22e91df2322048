"""Calls: builtins, functions of libraries by table, functions of the notebook by following them."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import (
    builtin_calls,
    callbacks,
    changed_arguments,
    classes,
    draws,
    estimators,
    functions,
    labels,
    methods,
    mutation,
    networks,
    numpy_calls,
    outside,
    pandas_calls,
    regressions,
    shuffling,
    splitting,
    tabular,
    torch_modules,
    writing,
)
from nbprod.analysis.tables import estimator_kind, function_behaviour, learning_function, library_kind
from nbprod.analysis.values import (
    NONE,
    NOTHING,
    Event,
    Fact,
    Frame,
    Obj,
    Rows,
    Time,
    Value,
    combine,
    digest_of,
    reduce_rows,
    traced,
)

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

Arguments = tuple[list[Value], dict[str, Value]]


def call(run: Interpreter, node: ast.Call) -> Value:
    """Evaluate a call: the function, its arguments, and what it does with them."""
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
        kwargs.update({keyword.arg: value} if keyword.arg is not None else unpacked(run, value))
    made = invoke(run, node, fn, args, kwargs)
    if callbacks.is_search(fn):
        callbacks.tried(run, node, args, kwargs)
    if callbacks.is_step(run, fn):
        callbacks.stepped(run, node, args, kwargs)
    if fn.kind not in ("function", "class"):
        callbacks.handed_over(run, (*args, *kwargs.values()))
    return mutation.result_of(run, fn, made, (*args, *kwargs.values()))


def unpacked(run: Interpreter, value: Value) -> dict[str, Value]:
    """The keyword arguments of `**value`; those that nobody can name under `**`."""
    if value.kind != "dict" or value.obj < 0:
        return {"**": value}
    whole = run.data(value)
    made = {
        str(key): replace(item, fact=traced(item.fact, whole.serve, whole.fit))
        for key, item in run.obj(value).items.items()
    }
    return made if run.obj(value).rest is None and made else {**made, "**": value}


def invoke(run: Interpreter, node: ast.Call, fn: Value, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """What calling a value yields, by the kind of the value."""
    draws.of_call(run, fn, args, kwargs)
    match fn.kind:
        case "function":
            run.frames.append(Frame(node, run.functions[fn.symbol].node))
            made = functions.call_function(run, fn, args, kwargs)
            run.frames.pop()
            run.note(node, made, "user-call", node.func)
            return made
        case "class":
            return classes.construct(run, fn, args, kwargs)
        case "method":
            return methods.call_method(run, node, fn, args, kwargs)
        case "lib" | "module":
            if fn.name in shuffling.FUNCTIONS:
                return shuffling.by_function(run, node, fn.name, args, kwargs)
            changed_arguments.after_function(run, node, fn.name, args, kwargs)
            return _library(run, node, fn.name, args, kwargs)
        case "instance" if (method := classes.called(run, run.obj(fn).type)) is not None:
            if not torch_modules.is_module(run, fn):
                return classes.call(run, method, [fn, *args], kwargs)
            run.within_modules += 1
            made = classes.call(run, method, [fn, *args], kwargs)
            run.within_modules -= 1
            return torch_modules.asked(run, node, fn, args, made)
        case "estimator" | "instance":
            return Value("unknown", combine("call", [run.data(fn), *facts_of(run, args, kwargs)]))
        case "accessor":
            return methods.call_method(run, node, Value("method", name=fn.name, parts=fn.parts), args, kwargs)
        case _:
            made = unknown_call(run, fn, args, kwargs)
            if torch_modules.is_loss(fn.name):
                torch_modules.compared(run, args)
            return torch_modules.asked(run, node, fn, args, made) if torch_modules.is_module(run, fn) else made


def facts_of(run: Interpreter, args: Sequence[Value], kwargs: Mapping[str, Value]) -> list[Fact]:
    """The facts of all arguments; keywords in the order of their names, so that their order does not count."""
    return [
        *(run.data(value) for value in args),
        *(
            replace(run.data(kwargs[name]), digest=digest_of(name, run.data(kwargs[name]).digest))
            for name in sorted(kwargs)
        ),
    ]


def unknown_call(
    run: Interpreter, fn: Value, args: Sequence[Value], kwargs: Mapping[str, Value], name: str = ""
) -> Value:
    """A call of which nothing is known: taken as row-wise, and marked as assumed."""
    facts = facts_of(run, args, kwargs)
    fact = combine("call:" + (name or fn.name), [run.data(fn), *facts])
    if fact.time is Time.ROW:
        fact = run.assumed(fact)
        first = next((a for a in args if a.kind in ("frame", "series", "array")), None)
        if first is not None and first.kind == "frame" and not (name or fn.name).startswith("torch."):
            return tabular.derived(run, first, Obj("frame", run.obj(first).fact, rest=fact, rows=run.obj(first).rows))
        return run.series(fact) if run.per_row == 0 else Value("scalar", fact)
    return Value("unknown", fact)


def unknown_method(
    run: Interpreter, node: ast.Call, base: Value, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]
) -> Value:
    """A method of which no table knows anything; its name may say that it changes its receiver."""
    mutation.after_method(run, node, base, name, kwargs)
    predicted = regressions.predict(run, node, base, args, kwargs) if name == "predict" else None
    if predicted is not None:
        return predicted
    made = unknown_call(run, base, args, kwargs, f"{base.kind}.{name}")
    return _fitted_to(run, node, made) if name == "fit_transform" else made


def _fitted_to(run: Interpreter, node: ast.Call, made: Value) -> Value:
    """Rows that a transformer of a library that nobody knows was fitted to."""
    whole = run.data(made)
    if whole.time is not Time.ROW or made.obj < 0:
        return made
    number = run.learned(node, "fit:unknown", whole.rows)
    obj = tabular.mapped(run.obj(made), lambda fact: replace(fact, learned_at=fact.learned_at | {number}))
    return replace(made, obj=run.store(obj))


MOST_NESTED = 5
"""Levels of containers whose parts are copied apart."""

COPYING = {"copy.copy": 0, "copy.deepcopy": MOST_NESTED, "pandas.DataFrame.copy": 0, "pandas.Series.copy": 0}
"""Functions that give a thing of its own like the one they are given, and on how many levels its parts are such."""


def _copied(run: Interpreter, value: Value, levels: int) -> Value:
    """A thing of its own that is like `value`, and so are the parts of containers on this many levels."""
    if value.obj < 0:
        return value if value.ident < 0 else run.identified(replace(value, ident=-1))
    obj = run.obj(value)
    if levels and obj.kind in ("list", "dict", "set"):
        obj = replace(obj, items={key: _copied(run, part, levels - 1) for key, part in obj.items.items()})
    return tabular.derived(run, value, obj)


def _library(run: Interpreter, node: ast.Call, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    package, _, rest = name.partition(".")
    if writing.is_writing(name):
        writing.written(run, node, name, args, kwargs)
    if package == "builtins":
        return builtin_calls.builtin_call(run, node, rest, args, kwargs)
    kind = library_kind(package)
    if kind == "sink":
        match function_behaviour(name):
            case "read":
                return read(run, node, name, args, kwargs)
            case "identity" if args:
                return args[0]
            case _:
                return Value("unknown", NOTHING)
    if name in outside.GENERATORS:
        return outside.generator(run, name, args, kwargs)
    if name in outside.STATES:
        return outside.state(run, name, args, kwargs)
    if outside.is_clock(name):
        return outside.taken(run, node, name, facts_of(run, args, kwargs))
    if name in COPYING and args:
        return _copied(run, args[0], COPYING[name])
    if package == "pandas":
        return pandas_calls.pandas_call(run, node, rest, args, kwargs)
    if package == "numpy":
        return numpy_calls.numpy_call(run, node, rest, args, kwargs)
    if regressions.is_regression(name):
        return regressions.construct(run, node, name, args, kwargs)
    behaviour = learning_function(name)
    if behaviour is not None:
        return estimators.learning_call(run, node, name, behaviour, args, kwargs)
    if estimator_kind(name) is not None or estimators.looks_like_estimator(name):
        return estimators.construct(run, node, name, args, kwargs)
    behaviour = function_behaviour(name)
    if behaviour is not None:
        return by_behaviour(run, node, name, behaviour, args, kwargs)
    if name == "os.path.join" and args and all(isinstance(arg.const, str) for arg in args) and not kwargs:
        fact = combine(name, facts_of(run, args, kwargs))
        return run.constant(posixpath.join(*(arg.const for arg in args)), replace(fact, digest="-"))
    if kind == "pure":
        fact = combine(name, facts_of(run, args, kwargs))
        return Value("scalar", fact)
    if package == "random":
        if rest == "seed":
            return outside.seeded(run, node, name, facts_of(run, args, kwargs))
        return outside.drawn(run, node, name, args, kwargs)
    if networks.is_network(name):
        return networks.construct(run, name, args, kwargs)
    if name == splitting.RANDOM_SPLIT:
        return splitting.random_split(run, args, kwargs)
    made = unknown_call(run, Value("lib", name=name), args, kwargs, name)
    if torch_modules.is_loss(name):
        torch_modules.compared(run, args)
    is_named = torch_modules.is_of_library(name) or torch_modules.is_loss(name)
    return replace(made, name=name) if is_named and made.kind == "unknown" else made


def by_behaviour(
    run: Interpreter, node: ast.Call, name: str, behaviour: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """The result of a library function of which the tables know what it does to rows."""
    facts = facts_of(run, args, kwargs)
    first = args[0] if args else next(iter(kwargs.values()), NONE)
    match behaviour:
        case "columnwise" if first.kind in ("frame", "array") and run.obj(first).kind in ("frame", "array"):
            return tabular.columnwise(run, first, name, facts[1:])
        case "columnwise" | "row-wise":
            fact = combine(name, facts)
            if (fact.time is Time.ROW and run.per_row == 0) or any(a.kind in ("series", "array") for a in args):
                return run.series(fact)
            return Value("scalar", fact)
        case "reduction" | "cross-row" if run.per_row and not any(a.kind in methods.TABULAR for a in args):
            return Value("scalar", combine(name, facts))
        case "reduction":
            fact = combine(name, facts)
            seen = reduce_rows(name, facts, run.learned(node, name, fact.rows)) if fact.time is Time.ROW else fact
            return Value("learned" if fact.time is Time.ROW else "scalar", seen)
        case "broadcast":
            base = first if first.obj >= 0 else run.series(run.data(first))
            made = tabular.broadcast(run, node, base, idiom_of(name), node, facts[1:])
            if name.rpartition(".")[2] in WITH_LAMBDA and len(args) < 2 and "lmbda" not in kwargs:
                return Value("tuple", parts=(made, Value("learned", reduce_rows("lambda", (run.data(base),)))))
            return made
        case "cross-row":
            return methods.cross_row(run, node, name.rpartition(".")[2], first, facts)
        case "row-changing" | "row-ordering":
            return methods.rows_of_calls(run, node, name, facts)
        case "reshaping":
            return tabular.reshaped(
                run, node, first if first.obj >= 0 else run.series(run.data(first)), name.rpartition(".")[2]
            )
        case "product":
            return product(run, node, name, args, kwargs)
        case "lookup":
            whole = combine(name, facts)
            if run.data(first).time is Time.ROW:
                return methods.cross_row(run, node, name.rpartition(".")[2], run.series(whole), [])
            return run.series(whole) if whole.time is Time.ROW else Value("scalar", whole)
        case "random":
            return outside.drawn(run, node, name, args, kwargs)
        case "outside":
            return outside.taken(run, node, name, facts)
        case "sink":
            return NONE
        case "constant":
            return Value("unknown", combine(name, facts))
        case _:
            return unknown_call(run, Value("lib", name=name), args, kwargs, name)


def product(run: Interpreter, node: ast.Call, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """A matrix product: of rows with coefficients row by row, of rows with rows a sum over them."""
    fact = combine(name, facts_of(run, args, kwargs))
    if fact.time is not Time.ROW:
        return Value("scalar", fact)
    if any(run.data(operand).time is Time.ROW for operand in args[1:]):
        return Value("learned", reduce_rows(name, (fact,), run.learned(node, name, fact.rows)))
    return run.series(fact)


WITH_LAMBDA = frozenset({"boxcox", "yeojohnson"})
"""Functions that give the transformed values and the exponent that they found."""

IDIOMS = {
    "pandas.get_dummies": "get_dummies",
    "pandas.qcut": "qcut",
    "pandas.cut": "cut",
    "pandas.factorize": "factorize",
}


def idiom_of(name: str) -> str:
    """The idiom that splits a broadcasting function of a library."""
    return IDIOMS.get(name, name.rpartition(".")[2])


def _same_source(event: Event, facts: tuple[Fact, ...]) -> bool:
    """Whether a call that is made again, in a function or a loop, reads the same rows."""
    return [fact.digest for fact in event.facts] == [fact.digest for fact in facts]


def read(run: Interpreter, node: ast.Call, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """A call that brings in raw rows."""
    path = next(
        (
            v.const
            for v in (*args[:1], kwargs.get("filepath_or_buffer", NONE), kwargs.get("path", NONE))
            if v.is_const and isinstance(v.const, str)
        ),
        None,
    )
    facts = tuple(facts_of(run, args, kwargs))
    draws.since_read(run)
    for number, event in enumerate(run.events):
        if event.kind == "read" and event.node is node and _same_source(event, facts):
            root = number
            break
    else:
        root = len(run.events)
        run.event(Event("read", run.at, run.top, node, name, const=path, facts=facts))
    chain = (f"{tabular.EACH}:raw{root}",) if path is None and tabular.is_of_round(run, facts) else ()
    numbered = len(chain) if labels.are_counted(name, args, kwargs) else -1
    rows = Rows(root, fit=run.fit, digest=f"raw{root}", numbered=numbered, chain=chain)
    made = combine("read", facts)
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
