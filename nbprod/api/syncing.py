"""The verb `sync`: send the runs that wait in the project to the tracking server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbprod import tracking
from nbprod.api.progress import OnProgress, Progress, silent
from nbprod.api.sending import UNSENT, Place, send
from nbprod.config import find_project
from nbprod.errors import NbprodError, Where
from nbprod.notebook.redact import redact_text
from nbprod.tracking import spool
from nbprod.versions.lock import locked


def sync_runs(folder: str = ".", *, on_progress: OnProgress = silent) -> dict[str, Any]:
    """Send each run that waits in the project around `folder`, oldest first, and forget it here (schemas/sync.json).

    May be stopped at any time and called again: a run is there once, and so is its model. A run that the server
    refuses stays, and is told under `failed`. Raises NbprodError: `unreachable` where the server does not answer,
    `locked` while another process sends.
    """
    project = find_project(Path(folder))
    uri = project.config.tracking_uri or tracking.default_uri(project.root)
    unsent = project.root / UNSENT
    sent: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    if spool.waiting(unsent):
        with locked(unsent, wait=0):
            ids = spool.waiting(unsent)
            for number, run_id in enumerate(ids):
                _reach(uri, len(ids) - number)
                on_progress(Progress(run_id, "track", f"sending run {run_id[:8]}", number, len(ids)))
                try:
                    sent.append(_sent(unsent, run_id, project.root, uri))
                except NbprodError as error:
                    failed.append({"run_id": run_id, "error": error.as_json()})
    return {"tracking_uri": redact_text(uri), "sent": sent, "failed": failed}


def _reach(uri: str, count: int) -> None:
    fault = tracking.unreachable(uri)
    if fault is not None:
        runs = "1 run waits" if count == 1 else f"{count} runs wait"
        raise NbprodError(
            f"the tracking server does not answer: {fault}",
            code="unreachable",
            where=Where(redact_text(uri)),
            hint=f"{runs} here; start the server, or mend tracking_uri, and call nbprod sync again",
        )


def _sent(unsent: Path, run_id: str, root: Path, uri: str) -> dict[str, Any]:
    run = spool.read(unsent, run_id)
    version = send(run.record, Place(root, uri, run.experiment), run_id, register=run.register)
    there = tracking.get_run(run_id, uri=uri)
    spool.discard(unsent, run_id)
    return {
        "run_id": run_id,
        "name": run.record.name,
        "version": run.record.version,
        "status": run.record.status,
        "mlflow_run_id": there.mlflow_id,
        "registered": None if version is None else version.number,
    }
