"""Which cell of a notebook changes a table after it was read."""

from __future__ import annotations

import ast

from msgspec.structs import replace

from nbprod.api.outlining import Recorded, analysis_of
from nbprod.api.studying import Study
from nbprod.model.notebook import Cell, Notebook
from nbprod.notebook.parsed import syntax_tree


def changed_where_read(notebook: Notebook, cell: int, name: str, recorded: Recorded) -> bool:
    """Whether the cell that reads the table `name` goes on to change it, so that at its end it is the raw one no more.

    What follows the statement that reads it is taken as a cell of its own, and its effects tell. A cell that does not
    parse may do anything.
    """
    reading = notebook.cells[cell]
    if reading.fault is not None:
        return True
    read, rest = _parted(reading, name)
    apart = replace(notebook, cells=(*notebook.cells[:cell], read, rest))
    effects = analysis_of(apart, recorded).effects[-1]
    return name in effects.defines or name in effects.updates


def changed_elsewhere(known: Study, cell: int, name: str) -> int | None:
    """The first cell but `cell` that changes the table `name`, be it above: cells run in any order."""
    effects = known.outline.analysis.effects
    others = (n for n, each in enumerate(effects) if n != cell and (name in each.defines or name in each.updates))
    return next(others, None)


def _parted(cell: Cell, name: str) -> tuple[Cell, Cell]:
    """The cell up to the first statement that binds `name`, and what follows it; nothing before where none does."""
    body = syntax_tree(cell.code).body
    until = next((place for place, node in enumerate(body, 1) if _binds(node, name)), 0)
    read, rest = (ast.unparse(ast.Module(part, [])) for part in (body[:until], body[until:]))
    first = replace(cell, source=read, code=read, magics=())
    return first, replace(first, index=cell.index + 1, id=f"{cell.id}-rest", source=rest, code=rest)


def _binds(statement: ast.stmt, name: str) -> bool:
    stores = (node for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    return any(node.id == name for node in stores)
