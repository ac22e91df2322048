"""RP-5: randomness is pinned."""

from __future__ import annotations

from nbprod.model.readiness import State, Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_findings, unplanned


def _judge(facts: Facts) -> Told:
    """Of a notebook without a model there is nothing that could be said to be pinned."""
    told = by_findings(
        facts, frozenset({"missing-seed"}), "no split, sample or estimator on the way to the model lacks a seed"
    )
    return unplanned(facts) if told.state is State.PROVED and facts.plan is None else told


CHECK = Check(
    id="RP-5",
    title="Randomness is pinned",
    why="A split or an estimator without a seed gives another model with every run. "
    "What looks like an improvement may then be another draw.",
    source="ML Test Score, Infra 1: training is reproducible",
    step="give random_state where the finding is: nbprod check NOTEBOOK",
    judge=_judge,
    tests=("Infra 1",),
)
