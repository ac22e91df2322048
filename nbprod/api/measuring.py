"""The metrics of a run: what the notebook's own evaluation says of the fitted package on the rows held out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbprod import replay, versions
from nbprod.api.packages import Target, training_folder
from nbprod.errors import NbprodError
from nbprod.model.plan import FeaturePlan
from nbprod.model.run import RunResult, Version


def metrics_of(
    target: Target, plan: FeaturePlan, version: Version, run: RunResult, say: Callable[[str], None]
) -> dict[str, float]:
    """What the run itself has measured, and of the plan's metrics what the package's own evaluation gives besides.

    That is on the rows that the notebook held out.
    """
    if all(name in run.metrics for name, _ in plan.metrics):
        return dict(run.metrics)
    say("evaluating on the rows that the notebook held out")
    found = measured(target, version, Path(run.captures), run.python)
    if "reason" in found and not run.metrics:
        say(f"no metrics: {found['reason']}")
    return {**found.get("metrics", {}), **run.metrics}


def measured(target: Target, version: Version, captures: Path, python: str, **options: Any) -> dict[str, Any]:
    """What `replay.measure` gives for a fitted version, with the same options; a `reason` alone where it fails."""
    folder = versions.version_folder(target.root, target.name, version.number)
    manifest = versions.read_manifest(folder) or {}
    reads_in = training_folder(target, manifest)
    try:
        return replay.measure(
            target.root, target.name, folder.name, captures, python, manifest, reads_in=reads_in, **options
        )
    except NbprodError as error:
        return {"reason": error.message}
