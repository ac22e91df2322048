"""SK-6: no leakage."""

from __future__ import annotations

from nbprod.model.readiness import State, Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_evidence, by_findings, declared, proved, unplanned

RULES = frozenset(
    {"preprocessing-leakage", "overlap-leakage", "multi-test-leakage", "target-leakage", "divergent-test-path"}
)


def _judge(facts: Facts) -> Told:
    if facts.plan is None:
        return unplanned(facts)
    told = by_findings(facts, RULES, "no path in the dataflow from test rows or the target to what was learned")
    kind = facts.settings.split.kind
    if kind is None or told.state is not State.PROVED:
        return told
    tried = by_evidence(facts, "SK-6", "the rows that trained and those that tested were not held against it")
    if tried.state is State.MISSING:
        return declared(f"{told.evidence}; split.kind = {kind}; {tried.evidence}", tried.action)
    return tried if tried.state is not State.PROVED else proved(f"{told.evidence}; {tried.evidence}")


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
    keys=("split.kind", "split.column"),
    gathered=True,
)
