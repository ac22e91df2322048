"""SK-4: no row depends on the rows beside it."""

from __future__ import annotations

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_replay_check, contradicted, declare, first_of

NAMES = (
    "shuffled",
    "batches of",
    "one row at a time",
    "columns in another order",
    "another index",
    "whole numbers as floats",
    "whole floats as integers",
    "text as categories",
    "the same rows again",
)
"""How the names of the replay's checks begin that change what lies around a row, and not the row."""


def _judge(facts: Facts) -> Told:
    """A feature that is made of the rows around a row has to be declared, since no row alone can be asked for it."""
    stated = facts.settings.context_features
    around = () if facts.plan is None else facts.plan.around
    undeclared = tuple(name for name in around if name not in stated)
    if undeclared:
        against = f"context_features = {list(stated)}" if stated else None
        which = "the model" if undeclared == ("*",) else first_of(undeclared)
        text = f"{which} is made of the rows around a row, and only whole batches are served"
        return contradicted(text, against, declare("context_features"))
    return by_replay_check(facts, NAMES, "order, batch size, index and dtypes change nothing")


CHECK = Check(
    id="SK-4",
    title="No row depends on the rows beside it",
    why="A request has no neighbours, so a feature that is made of other rows is another one when it is served. "
    "Order, batch size, index and dtypes must change nothing.",
    source="ML Test Score, Monitor 3; Rules of ML, 37",
    step="replay it: nbprod run NOTEBOOK",
    judge=_judge,
    tests=("Monitor 3",),
    keys=("context_features",),
)
