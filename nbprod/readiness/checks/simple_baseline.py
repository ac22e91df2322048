"""SU-2: the model beats something simple."""

from __future__ import annotations

from nbprod.readiness.check import Check
from nbprod.readiness.judging import by_evidence

CHECK = Check(
    id="SU-2",
    title="The model beats something simple",
    why="If a constant or a line does as well, the rest is cost without worth. "
    "Both are trained on the same rows, and the difference is told with its interval.",
    source="ML Test Score, Model 5 and Data 2: a simpler model is not better, and each feature is worth its place",
    step="compare it: nbprod readiness NOTEBOOK --gather --only SU-2",
    judge=lambda facts: by_evidence(facts, "SU-2", "nothing simple was trained beside it"),
    tests=("Model 5", "Data 2"),
    gathered=True,
)
