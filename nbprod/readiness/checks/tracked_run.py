"""RP-1: the run is tracked."""

from __future__ import annotations

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import NO_RUN, RUN, contradicted, no_run, proved, stale


def _judge(facts: Facts) -> Told:
    run = facts.finished
    if run is None:
        finished = [each for each in facts.runs if each.status == "FINISHED"]
        return stale(f"{NO_RUN}; run {finished[0].run_id[:8]} is of another text", RUN) if finished else no_run(facts)
    if not facts.metrics:
        return contradicted(f"run {run.run_id[:8]} is on record without a metric", None, RUN)
    return proved(f"run {run.run_id[:8]} has {', '.join(sorted(facts.metrics)[:3])}, and the notebook's own hash")


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
