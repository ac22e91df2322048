"""SK-1: the notebook has not moved away from its package."""

from __future__ import annotations

from nbprod.model.finding import Verdict
from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import (
    EXPORT,
    NEVER_EXPORTED,
    contradicted,
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
            return contradicted(f"the notebook has moved on ({facts.verdict}){which}", package, EXPORT)


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
)
