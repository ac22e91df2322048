"""One execution of a notebook with its captures, as `run` and a fresh `verify` need it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import nbformat
from msgspec import Struct
from msgspec.structs import replace

from nbprod import codegen
from nbprod.api.exporting import Planned
from nbprod.api.progress import OnProgress, Progress
from nbprod.backend import CellEvent, NotRestoredError, OnEvent, Restored, Staging
from nbprod.backends import documents
from nbprod.backends.ending import Ending
from nbprod.backends.papermill_backend import restored_run, run_notebook, stages_of
from nbprod.backends.stage_cache import CAPTURES, Found, StageCache
from nbprod.errors import NbprodError, Where
from nbprod.model.notebook import Notebook, Role
from nbprod.model.run import CapturePlan, CellTime, RunResult, StageTime
from nbprod.plan.evaluated import measured_names
from nbprod.plan.stages import ORDER, Handover, handovers


class Caching(Struct, frozen=True):
    """The cache of a run's stages; those from `first` on run in any case, all of them where it is `data`."""

    cache: StageCache
    first: Role | None = None


def executed(
    notebook: Notebook,
    planned: Planned,
    folder: Path,
    *,
    parameters: Mapping[str, Any],
    kernel: str | None,
    timeout: float | None = None,
    caching: Caching | None = None,
    ending: Ending | None = None,
    on_progress: OnProgress,
) -> RunResult:
    """Run `notebook` as it stands in its file into `folder`, and keep what the package must reproduce.

    `planned` is of the same notebook: the roles that it was planned with count for the times of the stages and the
    words of the progress. With `caching` stages of earlier runs are restored that nothing has changed. `ending` waits
    for the kernel's end. Raises what the backend raises.
    """
    run, on_event, say = _begun(notebook, planned, folder, parameters, kernel, timeout, on_progress)
    run = replace(run, ending=ending)
    if caching is None:
        return run.whole(on_event)
    return _Staged(run, caching, planned).result(on_event, say)


def executed_to(
    notebook: Notebook,
    planned: Planned,
    folder: Path,
    *,
    last: Role,
    parameters: Mapping[str, Any],
    kernel: str | None,
    timeout: float | None = None,
    caching: Caching | None = None,
    on_progress: OnProgress,
) -> tuple[StageTime, ...]:
    """Run `notebook` up to the end of the stage `last`, and keep what it hands over; gives the times of the stages.

    Raises NbprodError (`not-kept`) where that can't be handed over, before anything runs if it is known then.
    """
    if caching is None:
        reason = "the configuration wants no cache, or a parameter is secret"
        raise not_kept(notebook, last, reason)
    run, on_event, say = _begun(notebook, planned, folder, parameters, kernel, timeout, on_progress)
    return _Staged(run, caching, planned).as_far_as(last, on_event, say)


def not_kept(notebook: Notebook, stage: Role, reason: str) -> NbprodError:
    """That a stage can't be a run of its own."""
    return NbprodError(
        f'what the stage "{stage.value}" gives is not kept, so that nothing could go on from there: {reason}',
        code="not-kept",
        where=Where(notebook.path),
        hint="run the stages behind it in the same call: nbprod run without --to",
    )


def _begun(
    notebook: Notebook,
    planned: Planned,
    folder: Path,
    parameters: Mapping[str, Any],
    kernel: str | None,
    timeout: float | None,
    on_progress: OnProgress,
) -> tuple[_Run, OnEvent, Callable[[str], None]]:
    roles = {cell.index: cell.role for cell in planned.notebook.cells}

    def on_event(event: CellEvent) -> None:
        if event.kind == "start" and event.cell is not None:
            role = roles.get(event.cell)
            text = f"cell {event.cell}" + (f" ({role})" if role else "")
            on_progress(Progress(notebook.path, "run", text, event.done, event.total, event.cell))

    def say(text: str) -> None:
        on_progress(Progress(notebook.path, "run", text))

    cells = tuple(replace(cell, role=roles[cell.index]) for cell in notebook.cells)
    measured = measured_names(planned.notebook, planned.analysis)
    capture = replace(codegen.capture_plan(planned.plan), measured=measured)
    return _Run(replace(notebook, cells=cells), capture, folder, dict(parameters), kernel, timeout), on_event, say


class _StoppedError(Exception):
    """The last stage that was asked for is done."""


class _Run(Struct, frozen=True):
    """What is the same of a run however much of it is restored."""

    notebook: Notebook
    capture: CapturePlan
    folder: Path
    parameters: dict[str, Any]
    kernel: str | None
    timeout: float | None
    ending: Ending | None = None

    def whole(self, on_event: Any, staging: Staging | None = None) -> RunResult:
        return run_notebook(
            self.notebook,
            self.capture,
            out_dir=self.folder,
            parameters=self.parameters,
            kernel=self.kernel,
            on_event=on_event,
            timeout=self.timeout,
            staging=staging,
            ending=self.ending,
        )


