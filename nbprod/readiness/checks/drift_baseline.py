"""MO-2: drift is measured against training."""

from __future__ import annotations

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import RUN, by_evidence, contradicted, missing


def _judge(facts: Facts) -> Told:
    if facts.fitted is None:
        return missing("no version of the package is fitted", RUN)
    if facts.baseline_rows is None:
        return contradicted(f"version {facts.fitted.number} was fitted without a baseline of its rows", None, RUN)
    if facts.champion is not None and not facts.champion_state_kept:
        text = f"the state of version {facts.champion.number}, with its baseline, is not the one that its training gave"
        return contradicted(text, f"the ledger's digest of version {facts.champion.number}", RUN)
    return by_evidence(
        facts,
        "MO-2",
        f"version {facts.fitted.number} has a baseline of {facts.baseline_rows:,} rows, and no shift was planted",
    )


CHECK = Check(
    id="MO-2",
    title="Drift is measured against training",
    why="Inputs move before metrics do, and true answers come late or never. "
    "The fit keeps counts of each column and of the predictions; a planted shift must be reported.",
    source="ML Test Score, Monitor 3 and 7: no skew, and no regression in prediction quality",
    step="plant a shift: nbprod readiness NOTEBOOK --gather --only MO-2",
    judge=_judge,
    tests=("Monitor 3", "Monitor 7"),
    keys=("monitoring.drift", "monitoring.thresholds"),
    gathered=True,
)
