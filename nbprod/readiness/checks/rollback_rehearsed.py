"""RT-4: rolling back was rehearsed."""

from __future__ import annotations

from nbprod.readiness.check import Check
from nbprod.readiness.judging import by_evidence

CHECK = Check(
    id="RT-4",
    title="Rolling back was rehearsed",
    why="The way back is needed on a bad day, and a bad day is no time to try it first. "
    "A running service goes back to the version before and forward again, and the seconds are counted.",
    source="ML Test Score, Infra 7: models can be rolled back quickly and safely",
    step="rehearse it: nbprod readiness NOTEBOOK --gather --only RT-4",
    judge=lambda facts: by_evidence(facts, "RT-4", "no service went back to the version before"),
    tests=("Infra 7",),
    keys=("max_rollback_seconds",),
    gathered=True,
)
