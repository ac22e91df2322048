"""Transformers whose `fit_transform` and `transform` give different values for the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator

from nbprod.replay.runner.subject import _apart

ROWS = np.array([[1.0, 200.0], [3.0, 100.0], [2.0, 150.0]])


class Apart(BaseEstimator):
    """`transform` gives what `fit_transform` gave, and `by` more in the second column."""

    def __init__(self, by: float) -> None:
        self.by = by

    def transform(self, X: Any) -> Any:
        return X + np.array([0.0, self.by])


@pytest.mark.parametrize(
    "by, apart",
    [
        pytest.param(0.0, None, id="the same"),
        pytest.param(2e-13, 2e-13, id="another rounding"),
        pytest.param(50.0, 50.0, id="other values"),
    ],
)
def test_how_far_they_are_apart(by: float, apart: float | None) -> None:
    assert _apart(Apart(by), ROWS, ROWS) == (apart if apart is None else pytest.approx(apart, rel=0.2))


def test_sparse_results_are_compared_as_well() -> None:
    class Sparse(Apart):
        def transform(self, X: Any) -> Any:
            return sparse.csr_matrix(super().transform(X))

    assert _apart(Sparse(0.0), ROWS, sparse.csr_matrix(ROWS)) is None
    assert _apart(Sparse(5.0), ROWS, sparse.csr_matrix(ROWS)) == pytest.approx(5.0)


def test_nothing_is_said_of_an_estimator_that_can_not_transform() -> None:
    assert _apart(BaseEstimator(), ROWS, ROWS) is None
