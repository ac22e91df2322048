"""RP-5: randomness is pinned."""

from __future__ import annotations

from nbprod.readiness.check import Check
from nbprod.readiness.judging import by_findings

CHECK = Check(
    id="RP-5",
    title="Randomness is pinned",
    why="A split or an estimator without a seed gives another model with every run. "
    "What looks like an improvement may then be another draw.",
    source="ML Test Score, Infra 1: training is reproducible",
    step="give random_state where the finding is: nbprod check NOTEBOOK",
    judge=lambda facts: by_findings(
        facts, frozenset({"missing-seed"}), "no split, sample or estimator on the way to the model lacks a seed"
    ),
    tests=("Infra 1",),
)
