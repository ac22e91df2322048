"""RT-5: staleness and the delay of labels are known."""

from __future__ import annotations

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import GATHER, by_evidence, declare, declared, missing


def _judge(facts: Facts) -> Told:
    stale_days, labels = facts.settings.retraining.stale_days, facts.settings.labels
    keys = {
        "retraining.stale_days": stale_days, "labels.source": labels.source, "labels.delay_days": labels.delay_days,
    }  # fmt: skip
    open_keys = [key for key, value in keys.items() if value is None]
    if open_keys:
        return missing(f"not declared: {', '.join(open_keys)}", declare(open_keys[0]))
    told = ", ".join(
        f"{key} = {value:g}" if isinstance(value, float) else f"{key} = {value}" for key, value in keys.items()
    )
    kept = facts.evidence.get("RT-5")
    if kept is None or kept.held is None:
        why = "was not measured yet" if kept is None else f"could not be tried: {kept.text}"
        return declared(f"{told}; how the metric falls with age {why}", GATHER if kept is None else None)
    return by_evidence(facts, "RT-5", "")


CHECK = Check(
    id="RT-5",
    title="Staleness and the delay of labels are known",
    why="How old a model may get decides how often it has to be trained, and true answers come late. "
    "Where rows have a time, the code is trained on older ones and asked on later ones, and what is declared holds.",
    source="ML Test Score, Model 4: the effect of model staleness is known",
    step="declare retraining.stale_days, labels.source and labels.delay_days: nbprod readiness NOTEBOOK --interview",
    judge=_judge,
    tests=("Model 4",),
    keys=("retraining.stale_days", "labels.source", "labels.delay_days", "data.time"),
    gathered=True,
)
