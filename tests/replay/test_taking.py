"""Where the notebook's own trained model is taken, and where the package trains one itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nbprod.codegen.runtime.estimators import load_estimator, save_estimator
from nbprod.replay.runner.subject import Call
from nbprod.replay.runner.taking import MODEL, Taking, is_same, trained_in

ROWS = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], "b": [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]})
LABELS = pd.Series([0, 0, 1, 0, 1, 1], name="y")


def taking(model: Any, X: Any, y: Any, folder: Path, *, others: tuple[str, ...] = ()) -> Taking:
    """The training of `model` on these values as a notebook did it."""
    model.fit(X, y)
    save_estimator(model, folder / f"fit{MODEL}")
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    call = Call(3, 1, "fit", X, y, None, None, others)
    return Taking(trained_in(folder, {"stem": "fit", "estimator": kind}, call), load_estimator)


def logistic(**parameters: Any) -> LogisticRegression:
    return LogisticRegression(**parameters)


@pytest.mark.parametrize(
    "notebook, package",
    [
        pytest.param(logistic(C=0.5), logistic(C=0.5), id="an estimator"),
        pytest.param(
            make_pipeline(StandardScaler(), logistic()), make_pipeline(StandardScaler(), logistic()), id="a pipeline"
        ),
        pytest.param(
            GridSearchCV(logistic(), {"C": [0.1, 1.0]}, cv=2),
            GridSearchCV(logistic(), {"C": [0.1, 1.0]}, cv=2),
            id="a search",
        ),
        pytest.param(RandomForestClassifier(5), RandomForestClassifier(5), id="an unseeded forest"),
    ],
)
def test_the_same_training_is_not_done_again(notebook: Any, package: Any, tmp_path: Path) -> None:
    found = taking(notebook, ROWS, LABELS, tmp_path)
    before = type(package).fit
    with found.in_place_of_training():
        package.fit(ROWS.copy(), LABELS.copy())
    assert (found.taken, found.reason) == (True, "")
    assert package.predict_proba(ROWS).tolist() == notebook.predict_proba(ROWS).tolist()
    assert type(package).fit is before


def other_values() -> pd.DataFrame:
    changed = ROWS.copy()
    changed.loc[2, "a"] = np.nextafter(2.0, 3.0)
    return changed


@pytest.mark.parametrize(
    "notebook, package, X, y, reason",
    [
        pytest.param(logistic(), logistic(), other_values(), LABELS, "other values", id="the last bit of a value"),
        pytest.param(logistic(), logistic(), ROWS, 1 - LABELS, "other values", id="other labels"),
        pytest.param(logistic(), logistic(), ROWS[["b", "a"]], LABELS, "other values", id="columns in another order"),
        pytest.param(logistic(), logistic(), ROWS.to_numpy(), LABELS, "another kind", id="an array"),
        pytest.param(logistic(C=1.0), logistic(C=0.5), ROWS, LABELS, "other parameters", id="another parameter"),
        pytest.param(
            make_pipeline(StandardScaler(), logistic(C=1.0)),
            make_pipeline(StandardScaler(), logistic(C=0.5)),
            ROWS,
            LABELS,
            "other parameters",
            id="another parameter of a step",
        ),
        pytest.param(
            SGDClassifier(warm_start=True, random_state=0),
            SGDClassifier(warm_start=True, random_state=0),
            ROWS,
            LABELS,
            "goes on from an earlier training",
            id="a training that goes on",
        ),
        pytest.param(
            logistic(), StandardScaler(), ROWS, LABELS, "no estimator of this class", id="an estimator of another class"
        ),
    ],
)
def test_another_training_is_done(notebook: Any, package: Any, X: Any, y: Any, reason: str, tmp_path: Path) -> None:
    found = taking(notebook, ROWS, LABELS, tmp_path)
    with found.in_place_of_training():
        package.fit(X, y)
    assert not found.taken
    assert reason in found.reason


def test_a_generator_of_random_numbers_has_moved_on_and_is_not_taken(tmp_path: Path) -> None:
    seeded = [RandomForestClassifier(3, random_state=np.random.RandomState(0)) for _ in range(2)]
    found = taking(seeded[0], ROWS, LABELS, tmp_path)
    with found.in_place_of_training():
        seeded[1].fit(ROWS, LABELS)
    assert not found.taken


def test_weights_are_no_part_of_what_is_compared(tmp_path: Path) -> None:
    found = taking(logistic(), ROWS, LABELS, tmp_path, others=("sample_weight",))
    with found.in_place_of_training():
        logistic().fit(ROWS, LABELS)
    assert found.reason == "the training is given sample_weight beside rows and labels"

    found = taking(logistic(), ROWS, LABELS, tmp_path)
    with found.in_place_of_training():
        logistic().fit(ROWS, LABELS, sample_weight=np.ones(6))
    assert found.reason == "the package's training is given more than rows and labels"


def test_a_file_that_does_not_load_leaves_the_training_to_the_package(tmp_path: Path) -> None:
    found = taking(logistic(), ROWS, LABELS, tmp_path)
    (tmp_path / f"fit{MODEL}").write_bytes(b"no archive")
    model = logistic()
    with found.in_place_of_training():
        model.fit(ROWS, LABELS)
    assert not found.taken
    assert found.reason.startswith("the trained model can't be read")
    assert hasattr(model, "coef_")


def test_what_a_run_could_not_keep_is_trained(tmp_path: Path) -> None:
    call = Call(3, 1, "fit", ROWS, LABELS, None, None)
    entry = {"stem": "fit", "estimator": "sklearn.linear_model._logistic.LogisticRegression", "not_taken": "too wide"}
    found = Taking(trained_in(tmp_path, entry, call), load_estimator)
    with found.in_place_of_training():
        logistic().fit(ROWS, LABELS)
    assert (found.taken, found.reason) == (False, "too wide")


def test_what_a_search_trains_within_is_taken_where_it_is_the_same(tmp_path: Path) -> None:
    found = taking(logistic(C=0.1), ROWS, LABELS, tmp_path)
    search = GridSearchCV(logistic(), {"C": [0.1]}, cv=2)
    with found.in_place_of_training():
        search.fit(ROWS, LABELS)
    # The folds are other rows; the best estimator is trained on all of them.
    assert found.taken
    assert search.predict(ROWS).tolist() == logistic(C=0.1).fit(ROWS, LABELS).predict(ROWS).tolist()


@pytest.mark.parametrize(
    "one, other, same",
    [
        pytest.param(ROWS, ROWS.copy(), True, id="a frame"),
        pytest.param(ROWS, ROWS.astype("float32"), False, id="other dtypes"),
        pytest.param(ROWS, ROWS.set_axis(range(1, 7)), False, id="another index"),
        pytest.param(LABELS, LABELS.rename("z"), False, id="another name"),
        pytest.param(np.array([1.0, np.nan]), np.array([1.0, np.nan]), True, id="missing values"),
        pytest.param(np.array([0.0]), np.array([-0.0]), False, id="signs of zero"),
        pytest.param(np.array(["a", None], dtype=object), np.array(["a", None], dtype=object), True, id="objects"),
        pytest.param(np.array(["a", 1], dtype=object), np.array(["a", 2], dtype=object), False, id="other objects"),
        pytest.param(csr_matrix(np.eye(3)), csr_matrix(np.eye(3)), True, id="sparse"),
        pytest.param(csr_matrix(np.eye(3)), csr_matrix(2 * np.eye(3)), False, id="other sparse values"),
        pytest.param([1, 0, 1], [1, 0, 1], True, id="a list"),
        pytest.param([1, 0, 1], [1, 0, 0], False, id="another list"),
        pytest.param(None, None, True, id="nothing"),
        pytest.param(None, LABELS, False, id="nothing and labels"),
        pytest.param(ROWS.index, ROWS.index.rename("n"), False, id="another name of an index"),
    ],
)
def test_values_are_compared_to_the_bit(one: Any, other: Any, same: bool) -> None:
    assert is_same(one, other) is same
