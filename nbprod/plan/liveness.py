"""Which names the extracted code uses: what nothing uses is left out, what only training sets gets a value before."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from nbprod.analysis.scopes import bound_names, free_names
from nbprod.model.plan import Step


def identifiers(text: str) -> set[str]:
    """The names that a piece of code mentions, none where it does not parse alone."""
    try:
        return {node.id for node in ast.walk(ast.parse(text.strip())) if isinstance(node, ast.Name)}
    except SyntaxError:
        return set()


def without_unused(steps: Sequence[Step], matrix: str, labels: str) -> list[Step]:
    """The steps, where what serving does instead of a split only binds names that are used later on."""
    used = identifiers(matrix) | identifiers(labels)
    kept: list[Step] = []
    for step in reversed(steps):
        if step.guard and _only_binds(step.code) and not _bound_by(step.code) & used:
            continue
        if step.otherwise:
            lines = [line for line in step.otherwise.split("\n") if line.partition(" = ")[0] in used]
            step = replace(step, otherwise="\n".join(lines))
        used |= {node.id for node in ast.walk(ast.parse(step.code)) if isinstance(node, ast.Name)}
        if step.otherwise:
            used |= identifiers(step.otherwise)
        kept.append(step)
    return kept[::-1]


def _only_binds(code: str) -> bool:
    """Whether code does nothing but bind plain names to something that is computed from names and literals."""
    return all(
        isinstance(node, ast.Assign)
        and all(isinstance(target, ast.Name) for target in node.targets)
        and not any(isinstance(inner, ast.Call) and _may_act(inner) for inner in ast.walk(node.value))
        for node in ast.parse(code).body
    )


def _may_act(call: ast.Call) -> bool:
    """Whether a call may do more than compute: anything but joining and formatting text."""
    return not (isinstance(call.func, ast.Attribute) and call.func.attr in ("join", "format"))


def names_made(code: str) -> set[str]:
    """The names that code binds at its own level: assignments, definitions, imports."""
    made: set[str] = set()
    for node in ast.parse(code).body:
        for inner in ast.walk(node):
            match inner:
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                    made.add(name)
                case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                    made |= {alias.asname or alias.name.partition(".")[0] for alias in aliases}
                case _:
                    pass
        made |= bound_names(node)
    return made


def _bound_by(code: str) -> set[str]:
    return {name for node in ast.parse(code).body for name in bound_names(node)}


def initial_names(steps: Sequence[Step], matrix: str, labels: str, parameter: str) -> tuple[str, ...]:
    """Names that only training or labelled rows set, and that other code mentions."""
    conditional: dict[str, None] = {}
    always: set[str] = set()
    mentioned = free_names(ast.parse(matrix)) | free_names(ast.parse(labels))
    order: list[str] = []
    for step in steps:
        tree = ast.parse(step.code)
        bound = {n for node in tree.body for n in bound_names(node)}
        if step.guard:
            other = (
                {n for node in ast.parse(step.otherwise).body for n in bound_names(node)} if step.otherwise else set()
            )
            for name in sorted(bound - other - always):
                conditional[name] = None
            if step.otherwise:
                mentioned |= {n.id for n in ast.walk(ast.parse(step.otherwise)) if isinstance(n, ast.Name)}
                always |= other
        else:
            mentioned |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
            always |= bound
        order.extend(sorted(bound))
    return tuple(name for name in conditional if name in mentioned and name != parameter)
