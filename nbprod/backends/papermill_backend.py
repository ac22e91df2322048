"""Runs a notebook through papermill, as it is and in its own folder, and captures what the package must reproduce."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any

from msgspec import Struct

import nbprod
from nbprod.backend import CellEvent, OnEvent
from nbprod.backends import documents, failures
from nbprod.backends.kernels import choose_kernel
from nbprod.backends.places import Place, as_json, capture_places
from nbprod.errors import NO_SPACE, NbprodError, Where, from_system
from nbprod.model.notebook import Notebook, Role
from nbprod.model.run import CapturePlan, CellTime, RunResult, StageTime

EXECUTED = "executed.ipynb"
CAPTURES = "captures"
INDEX = "index.json"
KERNEL_LOG = "kernel.log"  # what the kernel's process itself prints; a surface's own stdout stays clean
CODEC = Path(nbprod.__file__).parent / "codegen" / "runtime" / "codec.py"
SCRIPT = Path(__file__).parent / "kernel_capture.py"


class PapermillBackend(Struct, frozen=True):
    """The backend that every installation has; it implements `nbprod.backend.Backend`."""

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
        return run_notebook(
            notebook,
            capture,
            out_dir=out_dir,
            parameters=parameters,
            kernel=kernel,
            on_event=on_event,
            cwd=cwd,
            timeout=timeout,
            start_timeout=start_timeout,
        )


def run_notebook(
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
    """Run `notebook` in its own folder (or `cwd`); write `executed.ipynb` and `captures/` into `out_dir`.

    `parameters` are values of the types that the cell of parameters wants; papermill puts them behind it.
    `timeout` is in seconds a cell. Raises NbprodError: `missing-kernel`, `kernel-start`, `cell-failed`,
    `cell-timeout`, `kernel-died`, `capture-failed`; the partial notebook is kept. KeyboardInterrupt and SIGTERM (as
    SystemExit) come through after the kernel and what it started have been ended.
    """
    kernel_name = choose_kernel(notebook, kernel)
    places = capture_places(notebook, capture)
    out_dir = out_dir.resolve()
    captures = _fresh_folder(out_dir)
    folder = (cwd or Path(notebook.path).parent).resolve()
    document = documents.runnable_document(notebook, kernel_name, out_dir)
    run = _Run(notebook, places, captures, folder, out_dir / EXECUTED, documents.has_injected(document), on_event)
    started = time.monotonic()
    with _termination_as_exception():
        run.execute(document, dict(parameters), kernel_name, timeout, start_timeout)
    index = json.loads((captures / INDEX).read_text(encoding="utf-8"))
    cells = tuple(CellTime(cell, seconds) for cell, seconds in sorted(run.cell_seconds().items()))
    return RunResult(
        executed=str(run.executed),
        captures=str(captures),
        kernel=kernel_name,
        python=index["python"],
        seconds=time.monotonic() - started,
        cells=cells,
        stages=_stages(notebook, cells),
        versions=index["versions"],
        inputs=content_hashes(index["opened"]),
    )


class _Run:
    """One execution: joins papermill, the engine and the caller's events."""

    def __init__(
        self,
        notebook: Notebook,
        places: tuple[Place, ...],
        captures: Path,
        folder: Path,
        executed: Path,
        had_injected: bool,
        on_event: OnEvent | None,
    ) -> None:
        self.notebook = notebook
        self.captures = captures
        self.folder = folder
        self.executed = executed
        self.had_injected = had_injected
        self.on_event = on_event
        self.watched = {place.cell for place in places}
        self.done = 0
        self.conduct: Any = None
        self.plan = {"places": as_json(places)}

    def execute(
        self,
        document: Any,
        parameters: dict[str, object],
        kernel: str,
        timeout: float | None,
        start_timeout: float,
    ) -> None:
        from papermill.exceptions import PapermillExecutionError
        from papermill.execute import execute_notebook

        from nbprod.backends import engine

        self.conduct = conduct = engine.Conduct(
            bootstrap=_bootstrap(self.plan),
            before_cell=self._before_cell,
            finish=f"__import__('builtins').__nbprod_session__.finish({str(self.captures)!r})",
            on_cell=self._on_cell,
            cwd=str(self.folder),
            kernel_log=self.executed.with_name(KERNEL_LOG),
        )
        try:
            with _quiet(logging.getLogger("papermill")), _quiet(logging.getLogger("traitlets")):
                execute_notebook(
                    document,
                    str(self.executed).replace("{", "{{").replace("}", "}}"),
                    parameters=parameters or None,
                    engine_name=engine.ENGINE,
                    kernel_name=kernel,
                    progress_bar=False,
                    start_timeout=start_timeout,
                    execution_timeout=timeout,
                    conduct=conduct,
                )
        except PapermillExecutionError as error:
            if conduct.failure is None:  # an error that the cell's own tag `raises-exception` allows
                self._save(conduct.document)
            elif not failures.is_exit(conduct.failure):
                raise self._failed() from error
        except (RuntimeError, OSError) as error:
            if isinstance(error, OSError) and error.errno in NO_SPACE:
                raise from_system(error, str(self.executed)) from error
            if conduct.started:
                raise
            raise failures.kernel_did_not_start(self.notebook, kernel, str(error)) from error
        if not conduct.captured:
            raise failures.capture_failed(self.notebook, conduct.fault)

    @cached_property
    def indexes(self) -> dict[int, int]:
        """Taken while the cells run: after a failure papermill puts cells of its own among them."""
        return documents.code_cell_indexes(self.conduct.document, self.had_injected)

    def cell_seconds(self) -> dict[int, float]:
        found = self.conduct.seconds.items()
        return {self.indexes[position]: seconds for position, seconds in found if position in self.indexes}

    def _before_cell(self, position: int) -> str | None:
        index = self.indexes.get(position)
        if index in self.watched or (index is not None and index - 1 in self.watched):
            return f"__import__('builtins').__nbprod_session__.at_cell({index!r})"
        return None

    def _on_cell(self, kind: Any, position: int, seconds: float, message: str) -> None:
        cells = self.conduct.document.cells
        if cells[position].cell_type != "code":
            return
        index = self.indexes.get(position)
        if kind == "complete" and index is not None:
            self.done += 1
        if self.on_event is not None:
            self.on_event(CellEvent(kind, index, self.done, len(self.indexes), seconds, message))

    def _failed(self) -> NbprodError:
        failure = self.conduct.failure
        return failures.cell_failed(self.notebook, self.indexes.get(failure.position), failure, self.executed)

    def _save(self, document: Any) -> None:
        import nbformat

        nbformat.write(document, str(self.executed))  # type: ignore[no-untyped-call]


