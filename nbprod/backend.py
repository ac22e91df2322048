"""What one engine that executes notebooks offers: a notebook in, a finished run out, with an event at each cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from nbprod.model.notebook import Notebook
from nbprod.model.run import CapturePlan, RunResult


class CellEvent(Struct, frozen=True):
    """Something that happened to one cell of a running notebook.

    `cell` counts code cells from 0 as the notebook has them, and is None for the cell of parameters that the
    engine adds; `done` of `total` code cells have finished; `seconds` is known once the cell has ended.
    """

    kind: Literal["start", "complete", "exception"]
    cell: int | None
    done: int
    total: int
    seconds: float = 0.0
    message: str = ""


OnEvent = Callable[[CellEvent], None]


class Backend(Protocol):
    """An engine that executes a notebook, in the notebook's own folder, and never writes the notebook itself."""

    def run_notebook(
        self,
        notebook: Notebook,
        capture: CapturePlan | None,
        *,
        out_dir: Path,
        parameters: Mapping[str, object] = {},
        kernel: str | None = None,
        on_event: OnEvent | None = None,
        cwd: Path | None = None,
        timeout: float | None = None,
        start_timeout: float = 60.0,
    ) -> RunResult:
        """Run `notebook`; the executed notebook and what was captured lie in `out_dir`.

        `timeout` is in seconds a cell, `start_timeout` in seconds for the kernel to answer. Raises NbprodError
        with the cell and line where the run failed; the partial notebook is kept.
        """
        ...
