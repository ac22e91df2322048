"""Statements: what each kind does to names, objects and the flow of the execution."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import TYPE_CHECKING

from nbprod.analysis import classes, flow, functions, imports
from nbprod.analysis.values import NEXT, NONE, Exits, Value

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


def statement(run: Interpreter, node: ast.stmt) -> Exits:
    """Interpret one statement; says how it may end."""
    match node:
        case ast.Expr():
            run.bare = node.value
            run.eval(node.value)
        case ast.Assign():
            value = run.eval(node.value)
            if isinstance(node.value, ast.Tuple):
                run.note_operands(node.value.elts, value.parts)
            for target in node.targets:
                run.assign(target, value)
        case ast.AnnAssign():
            given = None if node.value is None else run.eval(node.value)
            if run.state.local is None:
                run.eval(node.annotation)
            if given is not None:
                run.assign(node.target, given)
        case ast.AugAssign():
            flow.augmented(run, node)
        case ast.If():
            return flow.branch(run, node)
        case ast.For() | ast.AsyncFor():
            return flow.loop(run, node)
        case ast.While():
            return flow.repeated(run, node)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            functions.define(run, node)
        case ast.ClassDef():
            classes.define_class(run, node)
        case ast.Return():
            value = NONE if node.value is None else run.eval(node.value)
            if run.returns:
                run.returns[-1].append(run.bound(value))
            return frozenset({"return"})
        case ast.Import() | ast.ImportFrom():
            imports.import_names(run, node)
        case ast.With() | ast.AsyncWith():
            return _within(run, node)
        case ast.Try() | ast.TryStar():
            return flow.attempt(run, node)
        case ast.Match():
            return flow.matched(run, node)
        case ast.Delete():
            for target in node.targets:
                functions.delete(run, target)
        case ast.Global():
            if run.scopes:
                run.scopes[-1].declared.update(node.names)
        case ast.Nonlocal():
            _rebind(run, node.names)
        case ast.Assert():
            run.eval(node.test)
            if node.msg is not None:
                run.eval(node.msg)
        case ast.Raise():
            for part in (node.exc, node.cause):
                if part is not None:
                    run.eval(part)
            return frozenset({"raise"})
        case ast.Break():
            return frozenset({"break"})
        case ast.Continue():
            return frozenset({"continue"})
        case _:
            pass
    return NEXT


def _within(run: Interpreter, node: ast.With | ast.AsyncWith) -> Exits:
    """A `with` statement: a manager of the notebook's own runs code before and behind the block."""
    managers = []
    for item in node.items:
        manager = run.eval(item.context_expr)
        managers.append(manager)
        entered = classes.call_if_defined(run, manager, "__enter__")
        if item.optional_vars is not None:
            run.assign(item.optional_vars, entered or Value("unknown", manager.fact, ident=manager.ident))
    exits = run.block(node.body)
    for manager in reversed(managers):
        classes.call_if_defined(run, manager, "__exit__", [NONE, NONE, NONE])
    return exits


def _rebind(run: Interpreter, names: Iterable[str]) -> None:
    """`nonlocal names`."""
    if not run.scopes:
        return
    scope = run.scopes[-1]
    for name in names:
        owner = next((each for each in scope.around if name in each), None)
        if owner is not None:
            scope.rebinds[name] = owner
