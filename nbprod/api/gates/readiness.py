"""The gate of readiness: no item that blocks going to production is contradicted."""

from __future__ import annotations

from nbprod import versions
from nbprod.api.gates.case import Case
from nbprod.api.rerunning import notebook_here
from nbprod.errors import NbprodError
from nbprod.model.finding import Verdict
from nbprod.model.promotion import Gate
from nbprod.model.readiness import State

NAME = "readiness"

ELSEWHERE = frozenset({"NB-4", "SK-1", "SK-2", "RT-3", "DT-1", "SU-1"})
"""Blocking items of which other gates judge what they say of a version."""


def ready(case: Case) -> Gate:
    """Passed where no blocking item of the checklist is contradicted.

    The checklist is that of the notebook as it is saved, so it tells nothing of a version that the notebook has left
    behind.
    """
    target, version = case.target, case.candidate
    newest = versions.latest(target.root, target.name)
    if newest is not None and newest.number != version.number:
        return Gate(NAME, "not-applicable", f"the checklist is that of version {newest.number}, the newest")
    path = notebook_here(version.notebook, target)
    if path is None:
        return Gate(NAME, "not-applicable", f"{version.notebook} is not here, and the checklist is that of a notebook")
    from nbprod.api.facts import facts_of
    from nbprod.api.readying import checklist_of

    case.tell("going through the checklist")
    try:
        facts = facts_of(target, path)
    except NbprodError as error:
        return Gate(NAME, "unknown", f"the checklist can't be gone through: {error.message}", blocks=True)
    if facts.store_fault is not None:
        reason = f"the checklist can't be gone through: {facts.store_fault}"
        return Gate(NAME, "unknown", reason, blocks=True)
    if facts.verdict not in (Verdict.SAME, Verdict.COSMETIC, Verdict.TRAINING_ONLY):
        return Gate(NAME, "not-applicable", f"{path} has moved on since version {version.number}: {facts.verdict}")
    items = [item for item in checklist_of(target, facts).items if item.blocking and item.id not in ELSEWHERE]
    refused = [item for item in items if item.state is State.CONTRADICTED]
    unknown = [item.id for item in items if item.state in (State.MISSING, State.STALE)]
    numbers = {"contradicted": [item.id for item in refused], "unknown": unknown, "of": len(items)}
    if refused:
        reason = "; ".join(f"{item.id} {item.title}: {item.evidence}" for item in refused)
        hint = f"nbprod readiness {path} has the next steps"
        return Gate(NAME, "failed", reason, blocks=True, hint=hint, numbers=numbers)
    return Gate(NAME, "passed", f"no blocking item is contradicted; {len(unknown)} are not known", numbers=numbers)
