"""Runs a notebook through papermill, as it is and in its own folder, and captures what the package must reproduce."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

import nbprod
from nbprod.backend import CellEvent, CellOutput, NotRestoredError, OnEvent, Staging
from nbprod.backends import documents, failures
from nbprod.backends.ending import Ending
from nbprod.backends.hashes import content_hashes
from nbprod.backends.kernel.files import linked
from nbprod.backends.kernels import choose_kernel
from nbprod.backends.places import Place, as_json, capture_places
from nbprod.backends.shown_metrics import shown_metrics
from nbprod.errors import NO_SPACE, NbprodError, Where, from_system
from nbprod.model.notebook import Notebook, Role
from nbprod.model.run import CapturePlan, CellTime, RunResult, StageTime
from nbprod.notebook.redact import secret_values, without_in

EXECUTED = "executed.ipynb"
CAPTURES = "captures"
INDEX = "index.json"
KERNEL_LOG = "kernel.log"  # what the kernel's process itself prints; a surface's own stdout stays clean
OF_KERNEL = {
    "nbprod_kernel": str(Path(__file__).parent / "kernel"),
    "nbprod_kept": str(Path(nbprod.__file__).parent / "codegen" / "runtime"),
}
"""The packages of the kernel's own, and the folders that they are loaded from."""
HANDED = "handed-over-{}"  # the folder of what the cells up to one have handed over, for as long as the run lasts
SESSION = "__import__('builtins').__nbprod_session__"


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
        staging: Staging | None = None,
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
            staging=staging,
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
    staging: Staging | None = None,
    ending: Ending | None = None,
) -> RunResult:
    """Run `notebook` in its own folder (or `cwd`); write `executed.ipynb` and `captures/` into `out_dir`.

    `parameters` are values of the types that the cell of parameters wants, and are set behind it. Secrets among them
    are set without a trace, and taken out of outputs, messages and logs.
    `ending` waits for the kernel's end, unless files or secrets hang on that; without it this function waits.
    `timeout` is in seconds a cell. Raises NotRestoredError where `staging` names what can't be put back, and
    NbprodError: `missing-kernel`, `kernel-start`, `cell-failed`, `cell-timeout`, `kernel-died`,
    `capture-failed`; the partial notebook is kept. KeyboardInterrupt and SIGTERM (as SystemExit) come through after the
    kernel and what it started have been ended.
    """
    kernel_name = choose_kernel(notebook, kernel)
    places = capture_places(notebook, capture)
    out_dir = out_dir.resolve()
    captures = _fresh_folder(out_dir)
    folder = (cwd or Path(notebook.path).parent).resolve()
    document = documents.runnable_document(notebook, kernel_name, out_dir)
    had_injected = documents.has_injected(document)
    documents.put_parameters(document, parameters)
    measured = capture.measured if capture is not None else ()
    run = _Run(
        notebook,
        places,
        captures,
        folder,
        out_dir / EXECUTED,
        had_injected,
        on_event,
        parameters,
        staging,
        measured,
        ending if not secret_values(parameters) else None,
    )
    started = time.monotonic()
    try:
        with _termination_as_exception():
            run.execute(document, kernel_name, timeout, start_timeout)
    finally:
        run.forget_handovers()
    index = _index(captures / INDEX, secret_values(parameters))
    if ending is not None and index["written"]:
        ending.wait()  # the last of a file that no cell has closed is written when the kernel ends
    cells = run.cell_times()
    return RunResult(
        executed=str(run.executed),
        captures=str(captures),
        kernel=kernel_name,
        python=index["python"],
        seconds=time.monotonic() - started,
        cells=cells,
        stages=stages_of(notebook, cells),
        versions=index["versions"],
        inputs=content_hashes(index["opened"]),
        outputs=content_hashes(index["written"]),
        unpinned=tuple(index["outside"]),
        memory=index["memory"],
        metrics={**shown_metrics(run.conduct.document), **index["metrics"]},
    )


def _index(path: Path, secrets: tuple[str, ...]) -> Any:
    """What the kernel tells of the run, such as the addresses that it asked; without secrets, in its file too."""
    index = json.loads(path.read_text(encoding="utf-8"))
    clean = without_in(index, secrets)
    if clean != index:
        path.write_text(json.dumps(clean), encoding="utf-8")
    return clean


