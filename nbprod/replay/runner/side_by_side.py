"""The metrics of a version on the rows held out, and two versions measured on the same ones."""

from __future__ import annotations

import copy
import importlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .held_out import held_out_rows
from .subject import CaptureError, Captures, Subject

NO_ROWS = "the notebook predicts for no rows that it held out of the training"

ANSWERS = ("predict", "predict_proba", "predict_log_proba", "decision_function")
LEVEL = 0.95
SEED = 0


class Side:
    """A version on the rows of the comparison: features and answers are made once, then taken row by row.

    They are those of the raw frame at the positions `at`. Where features are made of the rows around a row, the whole
    frame is the batch.
    """

    def __init__(self, pipeline: Any, raw: Any, at: Any) -> None:
        package = type(pipeline).__module__.rpartition(".")[0]
        self.take = importlib.import_module(f"{package}.matrix").take_rows
        self.model = pipeline.model
        rows, features = raw.iloc[at], pipeline.features
        together = getattr(features, "together", False)  # packages that are older know of no batches
        self.matrix = self.take(features.model_input(raw), at) if together else features.model_input(rows)
        self.truth = pipeline.labels(rows)
        self.given: dict[str, Any] = {}

    def asking(self, model: Any) -> Side:
        """The same rows, labels and features, with another model."""
        return self._but(model=model)

    def with_matrix(self, matrix: Any) -> Side:
        """The same model and labels, with other features."""
        return self._but(matrix=matrix)

    def _but(self, **changed: Any) -> Side:
        other = copy.copy(self)
        vars(other).update(changed, given={})
        return other

    def at(self, positions: Any) -> Any:
        """What `evaluate` takes for a pipeline, with the rows at `positions` alone."""
        return Sample(self, positions)

    def answers(self, method: str) -> Any:
        """The model's answers for all rows."""
        if method not in self.given:
            self.given[method] = getattr(self.model, method)(self.matrix)
        return self.given[method]


class Sample:
    """A pipeline whose features, labels and model know some rows of a side."""

    def __init__(self, side: Side, positions: Any) -> None:
        self.features = self
        self.matrix = side.take(side.matrix, positions)
        self.truth = side.take(side.truth, positions)
        self.model = Remembered(side, self.matrix, positions)

    def model_input(self, _frame: Any) -> Any:
        """The matrix of the rows."""
        return self.matrix

    def labels(self, _frame: Any) -> Any:
        """The labels of the rows."""
        return self.truth


