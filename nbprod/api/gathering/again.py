"""RP-2: the recorded run is made again, and compared."""

from __future__ import annotations

from collections.abc import Iterator

from nbprod.api.gathering.ground import Ground, Probe
from nbprod.api.progress import Progress
from nbprod.api.reproducing import reproduce
from nbprod.model.readiness import Evidence


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of RP-2."""
    reference = f"{ground.target.name}@{ground.version.number}"

    def tell(progress: Progress) -> None:
        ground.tell(f"training again: {progress.text}")

    report = reproduce(reference, output=str(ground.target.root), on_progress=tell)
    status, run_id = report["status"], report["run_id"][:8]
    numbers = {key: report[key] for key in ("status", "state", "metrics")}
    text = f"run {run_id} of version {report['version']} was made again: {status}"
    if status == "different":
        cause = report["cause"]
        why = f"; {cause['text']}" if cause else ""
        yield ground.seen("RP-2", False, f"{text}{why}", "the data", numbers=numbers)
        return
    yield ground.seen("RP-2", True, f"{text}, in state, predictions and metrics", "the data", numbers=numbers)


PROBE = Probe(("RP-2",), "training again", run, inputs=("the data",))
