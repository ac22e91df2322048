"""Run in the notebook's environment as a script: two versions of a package, measured on the same rows held out.

`python side_by_side.py JSON` with `root`, `name`, `candidate`, `champion` (a version's number, or null), `captures`,
`metric` (or null: the first), `resamples` and `most` prints one JSON object, with `reason` where there is no answer.
The file imports nothing of nbprod, and works on Python 3.9.
"""

from __future__ import annotations

import importlib
import json
import math
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any

ANSWERS = ("predict", "predict_proba", "predict_log_proba", "decision_function")
LEVEL = 0.95
SEED = 0


class Side:
    """A version on the rows of the comparison: features and answers are made once, then taken row by row."""

    def __init__(self, pipeline: Any, rows: Any) -> None:
        package = type(pipeline).__module__.rpartition(".")[0]
        self.take = importlib.import_module(f"{package}.matrix").take_rows
        self.model = pipeline.model
        self.matrix = pipeline.features.model_input(rows)
        self.truth = pipeline.labels(rows)
        self.given: dict[str, Any] = {}

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


def main(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The metrics of the candidate, and where there is a champion the difference with its interval."""
    held_out = importlib.import_module("held_out")
    sys.path[0] = asked["root"]
    package = importlib.import_module(asked["name"])
    candidate = package.load(asked["candidate"])
    rows = held_out.held_out_rows(candidate, asked["captures"])
    if rows is None:
        return {"reason": held_out.NO_ROWS}
    found = len(rows)
    rows = chosen(rows, asked["most"], in_order=candidate.features.together)
    evaluate = importlib.import_module(type(candidate).__module__.rpartition(".")[0] + ".evaluate").evaluate
    own = Side(candidate, rows)
    metrics = evaluated(evaluate, own, range(len(rows)), rows)
    told = {"metrics": metrics, "rows": len(rows), "held_out": found}
    if asked["champion"] is None:
        return told
    metric = asked["metric"] or next(iter(metrics), None)
    if metric not in metrics:
        return {**told, "reason": f"the notebook's evaluation gives no {metric or 'metric'}: {', '.join(metrics)}"}
    try:
        other = Side(package.load(asked["champion"]), rows)
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
            asked["resamples"],
        ),
    }


def evaluated(evaluate: Callable[..., Any], side: Side, positions: Any, rows: Any) -> dict[str, float]:
    """The notebook's metrics of a side on the rows at `positions`."""
    return {name: float(value) for name, value in evaluate(side.at(list(positions)), rows).items()}


def interval(difference: Callable[[Any], float], size: int, resamples: int) -> dict[str, Any]:
    """The percentile interval of a paired difference: both sides are measured on the same rows of each resample.

    B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap (1993), chapters 8 and 13. Resamples in which the
    metric has no value (such as one class alone) are left out and counted as `undefined`.
    """
    import numpy

    random = numpy.random.default_rng(SEED)
    values = []
    for _ in range(resamples):
        positions = random.integers(0, size, size=size)
        try:
            value = difference(positions)
        except ValueError:
            continue
        if math.isfinite(value):
            values.append(value)
    if not values:
        return {"reason": "the metric has no value on any resample of these rows"}
    tail = 100 * (1 - LEVEL) / 2
    low, high = (float(each) for each in numpy.percentile(values, [tail, 100 - tail]))
    return {"low": low, "high": high, "level": LEVEL, "resamples": len(values), "undefined": resamples - len(values)}


def chosen(rows: Any, most: int, *, in_order: bool) -> Any:
    """At most `most` of the rows: drawn with a seed, or the first where rows are made of those around them."""
    if len(rows) <= most:
        return rows
    if in_order:
        return rows.iloc[:most]
    import numpy

    return rows.iloc[numpy.sort(numpy.random.default_rng(SEED).choice(len(rows), size=most, replace=False))]


def same_truth(left: Any, right: Any) -> bool:
    """Whether two versions take the same values for the truth."""
    import numpy

    left, right = numpy.asarray(left), numpy.asarray(right)
    return left.shape == right.shape and bool(((left == right) | ((left != left) & (right != right))).all())


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    try:
        answer = main(json.loads(sys.argv[1]))
    except Exception as error:  # noqa: BLE001 - the package's own code may raise anything; it is reported
        answer = {"reason": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer))
