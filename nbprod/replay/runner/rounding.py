"""Predictions of a row alone that part from those among others, with the reason of a linear model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .compiler.compiling import tools_of
from .subject import Subject

LARGE = 1e9
"""Coefficients from which on the rounding of a sum shows in a prediction: they take nine of sixteen digits."""


def with_reason(text: str, subject: Subject) -> str:
    """What is told of a row that alone has another prediction, with the reason that the served model gives."""
    return told_of(text, tools_of(subject.served).last_of(subject.served.model))


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
