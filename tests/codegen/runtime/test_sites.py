"""What columns are called behind an estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from nbprod.codegen.runtime.matrix import output_names
from nbprod.codegen.runtime.sites import Learned, LearnedError, column_names

ROWS = pd.DataFrame({"age": [20.0, 31.0, 44.0], "fare": [7.0, 8.0, 50.0], "sex": ["m", "f", "m"]})
LOGS = FunctionTransformer(np.log1p)


class Doubled(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer of a notebook, which does not tell what it makes."""

    def fit(self, X: Any, y: Any = None) -> Doubled:  # noqa: ARG002 - scikit-learn's signature
        return self

    def transform(self, X: Any) -> Any:
        return np.hstack([X, X])


def by_columns(*parts: Any, **options: Any) -> ColumnTransformer:
    return ColumnTransformer(list(parts), remainder="passthrough", **options)


@pytest.mark.parametrize(
    "estimator, columns, expected",
    [
        pytest.param(LOGS, ["age", "fare"], ["age", "fare"], id="a function"),
        pytest.param(
            by_columns(("log", LOGS, ["fare"])), ["age", "fare"], ["log__fare", "remainder__age"], id="a function first"
        ),
        pytest.param(
            by_columns(("log", LOGS, ["fare"]), verbose_feature_names_out=False),
            ["age", "fare"],
            ["fare", "age"],
            id="without the parts' names",
        ),
        pytest.param(
            by_columns(("log", LOGS, ["fare"]), ("kind", OneHotEncoder(), ["sex"])),
            ["age", "fare", "sex"],
            ["log__fare", "kind__sex_f", "kind__sex_m", "remainder__age"],
            id="beside what tells",
        ),
        pytest.param(
            by_columns(("log", make_pipeline(SimpleImputer(), LOGS), ["fare"])),
            ["age", "fare"],
            ["log__fare", "remainder__age"],
            id="behind an imputer",
        ),
        pytest.param(
            Pipeline([("parts", by_columns(("log", LOGS, ["fare"]))), ("scale", StandardScaler())]),
            ["age", "fare"],
            ["log__fare", "remainder__age"],
            id="before a scaler",
        ),
        pytest.param(
            by_columns(("twice", Doubled(), ["fare"])),
            ["age", "fare"],
            ["twice__0", "twice__1", "remainder__age"],
            id="more columns than it got",
        ),
        pytest.param(
            by_columns(("none", "drop", ["age"]), ("log", LOGS, ["fare"])),
            ["age", "fare"],
            ["log__fare"],
            id="a column that is dropped",
        ),
    ],
)
def test_columns_are_called_as_they_come_out(estimator: Any, columns: list[str], expected: list[str]) -> None:
    matrix = estimator.fit_transform(ROWS[columns])

    assert output_names(matrix, None, list(column_names(estimator, ROWS[columns]))) == expected


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_answers_turned_back_keep_their_shape(shape: tuple[int, ...]) -> None:
    learned = Learned()
    scaled = learned.fit_transform("s", StandardScaler(), ROWS[["fare"]])
    learned.fit_transform("other", StandardScaler(), ROWS[["age"]])
    back = learned.replay().turned_back("s", scaled.reshape(shape))

    assert back.shape == shape
    assert back.ravel() == pytest.approx(ROWS["fare"].to_numpy())


@pytest.mark.parametrize("times", [0, 2])
def test_answers_are_turned_back_by_what_was_fitted_once(times: int) -> None:
    learned = Learned()
    for _ in range(times):
        learned.fit("s", StandardScaler(), ROWS[["fare"]])

    with pytest.raises(LearnedError, match=f"is recorded {times} times"):
        learned.turned_back("s", np.zeros(3))
