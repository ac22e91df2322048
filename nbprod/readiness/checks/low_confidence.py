"""DT-3: what happens at low confidence is defined."""

from __future__ import annotations

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_evidence, declare, missing


def _judge(facts: Facts) -> Told:
    stated = facts.settings.low_confidence
    if not stated.band:
        return missing("low_confidence.band is not declared", declare("low_confidence.band"))
    return by_evidence(facts, "DT-3", f"no row was asked for inside of the band {list(stated.band)}")


CHECK = Check(
    id="DT-3",
    title="What happens at low confidence is defined",
    why="Where the model does not know, a person or a rule may know better, if they are told. "
    "Rows inside of the declared band must get the declared action, and not all rows may.",
    source="C. K. Chow, IEEE Transactions on Information Theory 1970;16(1):41-46: the trade-off of error and reject",
    step="declare low_confidence.band and .action: nbprod readiness NOTEBOOK --interview",
    judge=_judge,
    optional=True,
    keys=("low_confidence.band", "low_confidence.action", "low_confidence.max_share"),
    gathered=True,
)
