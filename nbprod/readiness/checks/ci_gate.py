"""TM-3: CI holds the gate."""

from __future__ import annotations

from nbprod.model.readiness import State, Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import WORKFLOW, by_evidence, contradicted, declared, missing


def _judge(facts: Facts) -> Told:
    """That a workflow stands there is declared; that it passed is known where it runs, and comes as evidence."""
    steps = facts.check_steps
    if not steps:
        return missing("no workflow in .github/workflows checks with nbprod", WORKFLOW)
    loose = next((each for each in steps if each.loosened is not None), None)
    if loose is not None and all(each.loosened is not None for each in steps):
        return contradicted(f"{loose.file}: `{loose.command}`", loose.loosened)
    held = next(each for each in steps if each.loosened is None)
    text = f"{held.file}: `{held.command}`"
    told = by_evidence(facts, "TM-3", "whether it passed is known where it runs")
    return declared(f"{text}; {told.evidence}") if told.state is State.MISSING else told


CHECK = Check(
    id="TM-3",
    title="CI holds the gate",
    why="A check that a person has to remember is forgotten on the day that counts. "
    "A workflow checks every change, and cannot be passed over.",
    source="ML Test Score, Infra 2 and Model 1: model code is tested and reviewed",
    step="write the workflow: nbprod init --github; in CI: nbprod readiness NOTEBOOK --gather --only TM-3",
    judge=_judge,
    tests=("Infra 2", "Model 1"),
    blocking=True,
    gathered=True,
)
