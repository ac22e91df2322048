"""RP-5: randomness is pinned."""

from __future__ import annotations

from nbprod.model.readiness import State, Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_evidence, by_findings, contradicted, declared, unplanned


def _judge(facts: Facts) -> Told:
    """Of a notebook without a model there is nothing that could be said to be pinned.

    What reads as if all were pinned is held against training once more.
    """
    text = "no split, sample or estimator on the way to the model lacks a seed"
    told, reason = by_findings(facts, frozenset({"missing-seed"}), text), facts.settings.allow_random
    if told.state is State.CONTRADICTED:
        return told if not reason else declared(f"allow_random = {reason}; {told.evidence}", told.action)
    if told.state is not State.PROVED:
        return told
    if facts.plan is None:
        return unplanned(facts)
    again = by_evidence(facts, "RP-2", "")
    if again.state is State.CONTRADICTED:
        return contradicted(again.evidence, text, again.action)
    return told


CHECK = Check(
    id="RP-5",
    title="Randomness is pinned",
    why="A split or an estimator without a seed gives another model with every run. "
    "What looks like an improvement may then be another draw.",
    source="ML Test Score, Infra 1: training is reproducible",
    step="give random_state where the finding is: nbprod check NOTEBOOK",
    judge=_judge,
    tests=("Infra 1",),
    keys=("allow_random",),
)
