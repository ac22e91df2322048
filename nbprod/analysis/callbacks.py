"""Functions of the notebook that are handed to a library, which calls them: what they read, and what they change."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from nbprod.analysis import calls
from nbprod.analysis.mutation import changes_receiver
from nbprod.analysis.scopes import declared_global, free_names
from nbprod.analysis.values import NONE, Fact, Value, combine
from nbprod.notebook.parsed import nodes_below

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


def handed_over(run: Interpreter, values: Iterable[Value]) -> None:
    """Each function among `values` may be called with arguments that are not known."""
    for value in values:
        if value.kind == "function":
            _called(run, value, set())
        elif value.obj >= 0 and value.kind in ("list", "tuple", "dict"):
            handed_over(run, (each for each in run.obj(value).items.values() if each.kind == "function"))


SEARCHES = frozenset(
    {"hyperopt.fmin", "skopt.dummy_minimize", "skopt.forest_minimize", "skopt.gbrt_minimize", "skopt.gp_minimize"}
)
"""Functions that try settings by a function of the notebook, which is handed over first."""

TRIES = 2
"""Calls that stand for all that a search makes."""


def is_search(fn: Value) -> bool:
    """Whether a call tries settings again and again: `study.optimize(objective)` of Optuna, `fmin(objective, …)`."""
    return fn.name in SEARCHES if fn.kind == "lib" else fn.kind == "method" and fn.name == "unknown.optimize"


def tried(run: Interpreter, node: ast.Call, args: Sequence[Value], kwargs: Mapping[str, Value]) -> None:
    """Follow the function that a search calls, with settings of which nothing is known but that they differ."""
    objective = args[0] if args else kwargs.get("func", kwargs.get("fn", NONE))
    if objective.kind == "function":
        for number in range(TRIES):
            calls.invoke(run, node, objective, [Value("unknown", Fact(digest=f"try:{number}"))], {})


def is_step(run: Interpreter, fn: Value) -> bool:
    """Whether a call steps an optimizer of PyTorch: `optimizer.step(closure)` calls the closure, which has the loss."""
    return fn.kind == "method" and fn.name.endswith(".step") and bool(fn.parts) and fn.parts[0].ident in run.steps


def stepped(run: Interpreter, node: ast.Call, args: Sequence[Value], kwargs: Mapping[str, Value]) -> None:
    """Follow the closure that an optimizer is stepped with."""
    closure = args[0] if args else kwargs.get("closure", NONE)
    if closure.kind == "function":
        calls.invoke(run, node, closure, [], {})


def not_followed(run: Interpreter, fn: Value, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """A call into a function of the notebook that is not followed: what its text reads and changes, and no more."""
    _called(run, fn, set())
    node = run.functions[fn.symbol].node
    changed = changed_names(node)
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    for name, value in (*zip(names, args, strict=False), *kwargs.items()):
        if name in changed:
            run.touch(value)
    facts = [run.data(value) for value in (*args, *kwargs.values())]
    return Value("unknown", run.assumed(combine("call", [fn.fact, *facts])))


def _called(run: Interpreter, value: Value, seen: set[int]) -> None:
    function = run.functions[value.symbol]
    node = function.node
    if id(node) in seen:
        return
    seen.add(id(node))
    inner = {name for scope in function.scopes for name in scope}
    changed = changed_names(node)
    read, bound = declared_global(node)
    for name in sorted((free_names(node) | read) - inner):
        found = run.state.names.get(name)
        if found is None:
            continue
        run.effects.use(name, run.state)
        if found.kind == "function":
            _called(run, found, seen)
        elif name in changed:
            run.touch(found)
    for name in sorted(bound):
        run.bind_global(name, run.identified(Value("unknown", combine("bound-by", (value.fact,)))))


def changed_names(node: ast.AST) -> set[str]:
    """Names whose objects a piece of code writes: `x[…] = …`, `x.a = …`, `x.append(…)`, `del x[…]`."""
    found: set[str] = set()
    for inner in nodes_below(node):
        match inner:
            case ast.Subscript(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store() | ast.Del()):
                found |= _root(inner.value)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=receiver, attr=method))):
                if changes_receiver(method, {}, alone=True):
                    found |= _root(receiver)
            case ast.Lambda(body=ast.Call(func=ast.Attribute(value=receiver, attr=method))):
                if changes_receiver(method, {}, alone=True):
                    found |= _root(receiver)
    return found


def _root(node: ast.expr) -> set[str]:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()
