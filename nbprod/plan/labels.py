"""What labels need of a table that the features come from as well: it happens to every row.

A table has in serving the columns that it had in training, whoever counts them, goes over them or drops them. So what
labels need runs for labelled rows alone only where it binds a name that nothing else needs (`y = df["kind"]`); what it
writes into such a table is written for all rows, made of the value that stands in for their target.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from nbprod.analysis.scopes import bound_names, free_names
from nbprod.model.plan import Step
from nbprod.model.program import Program, Statement
from nbprod.notebook.parsed import parsed
from nbprod.plan.liveness import names_made
from nbprod.plan.masks import Masks


def written_for_all(program: Program, statements: Sequence[Statement], masks: Masks) -> int:
    """Those of these top-level statements, in order, that only labels need and that all rows get, as a bit set."""
    apart: set[str] = set()
    chosen: set[int] = set()
    for statement in statements:
        if not _is_for_labels(statement, masks):
            apart -= bound_names(statement.node)
        elif any(name not in apart for name in _tables_written(statement.node)):
            chosen.add(statement.id)
        elif not _is_another_name(statement.node, apart):
            apart |= bound_names(statement.node)
    read: set[str] = set()
    for statement in reversed(statements):
        if _is_for_labels(statement, masks) and (statement.id in chosen or bound_names(statement.node) & read):
            chosen.add(statement.id)
            read |= free_names(statement.node)
    return sum(1 << each.id for each in program.statements if _top_of(program, each) in chosen) & masks.label


def of_labelled(expression: str, steps: Sequence[Step]) -> str:
    """The labels as they are handed on: None where they are made of a name that only labelled rows bind.

    A name by itself is None already for rows without a target.
    """
    unbound: set[str] = set()
    for step in steps:
        if step.guard == "labelled":
            unbound |= names_made(step.code)
        for node in parsed(step.otherwise).body if step.otherwise else ():
            if isinstance(node, ast.Assign) and free_names(node.value) & unbound:
                unbound |= bound_names(node)
    statement = parsed(expression).body[0]
    if not isinstance(statement, ast.Expr) or not _acts_on(statement.value, unbound):
        return expression
    return f"{expression} if learned.labelled else None"


def _acts_on(node: ast.expr, names: set[str]) -> bool:
    """Whether an expression does something, in serving, with what one of the names stands for."""
    match node:
        case ast.Name():
            return False
        case ast.IfExp(test=ast.Attribute(attr="fitting"), orelse=orelse):
            return _acts_on(orelse, names)
        case _:
            return bool(free_names(node) & names)


def _is_for_labels(statement: Statement, masks: Masks) -> bool:
    return bool(masks.label & ~masks.serve & 1 << statement.id)


def _top_of(program: Program, statement: Statement) -> int:
    *_, top = statement, *program.around(statement.id)
    return top.id


def _is_another_name(node: ast.stmt, apart: set[str]) -> bool:
    """`other = df`, where the table is not one of labels alone."""
    match node:
        case ast.Assign(value=ast.Name(id=name)):
            return name not in apart
    return False


def _tables_written(node: ast.stmt) -> Iterator[str]:
    """The names whose objects a statement writes to: items, attributes, what a method or function is called on."""
    for inner in ast.walk(node):
        match inner:
            case ast.Subscript(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store()):
                yield from _root(inner)
            case ast.Expr(value=ast.Call(func=ast.Name(), args=arguments)):
                for argument in arguments:
                    yield from _root(argument)
            case ast.Expr(value=ast.Call(func=function)):
                yield from _root(function)


def _root(node: ast.expr) -> Iterator[str]:
    """The name that a chain of items, attributes and calls starts from."""
    match node:
        case ast.Name(id=name):
            yield name
        case ast.Subscript(value=value) | ast.Attribute(value=value) | ast.Call(func=value):
            yield from _root(value)
