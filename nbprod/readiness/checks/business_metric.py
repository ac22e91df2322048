"""SU-1: a business metric decides."""

from __future__ import annotations

from nbprod.model.readiness import State, Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_evidence, contradicted, declare, declared, first_of, missing, no_run, show_cell

RATES = frozenset({"accuracy", "accuracy_score", "auc", "roc_auc", "roc_auc_score", "balanced_accuracy"})
"""Metrics that count errors as alike, whatever each costs."""


def _judge(facts: Facts) -> Told:
    success = facts.settings.success
    if not facts.settings.problem and not success.decision:
        return missing("what the model is for is not declared: problem, success.decision", declare("success.decision"))
    if not success.metric:
        return missing("success.metric is not declared", declare("success.metric"))
    if facts.finished is None:
        return no_run(facts)
    value, said = facts.metrics.get(success.metric), f"success.metric = {success.metric}"
    if value is None:
        has = f"; it has {first_of(tuple(sorted(facts.metrics)), most=8)}" if facts.metrics else ""
        run = f"run {facts.finished.run_id[:8]}"
        return contradicted(f"{run} has no metric {success.metric}{has}", said, declare("success.metric"))
    if success.metric.lower() in RATES and not success.costs:
        text = f"{success.metric} counts errors, and says nothing of what each of them costs"
        return contradicted(text, said, declare("success.costs"))
    of_training = {} if facts.plan is None else dict(facts.plan.training_metrics)
    if success.metric in of_training:
        cell = of_training[success.metric]
        text = f"cell {cell}: {success.metric} is computed on the rows that the model was trained on"
        text = f"{text}: take it of rows held out"
        return contradicted(text, said, show_cell(cell))
    if success.target is None:
        return missing(f"{success.metric} is {value:g}, without a target", declare("success.target"))
    less = facts.is_error or not success.higher_is_better
    served = facts.champion_metrics.get(success.metric)
    if served is not None and facts.champion is not None and not _reached(served, success.target, less=less):
        text = f"{success.metric} of the champion, version {facts.champion.number}, is {served:g}"
        return contradicted(text, f"success.target = {success.target:g}")
    text = f"{success.metric} is {value:g}, and {success.target:g} is the {'most' if less else 'least'} that is asked"
    if not _reached(value, success.target, less=less):
        return contradicted(text, f"success.target = {success.target:g}")
    return _again(facts, text)


def _again(facts: Facts, text: str) -> Told:
    """By what the package's evaluation gives of the same rows; declared where that can't compute the metric."""
    again = by_evidence(facts, "SU-1", "the metric was not computed again")
    kept = facts.evidence.get("SU-1")
    if again.state is State.CONTRADICTED:
        return again
    if again.state is State.MISSING and kept is not None:
        return declared(f"{text}; {again.evidence}")
    return Told(again.state, f"{text}; {again.evidence}", None, again.action)


def _reached(value: float, target: float, *, less: bool) -> bool:
    return value <= target if less else value >= target


CHECK = Check(
    id="SU-1",
    title="A business metric decides",
    why="A model may be accurate and useless, if its errors are the expensive ones. "
    "What is decided by it, what that is worth and what has to be reached are said before it goes live.",
    source="ML Test Score, Model 2; Rules of ML, 2: first, design and implement metrics",
    step="declare success.decision, .metric, .target and .costs: nbprod readiness NOTEBOOK --interview",
    judge=_judge,
    tests=("Model 2",),
    blocking=True,
    gathered=True,
    keys=(
        "problem",
        "success.decision",
        "success.metric",
        "success.target",
        "success.baseline",
        "success.higher_is_better",
        "success.costs",
    ),
)
