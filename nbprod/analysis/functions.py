"""Functions and classes of the notebook: defining them, and following calls into them."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nbprod.analysis import flow, indexing
from nbprod.analysis.scopes import free_names
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


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the notebook: its node, the locals around its definition, and its defaults."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    closure: dict[str, Value] | None
    defaults: Mapping[str, Value]
    owner: str = ""


def define(run: Interpreter, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """A `def` statement."""
    value = function(run, node)
    for decorator in node.decorator_list:
        made = run.eval(decorator)
        value = replace(value, fact=traced(value.fact, made.fact.serve, made.fact.fit))
    run.bind(node.name, value)


def function(run: Interpreter, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Value:
    """A function value: the node with its closure and its defaults."""
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
    run.functions.append(Function(node, run.state.local, defaults))
    return Value("function", Fact(digest=digest_of("function", shape_of(node))), symbol=len(run.functions) - 1)


def define_class(run: Interpreter, node: ast.ClassDef) -> None:
    """A `class` statement."""
    for base in node.bases:
        run.eval(base)
    for decorator in node.decorator_list:
        run.eval(decorator)
    run.classes[node.name] = node
    outer, run.state.local = run.state.local, {}
    run.closures.append(outer)
    run.declared_global.append(set())
    run.block([part for part in node.body if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)])
    run.declared_global.pop()
    run.closures.pop()
    run.state.local = outer
    bases = [dotted(base) for base in node.bases]
    run.bind(
        node.name, Value("class", Fact(digest=digest_of("class", shape_of(node))), name=node.name, const=tuple(bases))
    )


def closure_facts(run: Interpreter, node: ast.AST) -> Fact:
    """The facts of all global names that a function or class of the notebook reads."""
    found = []
    for name in sorted(free_names(node)):
        value = run.state.names.get(name)
        if value is not None:
            run.use(name, value)
            found.append(run.data(value))
    return combine("closure", found) if found else NOTHING


def call_function(run: Interpreter, fn: Value, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """Follow a call into a function of the notebook."""
    function = run.functions[fn.symbol]
    body = function.node
    if len(run.call_stack) >= MAX_DEPTH or run.call_stack.count(id(body)) >= 2:
        facts = [run.data(value) for value in (*args, *kwargs.values())]
        return Value("unknown", run.assumed(combine("recursion", [fn.fact, *facts])))
    outer, run.state.local = run.state.local, {}
    before = run.serve, run.fit
    run.serve |= fn.fact.serve
    run.fit |= fn.fact.fit
    run.call_stack.append(id(body))
    run.closures.append(function.closure)
    run.declared_global.append(set())
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
        return result
    finally:
        run.returns.pop()
        run.declared_global.pop()
        run.closures.pop()
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


def import_names(run: Interpreter, node: ast.Import | ast.ImportFrom) -> None:
    """An import statement."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            qualified = alias.name if alias.asname else alias.name.partition(".")[0]
            run.bind(alias.asname or qualified, Value("module", name=qualified))
        elif alias.name != "*":
            qualified = f"{node.module or ''}.{alias.name}"
            run.bind(alias.asname or alias.name, Value("lib", name=canonical(qualified)))


def delete(run: Interpreter, target: ast.expr) -> None:
    """`del target`."""
    match target:
        case ast.Name():
            run.eval(flow.as_load(target))
            if run.state.local is not None:
                run.state.local.pop(target.id, None)
            else:
                run.state.names.pop(target.id, None)
        case ast.Subscript():
            base = run.eval(target.value)
            key = run.eval(target.slice)
            indexing.delete_item(run, base, key)
        case ast.Tuple() | ast.List():
            for element in target.elts:
                delete(run, element)
        case _:
            pass


def canonical(qualified: str) -> str:
    """One name for a library function however it is imported: `pandas.core.…` and the like are left alone."""
    return qualified


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
