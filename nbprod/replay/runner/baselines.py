"""Simple models on the features and labels that trained the notebook's model, measured on the same rows held out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, OneHotEncoder, StandardScaler

from .compare import NUMBERS
from .matrix import matrix_of
from .measured import Measured
from .outcome import Progress, described
from .side_by_side import SEED, Side, between, resampled
from .subject import Call

MOST_ROWS = 100_000
"""Rows that a simple model is trained on at most: with more of them it would hardly be another one."""

MOST_CATEGORIES = 50
ITERATIONS = 1000
WRAPPERS = ("best_estimator_", "regressor_")
"""Where scikit-learn's searches and transformed targets keep the model that they have trained."""


class Constant(DummyClassifier):  # type: ignore[misc]
    """The share of each class as every row's score, also where a notebook asks for `decision_function`."""

    def decision_function(self, matrix: Any) -> Any:
        """As of linear models: log-odds of the second of two classes, else a column for each."""
        chances = self.predict_proba(matrix)
        with np.errstate(divide="ignore"):
            scores = np.log(chances) - np.log1p(-chances)
        return scores[:, 1] if scores.shape[1] == 2 else scores


def beside_simple(measured: Measured, side: Side, call: Call, own: Any, progress: Progress) -> list[dict[str, Any]]:
    """Each simple model with its `value` and interval, and the paired `difference` of the model to it.

    `call` is the captured training, `own` what the model has on each resample. Where one can't be compared there is a
    `reason` in place of the figures. Weights that the training was given are not used.
    """
    simple = list(_simple(side.model))
    told = []
    for number, (name, kind, make) in enumerate(simple):
        progress(f"training {name}", number, len(simple))
        told.append({"name": name, "kind": kind, **_compared(measured, side, call, own, make)})
    return told


def is_linear(model: Any) -> bool:
    """Whether the model is one of scikit-learn's linear ones itself, behind whatever steps."""
    return type(_parts(model)[1]).__module__.startswith("sklearn.linear_model")


def _simple(model: Any) -> Iterator[tuple[str, str, Callable[[Any], Any] | None]]:
    """Name, kind (`constant` or `linear`) and maker of each simple model; no maker where the model is such itself.

    Which constant is the best one depends on the metric: of squared errors the mean, of absolute ones the median.
    """
    before, _ = _parts(model)
    if hasattr(model, "classes_") or hasattr(model, "predict_proba"):
        yield "most frequent class", "constant", lambda _: Constant(strategy="prior")
        linear, name = LogisticRegression(max_iter=ITERATIONS), "logistic regression"
    else:
        yield "mean of the training", "constant", lambda _: DummyRegressor(strategy="mean")
        yield "median of the training", "constant", lambda _: DummyRegressor(strategy="median")
        linear, name = Ridge(), "ridge regression"
    yield name, "linear", None if is_linear(model) else lambda matrix: _behind(before, matrix, linear)


def _compared(
    measured: Measured, side: Side, call: Call, own: Any, make: Callable[[Any], Any] | None
) -> dict[str, Any]:
    if make is None:
        return {"itself": True, "reason": "the model is a linear one itself"}
    try:
        other = side.asking(_trained(make, call))
    except Exception as error:  # noqa: BLE001 - what the notebook trains on may be nothing that a simple model takes
        return {"reason": f"it can't be trained: {described(error)}"}
    try:
        value = measured.on_all(other)
        values = resampled(lambda at: measured(other, at), len(measured.rows), len(own))
    except Exception as error:  # noqa: BLE001 - the evaluation may ask for what only the notebook's model answers
        return {"reason": f"the notebook's evaluation can't ask it: {described(error)}"}
    if not math.isfinite(value):
        return {"reason": f"{measured.metric} has no value for it"}
    difference = {"value": measured.on_all(side) - value, **between(own - values)}
    return {"value": value, **between(values), "difference": difference}


def _trained(make: Callable[[Any], Any], call: Call) -> Any:
    if call.y is None:
        raise ValueError("the training was given no labels")
    labels = np.asarray(call.y)
    labels = labels.ravel() if labels.ndim == 2 and labels.shape[1] == 1 else labels
    matrix = call.X
    if len(labels) > MOST_ROWS:
        at = np.sort(np.random.default_rng(SEED).choice(len(labels), size=MOST_ROWS, replace=False))
        matrix, labels = matrix.iloc[at] if hasattr(matrix, "iloc") else matrix[at], labels[at]
    return make(matrix).fit(matrix, labels)


def _parts(model: Any) -> tuple[Any, Any]:
    """The fitted steps that rows pass before a model's last one, None without any, and the last one.

    A step that only training passes, such as imbalanced-learn's resampling, has no `transform`.
    """
    inner = next((getattr(model, name) for name in WRAPPERS if hasattr(model, name)), None)
    if inner is not None:
        return _parts(inner)
    if isinstance(model, Pipeline):
        passed = [each for each in model.steps[:-1] if hasattr(each[1], "transform")]
        return (Pipeline(passed) if passed else None), model.steps[-1][1]
    return None, model


def _behind(before: Any, matrix: Any, last: Any) -> Any:
    """A linear model behind the model's own fitted steps, and what makes scaled numbers without gaps of theirs."""
    steps = [] if before is None else [FunctionTransformer(before.transform)]
    made = matrix if before is None else before.transform(matrix)
    if hasattr(made, "tocsr"):
        return make_pipeline(*steps, SimpleImputer(), MaxAbsScaler(), last)
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore", max_categories=MOST_CATEGORIES)
    each = [
        ("numbers", numbers, make_column_selector(dtype_include=np.number)),
        ("categories", categories, make_column_selector(dtype_exclude=np.number)),
    ]
    return make_pipeline(*steps, FunctionTransformer(_table), ColumnTransformer(each), last)


def _table(matrix: Any) -> Any:
    """The matrix as a frame of float64, and of text where a column holds no numbers; NaN for what is missing."""
    columns = {}
    for place, column in enumerate(matrix_of(matrix).columns):
        if column.kind in NUMBERS:
            columns[place] = np.where(column.missing, np.nan, column.values.astype(np.float64))
        else:
            columns[place] = np.where(column.missing, np.nan, column.values.astype(str).astype(object))
    return pd.DataFrame(columns)
