"""NB-3: every cell that the model needs has a role."""

from __future__ import annotations

from nbprod.model.notebook import Notebook, Role
from nbprod.model.plan import Binding, FeaturePlan
from nbprod.model.readiness import Action, ActionKind, State, Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_findings, contradicted, missing, proved, show_cell, unplanned

RULES = frozenset({"conflicting-role", "unknown-role"})


def _judge(facts: Facts) -> Told:
    if facts.plan is None:
        return unplanned(facts)
    told = by_findings(facts, RULES, "")
    if told.state is State.CONTRADICTED:
        return told
    other = _does_otherwise(facts.plan, facts.notebook)
    if other is not None:
        cell, role, does = other
        return contradicted(f"cell {cell} {does}", f"its role: {role}", show_cell(cell))
    needed = {step.cell for step in (*facts.plan.steps, *facts.plan.model.steps)} | {facts.plan.raw.cell}
    bare = sorted(cell for cell in needed if facts.notebook.cells[cell].role is None)
    if bare:
        return missing(f"no role: cells {', '.join(map(str, bare))}", Action(ActionKind.TAG, bare[0]))
    return proved(f"all {len(needed)} cells that the model needs have a role")


def _does_otherwise(plan: FeaturePlan, notebook: Notebook) -> tuple[int, Role, str] | None:
    """A cell that does something else than its role says: trains the model, or makes what serving takes."""
    fit = plan.model.fit.cell
    if notebook.cells[fit].role is Role.FEATURES:
        return fit, Role.FEATURES, "trains the model"
    for step in plan.steps:
        is_served = step.binding in (Binding.ROW, Binding.LEARNED) and not step.guard
        if is_served and notebook.cells[step.cell].role is Role.TRAIN:
            return step.cell, Role.TRAIN, f"makes what serving takes, in line {step.line}"
    return None


CHECK = Check(
    id="NB-3",
    title="Every cell that the model needs has a role",
    why="Roles say which cells make features, train and evaluate, so that what is served is what a person meant. "
    "A cell without one is taken by a guess.",
    source="ML Test Score, Model 1: every model specification is reviewed and in version control",
    step="accept the suggested roles or set them: nbprod tag NOTEBOOK --apply",
    judge=_judge,
    tests=("Model 1",),
)
