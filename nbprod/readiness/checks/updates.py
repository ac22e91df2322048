"""DT-6: updates lose no request."""

from __future__ import annotations

from nbprod.readiness.check import Check
from nbprod.readiness.judging import by_evidence

CHECK = Check(
    id="DT-6",
    title="Updates lose no request",
    why="A model is replaced many times in its life, and each time while somebody asks it. "
    "The alias moves under load, and no request may fail or mix two versions.",
    source="ML Test Score, Infra 6 and 7: canary, and safe rollback",
    step="switch under load: nbprod readiness NOTEBOOK --gather --only DT-6",
    judge=lambda facts: by_evidence(facts, "DT-6", "no version was switched under load"),
    tests=("Infra 6", "Infra 7"),
    keys=("requirements.max_stall_ms",),
    gathered=True,
)
