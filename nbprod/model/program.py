"""A notebook's code as statements, and what the analysis knows of each."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from nbprod.model.notebook import Magic


class Statement(Struct, frozen=True, gc=False):
    """One statement, also those inside loops and functions.

    `id` counts in source order over the whole notebook and is the bit that stands for the statement in
    every trace. `line` and `end_line` are 1-based within the cell. `parent` is the id of the enclosing
    compound statement, -1 at the top level.
    """

    id: int
    cell: int
    line: int
    end_line: int
    node: ast.stmt
    parent: int = -1


class Program(Struct, frozen=True):
    """All statements of a notebook in source order; `sources[cell]` is the text that positions refer to.

    `magics[cell]` are the magics and shell lines that were masked in it, `tops[cell]` its statements at the top level.
    """

    path: str
    statements: tuple[Statement, ...]
    sources: tuple[str, ...]
    cell_ids: tuple[str, ...]
    magics: tuple[tuple[Magic, ...], ...] = ()
    tops: tuple[tuple[Statement, ...], ...] = ()

    def around(self, statement: int) -> Iterator[Statement]:
        """The compound statements that a statement stands in, from the innermost; none of -1."""
        parent = self.statements[statement].parent if statement >= 0 else -1
        while parent >= 0:
            yield self.statements[parent]
            parent = self.statements[parent].parent

    def is_within(self, statement: int, outer: int) -> bool:
        """Whether a statement stands in another one."""
        return any(each.id == outer for each in self.around(statement))


class CellEffects(Struct, frozen=True):
    """Names that a cell defines, updates in place and uses (reads before defining them itself)."""

    defines: tuple[str, ...] = ()
    updates: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()


class Edge(Struct, frozen=True):
    """A flow of names from one cell to another, by reaching definition."""

    source: int
    target: int
    names: tuple[str, ...]
