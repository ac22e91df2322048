"""NB-6: learned state is apart from code."""

from __future__ import annotations

from nbprod.model.plan import Status
from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_replay_check, contradicted, show_cell


def _judge(facts: Facts) -> Told:
    refused = [] if facts.plan is None else [step for step in facts.plan.steps if step.status is Status.REFUSED]
    if refused:
        at = refused[0]
        return contradicted(f"cell {at.cell}, line {at.line}: the step is refused", None, show_cell(at.cell))
    return by_replay_check(facts, ("learned state unchanged",), "serving leaves the learned state as it is, row by row")


CHECK = Check(
    id="NB-6",
    title="Learned state is apart from code",
    why="A mean that is computed anew over the rows of a request is another mean. "
    "What training has learned must be stored, and serving must only read it.",
    source="ML Test Score, Data 7: all code that makes input features is tested",
    step="replay it: nbprod run NOTEBOOK; nbprod inspect NOTEBOOK names refused steps",
    judge=_judge,
    tests=("Data 7",),
    blocking=True,
)
