"""How far an estimator's `fit_transform` and `transform` are apart: rounding is let pass, what is meant is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler

from nbprod.replay.runner.subject import _distance

ROWS = np.array([[1.0, 200.0], [3.0, 100.0], [2.0, 150.0]])


class Apart(BaseEstimator):
    """`transform` gives what `fit_transform` gave, and `by` more in the second column."""

    def __init__(self, by: float) -> None:
        self.by = by

    def fit_transform(self, X: Any, _y: Any = None) -> Any:
        return X

    def transform(self, X: Any) -> Any:
        return X + np.array([0.0, self.by])


@pytest.mark.parametrize(
    "by, distance",
    [
        pytest.param(0.0, 0.0, id="the same"),
        pytest.param(2e-4, 1e-6, id="another algorithm"),
        pytest.param(50.0, 0.0, id="meant to be other values"),
    ],
)
def test_the_distance_is_a_part_of_the_largest_value_of_its_column(by: float, distance: float) -> None:
    estimator = Apart(by)
    assert _distance(estimator, ROWS, estimator.fit_transform(ROWS)) == pytest.approx(distance, rel=1e-6)


def test_no_distance_where_there_are_no_numbers_to_compare() -> None:
    assert _distance(StandardScaler(), ROWS, ROWS) == 0.0
    assert _distance(Apart(0.0), ROWS, ROWS[:2]) == 0.0
