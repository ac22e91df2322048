"""MO-6: quality is measured once labels arrive."""

from __future__ import annotations

from nbprod.model.readiness import Action, ActionKind, State, Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_evidence, contradicted, declare, missing


def _judge(facts: Facts) -> Told:
    least, last = facts.settings.labels.min_joined, facts.joined
    if least is not None and last is not None and last.joined < least * last.truths:
        found = f"{last.joined:,} of {last.truths:,} true answers of {last.file} found theirs ({last.when})"
        return contradicted(found, f"labels.min_joined = {least:g}")
    told = by_evidence(facts, "MO-6", "no answers were joined to true ones")
    if told.state is State.PROVED and not facts.settings.labels.key:
        return Told(
            State.DECLARED,
            f"{told.evidence}; labels.key is not declared",
            None,
            Action(ActionKind.DECLARE, key="labels.key"),
        )
    if told.state is State.MISSING and not facts.settings.labels.key:
        return missing(f"labels.key is not declared; {told.evidence}", declare("labels.key"))
    return told


CHECK = Check(
    id="MO-6",
    title="Quality is measured once labels arrive",
    why="The metric that counts is that of served answers against what turned out to be true. "
    "Answers are logged with an id, joined to true answers, and must give the model's metric.",
    source="ML Test Score, Monitor 7 and Model 2: prediction quality on served data; offline and online metrics agree",
    step="declare labels.key, and join: nbprod readiness NOTEBOOK --gather --only MO-6",
    judge=_judge,
    tests=("Monitor 7", "Model 2"),
    keys=("labels.key", "labels.min_joined"),
    gathered=True,
)
