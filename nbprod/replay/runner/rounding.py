"""Predictions of a row alone that part from those among others, with the reason of a linear model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .compare import largest
from .compiler.compiling import tools_of
from .matrix import matrix_of
from .subject import Subject

LARGE = 1e9
"""Coefficients from which on the rounding of a sum shows in a prediction: they take nine of sixteen digits."""


CANCELLED = 1e3
"""How many times as large as answers the terms of a sum are whose rounding shows: they take three of sixteen digits."""


def with_reason(text: str, subject: Subject) -> str:
    """What is told of a row that alone has another prediction, with the reason that the served model gives."""
    model, call = subject.served.model, subject.captures.fit
    last = tools_of(subject.served).last_of(model)
    told = told_of(text, last)
    return told if told != text or last is not model else told_of_terms(text, last, call.X, call.y)


def told_of_terms(text: str, model: Any, rows: Any, labels: Any) -> str:
    """`text`, with the terms of a linear regression's sum where they cancel each other out to answers like `labels`."""
    coefficients = getattr(model, "coef_", None)
    matrix, answers = matrix_of(rows), matrix_of(labels)
    if not isinstance(coefficients, np.ndarray) or coefficients.shape[-1:] != (matrix.width,):
        return text
    term, answer = (np.abs(coefficients) * largest(matrix)).max(initial=0.0), largest(answers).max(initial=0.0)
    if hasattr(model, "classes_") or not answer or term < CANCELLED * answer:
        return text
    return (
        f"{text}: terms of up to {term:.1e} cancel each other out to answers of up to {answer:.1e}, so that the "
        "rounding of a sum shows. Powers of columns that are not centred make them: scale before (StandardScaler), or "
        "take fewer"
    )


def told_of(text: str, model: Any) -> str:
    """`text`, with the coefficients of `model`, the estimator that answers in the end, where they are the reason."""
    found = [abs(each.coef_).max() for each in _linear(model)]  # a sparse matrix, where the model was made sparse
    largest = max((each for each in found if np.isfinite(each)), default=0.0)
    if largest < LARGE:
        return text
    return (
        f"{text}: coefficients reach {largest:.1e}, so that the rounding of a sum shows. Columns that add up to one "
        "another make them, such as one for each category: leave one out (drop='first'), or take a ridge"
    )


def _linear(model: Any) -> Iterator[Any]:
    """The linear models that a model is, or asks: those of an ensemble, of a search, behind a turned target."""
    if getattr(getattr(model, "coef_", None), "shape", ()):
        yield model
    inner = [getattr(model, name, None) for name in ("regressor_", "final_estimator_", "best_estimator_", "estimator_")]
    several = getattr(model, "estimators_", None)
    inner.extend(np.ravel(np.asarray(several, dtype=object)) if isinstance(several, (list, np.ndarray)) else ())
    inner.extend(step for _, step in getattr(model, "steps", ())[-1:])
    for each in inner:
        if hasattr(each, "predict"):
            yield from _linear(each)