def _bootstrap(plan: Mapping[str, object]) -> str:
    """Code that loads codec and capture into the kernel as modules of their own and leaves no name in the notebook."""
    program = f"""
import builtins, json, sys, types
module = sys.modules["nbprod_capture"] = types.ModuleType("nbprod_capture")
exec(compile({SCRIPT.read_text(encoding="utf-8")!r}, "<nbprod_capture>", "exec"), module.__dict__)
plan = json.loads({json.dumps(dict(plan))!r})
builtins.__nbprod_session__ = module.Session(plan, {CODEC.read_text(encoding="utf-8")!r})
"""
    return f"exec({program!r}, {{}})"


def _fresh_folder(out_dir: Path) -> Path:
    captures = out_dir / CAPTURES
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        if captures.exists():
            shutil.rmtree(captures)
        captures.mkdir()
    except OSError as error:
        if error.errno in NO_SPACE:
            raise from_system(error, str(out_dir)) from error
        raise NbprodError(
            f"the run can't write its results: {error.strerror or error}",
            code="not-writable",
            where=Where(str(out_dir)),
            hint="choose another folder for runs, or make room in this one",
        ) from error
    return captures


def _stages(notebook: Notebook, cells: tuple[CellTime, ...]) -> tuple[StageTime, ...]:
    """Seconds by role, in the order in which roles are listed; cells without a role count in none."""
    seconds = {time.cell: time.seconds for time in cells}
    return tuple(
        StageTime(role.value, sum(seconds.get(cell.index, 0.0) for cell in notebook.cells if cell.role is role))
        for role in Role
        if any(cell.role is role for cell in notebook.cells)
    )


def content_hashes(paths: Iterable[str]) -> tuple[tuple[str, str, int], ...]:
    """(absolute path, sha256, bytes) of each file that is still there."""
    found: list[tuple[str, str, int]] = []
    for path in sorted(paths):
        digest = hashlib.sha256()
        try:
            with Path(path).open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
                size = file.tell()
        except OSError:
            continue
        found.append((path, digest.hexdigest(), size))
    return tuple(found)


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """papermill reports through its logger what nbprod says itself."""
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def _termination_as_exception() -> Iterator[None]:
    """SIGTERM unwinds the run as SystemExit(143), so that kernel and partial notebook are taken care of."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before: Callable[[int, FrameType | None], Any] | int | None = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)
