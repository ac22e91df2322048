"""SU-3: slices and inclusion were looked at."""

from __future__ import annotations

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import by_evidence, contradicted, declare, first_of, missing
from nbprod.readiness.names import looks_protected


def _judge(facts: Facts) -> Told:
    settings = facts.settings
    used = tuple(facts.plan.inputs) if facts.plan is not None else facts.columns
    open_columns = tuple(
        name for name in used if looks_protected(name) and name not in (*settings.slices, *settings.protected)
    )
    if open_columns:
        text = f"features are made of {first_of(open_columns)}, which may be protected"
        against = f"slices = {list(settings.slices)}" if settings.slices else None
        return contradicted(f"{text}, and neither slices nor protected names them", against, declare("slices"))
    if not settings.slices:
        return missing("slices is not declared", declare("slices"))
    return by_evidence(facts, "SU-3", f"the metric of {first_of(settings.slices)} was not told apart")


CHECK = Check(
    id="SU-3",
    title="Slices and inclusion were looked at",
    why="A good mean hides the group for which the model is wrong. "
    "The metric is told apart for each declared slice, with the number of its rows and an interval.",
    source="ML Test Score, Model 6 and 7: quality is enough on all slices, and inclusion was considered",
    step="declare slices, and measure: nbprod readiness NOTEBOOK --gather --only SU-3",
    judge=_judge,
    tests=("Model 6", "Model 7"),
    optional=True,
    keys=("slices", "protected"),
    gathered=True,
)
