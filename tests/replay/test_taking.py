"""Where the notebook's own trained model is taken, and where the package trains one itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF, ConstantKernel
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from nbprod.codegen.runtime.estimators import load_estimator, save_estimator
from nbprod.replay.runner.subject import Call
from nbprod.replay.runner.taking import MODEL, Taking, Trained, argument_of, trained_in

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


def piped(**parameters: Any) -> Pipeline:
    return Pipeline([("scale", StandardScaler()), ("model", logistic(**parameters))])


def search(**options: Any) -> GridSearchCV:
    return GridSearchCV(logistic(), {"C": [0.1, 1.0], "l1_ratio": [0.0]}, **{"cv": 2, **options})


def folds(count: int, **options: Any) -> StratifiedKFold:
    return StratifiedKFold(count, shuffle=True, **{"random_state": 0, **options})


def votes() -> VotingClassifier:
    return VotingClassifier([("one", logistic()), ("two", piped())], voting="soft")


def columns() -> Pipeline:
    prepared = ColumnTransformer([("scale", StandardScaler(), ["a"]), ("keep", "passthrough", ["b"])])
    return make_pipeline(prepared, logistic())


def processes() -> GaussianProcessClassifier:
    return GaussianProcessClassifier(ConstantKernel(2.0) * RBF(1.5), random_state=0)


def calibrated(labels: pd.Series) -> CalibratedClassifierCV:
    return CalibratedClassifierCV(FrozenEstimator(logistic().fit(ROWS, labels)), cv=2)


SAME_TRAININGS: dict[str, Callable[[], Any]] = {
    "an estimator": lambda: logistic(C=0.5),
    "a pipeline": piped,
    "a pipeline of a search": lambda: GridSearchCV(piped(), {"model__C": [0.1, 1.0]}, cv=2),
    "a search": search,
    "a search in folds": lambda: search(cv=folds(2)),
    "a search by a score": lambda: search(scoring=make_scorer(f1_score, average="macro")),
    "a vote": votes,
    "columns by transformers": columns,
    "a process with a kernel": processes,
    "an unseeded forest": lambda: RandomForestClassifier(5),
    "a calibration of the same trained estimator": lambda: calibrated(LABELS),
}


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in SAME_TRAININGS.items()])
def test_the_same_training_is_not_done_again(make: Callable[[], Any], tmp_path: Path) -> None:
    notebook, package = make(), make()
    found = taking(notebook, ROWS, LABELS, tmp_path)
    before = type(package).fit
    with found.in_place_of_training():
        package.fit(ROWS.copy(), LABELS.copy())
    assert (found.taken, found.reason) == (True, "")
    assert package.predict_proba(ROWS).tolist() == notebook.predict_proba(ROWS).tolist()
    assert type(package).fit is before


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in SAME_TRAININGS.items()])
def test_estimators_within_become_what_training_would_make_of_them(make: Callable[[], Any], tmp_path: Path) -> None:
    """Of the package's own objects, which other names may refer to."""
    package, trained = make(), make()
    found = taking(make(), ROWS, LABELS, tmp_path)
    own = package.get_params(deep=True)
    with found.in_place_of_training():
        package.fit(ROWS, LABELS)
    trained.fit(ROWS, LABELS)

    assert found.taken
    now, wanted = package.get_params(deep=True), trained.get_params(deep=True)
    assert [name for name in own if now[name] is not own[name] and not isinstance(own[name], (int, float, str))] == []
    for name, part in [("", package), *own.items()]:
        other = trained if name == "" else wanted[name]
        if hasattr(part, "fit"):
            assert vars(part).keys() == vars(other).keys(), name


def test_a_step_that_another_name_refers_to_is_trained(tmp_path: Path) -> None:
    found = taking(piped(), ROWS, LABELS, tmp_path)
    model = logistic()
    pipe = Pipeline([("scale", StandardScaler()), ("model", model)])
    with found.in_place_of_training():
        pipe.fit(ROWS, LABELS)
    assert found.taken
    assert model.coef_.tolist() == piped().fit(ROWS, LABELS)[-1].coef_.tolist()
    assert pipe[-1] is model


def test_what_a_training_refers_to_beside_a_parameter_is_the_package_s_own(tmp_path: Path) -> None:
    found = taking(AdaBoostClassifier(logistic(), n_estimators=2), ROWS, LABELS, tmp_path)
    package = AdaBoostClassifier(logistic(), n_estimators=2)
    with found.in_place_of_training():
        package.fit(ROWS, LABELS)
    assert found.taken
    assert package.estimator_ is package.estimator


