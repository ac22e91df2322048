"""RT-5: the version's code is trained on older rows, and asked on later and later ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nbprod.api.gathering.ground import Ground, Probe
from nbprod.model.readiness import Evidence
from nbprod.readiness.amounts import amount

SCRIPT = Path(__file__).parent / "scripts" / "age_model.py"
SHARE = 0.01
"""The share of the metric that may be lost, where `gate.min_delta` states no amount; as between two champions."""
ERRORS = frozenset({"rmse"})
"""Metrics of which less is better."""
INPUTS = ("the data", "retraining", "success", "time")


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence of RT-5 where it is declared how old a model may get."""
    settings = ground.facts.settings
    budget = settings.retraining.stale_days
    if budget is None:
        return
    told = ground.asked(SCRIPT, str(ground.captures), settings.data.time or "", str(budget))
    is_same = settings.success.metric in (None, told["metric"])
    held, text = judged(told, budget, settings.gate.min_delta if is_same else None)
    against = None if held is not False else f"retraining.stale_days = {budget:g}"
    yield ground.seen("RT-5", held, text, *INPUTS, contradicts=against, numbers=told)


def judged(told: Mapping[str, Any], budget: float, allowed: float | None) -> tuple[bool | None, str]:
    """Whether the metric holds up to an age of `budget` days, None where the rows do not reach as far; and in words.

    It does not where a stretch is surely worse than the youngest one by more than is `allowed`: where their intervals
    are as far apart.
    """
    curve = told["curve"]
    young, sign = curve[0], -1 if told["metric"] in ERRORS else 1
    limit = SHARE * abs(young["value"]) if allowed is None else allowed
    shown = ", ".join(f"{amount(each['value'])} at {each['days']:.3g} days" for each in curve)
    text = f"trained on the {told['trained']:,} oldest rows by {told['column']}: {told['metric']} {shown}"
    best_now, worst_then = ("high", "low") if sign > 0 else ("low", "high")
    for each in curve[1:]:
        lost = sign * (young[worst_then] - each[best_now])
        if each["days"] <= budget and lost > limit:
            return False, f"{text}; surely more than {amount(limit)} is lost within {each['days']:.3g} days"
    if young["days"] > budget:
        return None, f"{text}; there are too few rows within {budget:g} days"
    if curve[-1]["days"] < budget:
        return None, f"{text}; the rows reach no further than {curve[-1]['days']:.3g} of {budget:g} days"
    return True, text


PROBE = Probe(("RT-5",), "training on older rows, and asking on later ones", run, inputs=INPUTS)
