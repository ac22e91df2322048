"""MO-3: alerts are real."""

from __future__ import annotations

from nbprod.readiness.check import Check
from nbprod.readiness.judging import by_evidence

CHECK = Check(
    id="MO-3",
    title="Alerts are real",
    why="An alert that never fires guards nothing, and one that always fires is switched off. "
    "Each kind of fault is planted and must alert; training rows that nothing was done to must not.",
    source="ML Test Score, Monitor 2: data invariants hold for inputs",
    step="plant faults: nbprod readiness NOTEBOOK --gather --only MO-3",
    judge=lambda facts: by_evidence(facts, "MO-3", "no fault was planted"),
    tests=("Monitor 2",),
    blocking=True,
    keys=("monitoring.missing", "monitoring.unseen", "monitoring.out_of_range"),
    gathered=True,
)
