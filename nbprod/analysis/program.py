"""Turn a notebook's cells into numbered statements."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbprod.model.notebook import Notebook
from nbprod.model.program import Program, Statement
from nbprod.notebook.parsed import parsed as parsed_once
from nbprod.notebook.parsed import syntax_tree

Bodies = dict[str, list[list[ast.stmt]]]
"""The statements of cells by their text, in the order of the cells that have it."""


def build_program(notebook: Notebook, parsed: Bodies | None = None) -> Program:
    """All statements of the cells that parse, in source order; a cell with a syntax fault contributes none.

    `parsed` holds the statements of an earlier version's cells; it is brought up to date.
    """
    statements: list[Statement] = []
    tops: list[tuple[Statement, ...]] = []
    bodies: Bodies = {}
    for cell in notebook.cells:
        first = len(statements)
        if cell.fault is None:
            # Each cell has nodes of its own: what is noted of a node goes by its identity.
            before = bodies.setdefault(cell.code, [])
            known = () if parsed is None else parsed.get(cell.code, ())
            if len(before) < len(known):
                body = known[len(before)]
            else:
                body = (syntax_tree if before else parsed_once)(cell.code).body
            before.append(body)
            statements.extend(_numbered(body, cell.index, -1, first))
        tops.append(tuple(statement for statement in statements[first:] if statement.parent == -1))
    if parsed is not None:
        parsed.clear()
        parsed.update(bodies)
    return Program(
        path=notebook.path,
        statements=tuple(statements),
        sources=tuple(cell.code for cell in notebook.cells),
        cell_ids=tuple(cell.id for cell in notebook.cells),
        magics=tuple(cell.magics for cell in notebook.cells),
        tops=tuple(tops),
    )


SIMPLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Import, ast.ImportFrom)
"""The most frequent kinds of statements that hold no others."""


def _numbered(body: list[ast.stmt], cell: int, parent: int, start: int) -> Iterator[Statement]:
    number = start
    for node in body:
        line = node.lineno
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            line = min([line, *(decorator.lineno for decorator in node.decorator_list)])
        yield Statement(number, cell, line, node.end_lineno or node.lineno, node, parent)
        own = number
        number += 1
        for block in blocks_of(node):
            for inner in _numbered(block, cell, own, number):
                yield inner
                number += 1


def blocks_of(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The statement lists directly inside a compound statement, in source order."""
    if isinstance(node, SIMPLE):
        return
    for name in ("body", "handlers", "cases", "orelse", "finalbody"):
        part = getattr(node, name, None)
        if not isinstance(part, list):
            continue
        if name in ("handlers", "cases"):
            for clause in part:
                yield clause.body
        elif part and isinstance(part[0], ast.stmt):
            yield part
