"""NB-4: the package is the notebook's."""

from __future__ import annotations

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import EXPORT, NEVER_EXPORTED, edited, first_of, missing, proved, stale


def _judge(facts: Facts) -> Told:
    if facts.version is None:
        return missing(NEVER_EXPORTED, EXPORT)
    if facts.hand_edits:
        return edited(facts)
    if facts.export.unknown is not None:
        return missing(facts.export.unknown)
    if facts.export.changed:
        changed = first_of(facts.export.changed)
        return stale(f"an export now would change {changed} of version {facts.version.number}", EXPORT)
    return proved(f"version {facts.version.number} is byte for byte what an export gives now")


CHECK = Check(
    id="NB-4",
    title="The package is the notebook's",
    why="Two texts of one preprocessing drift apart, and the second one is the one that serves. "
    "An export that gives the same bytes shows that there is only one.",
    source="ML Test Score, Model 1; Rules of ML, 32: share code between training and serving",
    step="export it: nbprod export NOTEBOOK",
    judge=_judge,
    tests=("Model 1",),
    blocking=True,
)
