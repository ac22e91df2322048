"""The saved state is what the training rows give, also where no row of the run shows it."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.experimental import enable_iterative_imputer as enable_iterative_imputer
from sklearn.impute import IterativeImputer
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from nbprod.replay.runner.learned_state import NAME, is_alike
from tests.replay.test_replay import NOTEBOOK, run_in

FILLED = NOTEBOOK.replace(
    'df["spend"] = np.log1p(df["spend"])',
    'df["spend"] = df["spend"].fillna(df["spend"].median())\ndf["spend"] = np.log1p(df["spend"])',
)


def test_a_value_that_no_row_shows_is_held_to_the_training(tmp_path: Path) -> None:
    ran = run_in(tmp_path, FILLED)
    assert ran.replay().status == "proven"

    root = tmp_path / "changed"
    shutil.copytree(ran.root, root)
    state = root / "churn/v0001/state"
    median = json.loads((state / "learned.json").read_text())["spend_median"]["value"]
    fitted = json.loads((state / "fitted.json").read_text())
    for name in ("learned.json", "row.py"):  # the compiled row as well: the two agree
        text = (state / name).read_text()
        assert text.count(repr(median)) == 1
        (state / name).write_text(text.replace(repr(median), repr(median + 1)))
        fitted["files"][name] = hashlib.sha256((state / name).read_bytes()).hexdigest()
    (state / "fitted.json").write_text(json.dumps(fitted))

    found = ran.replay(root)

    assert found.status == "failed"
    assert (found.mismatch.notebook, found.mismatch.package) == (median, median + 1)
    assert next(name for name, passed, _ in found.checks if not passed) == NAME


def scaler(*values: float) -> StandardScaler:
    return StandardScaler().fit(np.array(values)[:, None])


def columns_of(function: Any) -> ColumnTransformer:
    steps = [("logs", FunctionTransformer(function), ["mean"])]
    return ColumnTransformer(steps, remainder="passthrough").fit(FRAME[["mean"]].assign(more=[0.0, 1.0]))


def made_within() -> Any:
    return lambda rows: rows * 2


def imputer(*values: float) -> IterativeImputer:
    return IterativeImputer(random_state=0).fit(np.array([values, [1.0, np.nan], [2.0, 5.0]]))


FRAME = pd.DataFrame({"key": ["a", "b"], "mean": [1.5, 2.5]})


@pytest.mark.parametrize(
    "one, other",
    [
        pytest.param(1.5, 1.5, id="one number"),
        pytest.param(np.float64(28.5), np.nextafter(28.5, 29), id="its neighbour"),
        pytest.param(math.nan, math.nan, id="none"),
        pytest.param(np.array([1e6, 1e-9]), np.array([1e6, 0.0]), id="rounding beside a large number"),
        pytest.param(["a", 1.0], ["a", 1.0 + 1e-15], id="lists"),
        pytest.param(scaler(1, 2), scaler(1, 2 + 1e-12), id="estimators"),
        pytest.param(FRAME, FRAME.assign(mean=FRAME["mean"] + 1e-12), id="tables"),
        pytest.param(columns_of(np.log1p), columns_of(np.log1p), id="a transformer of columns"),
        pytest.param(columns_of(made_within()), columns_of(made_within()), id="a function made within another"),
        pytest.param(imputer(1.0, 2.0), imputer(1.0, 2.0), id="what holds a generator"),
        pytest.param(threading.Event(), threading.Event(), id="what nobody can look into"),
    ],
)
def test_alike_are(one: Any, other: Any) -> None:
    assert is_alike(one, other)


@pytest.mark.parametrize(
    "one, other",
    [
        pytest.param(28.5, 28.0, id="numbers"),
        pytest.param(29.699, 29.7, id="a rounded number"),
        pytest.param("S", "C", id="texts"),
        pytest.param(1, 2, id="whole numbers"),
        pytest.param(["a", "b"], ["b", "a"], id="orders of categories"),
        pytest.param({"a": 1.0}, {"b": 1.0}, id="keys"),
        pytest.param([1.0], [], id="a value that is missing"),
        pytest.param(scaler(1, 2), scaler(1, 3), id="estimators"),
        pytest.param(columns_of(np.log1p), columns_of(np.sqrt), id="functions"),
        pytest.param(columns_of(made_within()), columns_of(lambda rows: rows * 3), id="functions of the notebook"),
        pytest.param(slice(0, 2), slice(0, 3), id="parts of the columns"),
        pytest.param(imputer(1.0, 2.0), imputer(1.0, 3.0), id="what holds a generator"),
        pytest.param(FRAME, FRAME[::-1].reset_index(drop=True), id="tables"),
        pytest.param(np.array([1.0, 2.0]), np.array([1.0, 2.0], dtype="float32"), id="dtypes"),
    ],
)
def test_not_alike_are(one: Any, other: Any) -> None:
    assert not is_alike(one, other)
