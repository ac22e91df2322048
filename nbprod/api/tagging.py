"""The verb `tag`: the roles of cells, suggestions, and setting them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbprod.api.cells import cells_as_json, finding_as_json
from nbprod.api.outlining import Outline, notebook_of, outline
from nbprod.errors import NbprodError, Where
from nbprod.model.notebook import MarkedBy, Notebook, Role
from nbprod.notebook.roles import near_role, role_findings
from nbprod.notebook.tagging import set_roles


def tag_notebook(
    path: str, *, apply: bool = False, clear: bool = False, settings: Mapping[str, str | None] | None = None
) -> dict[str, Any]:
    """The roles of a notebook's cells, after the changes that are asked for (schemas/tag.json).

    `apply` writes the suggestions, `clear` takes the role tags away, `settings` maps a cell (number from 0, or id)
    to a role or None. Raises NbprodError for a cell or a role that there is not; then nothing is written.
    """
    before = outline(notebook_of(path))
    wanted = {
        **(_suggested(before) if apply else {}),
        **(_cleared(before.notebook) if clear else {}),
        **{cell_index(before.notebook, cell): _role(path, role) for cell, role in (settings or {}).items()},
    }
    changes = {index: role for index, role in wanted.items() if before.notebook.cells[index].role is not role}
    if changes:
        set_roles(path, changes)
    after = outline(notebook_of(path)) if changes else before
    return {
        "notebook": path,
        "changed": sorted(changes),
        "cells": cells_as_json(after, effects=False),
        "findings": [finding_as_json(finding) for finding in role_findings(after.notebook)],
    }


def cell_index(notebook: Notebook, cell: str) -> int:
    """The code cell meant by a number from 0 or by an id. Raises NbprodError (`no-such-cell`)."""
    by_id = [each.index for each in notebook.cells if each.id == cell]
    if by_id:
        return by_id[0]
    if cell.isdecimal() and int(cell) < len(notebook.cells):
        return int(cell)
    raise NbprodError(
        f'there is no cell "{cell}"',
        code="no-such-cell",
        where=Where(notebook.path),
        hint=f"code cells count from 0 to {len(notebook.cells) - 1}; an id works too",
    )


def _suggested(known: Outline) -> dict[int, Role | None]:
    return {each.cell: each.role for each in known.suggestions if known.notebook.cells[each.cell].role is None}


def _cleared(notebook: Notebook) -> dict[int, Role | None]:
    return {cell.index: None for cell in notebook.cells if cell.marked_by is MarkedBy.TAG}


def _role(path: str, word: str | None) -> Role | None:
    if word is None:
        return None
    try:
        return Role(word)
    except ValueError:
        near = near_role(word)
        hint = f'did you mean "{near}"?' if near else f"roles: {', '.join(Role)}"
        raise NbprodError(f'"{word}" is no role', code="unknown-role", where=Where(path), hint=hint) from None
