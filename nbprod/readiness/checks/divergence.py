"""SK-1: the notebook has not moved away from its package."""

from __future__ import annotations

from datetime import date

from nbprod.model.finding import Verdict
from nbprod.model.readiness import State, Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import (
    EXPORT,
    NEVER_EXPORTED,
    by_evidence,
    contradicted,
    declared,
    edited,
    first_of,
    missing,
    proved,
    why_unknown,
)


def _judge(facts: Facts) -> Told:
    if facts.version is None:
        return missing(NEVER_EXPORTED, EXPORT)
    if facts.hand_edits:
        return edited(facts)
    match facts.verdict:
        case Verdict.SAME | Verdict.COSMETIC:
            return proved(f"compared with version {facts.version.number}: {facts.verdict}")
        case Verdict.UNKNOWN:
            return missing(why_unknown(facts))
        case _:
            features = first_of(tuple(dict.fromkeys(each.feature for each in facts.divergences if each.feature)))
            which = f": {features}" if features else ""
            package = f"version {facts.version.number} of the package"
            text = f"the notebook has moved on ({facts.verdict}){which}"
            return _acknowledged(facts, text) or contradicted(text, package, EXPORT)


def _acknowledged(facts: Facts, text: str) -> Told | None:
    """A divergence that a person has seen may stand for some days, unless it changes what the package would give."""
    day = facts.settings.acknowledged
    if day is None:
        return None
    said = f"acknowledged = {day}"
    age = (facts.now.date() - date.fromisoformat(day)).days
    if not 0 <= age <= DAYS:
        return contradicted(f"{text}; that was acknowledged {age} days ago, and holds for {DAYS}", said, EXPORT)
    told = by_evidence(facts, "SK-1", "whether it changes what is served", is_of_fit=False)
    if told.state in (State.CONTRADICTED, State.STALE):
        return told
    return declared(f"{text}; {said}; {told.evidence}", told.action)


DAYS = 7
"""How long the acknowledgement of a divergence holds."""


CHECK = Check(
    id="SK-1",
    title="The notebook has not moved away from its package",
    why="An edit in the notebook changes training, and the exported code goes on serving the old features. "
    "That is training-serving skew, and no error ever tells of it.",
    source="ML Test Score, Monitor 3: training and serving features compute the same values",
    step="see what changed, and export again: nbprod check NOTEBOOK",
    judge=_judge,
    tests=("Monitor 3",),
    blocking=True,
    keys=("acknowledged",),
    gathered=True,
)
