"""SK-4: no row depends on the rows beside it."""

from __future__ import annotations

from nbprod.readiness.check import Check
from nbprod.readiness.judging import by_replay_check

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

CHECK = Check(
    id="SK-4",
    title="No row depends on the rows beside it",
    why="A request has no neighbours, so a feature that is made of other rows is another one when it is served. "
    "Order, batch size, index and dtypes must change nothing.",
    source="ML Test Score, Monitor 3; Rules of ML, 37",
    step="replay it: nbprod run NOTEBOOK",
    judge=lambda facts: by_replay_check(facts, NAMES, "order, batch size, index and dtypes change nothing"),
    tests=("Monitor 3",),
)
