"""TM-1: notebook and package have an owner."""

from __future__ import annotations

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import contradicted, declare, declared, missing, proved
from nbprod.readiness.people import is_known, owners_of


def _judge(facts: Facts) -> Told:
    settings, people = facts.settings, facts.people
    stated = {"owner": settings.owner, "owners.service": settings.owners.service, "owners.data": settings.owners.data}
    said = ", ".join(f"{key} = {value}" for key, value in stated.items() if value)
    if people is not None and people.authors:
        absent = [f"{key} = {value}" for key, value in stated.items() if value and not is_known(value, people)]
        if absent:
            return contradicted(
                "no commit of the last 180 days and no line of CODEOWNERS names them", ", ".join(absent)
            )
    if people is not None and people.rules and facts.places:
        unowned = next((path for path in facts.places if not owners_of(path, people)), None)
        if unowned is None and said:
            return proved(f"CODEOWNERS covers {' and '.join(facts.places)}; {said}")
        if unowned is not None and said:
            return contradicted(f"CODEOWNERS names nobody for {unowned}", said)
    if not said:
        return missing("owner is not declared", declare("owner"))
    return declared(f"{said}; no CODEOWNERS says so")


CHECK = Check(
    id="TM-1",
    title="Notebook and package have an owner",
    why="Between the one who trains and the one who serves, a model belongs to nobody. "
    "Both sides are named, and are people or teams that still work here.",
    source="ML Test Score, Model 1; Rules of ML, 11: give feature columns owners",
    step="declare owner, owners.service and owners.data, and name them in CODEOWNERS",
    judge=_judge,
    tests=("Model 1",),
    keys=("owner", "owners.service", "owners.data"),
)
