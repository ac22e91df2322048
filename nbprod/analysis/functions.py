"""Functions and classes of the notebook: defining them, and following calls into them."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from nbprod.analysis import callbacks, indexing, mutation
from nbprod.analysis.scopes import Scoped, free_names, nodes_of
from nbprod.analysis.state import join_values
from nbprod.analysis.values import (
    NONE,
    NOTHING,
    Fact,
    Obj,
    Value,
    combine,
    digest_of,
    traced,
)

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


MAX_DEPTH = 12

Scopes = tuple[dict[str, Value], ...]
"""The locals of the functions around a piece of code, innermost first."""


class Function(Struct, frozen=True):
    """A function of the notebook: its node, the scopes around its definition (innermost first), and its defaults."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scopes: Scopes
    defaults: Mapping[str, Value]


class Scope(Struct):
    """The names that the code at hand sees besides its own locals.

    `declared` are those that it calls global, `rebinds` the scope of those that it calls nonlocal; `is_class` marks
    the body of a class, whose names the functions in it do not see.
    """

    around: Scopes = ()
    declared: set[str] = field(default_factory=set)
    rebinds: dict[str, dict[str, Value]] = field(default_factory=dict)
    is_class: bool = False


def define(run: Interpreter, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """A `def` statement."""
    value = function(run, node)
    for annotation in annotations_of(node):
        run.eval(annotation)
    for made in reversed([run.eval(decorator) for decorator in node.decorator_list]):
        value = replace(value, fact=traced(value.fact, made.fact.serve, made.fact.fit))
        if made.kind == "function":
            wrapped = call_function(run, made, [value], {})
            value = wrapped if wrapped.kind == "function" else value
    run.bind(node.name, value)


def annotations_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    """The annotations of a function's parameters and result, which its definition evaluates."""
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    found = [argument.annotation for argument in every if argument is not None]
    return [annotation for annotation in (*found, node.returns) if annotation is not None]


def function(
    run: Interpreter, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scopes: Scopes | None = None
) -> Value:
    """A function value: the node with the scopes around it (those at hand where none are given) and its defaults."""
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults: dict[str, Value] = {}
    for argument, default in zip(
        positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True
    ):
        defaults[argument.arg] = run.eval(default)
    for argument, given in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if given is not None:
            defaults[argument.arg] = run.eval(given)
    run.functions.append(Function(node, run.enclosing() if scopes is None else scopes, defaults))
    return Value("function", Fact(digest=digest_of("function", shape_of(node))), symbol=len(run.functions) - 1)


def closure_facts(run: Interpreter, node: ast.AST, *, used: bool) -> Fact:
    """The facts of all global names that a function or class of the notebook reads; `used` says that it does so now."""
    found = []
    for name in sorted(free_names(node)):
        value = run.state.names.get(name)
        if value is not None:
            if used:
                run.effects.use(name, run.state)
            found.append(run.data(value))
    return combine("closure", found) if found else NOTHING


@lru_cache(maxsize=1024)
def is_generator(node: ast.AST) -> bool:
    """Whether a call of the function gives what it yields one by one, and not, as by a decorator, something else."""
    if getattr(node, "decorator_list", None):
        return False
    inner = {
        part for each in nodes_of(node) if each is not node and isinstance(each, Scoped) for part in nodes_of(each)
    }
    own = [part for part in nodes_of(node) if part not in inner]
    return any(isinstance(part, ast.Yield) for part in own) and not any(isinstance(part, ast.YieldFrom) for part in own)


def call_function(run: Interpreter, fn: Value, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """Follow a call into a function of the notebook."""
    function = run.functions[fn.symbol]
    body = function.node
    if run.work.is_coarse:
        return callbacks.not_followed(run, fn, args, kwargs)
    if len(run.call_stack) >= MAX_DEPTH or run.call_stack.count(id(body)) >= 2:
        facts = [run.data(value) for value in (*args, *kwargs.values())]
        return Value("unknown", run.assumed(combine("recursion", [fn.fact, *facts])))
    outer, run.state.local = run.state.local, {}
    before = run.serve, run.fit
    run.serve |= fn.fact.serve
    run.fit |= fn.fact.fit
    run.call_stack.append(id(body))
    run.scopes.append(Scope(function.scopes))
    run.returns.append([])
    try:
        bind_parameters(run, function, args, kwargs)
        if isinstance(body, ast.Lambda):
            return run.bound(run.eval(body.body))
        local = run.state.local
        run.block(body.body)
        run.state.local = local
        values = run.returns[-1]
        if not values:
            return NONE
        result = values[0]
        for other in values[1:]:
            result = join_values("return", result, other)
        return Value("stream", run.data(result), parts=(result,)) if is_generator(body) else result
    finally:
        run.returns.pop()
        run.scopes.pop()
        run.call_stack.pop()
        run.serve, run.fit = before
        run.state.local = outer


def bind_parameters(run: Interpreter, function: Function, args: Sequence[Value], kwargs: Mapping[str, Value]) -> None:
    """Bind arguments to parameters as Python does."""
    local = run.state.local
    assert local is not None
    arguments = function.node.args
    local.update(function.defaults)
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    for name, value in zip(names, args, strict=False):
        local[name] = value
    if arguments.vararg is not None:
        local[arguments.vararg.arg] = Value("tuple", parts=tuple(args[len(names) :]))
    named = {*names, *(argument.arg for argument in arguments.kwonlyargs)}
    for name, value in kwargs.items():
        if name in named:
            local[name] = value
    if arguments.kwarg is not None:
        rest = {name: value for name, value in kwargs.items() if name not in named}
        local[arguments.kwarg.arg] = run.new(Obj("dict", items=rest))
    for name in named:
        local.setdefault(name, Value("unknown"))


def delete(run: Interpreter, target: ast.expr) -> None:
    """`del target`."""
    match target:
        case ast.Name():
            run.unbind(target)
        case ast.Attribute():
            run.touch(run.eval(target.value))
            mutation.changed_within(run, target.value)
        case ast.Subscript():
            base = run.eval(target.value)
            key = run.eval(target.slice)
            indexing.delete_item(run, base, key)
            mutation.changed_within(run, target.value, surely=True)
        case ast.Tuple() | ast.List():
            for element in target.elts:
                delete(run, element)
        case _:
            pass


def shape_of(node: ast.AST) -> str:
    """The text of a function's or class's syntax without docstrings, positions and annotations."""
    return ast.dump(node, annotate_fields=False, include_attributes=False)


def dotted(node: ast.expr) -> str:
    """The dotted name of an expression, empty where it is none."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return f"{dotted(node.value)}.{node.attr}"
        case _:
            return ""
