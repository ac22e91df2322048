"""SK-6: no leakage."""

from __future__ import annotations

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_findings, unplanned

RULES = frozenset(
    {"preprocessing-leakage", "overlap-leakage", "multi-test-leakage", "target-leakage", "divergent-test-path"}
)


def _judge(facts: Facts) -> Told:
    if facts.plan is None:
        return unplanned(facts)
    return by_findings(facts, RULES, "no path in the dataflow from test rows or the target to what was learned")


CHECK = Check(
    id="SK-6",
    title="No leakage",
    why="A statistic that was learned from test rows, or a feature made of the target, makes a score that production "
    "will not see. The dataflow shows every path from the rows held out to what was fitted.",
    source="ML Test Score, Data 2; S. Kapoor and A. Narayanan, Patterns 2023;4(9):100804",
    step="look at the finding: nbprod check NOTEBOOK",
    judge=_judge,
    tests=("Data 2",),
    blocking=True,
)
