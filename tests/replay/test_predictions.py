"""What is told of a row whose prediction alone is another than among others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestRegressor, VotingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from nbprod.codegen.runtime.rows import last_of
from nbprod.replay.runner.rounding import told_of, told_of_terms

ROWS = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 5.0]])
LABELS = [0, 1, 0, 1]


def with_coefficients(*values: float) -> LinearRegression:
    model = LinearRegression().fit(ROWS, LABELS)
    model.coef_ = np.array(values)
    return model


def among_others(model: LinearRegression) -> VotingRegressor:
    made = VotingRegressor([("a", LinearRegression()), ("b", RandomForestRegressor(n_estimators=2))]).fit(ROWS, LABELS)
    made.estimators_[0] = model
    return made


def turned(model: LinearRegression) -> TransformedTargetRegressor:
    made = TransformedTargetRegressor(LinearRegression()).fit(ROWS, LABELS)
    made.regressor_ = make_pipeline(StandardScaler(), model)
    return made


@pytest.mark.parametrize(
    "model, told",
    [
        pytest.param(with_coefficients(3.8e12, -2.6e14), "coefficients reach 2.6e+14", id="columns that add up"),
        pytest.param(make_pipeline(StandardScaler(), with_coefficients(1e10)), "reach 1.0e+10", id="in a pipeline"),
        pytest.param(with_coefficients(3.4, 11.0), None, id="ordinary coefficients"),
        pytest.param(LogisticRegression().fit(ROWS, LABELS), None, id="a row of coefficients"),
        pytest.param(with_coefficients(1.0, 3e9), "reach 3.0e+09", id="just large enough"),
        pytest.param(LogisticRegression().fit(ROWS, LABELS).sparsify(), None, id="a sparse row of coefficients"),
        pytest.param(DecisionTreeClassifier().fit(ROWS, LABELS), None, id="no coefficients"),
        pytest.param(among_others(with_coefficients(2e11, 1.0)), "reach 2.0e+11", id="one of several that vote"),
        pytest.param(among_others(with_coefficients(2.0, 1.0)), None, id="ordinary ones of several that vote"),
        pytest.param(turned(with_coefficients(4e10, 1.0)), "reach 4.0e+10", id="behind a turned target"),
    ],
)
def test_the_reason_of_a_linear_model_is_told(model: Any, told: str | None) -> None:
    text = told_of("the prediction of the row alone is another", last_of(model))

    assert text.startswith("the prediction of the row alone is another")
    assert ("coefficients reach" in text) is (told is not None)
    assert told is None or told in text


FAR = np.array([[2010.0, 2010.0**2], [2012.0, 2012.0**2], [2015.0, 2015.0**2], [2016.0, 2016.0**2]])
PRICES = np.array([310.0, 290.0, 330.0, 400.0])


@pytest.mark.parametrize(
    "model, rows, told",
    [
        pytest.param(with_coefficients(-4e4, 10.0), FAR, True, id="powers of years"),
        pytest.param(with_coefficients(-4e4, 10.0), ROWS, False, id="large ones of small values"),
        pytest.param(with_coefficients(-40.0, 0.01), FAR, False, id="ordinary terms"),
        pytest.param(LinearRegression().fit(FAR[:, :1], PRICES), FAR[:, :1], False, id="years"),
        pytest.param(LinearRegression().fit(FAR, PRICES), FAR[:, :1], False, id="rows of another width"),
        pytest.param(DecisionTreeClassifier().fit(FAR, LABELS), FAR, False, id="no coefficients"),
        pytest.param(LogisticRegression().fit(FAR, LABELS), FAR, False, id="classes"),
    ],
)
def test_terms_that_cancel_each_other_out_are_told(model: Any, rows: Any, told: bool) -> None:
    text = told_of_terms("another", model, rows, PRICES)

    assert ("cancel each other out" in text) is told
    assert text.startswith("another")
