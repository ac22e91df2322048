"""SU-1: the metric that decides, computed again on the rows held out, and what the errors there cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nbprod.config import Success
from nbprod.readiness.amounts import amount

KINDS = ("missed", "false_alarm")
"""The two errors of a decision between yes and no, by the names that `success.costs` has for them."""

SAME = 1e-6
"""The part of a value by which it may differ: sums over rows in another order do."""


def judged_metric(
    told: Mapping[str, Any], logged: Mapping[str, float], success: Success
) -> tuple[bool | None, str, str | None]:
    """Whether the package gives the metric that the run has `logged`, in words, and what speaks against it.

    `told` is the report on the model. It is enough that one set of rows that the notebook held out gives the metric:
    the others may be for tuning. None where nothing can compute it again.
    """
    metric = success.metric
    if metric is None:
        return None, "success.metric is not declared", None
    was = logged.get(metric)
    found = [(each["rows"], value) for each in told["sets"] if (value := each["metrics"].get(metric)) is not None]
    if was is None or not found:
        return None, f"{'the run' if was is None else 'the evaluation of the package'} gives no {metric}", None
    costs = _costs(told["errors"], found[0][1], success.costs)
    same = next((rows for rows, value in found if math.isclose(was, value, rel_tol=SAME, abs_tol=SAME)), None)
    if same is not None:
        return True, f"computed again on {same:,} rows held out, it is the same{costs}", None
    listed = " and ".join(f"{amount(value)} on {rows:,} rows held out" for rows, value in found)
    text = f"computed again, {metric} is {listed}, and the run logged {amount(was)}: of other rows, or otherwise"
    return False, f"{text}{costs}", f"success.metric = {metric}"


def _costs(errors: Mapping[str, Any], value: float, costs: Mapping[str, float]) -> str:
    """What the errors on the rows held out cost, beside what one and the same answer to all rows would."""
    if set(costs) != set(KINDS):
        return ""
    if "reason" in errors:
        return f"; what errors cost can't be told: {errors['reason']}"
    whole = sum(costs[kind] * errors[kind] for kind in KINDS)
    no, yes = costs["missed"] * errors["positives"], costs["false_alarm"] * (errors["rows"] - errors["positives"])
    same, least = ("no", no) if no <= yes else ("yes", yes)
    counted = f"{errors['missed']:,} missed, {errors['false_alarm']:,} false alarms"
    text = f"; its errors ({counted} of class {errors['of']}) cost {amount(whole)}"
    if any(math.isclose(abs(value), cost, rel_tol=SAME) for cost in (whole, whole / errors["rows"])):
        text = f"{text}, which is this metric"
    beside = "less" if least < whole else "as much" if least == whole else None
    than = f"{amount(least)} with {same} to all"
    return f"{text}, and {than}, which is {beside}" if beside else f"{text}, and {than}"
