"""RP-2: training again gives the same model."""

from __future__ import annotations

from nbprod.readiness.check import Check
from nbprod.readiness.judging import by_evidence

CHECK = Check(
    id="RP-2",
    title="Training again gives the same model",
    why="If the same text on the same data gives another model, no difference between two versions means anything. "
    "The recorded run is made again, and state, predictions and metrics are compared.",
    source="ML Test Score, Infra 1: training is reproducible",
    step="run it again: nbprod readiness NOTEBOOK --gather --only RP-2",
    judge=lambda facts: by_evidence(facts, "RP-2", "the run was not made again"),
    tests=("Infra 1",),
    blocking=True,
    keys=("metric_tolerance",),
    gathered=True,
)