def test_what_an_earlier_training_has_left_is_gone(tmp_path: Path) -> None:
    found = taking(logistic(), ROWS.to_numpy(), LABELS, tmp_path)
    package = logistic().fit(ROWS, LABELS)
    with found.in_place_of_training():
        package.fit(ROWS.to_numpy(), LABELS)
    assert found.taken
    assert not hasattr(package, "feature_names_in_")


def other_values() -> pd.DataFrame:
    changed = ROWS.copy()
    changed.loc[2, "a"] = np.nextafter(2.0, 3.0)
    return changed


VALUES = "the package trains on other values than the notebook, or on values of another kind"
PARAMETER = "{} is another than the notebook's by now, or of a kind that is not compared"
WARM = "the training goes on from an earlier one: {} is set"
BEFORE = "a LogisticRegression within has been trained before, and may differ from the notebook's"


@pytest.mark.parametrize(
    "notebook, package, X, y, reason",
    [
        pytest.param(logistic(), logistic(), other_values(), LABELS, VALUES, id="the last bit of a value"),
        pytest.param(logistic(), logistic(), ROWS.replace(0.0, -0.0), LABELS, VALUES, id="the signs of zeros"),
        pytest.param(logistic(), logistic(), ROWS, 1 - LABELS, VALUES, id="other labels"),
        pytest.param(logistic(), logistic(), ROWS[["b", "a"]], LABELS, VALUES, id="columns in another order"),
        pytest.param(logistic(), logistic(), ROWS.to_numpy(), LABELS, VALUES, id="an array"),
        pytest.param(logistic(C=1.0), logistic(C=0.5), ROWS, LABELS, PARAMETER.format("C"), id="a parameter"),
        pytest.param(
            piped(C=1.0), piped(C=0.5), ROWS, LABELS, PARAMETER.format("model__C"), id="a parameter of a step"
        ),
        pytest.param(
            piped(),
            Pipeline([("scale", "passthrough"), ("model", logistic())]),
            ROWS,
            LABELS,
            PARAMETER.format("scale"),
            id="another step",
        ),
        pytest.param(
            search(cv=folds(2)), search(cv=folds(3)), ROWS, LABELS, PARAMETER.format("cv"), id="folds of a search"
        ),
        pytest.param(
            search(cv=folds(2, random_state=np.random.RandomState(0))),
            search(cv=folds(2, random_state=np.random.RandomState(0))),
            ROWS,
            LABELS,
            PARAMETER.format("cv"),
            id="folds with a generator of random numbers",
        ),
        pytest.param(
            SGDClassifier(warm_start=True, random_state=0),
            SGDClassifier(warm_start=True, random_state=0),
            ROWS,
            LABELS,
            WARM.format("warm_start"),
            id="a training that goes on",
        ),
        pytest.param(
            piped(warm_start=True),
            piped(warm_start=True),
            ROWS,
            LABELS,
            WARM.format("model__warm_start"),
            id="a step that goes on",
        ),
        pytest.param(
            calibrated(LABELS), calibrated(1 - LABELS), ROWS, LABELS, BEFORE, id="another trained estimator within"
        ),
        pytest.param(
            piped(),
            piped().set_output(transform="pandas"),
            ROWS,
            LABELS,
            "a StandardScaler has other settings than the notebook's",
            id="another output of a step",
        ),
        pytest.param(
            logistic(),
            StandardScaler(),
            ROWS,
            LABELS,
            "the package trains no estimator of this class",
            id="an estimator of another class",
        ),
    ],
)
def test_another_training_is_done(notebook: Any, package: Any, X: Any, y: Any, reason: str, tmp_path: Path) -> None:
    found = taking(notebook, ROWS, LABELS, tmp_path)
    learned = vars(type(package)(**package.get_params(deep=False)).fit(X, y)).keys()
    with found.in_place_of_training():
        package.fit(X, y)
    assert (found.taken, found.reason) == (False, reason)
    assert learned <= vars(package).keys()


def test_a_generator_of_random_numbers_has_moved_on_and_is_not_taken(tmp_path: Path) -> None:
    seeded = [RandomForestClassifier(3, random_state=np.random.RandomState(0)) for _ in range(2)]
    found = taking(seeded[0], ROWS, LABELS, tmp_path)
    with found.in_place_of_training():
        seeded[1].fit(ROWS, LABELS)
    assert not found.taken


