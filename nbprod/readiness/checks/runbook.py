"""MO-4: somebody is woken up, and knows what to do."""

from __future__ import annotations

import re

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import contradicted, declare, declared, first_of, missing, proved
from nbprod.readiness.people import is_known


def _judge(facts: Facts) -> Told:
    owner, runbook, people = facts.settings.owner, facts.settings.monitoring.runbook, facts.people
    if not owner:
        return missing("owner is not declared", declare("owner"))
    said = f"owner = {owner}"
    known = people is not None and is_known(owner, people)
    if people is not None and people.authors and not known:
        return contradicted(f"{owner} is in no commit of the last 180 days, nor in CODEOWNERS", said)
    if not runbook:
        return declared(f"{said}; monitoring.runbook is not declared", declare("monitoring.runbook"))
    if facts.runbook is None:
        return contradicted(f"there is no file {runbook}", f"monitoring.runbook = {runbook}")
    if not facts.runbook.strip():
        return contradicted(f"{runbook} is empty", f"monitoring.runbook = {runbook}")
    unnamed = tuple(each for each in _alerts(facts) if each not in (facts.runbook or ""))
    if unnamed:
        return missing(f"{runbook} does not say what to do on {first_of(unnamed)}")
    if not known:
        return declared(f"{said}, monitoring.runbook = {runbook}; version control knows nobody here")
    return proved(f"{owner} is known to version control, and {runbook} says what to do")


def _alerts(facts: Facts) -> tuple[str, ...]:
    """The alerts of Prometheus that the project's manifests have, by name."""
    return tuple(dict.fromkeys(name for text in facts.manifest_texts.values() for name in _ALERT.findall(text)))


_ALERT = re.compile(r"^[ -]*alert: *[\"']?(\w+)", re.MULTILINE)

CHECK = Check(
    id="MO-4",
    title="Somebody is woken up, and knows what to do",
    why="An alert that reaches nobody is a line in a log. "
    "An owner has to be a person or team that still works here, and a runbook says what to do at three in the morning.",
    source="ML Test Score, Monitor 1; Rules of ML, 10: watch for silent failures",
    step="declare owner and monitoring.runbook: nbprod readiness NOTEBOOK --interview",
    judge=_judge,
    tests=("Monitor 1",),
    keys=("owner", "monitoring.runbook"),
)
