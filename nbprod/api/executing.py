"""One execution of a notebook with its captures, as `run` and a fresh `verify` need it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from nbprod import codegen
from nbprod.api.progress import OnProgress, Progress
from nbprod.backend import CellEvent
from nbprod.backends.papermill_backend import run_notebook
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan
from nbprod.model.run import RunResult


def executed(
    notebook: Notebook,
    planned: Notebook,
    plan: FeaturePlan,
    folder: Path,
    *,
    parameters: Mapping[str, Any],
    kernel: str | None,
    timeout: float | None = None,
    on_progress: OnProgress,
) -> RunResult:
    """Run `notebook` as it stands in its file into `folder`, and keep what the package must reproduce.

    `planned` is the same notebook with the roles (and parameters) that `plan` was made with: its roles count for the
    times of the stages and the words of the progress. Raises what the backend raises.
    """
    roles = {cell.index: cell.role for cell in planned.cells}

    def on_event(event: CellEvent) -> None:
        if event.kind == "start" and event.cell is not None:
            role = roles.get(event.cell)
            text = f"cell {event.cell}" + (f" ({role})" if role else "")
            on_progress(Progress(notebook.path, "run", text, event.done, event.total, event.cell))

    cells = tuple(replace(cell, role=twin.role) for cell, twin in zip(notebook.cells, planned.cells, strict=True))
    return run_notebook(
        replace(notebook, cells=cells),
        codegen.capture_plan(plan),
        out_dir=folder,
        parameters=dict(parameters),
        kernel=kernel,
        on_event=on_event,
        timeout=timeout,
    )