@pytest.mark.parametrize("others", [("sample_weight",), ("2",)], ids=["by name", "by place"])
def test_weights_are_no_part_of_what_is_compared(others: tuple[str, ...], tmp_path: Path) -> None:
    found = taking(logistic(), ROWS, LABELS, tmp_path, others=others)
    with found.in_place_of_training():
        logistic().fit(ROWS, LABELS)
    assert found.reason == "the training is given sample_weight beside rows and labels"


@pytest.mark.parametrize(
    "arguments, options",
    [
        pytest.param((ROWS, LABELS), {"sample_weight": np.ones(6)}, id="by name"),
        pytest.param((ROWS, LABELS, np.ones(6)), {}, id="by place"),
    ],
)
def test_weights_of_the_package_are_trained_with(arguments: Any, options: Any, tmp_path: Path) -> None:
    found = taking(logistic(), ROWS, LABELS, tmp_path)
    with found.in_place_of_training():
        logistic().fit(*arguments, **options)
    assert found.reason == "the package's training is given sample_weight beside rows and labels"


@pytest.mark.parametrize(
    "estimator, position, name",
    [
        pytest.param("sklearn.svm._classes.SVC", 2, "sample_weight", id="weights"),
        pytest.param("sklearn.pipeline.Pipeline", 2, "argument 3", id="more than the class knows"),
        pytest.param("__main__.Own", 2, "argument 3", id="a class of the notebook"),
        pytest.param("sklearn.metrics.f1_score", 2, "argument 3", id="no class"),
    ],
)
def test_an_argument_has_the_name_that_its_class_gives_it(estimator: str, position: int, name: str) -> None:
    assert argument_of(estimator, position) == name


def test_a_file_that_does_not_load_leaves_the_training_to_the_package(tmp_path: Path) -> None:
    found = taking(logistic(), ROWS, LABELS, tmp_path)
    (tmp_path / f"fit{MODEL}").write_bytes(b"no archive")
    model = logistic()
    with found.in_place_of_training():
        model.fit(ROWS, LABELS)
    assert (found.taken, found.reason) == (
        False,
        "the trained model can't be taken: BadZipFile: File is not a zip file",
    )
    assert hasattr(model, "coef_")


class Odd:
    """An object of a column that can't be compared."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise RuntimeError("no copies")


Odd.__module__ = "sklearn.odd"


def test_values_that_raise_when_they_are_compared_leave_the_training_to_the_package(tmp_path: Path) -> None:
    rows = ROWS.assign(c=[Odd() for _ in range(6)])
    found = taking(DummyClassifier(), ROWS, LABELS, tmp_path)
    found.trained = Trained(tmp_path, found.trained.estimator if found.trained else "", rows, LABELS)
    model = DummyClassifier()
    with found.in_place_of_training():
        model.fit(rows, LABELS)
    assert found.reason == "the trained model can't be taken: RuntimeError: no copies"
    assert hasattr(model, "classes_")


def test_the_file_is_read_once(tmp_path: Path) -> None:
    found = taking(logistic(C=2.0), ROWS, LABELS, tmp_path)
    read: list[Path] = []
    load = found.load
    found.load = lambda path: (read.append(path), load(path))[1]
    with found.in_place_of_training():
        assert not read
        models = [logistic(C=C).fit(ROWS, LABELS) for C in (0.5, 1.0, 2.0, 2.0)]
    assert found.taken
    assert len(read) == 1
    assert vars(models[2])["coef_"] is not vars(models[3])["coef_"]


def test_what_a_run_could_not_keep_is_trained(tmp_path: Path) -> None:
    call = Call(3, 1, "fit", ROWS, LABELS, None, None)
    entry = {"stem": "fit", "estimator": "sklearn.linear_model._logistic.LogisticRegression", "not_taken": "too wide"}
    found = Taking(trained_in(tmp_path, entry, call), load_estimator)
    with found.in_place_of_training():
        logistic().fit(ROWS, LABELS)
    assert (found.taken, found.reason) == (False, "too wide")


def test_what_a_search_trains_within_is_taken_where_it_is_the_same(tmp_path: Path) -> None:
    found = taking(logistic(C=0.1), ROWS, LABELS, tmp_path)
    tried = GridSearchCV(logistic(), {"C": [0.1]}, cv=2)
    with found.in_place_of_training():
        tried.fit(ROWS, LABELS)
    # The folds are other rows; the best estimator is trained on all of them.
    assert found.taken
    assert tried.predict(ROWS).tolist() == logistic(C=0.1).fit(ROWS, LABELS).predict(ROWS).tolist()
