"""Two versions measured on the same rows: intervals, samples, and what a model is asked once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from nbprod.replay.runner.side_by_side import Side, chosen, interval


def test_an_interval_is_the_same_each_time_and_covers_the_difference() -> None:
    differences = np.random.default_rng(1).normal(0.1, 1, 400)
    told = interval(lambda rows: float(differences[rows].mean()), 400, 500)
    again = interval(lambda rows: float(differences[rows].mean()), 400, 500)
    half = 1.96 / 20

    assert told == again
    assert told["low"] < differences.mean() < told["high"]
    assert told["high"] - told["low"] == pytest.approx(2 * half, rel=0.15)


def test_resamples_without_a_value_are_counted() -> None:
    def one_class(rows: Any) -> float:
        if rows.min() > 0:
            raise ValueError("only one class")
        return 0.0

    told = interval(one_class, 2, 100)
    assert told["resamples"] + told["undefined"] == 100
    assert 10 < told["undefined"] < 45
    assert "reason" in interval(lambda _: float("nan"), 2, 10)


def test_at_most_so_many_rows_are_compared_and_rows_that_belong_together_stay_so() -> None:
    positions = np.arange(100)
    drawn = chosen(positions, 10, in_order=False)
    assert len(drawn) == 10
    assert (np.diff(drawn) > 0).all()
    assert drawn.tolist() != list(range(10))
    assert drawn.tolist() == chosen(positions, 10, in_order=False).tolist()
    assert chosen(positions, 10, in_order=True).tolist() == list(range(10))


def test_a_resample_asks_the_model_nothing_that_it_answered_before() -> None:
    matrix = np.arange(-5, 5).reshape(-1, 1)
    truth = np.array([0, 0, 1, 0, 0, 1, 1, 0, 1, 1])
    model = LogisticRegression().fit(matrix, truth)
    side = object.__new__(Side)
    side.take, side.model, side.matrix, side.truth, side.given = lambda of, at: of[at], model, matrix, truth, {}
    rows = np.array([0, 0, 3, 9])
    sample = side.at(rows)
    taken = sample.model_input(None)

    assert sample.model.predict(taken).tolist() == model.predict(matrix[rows]).tolist()
    assert sample.model.predict_proba(taken)[:, 1].tolist() == model.predict_proba(matrix)[rows, 1].tolist()
    assert sample.model.score(taken, sample.labels(None)) == model.score(matrix[rows], truth[rows])
    assert sample.model.predict(np.array([[7]])).tolist() == [1]
    assert set(side.given) == {"predict", "predict_proba"}
