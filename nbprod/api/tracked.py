"""The runs of a package: those in the store of runs, and those that wait in the project to be sent there."""

from __future__ import annotations

from pathlib import Path

from nbprod import tracking
from nbprod.api.packages import Target
from nbprod.api.sending import UNSENT
from nbprod.errors import NbprodError
from nbprod.model.run import RunSummary
from nbprod.tracking import spool


def store_of(target: Target) -> str:
    """The address of the store that the configuration names, else of the one in the project's folder."""
    return target.project.config.tracking_uri or tracking.default_uri(target.project.root)


def tracked_runs(target: Target, limit: int) -> tuple[RunSummary, ...]:
    """The newest runs of a package, those that wait to be sent among them; none where there is no store.

    Raises NbprodError (`tracking`) where the store can't be asked.
    """
    uri = store_of(target)
    check_reachable(uri)
    waiting = [run.summary for run in _unsent(target) if run.record.name == target.name]
    known = {run.run_id for run in waiting}
    stored = tracking.runs(uri=uri, name=target.name, limit=limit)
    runs = [*waiting, *(run for run in stored if run.run_id not in known)]
    return tuple(sorted(runs, key=lambda run: run.start, reverse=True)[:limit]) if waiting else stored


def check_reachable(uri: str) -> None:
    """Raise NbprodError (`tracking`) where the server of a store does not answer."""
    fault = tracking.unreachable(uri)
    if fault is not None:
        raise NbprodError(
            f"the server of {tracking.redact_text(uri)} does not answer: {fault}",
            code="tracking",
            hint="is the address right, and does the tracking server run?",
        )


def run_of(target: Target, run_id: str) -> RunSummary:
    """One run with its artifacts, by its id or the beginning of it. Raises NbprodError where there is none."""
    waiting = [run for run in _unsent(target) if run_id and run.run_id.startswith(run_id)]
    return waiting[0].summary if len(waiting) == 1 else tracking.get_run(run_id, uri=store_of(target))


def artifact_of(target: Target, run: RunSummary, name: str, folder: str) -> Path | None:
    """A file of a run: where it waits to be sent, else a copy of the store's in `folder`; None where it has none."""
    waiting = next((each for each in _unsent(target) if each.run_id == run.run_id), None)
    if waiting is not None:
        return waiting.record.artifacts.get(name)
    if name not in run.artifacts and name not in tracking.get_run(run.run_id, uri=store_of(target)).artifacts:
        return None
    return Path(tracking.download(run.run_id, name, folder, uri=store_of(target)))


def _unsent(target: Target) -> tuple[spool.Unsent, ...]:
    folder = target.project.root / UNSENT
    return tuple(spool.read(folder, run_id) for run_id in spool.waiting(folder))
