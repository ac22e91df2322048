"""RP-2: the recorded run is made again, and compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isclose
from typing import Any

from nbprod.api.gathering.ground import Ground, Probe
from nbprod.api.progress import Progress
from nbprod.api.reproducing import reproduce
from nbprod.model.readiness import Evidence

INPUTS = ("the data", "metric_tolerance")


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of RP-2."""
    reference = f"{ground.target.name}@{ground.version.number}"

    def tell(progress: Progress) -> None:
        ground.tell(f"training again: {progress.text}")

    report = reproduce(reference, output=str(ground.target.root), on_progress=tell)
    status, run_id = report["status"], report["run_id"][:8]
    numbers = {key: report[key] for key in ("status", "state", "metrics")}
    most = ground.facts.settings.metric_tolerance
    text = f"run {run_id} of version {report['version']} was made again: {status}"
    if status == "different" and most and is_near(report["metrics"], most):
        said = f"{text}; each metric within a share of {most:g} (metric_tolerance)"
        yield ground.seen("RP-2", True, said, *INPUTS, numbers=numbers)
        return
    if status == "different":
        cause = report["cause"]
        why = f"; {cause['text']}" if cause else ""
        against = f"metric_tolerance = {most:g}" if most else None
        yield ground.seen("RP-2", False, f"{text}{why}", *INPUTS, contradicts=against, numbers=numbers)
        return
    yield ground.seen("RP-2", True, f"{text}, in state, predictions and metrics", *INPUTS, numbers=numbers)


def is_near(metrics: Sequence[Mapping[str, Any]], share: float) -> bool:
    """Whether there are metrics, and each is within a share of what it was."""
    pairs = [(each["before"], each["after"]) for each in metrics]
    return bool(pairs) and all(None not in pair and isclose(*pair, rel_tol=share) for pair in pairs)


PROBE = Probe(("RP-2",), "training again", run, inputs=INPUTS)
