"""A model on the rows held out: beside simple ones, without each of its features, by slice, and its scores."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .baselines import beside_simple
from .calibration import calibrated, decided_at
from .errors_made import errors_made
from .feature_groups import without_each
from .held_out import sets_held_out
from .measured import Measured
from .outcome import Progress
from .side_by_side import NO_ROWS, Side, between, chosen, evaluated, opened, resampled
from .slices import by_slice
from .subject import Captures, Subject

MOST_SETS = 8
"""Sets of rows held out whose metrics are told, the last ones."""


def report_on_model(request: Mapping[str, Any], captures: Captures, progress: Progress) -> dict[str, Any]:
    """What can be told of a fitted version's model, by the notebook's own evaluation.

    At most `most` rows are measured, of the set that was predicted for last; whether it decides at the `threshold`,
    its errors, and the metrics of each of the `sets`, are of all rows held out.
    """
    progress("looking for the rows held out", 0, 1)
    subject = opened(request, request["version"], captures)
    sets = sets_held_out(subject)
    if not sets:
        return {"reason": NO_ROWS}
    found = sets[0]
    whole = Side(subject.served, subject.raw, found)
    at = chosen(found, request["most"], in_order=subject.together)
    side, rows = Side(subject.served, subject.raw, at) if len(at) < len(found) else whole, subject.raw.iloc[at]
    evaluate = importlib.import_module(f"{request['name']}.{request['version']}.evaluate").evaluate
    metrics = evaluated(evaluate, side, range(len(rows)), rows)
    told = {
        "rows": len(rows),
        "held_out": len(found),
        "metrics": _finite(metrics),
        "sets": [_measured(evaluate, subject, whole, found), *_others(evaluate, subject, sets[1:MOST_SETS])],
        "errors": errors_made(whole),
        "calibration": calibrated(side, request["resamples"]),
    }
    if request["threshold"] is not None:
        told["threshold"] = decided_at(whole, request["threshold"])
    metric = request["metric"] if request["metric"] in metrics else next(iter(metrics), None)
    if metric is None or not math.isfinite(metrics[metric]):
        why = "gives no metric" if metric is None else f"gives no value of {metric} on these rows"
        return {**told, "metric": None, "why": f"the notebook's evaluation {why}"}
    measured = Measured(evaluate, rows, metric)
    progress("resampling the rows held out", 0, 1)
    values = resampled(lambda at: measured(side, at), len(rows), request["resamples"])
    features = [str(each["name"]) for each in request["manifest"].get("features", [])]
    columns = [str(each["name"]) for each in subject.served.features.feature_dtypes()]
    return {
        **told,
        "metric": metric,
        "model": {"name": type(side.model).__name__, "value": metrics[metric], **between(values)},
        "baselines": beside_simple(measured, side, captures.fit, values, progress),
        "groups": without_each(measured, side, columns, features, request["repeats"], progress),
        "slices": by_slice(measured, side, subject.raw, request["slices"], request["resamples"], progress),
    }


def _measured(evaluate: Any, subject: Subject, side: Side, at: Any) -> dict[str, Any]:
    """The number of rows of a set, and the notebook's metrics of all of them."""
    return {"rows": len(at), "metrics": _finite(evaluated(evaluate, side, range(len(at)), subject.raw.iloc[at]))}


def _others(evaluate: Any, subject: Subject, sets: Sequence[Any]) -> Iterator[dict[str, Any]]:
    for at in sets:
        yield _measured(evaluate, subject, Side(subject.served, subject.raw, at), at)


def _finite(metrics: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}
