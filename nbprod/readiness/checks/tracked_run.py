"""RP-1: the run is tracked."""

from __future__ import annotations

import re
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from math import isfinite

from nbprod.model.readiness import Told
from nbprod.notebook.outputs import NUMBER
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import NO_RUN, RUN, contradicted, no_run, proved, show_cell, stale


def _judge(facts: Facts) -> Told:
    run = facts.finished
    if run is None:
        finished = [each for each in facts.runs if each.status == "FINISHED"]
        return stale(f"{NO_RUN}; run {finished[0].run_id[:8]} is of another text", RUN) if finished else no_run(facts)
    if not facts.metrics:
        return contradicted(f"run {run.run_id[:8]} is on record without a metric", None, RUN)
    other = _printed_otherwise(facts)
    if other is not None and facts.as_saved is not None:
        name, value, cell, printed = other
        against = f"the output that is saved in cell {cell}: {printed}"
        return contradicted(f"run {facts.as_saved.run_id[:8]} has {name} {value:g}", against, show_cell(cell))
    return proved(f"run {run.run_id[:8]} has {', '.join(sorted(facts.metrics)[:3])}, and the notebook's own hash")


def _printed_otherwise(facts: Facts) -> tuple[str, float, int, str] | None:
    """A metric of the first run by hand that saved outputs print, and only with other values.

    Its name, its value, the cell, and what is printed.

    It is one that begins a line and is followed by a number alone, such as `accuracy: 0.81` or `roc auc = 81 %`, or by
    a number and a count, as in the report of scikit-learn.
    """
    for name, value in facts.metrics_as_saved.items():
        word = re.escape(name).replace("_", "[ _]")
        line = re.compile(rf"^\W*{word}\b[\s:=]+({NUMBER})(?:\s*(%))?(?: +\d+)?\W*$", re.IGNORECASE | re.MULTILINE)
        found = [(cell.index, each) for cell in facts.notebook.cells for each in line.finditer(cell.outputs_text)]
        if found and not any(_is_printed(value, *each.groups()) for _, each in found):
            cell, each = found[-1]
            return name, value, cell, " ".join(each[0].split())
    return None


WIDE = Context(prec=400)
"""Room for the digits of any float, before the point and behind it."""


def _is_printed(value: float, text: str, percent: str | None) -> bool:
    """Whether a number is what is printed, rounded to the digits that are printed or cut off behind them."""
    if not isfinite(value):
        return False
    exact, shown = Decimal(repr(value)) * (100 if percent else 1), Decimal(text)
    unit = Decimal(1).scaleb(int(shown.as_tuple().exponent))
    return any(exact.quantize(unit, how, WIDE) == shown for how in (ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_DOWN))


CHECK = Check(
    id="RP-1",
    title="The run is tracked",
    why="A model whose parameters, data and metrics are not on record cannot be compared with the next one. "
    "The record carries the notebook's own hash, so that it is known which text it is about.",
    source="ML Test Score, Model 3: hyperparameters are tuned, and on record",
    step="run it: nbprod run NOTEBOOK; a cell tagged evaluate gives metrics",
    judge=_judge,
    tests=("Model 3",),
    blocking=True,
)
