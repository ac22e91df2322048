"""Estimators that are kept in files of skops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from nbprod.codegen.runtime.estimators import load_estimator, save_estimator

ROWS = pd.DataFrame({"age": [20.0, 31.0, 44.0], "fare": [7.0, 8.0, 50.0], "sex": ["m", "f", "m"]})
NUMBERS = ROWS.select_dtypes("number").columns
TEXTS = ROWS.select_dtypes(exclude="number").columns


def by_columns(**options: Any) -> ColumnTransformer:
    return ColumnTransformer([("numbers", StandardScaler(), NUMBERS), ("texts", OneHotEncoder(), TEXTS)], **options)


@pytest.mark.parametrize(
    "estimator",
    [
        pytest.param(by_columns(), id="a transformer of columns"),
        pytest.param(make_pipeline(by_columns()), id="within a pipeline"),
        pytest.param(
            ColumnTransformer([("numbers", make_pipeline(StandardScaler()), ROWS.columns[:2])], remainder="drop"),
            id="beside what is dropped",
        ),
    ],
)
def test_columns_that_are_told_by_an_index_are_kept(estimator: Any, tmp_path: Path) -> None:
    expected = estimator.fit_transform(ROWS)

    save_estimator(estimator, tmp_path / "kept.skops")

    loaded = load_estimator(tmp_path / "kept.skops")
    assert np.array_equal(loaded.transform(ROWS), expected)
    assert np.array_equal(estimator.transform(ROWS), expected)
    assert loaded.get_feature_names_out().tolist() == estimator.get_feature_names_out().tolist()


def test_a_model_whose_columns_are_told_by_an_index_is_kept(tmp_path: Path) -> None:
    model = Pipeline([("columns", by_columns()), ("model", LinearRegression())]).fit(ROWS, [1.0, 2.0, 3.0])

    save_estimator(model, tmp_path / "model.skops")

    assert load_estimator(tmp_path / "model.skops").predict(ROWS).tolist() == model.predict(ROWS).tolist()
