"""The metrics of a run: what the notebook's own evaluation says of the fitted package on the rows held out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import nbprod
from nbprod.api.packages import Target
from nbprod.model.plan import FeaturePlan
from nbprod.model.run import RunResult, Version

SCRIPT = Path(nbprod.__file__).parent / "api" / "held_out.py"


class Measured(NamedTuple):
    """Metrics by name; `reason` says why there are none."""

    metrics: dict[str, float]
    reason: str | None = None


def metrics_of(
    target: Target, plan: FeaturePlan, version: Version, run: RunResult, say: Callable[[str], None]
) -> dict[str, float]:
    """What the run itself has measured, and of the plan's metrics what the package's own evaluation gives besides.

    That is on the rows that the notebook held out.
    """
    if all(name in run.metrics for name, _ in plan.metrics):
        return dict(run.metrics)
    say("evaluating on the rows that the notebook held out")
    found = measured(target, version, run)
    if found.reason and not run.metrics:
        say(f"no metrics: {found.reason}")
    return {**found.metrics, **run.metrics}


def measured(target: Target, version: Version, run: RunResult) -> Measured:
    """The metrics of a fitted version, computed by its `evaluate` in the environment of the run."""
    words = [str(target.root.resolve()), target.name, str(version.number), run.captures]
    done = subprocess.run(
        [run.python, str(SCRIPT), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    try:
        answer = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or [f"the process ended with {done.returncode}"])[-1]
        return Measured({}, last)
    return Measured(answer.get("metrics", {}), answer.get("reason"))
