"""SU-5: only allowed data, and no secrets."""

from __future__ import annotations

from nbprod.model.readiness import State, Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_findings, contradicted, declare, first_of, missing, proved, show_cell, unplanned
from nbprod.readiness.names import looks_personal, personal_values


def _judge(facts: Facts) -> Told:
    """By names of columns and by patterns in what is saved in the notebook: it finds much, and not everything."""
    secrets = by_findings(facts, frozenset({"secret"}), "")
    if secrets.state is State.CONTRADICTED:
        return secrets
    stated = facts.settings.data
    used = tuple(facts.plan.inputs) if facts.plan is not None else ()
    banned = tuple(name for name in used if name in stated.forbidden)
    if banned:
        return contradicted(f"features are made of {first_of(banned)}", f"data.forbidden = {list(stated.forbidden)}")
    for cell in facts.notebook.cells:
        found = personal_values(cell.outputs_text)
        if found:
            return contradicted(f"the saved output of cell {cell.index} shows {found}", None, show_cell(cell.index))
    known = facts.columns or used
    undeclared = tuple(name for name in known if looks_personal(name) and name not in stated.personal)
    if undeclared:
        return contradicted(
            f"columns that may hold personal data are not declared: {first_of(undeclared)}",
            None,
            declare("data.personal"),
        )
    unsaid = tuple(f"{name} (like {what})" for name, what in facts.personal.items() if name not in stated.personal)
    if unsaid:
        return contradicted(
            f"values that the package keeps are about people, and are not declared: {first_of(unsaid)}",
            "tests/golden.json",
            declare("data.personal"),
        )
    if not known:
        return missing("the columns of the data are not known: nothing was run")
    if stated.forbidden and facts.plan is None:
        return unplanned(facts)
    told = f"; declared as personal: {first_of(stated.personal)}" if stated.personal else ""
    return proved(
        f"no secret, and no undeclared personal data by the names of {len(known)} columns, in outputs, "
        f"and in the rows that the package keeps{told}"
    )


CHECK = Check(
    id="SU-5",
    title="Only allowed data, and no secrets",
    why="What is in a notebook's outputs, a log or a package has left the place where it was protected. "
    "Names of columns and patterns of values are searched; that finds much, and not everything.",
    source="ML Test Score, Data 4 and 5: features keep to rules of use, and the pipeline has privacy controls",
    step="clear outputs, drop columns, or declare data.personal and data.forbidden",
    judge=_judge,
    tests=("Data 4", "Data 5"),
    optional=True,
    keys=("data.personal", "data.forbidden"),
)