class _Staged:
    """A run whose stages are restored where they can be, and kept where they ran."""

    def __init__(self, run: _Run, caching: Caching, planned: Planned) -> None:
        self.run = run
        self.cache = caching.cache
        self.first = caching.first
        places = (run.capture.raw, run.capture.fit, *run.capture.predicts, *run.capture.others)
        self.handed = handovers(planned.notebook, planned.analysis, planned.analyse, places)

    def result(self, on_event: OnEvent, say: Callable[[str], None]) -> RunResult:
        """The run, from the last stage on that can be restored."""
        found = self._last_found(self.handed)
        if found is not None and found[1].entry.is_run:
            say("nothing has changed since an earlier run: all stages are restored")
            return self._all_of(*found)
        if found is not None:
            handover, entry = found
            self.cache.base = entry
            say(f"{_listed(self.handed, handover)} restored, nothing that they hang on has changed")
            staging = Staging(self.handed, self.cache.restored(entry, handover), self.cache.keep)
            try:
                result = self.run.whole(on_event, staging)
            except NotRestoredError as refused:
                say(f"what was kept can't be put back ({refused}): the notebook runs from its start")
                self.cache.base = None
            else:
                self.cache.changed = self.cache.edited(entry, handover)
                return self._kept(result)
        return self._kept(self.run.whole(on_event, Staging(self.handed, None, self.cache.keep)))

    def as_far_as(self, last: Role, on_event: OnEvent, say: Callable[[str], None]) -> tuple[StageTime, ...]:
        """Run up to the end of the stage `last`, from the last stage on that can be restored."""
        handed = self._up_to(last)
        goal = handed[-1]
        found = self._last_found(handed)
        if found is not None and found[0] is goal:
            say(f"{_listed(self.handed, goal)} restored, nothing that they hang on has changed")
            return self._times(goal, (replace(one, restored=True) for one in found[1].entry.cells))
        restored = None
        if found is not None:
            self.cache.base = found[1]
            say(f"{_listed(self.handed, found[0])} restored, nothing that they hang on has changed")
            restored = self.cache.restored(found[1], found[0])
        try:
            return self._stopped_at(goal, restored, on_event)
        except NotRestoredError as refused:
            say(f"what was kept can't be put back ({refused}): the notebook runs from its start")
            self.cache.base = None
            return self._stopped_at(goal, None, on_event)

    def _stopped_at(self, goal: Handover, restored: Restored | None, on_event: OnEvent) -> tuple[StageTime, ...]:
        ran: list[CellTime] = []

        def keep(handover: Handover, folder: Path, times: tuple[CellTime, ...], shown: Any) -> None:
            self.cache.keep(handover, folder, times, shown)
            if handover is goal:
                ran.extend(times)
                raise _StoppedError

        try:
            self.run.whole(on_event, Staging(self.handed, restored, keep))
        except _StoppedError:
            reason = self.cache.reasons.get(goal.after)
            if reason is not None:
                raise not_kept(self.run.notebook, goal.stage.role, reason) from None
            return self._times(goal, ran)
        # What can't be written in the kernel does not stop a run there.
        raise not_kept(self.run.notebook, goal.stage.role, "the kernel could not write it")

    def _times(self, goal: Handover, cells: Iterable[CellTime]) -> tuple[StageTime, ...]:
        """Seconds by role, of the cells up to the end of a stage."""
        part = replace(self.run.notebook, cells=self.run.notebook.cells[: goal.after + 1])
        return stages_of(part, tuple(one for one in cells if one.cell <= goal.after))

    def _up_to(self, last: Role) -> tuple[Handover, ...]:
        """The stages up to the last one with the role `last`, which must be one that others can go on from."""
        at = [n for n, each in enumerate(self.handed) if each.stage.role is last]
        if not at:
            raise not_kept(self.run.notebook, last, "the notebook has no such stage")
        goal = self.handed[at[-1]]
        if goal.reason is not None:
            raise not_kept(self.run.notebook, last, goal.reason)
        if goal is self.handed[-1]:
            raise not_kept(self.run.notebook, last, "the notebook ends with it")
        return self.handed[: at[-1] + 1]

    def _last_found(self, handed: tuple[Handover, ...]) -> tuple[Handover, Found] | None:
        """The last stage of `handed` that can be restored, of those before the first one that is to run."""
        for handover in reversed(handed):
            if self.first is None or ORDER.index(handover.stage.role) < ORDER.index(self.first):
                found = self.cache.find(handover)
                if found is not None:
                    return handover, found
        return None

    def _all_of(self, handover: Handover, found: Found) -> RunResult:
        assert found.entry.result is not None
        result = restored_run(
            self.run.notebook,
            found.entry.result,
            found.folder / CAPTURES,
            self.cache.outputs(found, handover),
            out_dir=self.run.folder,
            parameters=self.run.parameters,
        )
        self.cache.changed = self.cache.edited(found, handover)
        return replace(result, cached=str(found.folder))

    def _kept(self, result: RunResult) -> RunResult:
        """The result of a run, with what it read in the stages that were restored; the cache has it from now on."""
        before = self.cache.base.entry if self.cache.base is not None else None
        if before is not None:
            inputs = {one[0]: one for one in (*before.inputs, *result.inputs)}
            outputs = {one[0]: one for one in (*before.outputs, *result.outputs)}
            result = replace(result, inputs=tuple(inputs.values()), outputs=tuple(outputs.values()))
        document = nbformat.read(result.executed, as_version=4)  # type: ignore[no-untyped-call]
        had_injected = any(documents.INJECTED_TAG in cell.tags for cell in self.run.notebook.cells)
        indexes = documents.code_cell_indexes(document, had_injected)
        place = self.cache.keep_run(self.handed[-1], result, documents.shown_in(document, indexes))
        return replace(result, cached=None if place is None else str(place))


def _listed(handed: tuple[Handover, ...], last: Handover) -> str:
    roles = [each.stage.role.value for each in handed if each.after <= last.after]
    return ", ".join(roles)