def restored_run(
    notebook: Notebook,
    result: RunResult,
    captures: Path,
    outputs: Mapping[int, CellOutput],
    *,
    out_dir: Path,
    parameters: Mapping[str, object] = {},
) -> RunResult:
    """A whole run as an earlier one left it, in `out_dir`: nothing is executed.

    `result` is that of the earlier run, `captures` what it captured, `outputs` what its cells have shown. The executed
    notebook has the cells as they are now.
    """
    import nbformat

    out_dir = out_dir.resolve()
    kept = _fresh_folder(out_dir)
    document = documents.runnable_document(notebook, result.kernel, out_dir)
    had_injected = documents.has_injected(document)
    documents.put_parameters(document, parameters)
    for position, index in documents.code_cell_indexes(document, had_injected).items():
        shown = outputs.get(index)
        documents.show(
            document.cells[position], *(([], None) if shown is None else (shown.outputs, shown.execution_count))
        )
        document.cells[position].metadata["nbprod"] = {"restored": True}
    for path in captures.iterdir():
        linked(path, kept / path.name)
    executed = out_dir / EXECUTED
    nbformat.write(document, str(executed))  # type: ignore[no-untyped-call]
    cells = tuple(replace(each, restored=True) for each in result.cells)
    return replace(
        result, executed=str(executed), captures=str(kept), cells=cells, stages=stages_of(notebook, cells), seconds=0.0
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
        parameters: Mapping[str, object],
        staging: Staging | None,
        measured: Sequence[str],
        ending: Ending | None,
    ) -> None:
        self.notebook = notebook
        self.staging = staging
        self.captures = captures
        self.folder = folder
        self.executed = executed
        self.had_injected = had_injected
        self.on_event = on_event
        self.parameters = parameters
        self.watched = {place.cell for place in places}
        self.kept = {each.after: each for each in staging.handovers if each.reason is None} if staging else {}
        self.outputs: dict[int, CellOutput] = dict(staging.restored.outputs) if staging and staging.restored else {}
        self.done = 0
        self.conduct: Any = None
        self.ending = ending
        self.plan = {"places": as_json(places), "measured": list(measured)}

    def execute(
        self,
        document: Any,
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
            finish=f"{SESSION}.finish({str(self.captures)!r})",
            on_cell=self._on_cell,
            cwd=str(self.folder),
            kernel_log=self.executed.with_name(KERNEL_LOG),
            restore=self._restoring(),
            restored=self._restored_positions,
            after_cell=self._after_cell,
            on_restored=self._on_restored,
            on_kept=self._on_kept,
            secrets=secret_values(self.parameters),
            ending=self.ending,
        )
        try:
            with _quiet(logging.getLogger("papermill")), _quiet(logging.getLogger("traitlets")):
                execute_notebook(
                    document,
                    str(self.executed).replace("{", "{{").replace("}", "}}"),
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
            elif conduct.failure.name == "NameError" and self.staging and self.staging.restored:
                # The analysis may have missed a name that only the cells above have.
                raise NotRestoredError(conduct.failure.value) from error
            elif not failures.is_exit(conduct.failure):
                raise self._failed() from error
        except (RuntimeError, OSError) as error:
            if isinstance(error, OSError) and error.errno in NO_SPACE:
                raise from_system(error, str(self.executed)) from error
            if conduct.started:
                raise
            raise failures.kernel_did_not_start(self.notebook, kernel, str(error)) from error
        if conduct.failure is not None and conduct.failure.kind == "not-restored":
            raise NotRestoredError(conduct.fault)
        if not conduct.captured:
            raise failures.capture_failed(self.notebook, conduct.fault)

    @cached_property
    def indexes(self) -> dict[int, int]:
        """Taken while the cells run: after a failure papermill puts cells of its own among them."""
        return documents.code_cell_indexes(self.conduct.document, self.had_injected)

    def cell_times(self) -> tuple[CellTime, ...]:
        found = self.conduct.seconds.items()
        ran = {self.indexes[position]: seconds for position, seconds in found if position in self.indexes}
        restored = self.staging.restored if self.staging else None
        before = () if restored is None else restored.cells
        times = [replace(time, restored=True) for time in before if time.cell not in ran]
        memory = {self.indexes[at]: used for at, used in self.conduct.memory.items() if at in self.indexes}
        times += [CellTime(cell, seconds, memory.get(cell)) for cell, seconds in ran.items()]
        return tuple(sorted(times, key=lambda each: each.cell))

    def forget_handovers(self) -> None:
        for folder in self.executed.parent.glob(HANDED.format("*")):
            shutil.rmtree(folder, ignore_errors=True)

    def _restoring(self) -> str | None:
        restored = self.staging.restored if self.staging else None
        if restored is None:
            return None
        request = {"prepared": restored.handover.prepared, "definitions": restored.handover.definitions}
        return f"{SESSION}.keeper.restore({str(restored.folder)!r}, {_as_python(request)})"

    def _restored_positions(self) -> int:
        """How many cells of the document are restored: up to the last of the stages that are."""
        restored = self.staging.restored if self.staging else None
        if restored is None:
            return 0
        return 1 + next(at for at, index in self.indexes.items() if index == restored.handover.after)

    def _on_restored(self, position: int, cell: Any) -> None:
        index = self.indexes.get(position)
        if index is None:
            return
        self.done += 1
        cell.metadata["nbprod"] = {**cell.metadata.get("nbprod", {}), "restored": True}
        shown = self.outputs.get(index)
        if shown is not None:
            documents.show(cell, shown.outputs, shown.execution_count)

    def _after_cell(self, position: int) -> str | None:
        handover = self.kept.get(self.indexes.get(position, -1))
        if handover is None or self.done == len(self.indexes):
            return None
        folder = self._handed(handover.after)
        folder.mkdir(parents=True, exist_ok=True)
        request = {
            "names": handover.names,
            "changed": handover.changed,
            "defined": handover.defined,
        }
        return f"{SESSION}.keeper.keep({str(folder)!r}, {_as_python(request)})"

    def _on_kept(self, position: int) -> None:
        assert self.staging is not None
        handover = self.kept[self.indexes[position]]
        self.staging.on_kept(handover, self._handed(handover.after), self.cell_times(), self.shown())

    def shown(self) -> dict[int, CellOutput]:
        """What the cells that have run so far have shown."""
        found = documents.shown_in(self.conduct.document, self.indexes)
        ran = {self.indexes[position] for position in self.conduct.seconds if position in self.indexes}
        self.outputs.update({index: one for index, one in found.items() if index in ran})
        return dict(self.outputs)

    def _handed(self, after: int) -> Path:
        return self.executed.parent / HANDED.format(after)

    def _before_cell(self, position: int) -> str | None:
        index = self.indexes.get(position)
        words = documents.secret_words(self.conduct.document, position, self.parameters)
        if index in self.watched or (index is not None and index - 1 in self.watched):
            words.append(f"{SESSION}.at_cell({index!r})")
        return "\n".join(words) or None

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
    """Code that loads capture and keeper into the kernel as packages of their own; no name is left in the notebook."""
    program = f"""
import builtins, importlib.util, sys
for name, folder in {OF_KERNEL!r}.items():
    spec = importlib.util.spec_from_file_location(
        name, folder + "/__init__.py", submodule_search_locations=[folder]
    )
    package = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)
from nbprod_kernel.handover import Keeper
from nbprod_kernel.session import Session
session = builtins.__nbprod_session__ = Session({_as_python(plan)})
session.keeper = Keeper(session)
"""
    return f"exec({program!r}, {{}})"


def _as_python(value: object) -> str:
    """An expression that gives `value` in the kernel."""
    return f"__import__('json').loads({json.dumps(value)!r})"


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


def stages_of(notebook: Notebook, cells: tuple[CellTime, ...]) -> tuple[StageTime, ...]:
    """Seconds by role, in the order in which roles are listed; cells without a role count in none."""
    known = {time.cell: time for time in cells}
    found = []
    for role in Role:
        own = [known[cell.index] for cell in notebook.cells if cell.role is role and cell.index in known]
        if any(cell.role is role for cell in notebook.cells):
            is_restored = bool(own) and all(time.restored for time in own)
            found.append(StageTime(role.value, sum(time.seconds for time in own), is_restored))
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
