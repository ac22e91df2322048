"""Estimators that are kept in files of skops."""

from __future__ import annotations

from contextlib import suppress
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import all_estimators

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


KINDS = {name: kind for name, kind in all_estimators() if "estimator" not in signature(kind).parameters}
NOT_KEPT = {"Birch": "Objects of type Birch are not supported yet"}
"""What skops says of those that it has no form for."""


@pytest.mark.parametrize("name", sorted(KINDS))
@pytest.mark.filterwarnings("ignore")
def test_what_scikit_learn_has_is_kept_and_answers_the_same(name: str, tmp_path: Path) -> None:
    made = fitted(KINDS[name])
    if made is None:
        pytest.skip("it takes no table of numbers between 0 and 1 without further arguments")
    estimator, rows = made
    if name in NOT_KEPT:
        with pytest.raises(TypeError, match=NOT_KEPT[name]):
            save_estimator(estimator, tmp_path / "kept.skops")
        return

    save_estimator(estimator, tmp_path / "kept.skops")

    loaded = load_estimator(tmp_path / "kept.skops")
    for method in ("predict", "transform"):
        if hasattr(estimator, method):
            np.testing.assert_array_equal(dense(getattr(loaded, method)(rows)), dense(getattr(estimator, method)(rows)))


def fitted(kind: Any) -> tuple[Any, Any] | None:
    """One of a kind, fitted on what it takes: classes, numbers or nothing to predict; None where it takes none."""
    table = np.random.default_rng(0).random((80, 4))
    for rows in (table, table[:, 0], ["a b", "b c", "c"]):
        for labels in (table[:, 0] > 0.5, 3 * table[:, 1], table[:, :2]):
            with suppress(Exception):
                estimator = kind().fit(rows, labels[: len(rows)])
                for method in ("predict", "transform"):
                    if hasattr(estimator, method):
                        getattr(estimator, method)(rows)
                return estimator, rows
    return None


def dense(answer: Any) -> Any:
    return answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer)
