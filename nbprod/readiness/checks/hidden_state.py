"""NB-2: no hidden state."""

from __future__ import annotations

import re

from nbprod.model.readiness import State, Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import RUN, by_findings, contradicted, declared, first_of, proved

RULES = frozenset({"out-of-order", "undefined-name"})
_MISSED = re.compile(r"NameError: name '(\w+)' is not defined")


def _judge(facts: Facts) -> Told:
    """A name that is allowed is the kernel's to give: a run in a fresh one shows whether it does."""
    allowed, text = facts.settings.allow_names, "no name is read before a cell above binds it"
    told = by_findings(facts, RULES, text)
    if told.state is not State.PROVED or not allowed:
        return told
    said = f"allow_names = {list(allowed)}"
    newest = facts.runs_of_this[0] if facts.runs_of_this else None
    missed = () if newest is None else tuple(_MISSED.findall(newest.tags.get("nbprod.error", "")))
    if newest is not None and set(missed) & set(allowed):
        return contradicted(f"run {newest.run_id[:8]}, in a fresh kernel, does not find {first_of(missed)}", said, RUN)
    if facts.finished is None:
        return declared(f"{text}, but for what the kernel is said to give: {said}", RUN)
    return proved(f"{text}; run {facts.finished.run_id[:8]}, in a fresh kernel, has found {first_of(allowed)}")


CHECK = Check(
    id="NB-2",
    title="No hidden state",
    why="A name that only a deleted cell has bound, or a cell that ran out of its order, works on one kernel alone. "
    "Training then cannot be repeated, and nobody sees it in the text.",
    source="ML Test Score, Infra 1: training is reproducible",
    step="run the cells in order in a fresh kernel, and bind each name above its use: nbprod check NOTEBOOK",
    judge=_judge,
    tests=("Infra 1",),
    keys=("allow_names",),
)