class Remembered:
    """A model that looks up what it answered for the rows of a sample, and is asked anew for anything else."""

    def __init__(self, side: Side, matrix: Any, positions: Any) -> None:
        self._side, self._matrix, self._positions = side, matrix, positions

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._side.model, name)
        if name == "score":
            return self._score(found)
        return self._remembered(name, found) if name in ANSWERS else found

    def _remembered(self, name: str, ask: Callable[..., Any]) -> Callable[..., Any]:
        def answer(matrix: Any, *more: Any, **options: Any) -> Any:
            if matrix is not self._matrix or more or options:
                return ask(matrix, *more, **options)
            return self._side.take(self._side.answers(name), self._positions)

        return answer

    def _score(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        """scikit-learn's own score is a metric of the predictions, which are known; another one is asked."""
        from sklearn.base import ClassifierMixin, RegressorMixin

        steps = getattr(self._side.model, "steps", None)
        last = steps[-1][1] if steps else self._side.model
        for mixin in (ClassifierMixin, RegressorMixin):
            if getattr(type(last), "score", None) is mixin.score:
                return lambda matrix, truth, **options: mixin.score(self, matrix, truth, **options)
        return ask


def measure(request: Mapping[str, Any], captures: Captures) -> dict[str, Any]:
    """The metrics of a version, and where `champion` names another one the difference with its interval."""
    candidate = opened(request, request["version"], captures)
    held_out = held_out_rows(candidate)
    if held_out is None:
        return {"reason": NO_ROWS}
    at = chosen(held_out, request["most"], in_order=candidate.together)
    raw, rows = candidate.raw, candidate.raw.iloc[at]
    evaluate = importlib.import_module(f"{request['name']}.{request['version']}.evaluate").evaluate
    own = Side(candidate.served, raw, at)
    metrics = evaluated(evaluate, own, range(len(rows)), rows)
    told = {"metrics": metrics, "rows": len(rows), "held_out": len(held_out)}
    if request["champion"] is None:
        return told
    metric = request["metric"] or next(iter(metrics), None)
    if metric not in metrics:
        return {**told, "reason": f"the notebook's evaluation gives no {metric or 'metric'}: {', '.join(metrics)}"}
    try:
        other = Side(opened(request, request["champion"], captures).served, raw, at)
        before = evaluated(evaluate, other, range(len(rows)), rows)[metric]
    except Exception as error:  # noqa: BLE001 - the champion's code may raise anything on another notebook's rows
        reason = f"the champion can't be measured on these rows: {type(error).__name__}: {error}"
        return {**told, "metric": metric, "reason": reason}
    if not same_truth(own.truth, other.truth):
        return {**told, "metric": metric, "reason": "the two versions make other labels of the same rows"}
    return {
        **told,
        "metric": metric,
        "candidate": metrics[metric],
        "champion": before,
        **interval(
            lambda positions: (
                evaluated(evaluate, own, positions, rows)[metric] - evaluated(evaluate, other, positions, rows)[metric]
            ),
            len(rows),
            request["resamples"],
        ),
    }


def opened(request: Mapping[str, Any], version: str, captures: Captures) -> Subject:
    """A fitted version with the pipeline that it keeps. Raises CaptureError for one that was never fitted."""
    subject = Subject(Path(request["root"]), request["name"], version, captures)
    if not subject.is_saved:
        raise CaptureError(f"{version} was never fitted")
    subject.open_served()
    return subject


def evaluated(evaluate: Callable[..., Any], side: Side, positions: Any, rows: Any) -> dict[str, float]:
    """The notebook's metrics of a side on the rows at `positions`."""
    return {name: float(value) for name, value in evaluate(side.at(list(positions)), rows).items()}


def interval(difference: Callable[[Any], float], size: int, resamples: int) -> dict[str, Any]:
    """The percentile interval of a paired difference: both sides are measured on the same rows of each resample.

    B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), chapters 8 and 13. Resamples in which the
    metric has no value (such as one class alone) are left out and counted as `undefined`.
    """
    return between(resampled(difference, size, resamples))


def resampled(value: Callable[[Any], float], size: int, resamples: int) -> Any:
    """A value on each resample of so many rows, as float64; NaN where it has none. All begin with the same seed."""
    random = np.random.default_rng(SEED)
    return np.array([value_of(value, random.integers(0, size, size=size)) for _ in range(resamples)], dtype=np.float64)


def value_of(value: Callable[[Any], float], positions: Any) -> float:
    """The value on the rows at `positions`, NaN where it has none."""
    try:
        found = value(positions)
    except ValueError:
        return math.nan
    return found if math.isfinite(found) else math.nan


def between(values: Any) -> dict[str, Any]:
    """The bounds `low` and `high` that hold the middle `LEVEL` of resampled values; a `reason` where there are none."""
    known = values[~np.isnan(values)]
    if not len(known):
        return {"reason": "the metric has no value on any resample of these rows"}
    tail = 100 * (1 - LEVEL) / 2
    low, high = (float(each) for each in np.percentile(known, [tail, 100 - tail]))
    count = len(known)
    return {"low": low, "high": high, "level": LEVEL, "resamples": count, "undefined": len(values) - count}


def chosen(rows: Any, most: int | None, *, in_order: bool) -> Any:
    """At most `most` of an array of positions: drawn with a seed, or the first where features take neighbours.

    None stands for all.
    """
    if most is None or len(rows) <= most:
        return rows
    if in_order:
        return rows[:most]
    return rows[np.sort(np.random.default_rng(SEED).choice(len(rows), size=most, replace=False))]


def same_truth(left: Any, right: Any) -> bool:
    """Whether two versions take the same values for the truth."""
    left, right = np.asarray(left), np.asarray(right)
    return left.shape == right.shape and bool(((left == right) | ((left != left) & (right != right))).all())
