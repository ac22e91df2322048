"""What could not be checked, as files that the notebook reads are not here: in a clone without the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nbprod.analysis import Analysis
from nbprod.analysis.headers import is_fetched
from nbprod.model.notebook import Notebook


def unchecked(notebook: Notebook, analysis: Analysis, columns: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """The files that the notebook names where it reads them and that are not here, each with cell and line, once.

    `columns` are those that the package knows by path. What a file would tell stands under `reason`. A path that code
    computes, and an address on a network, is nothing that could be looked for.
    """
    found: dict[str, dict[str, Any]] = {}
    for event in analysis.events:
        path = event.const
        if event.kind != "read" or not isinstance(path, str) or not path or "://" in path or path in found:
            continue
        if is_fetched(Path(notebook.path).parent / path):
            continue
        statement = analysis.program.statements[event.statement]
        told = "its columns are those that the package knows" if path in columns else "its columns are not known"
        found[path] = {
            "path": path,
            "cell": statement.cell,
            "cell_id": notebook.cells[statement.cell].id,
            "line": statement.line,
            "reason": f"{path} is not here: {told}, and nothing was held to its rows",
        }
    return list(found.values())
