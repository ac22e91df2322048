"""RT-1: there is a cadence or trigger for retraining."""

from __future__ import annotations

from datetime import UTC, datetime

from nbprod.model.cadence import cron_of, longest_gap
from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import contradicted, declare, declared, missing, proved


def _judge(facts: Facts) -> Told:
    stated = facts.settings.retraining
    if not stated.cadence and not stated.trigger:
        return missing("neither retraining.cadence nor retraining.trigger is declared", declare("retraining.cadence"))
    if not stated.cadence:
        return declared(f"retraining.trigger = {stated.trigger}")
    text = f"retraining.cadence = {stated.cadence}"
    age, oldest = _age(facts), LATE * longest_gap(cron_of(stated.cadence))
    if age is not None and age > oldest:
        number = 0 if facts.champion is None else facts.champion.number
        return contradicted(f"the champion, version {number}, was fitted {age:,.0f} days ago", text)
    if not facts.schedules:
        return declared(f"{text}; no workflow trains it again on a schedule: nbprod init --schedule github writes one")
    wanted = cron_of(stated.cadence)
    found = next((each for each in facts.schedules if each.cron == wanted), None)
    if found is None:
        other = facts.schedules[0]
        return contradicted(f"{other.file} trains it again at {other.cron}", text)
    return proved(f"{text}; {found.file} trains it again at {found.cron}")


def _age(facts: Facts) -> float | None:
    """How old the version is that serves, in days; None where none does."""
    if facts.champion is None:
        return None
    try:
        when = datetime.fromisoformat(facts.champion.when)
    except ValueError:
        return None
    return (facts.now - (when if when.tzinfo else when.replace(tzinfo=UTC))).total_seconds() / 86_400


LATE = 1.5
"""How many cadences old the champion may be: one that is late by half of it was forgotten."""

CHECK = Check(
    id="RT-1",
    title="There is a cadence or trigger for retraining",
    why="The world moves away from every model, and a model that nobody trains again gets worse in silence. "
    "How often, or on what event, is a decision to be made before it goes live.",
    source="ML Test Score, Monitor 4: models are not too stale; Rules of ML, 8: know the freshness you need",
    step='declare it: retraining.cadence = "weekly"; then nbprod init --schedule github',
    judge=_judge,
    tests=("Monitor 4",),
    keys=("retraining.cadence", "retraining.trigger"),
)
