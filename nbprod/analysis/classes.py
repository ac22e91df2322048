"""Classes of the notebook: defining them, their instances, and calls of their methods."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from nbprod.analysis import calls, functions
from nbprod.analysis.values import Fact, Frame, Obj, Value, combine, digest_of, traced
from nbprod.notebook.parsed import nodes_below

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

Method = ast.FunctionDef | ast.AsyncFunctionDef


class LocalClass(Struct, frozen=True):
    """A class of the notebook: its node, the scopes around it, its bases by their dotted names, and its object.

    The object holds the attributes of the class: what its body binds beside methods.
    """

    node: ast.ClassDef
    scopes: functions.Scopes
    bases: tuple[str, ...]
    obj: int = -1


def define_class(run: Interpreter, node: ast.ClassDef) -> None:
    """A `class` statement: its body runs at once, its methods when they are called."""
    for argument in (*node.bases, *(keyword.value for keyword in node.keywords), *node.decorator_list):
        run.eval(argument)
    bases = tuple(functions.dotted(base) for base in node.bases)
    run.classes[node.name] = LocalClass(node, run.enclosing(), bases)
    outer, run.state.local = run.state.local, {}
    run.scopes.append(functions.Scope(run.classes[node.name].scopes, is_class=True))
    try:
        for part in node.body:
            if isinstance(part, Method):
                for default in (*part.decorator_list, *part.args.defaults, *functions.annotations_of(part)):
                    run.eval(default)
        run.block([part for part in node.body if not isinstance(part, Method)])
        attributes = dict(run.state.local)
    finally:
        run.scopes.pop()
        run.state.local = outer
    fact = Fact(digest=digest_of("class", functions.shape_of(node)))
    number = run.store(Obj("class", items=attributes))
    run.classes[node.name] = replace(run.classes[node.name], obj=number)
    run.bind(node.name, Value("class", fact, number, name=node.name, const=bases))


def construct(run: Interpreter, fn: Value, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """An instance of a class of the notebook: an estimator when its class says so."""
    is_estimator = _is_estimator(run, fn)
    closure = functions.closure_facts(run, run.classes[fn.name].node, used=False)
    fact = combine("new:" + fn.name, [fn.fact, closure, *calls.facts_of(run, args, kwargs)])
    if is_estimator:
        read_globals(run, fn.name, "__init__")
        made = Obj("estimator", fact, type=fn.name)
        return run.new(made, Fact(serve=fn.fact.serve, fit=fn.fact.fit))
    ref = Fact(serve=fn.fact.serve | closure.serve, fit=fn.fact.fit | closure.fit)
    value = run.new(Obj("instance", fact, type=fn.name), ref, parts=(fn,))
    found = method_of(run, fn.name, "__init__")
    if found is not None:
        call(run, found, [value, *args], kwargs)
    return value


def _is_estimator(run: Interpreter, fn: Value) -> bool:
    methods = {part.name for one in lineage(run, fn.name) for part in one.node.body if isinstance(part, Method)}
    bases = [base for one in lineage(run, fn.name) for base in one.bases]
    named = any("Mixin" in base or "Estimator" in base for base in bases)
    return named or {"fit", "transform"} <= methods or {"fit", "predict"} <= methods


def call_instance(
    run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """A method of an instance of one of the notebook's classes."""
    found = method_of(run, run.obj(base).type, name)
    if found is None:
        read_by_inherited(run, run.obj(base).type, name)
        return calls.unknown_method(run, node, base, name, args, kwargs)
    decorators = {functions.dotted(each) for each in found[1].decorator_list}
    made = call(run, found, args if "staticmethod" in decorators else [base, *args], kwargs)
    run.note(node, made, "method-call", node.func)
    return made


def call_if_defined(run: Interpreter, base: Value, name: str, args: Sequence[Value] = ()) -> Value | None:
    """A method of an instance of the notebook's classes that Python itself calls; None where there is none."""
    found = method_of(run, run.obj(base).type, name) if base.kind == "instance" and base.obj >= 0 else None
    return None if found is None else call(run, found, [base, *args], {})


