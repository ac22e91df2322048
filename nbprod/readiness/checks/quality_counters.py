"""MO-5: data quality is counted."""

from __future__ import annotations

from nbprod.readiness.check import Check
from nbprod.readiness.judging import by_evidence

CHECK = Check(
    id="MO-5",
    title="Data quality is counted",
    why="Missing values, unseen categories and refused rows grow before anybody complains. "
    "Each is planted in requests, and the service's counters must tell of it.",
    source="ML Test Score, Monitor 2 and 5: data invariants hold in serving, and numbers stay sound",
    step="ask the service: nbprod readiness NOTEBOOK --gather --only MO-5",
    judge=lambda facts: by_evidence(facts, "MO-5", "no service was asked with unusual rows"),
    tests=("Monitor 2", "Monitor 5"),
    gathered=True,
)
