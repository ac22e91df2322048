"""What one engine that executes notebooks offers: a notebook in, a finished run out, with an event at each cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from msgspec import Struct

from nbprod.model.notebook import Notebook
from nbprod.model.run import CapturePlan, CellTime, RunResult
from nbprod.plan.stages import Handover


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


class CellOutput(Struct, frozen=True):
    """What a cell showed when it ran last: outputs as the notebook format has them, and its number."""

    outputs: list[dict[str, Any]]
    execution_count: int | None


class Restored(Struct, frozen=True):
    """The stages that need not run: what they handed over lies in `folder`, what their cells showed in `outputs`."""

    handover: Handover
    folder: Path
    outputs: Mapping[int, CellOutput]
    cells: tuple[CellTime, ...]


class Staging(Struct, frozen=True):
    """What a run restores, if anything, and who is told what its stages hand over.

    `on_kept` is given the handover, the folder that it was written to, and what the cells so far took and have shown;
    the folder is the run's own, and goes when the run ends.
    """

    handovers: tuple[Handover, ...]
    restored: Restored | None
    on_kept: Callable[[Handover, Path, tuple[CellTime, ...], Mapping[int, CellOutput]], None]


class NotRestoredError(Exception):
    """What earlier stages handed over can't be put back; the text says why. The notebook has to run from its start."""


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
        staging: Staging | None = None,
    ) -> RunResult:
        """Run `notebook`; the executed notebook and what was captured lie in `out_dir`.

        With `staging` the stages before a kept handover are restored, and what the others hand over is kept.

        `timeout` is in seconds a cell, `start_timeout` in seconds for the kernel to answer. Raises NbprodError
        with the cell and line where the run failed; the partial notebook is kept.
        """
        ...
