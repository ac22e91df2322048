"""The gate of thresholds: the metrics of the configuration reach what it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from nbprod.api.directions import is_higher_better
from nbprod.api.gates.case import Case
from nbprod.model.promotion import Gate

NAME = "thresholds"


class Limit(NamedTuple):
    """What the configuration asks of a metric, under which key; `beat` says that reaching it is not enough."""

    key: str
    metric: str
    value: float
    higher: bool
    beat: bool = False


def above_thresholds(case: Case) -> Gate:
    """Passed where `success.target` is reached, `success.baseline` beaten, and each of `success.thresholds` kept."""
    limits = tuple(_limits(case))
    if not limits:
        return Gate(NAME, "not-applicable", "no target, baseline or threshold is declared")
    case.tell("comparing metrics with the configuration")
    missing = [limit.metric for limit in limits if limit.metric not in case.metrics]
    numbers = {limit.metric: case.metrics[limit.metric] for limit in limits if limit.metric in case.metrics}
    if missing:
        known = ", ".join(case.metrics) or "none"
        reason = f"{missing[0]} is not measured; there is {known}"
        hint = "compute it in the notebook's evaluation under that name, or name a metric that is there"
        return Gate(NAME, "unknown", reason, blocks=True, hint=hint, numbers=numbers)
    told = [_told(limit, case.metrics[limit.metric]) for limit in limits]
    failed = [text for kept, text in told if not kept]
    if failed:
        hint = "make the model better, or change the configuration where it asks too much"
        return Gate(NAME, "failed", "; ".join(failed), blocks=True, hint=hint, numbers=numbers)
    return Gate(NAME, "passed", "; ".join(text for _, text in told), numbers=numbers)


def _limits(case: Case) -> Iterator[Limit]:
    success = case.target.settings.success
    if success.metric is not None:
        higher = is_higher_better(case.folder, success.metric, declared=success.higher_is_better)
        if success.target is not None:
            yield Limit("success.target", success.metric, success.target, higher)
        if success.baseline is not None:
            yield Limit("success.baseline", success.metric, success.baseline, higher, beat=True)
    for metric, value in success.thresholds.items():
        yield Limit(f"success.thresholds.{metric}", metric, value, is_higher_better(case.folder, metric))


def _told(limit: Limit, value: float) -> tuple[bool, str]:
    beyond = value > limit.value if limit.higher else value < limit.value
    kept = beyond or (value == limit.value and not limit.beat)
    asked = ("above" if limit.higher else "below") if limit.beat else ("at least" if limit.higher else "at most")
    return kept, f"{limit.metric} is {value:.6g}, and {limit.key} asks for {asked} {limit.value:g}"
