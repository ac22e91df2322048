"""NB-2: no hidden state."""

from __future__ import annotations

from nbprod.readiness.check import Check
from nbprod.readiness.judging import by_findings

RULES = frozenset({"out-of-order", "undefined-name"})

CHECK = Check(
    id="NB-2",
    title="No hidden state",
    why="A name that only a deleted cell has bound, or a cell that ran out of its order, works on one kernel alone. "
    "Training then cannot be repeated, and nobody sees it in the text.",
    source="ML Test Score, Infra 1: training is reproducible",
    step="run the cells in order in a fresh kernel, and bind each name above its use: nbprod check NOTEBOOK",
    judge=lambda facts: by_findings(facts, RULES, "no name is read before a cell above binds it"),
    tests=("Infra 1",),
)
