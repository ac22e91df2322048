"""SK-5: one schema on both paths."""

from __future__ import annotations

from nbprod.readiness.check import Check
from nbprod.readiness.judging import by_evidence

CHECK = Check(
    id="SK-5",
    title="One schema on both paths",
    why="A value that training would have refused must not be answered in serving as if it were ordinary. "
    "Each kind of violation is planted in each column, and both paths must refuse or flag it.",
    source="ML Test Score, Data 1 and Monitor 2: expectations of features are in a schema, and hold in serving",
    step="plant violations: nbprod readiness NOTEBOOK --gather --only SK-5",
    judge=lambda facts: by_evidence(facts, "SK-5", "no violation of the schema was planted"),
    tests=("Data 1", "Monitor 2"),
    blocking=True,
    keys=("row_policy", "columns"),
    gathered=True,
)