def call_on_class(
    run: Interpreter, node: ast.Call, klass: Value, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """A method called on the class: a static one, a class method, or a plain one with its instance given."""
    found = method_of(run, klass.name, name)
    if found is None:
        return calls.unknown_method(run, node, klass, name, args, kwargs)
    decorators = {functions.dotted(each) for each in found[1].decorator_list}
    return call(run, found, [klass, *args] if "classmethod" in decorators else args, kwargs)


def attribute(run: Interpreter, base: Value, name: str) -> Value | None:
    """A property of an instance, None where its class has none of that name."""
    found = method_of(run, run.obj(base).type, name)
    if found is None or not any("property" in functions.dotted(each) for each in found[1].decorator_list):
        return None
    return call(run, found, [base], {})


def class_attribute(run: Interpreter, base: Value, klass: Value, name: str) -> Value | None:
    """What a class, or a base of it that the notebook defines, binds to a name; None where that is not for sure.

    A decorator, a metaclass or a base from elsewhere may make something else of what the body binds: a field, a member.
    """
    if klass.kind != "class" or klass.ident >= 0:  # one of two classes, by the path that was taken
        return None
    for number, one in enumerate(lineage(run, klass.name)):
        if number == 0 and one.obj != klass.obj:  # another class of that name was defined since
            return None
        if one.node.decorator_list or one.node.keywords or not set(one.bases) <= {"object", *run.classes}:
            return None
        found = run.state.heap[one.obj].items.get(name) if one.obj >= 0 else None
        if found is not None:
            return replace(found, fact=traced(found.fact, base.fact.serve, base.fact.fit))
    return None


def method_of(run: Interpreter, klass: str, name: str) -> tuple[LocalClass, Method] | None:
    """A method by name, from the class or the bases that the notebook defines, with the class that has it."""
    for one in lineage(run, klass):
        for part in one.node.body:
            if isinstance(part, Method) and part.name == name:
                return one, part
    return None


def called(run: Interpreter, klass: str) -> tuple[LocalClass, Method] | None:
    """What a call of an instance runs: PyTorch's modules run `forward`, Keras' models and layers `call`."""
    own = method_of(run, klass, "__call__")
    if own is not None or all(set(one.bases) <= {"object", *run.classes} for one in lineage(run, klass)):
        return own
    return method_of(run, klass, "forward") or method_of(run, klass, "call")


def lineage(run: Interpreter, klass: str) -> Iterator[LocalClass]:
    """A class of the notebook and those that it inherits from, nearest first."""
    seen: set[str] = set()
    waiting = [klass]
    while waiting:
        name = waiting.pop(0)
        one = run.classes.get(name)
        if one is not None and name not in seen:
            seen.add(name)
            yield one
            waiting.extend(one.bases)


def parent(run: Interpreter) -> Value:
    """`super()` in a method: its instance, seen as one of the next class in line."""
    local = run.state.local or {}
    instance = next(iter(local.values()), None)
    if instance is None or instance.kind not in ("instance", "estimator") or not run.call_stack:
        return Value("unknown")
    line = [*lineage(run, run.obj(instance).type)]
    for number, one in enumerate(line):
        if any(id(part) == run.call_stack[-1] for part in one.node.body):
            above = line[number + 1].node.name if number + 1 < len(line) else ""
            return Value("parent", instance.fact, name=above, parts=(instance,))
    return Value("unknown")


def call_parent(run: Interpreter, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """A method called on `super()`; nothing is known of those that the notebook does not define."""
    found = method_of(run, base.name, name)
    return Value("unknown") if found is None else call(run, found, [base.parts[0], *args], kwargs)


def keeps_what_it_fits(run: Interpreter, klass: str) -> bool:
    """Whether `fit` of an estimator of the notebook may keep something of the rows: it does not only return itself."""
    found = method_of(run, klass, "fit")
    if found is None:
        return True
    own = [part for part in nodes_below(found[1]) if isinstance(part, ast.Attribute | ast.Call)]
    return any(
        isinstance(part.ctx, ast.Store) if isinstance(part, ast.Attribute) else not _is_check(part) for part in own
    )


def _is_check(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in ("isinstance", "len", "print")


def read_globals(run: Interpreter, klass: str, name: str) -> None:
    """A method of an estimator is not followed: it reads what it and the methods that it calls on itself read."""
    seen: set[str] = set()
    waiting = ["fit", "transform", "predict"] if name.startswith("fit_") else [name]
    while waiting:
        one = waiting.pop()
        found = None if one in seen else method_of(run, klass, one)
        seen.add(one)
        if found is not None:
            functions.closure_facts(run, found[1], used=True)
            own = (part for part in nodes_below(found[1]) if isinstance(part, ast.Attribute))
            waiting.extend(part.attr for part in own if isinstance(part.value, ast.Name) and part.value.id == "self")


CALLS_BACK = frozenset(
    {"fit", "fit_generator", "fit_predict", "fit_transform", "partial_fit", "transform", "inverse_transform"}
    | {"predict", "predict_generator", "predict_log_proba", "predict_proba", "score", "evaluate", "decision_function"}
)
"""Methods of libraries' classes that do their work by other methods of the instance, which a subclass may replace."""


def read_by_inherited(run: Interpreter, klass: str, name: str) -> None:
    """A method that comes from a library may call those of the class in turn: it reads what they read."""
    if name in CALLS_BACK:
        for one in lineage(run, klass):
            for part in one.node.body:
                if isinstance(part, Method) and part.name != "__init__":
                    functions.closure_facts(run, part, used=True)


def call(run: Interpreter, found: tuple[LocalClass, Method], args: list[Value], kwargs: dict[str, Value]) -> Value:
    """Follow a call of a method, its instance among the arguments."""
    owner, method = found
    made = functions.function(run, method, owner.scopes)
    run.frames.append(Frame(None, None))
    result = functions.call_function(run, made, args, kwargs)
    run.frames.pop()
    return result
