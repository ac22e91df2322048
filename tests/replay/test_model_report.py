"""What is told of a model on rows held out: simple models, shuffled features, slices, scores and thresholds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, mean_absolute_error, mean_squared_error, r2_score, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from nbprod import replay
from nbprod.codegen.runtime.matrix import take_rows
from nbprod.replay.runner.baselines import _parts, beside_simple, is_linear
from nbprod.replay.runner.calibration import calibrated, decided_at
from nbprod.replay.runner.feature_groups import MOST_GROUPS, grouped, shuffled, without_each
from nbprod.replay.runner.measured import Measured
from nbprod.replay.runner.side_by_side import Side, resampled
from nbprod.replay.runner.slices import by_slice, partition
from nbprod.replay.runner.subject import Call
from tests.replay.test_replay import NOTEBOOK, run_in

RNG = np.random.default_rng(3)
TRAINED = pd.DataFrame(
    {
        "x": RNG.normal(size=600),
        "noise": RNG.normal(size=600),
        "city": RNG.choice(["Bern", "Chur"], 600),
        "gap": np.where(RNG.random(600) < 0.3, np.nan, 1.0),
    }
)
BUMP = (TRAINED["x"].abs() < 0.7).to_numpy()
"""Labels that no line tells apart, and a tree does."""

HELD = slice(400, 600)
NUMBERS = TRAINED[["x", "noise", "gap"]]


def side_of(model: Any, matrix: Any, truth: Any) -> Side:
    side = object.__new__(Side)
    side.take, side.model, side.matrix, side.truth, side.given = take_rows, model, matrix, truth, {}
    return side


def by(score: Any, method: str = "predict") -> Any:
    """An evaluation that gives one metric, `m`, of what a method answers."""

    def evaluate(pipeline: Any, frame: Any) -> dict[str, float]:
        answers = getattr(pipeline.model, method)(pipeline.features.model_input(frame))
        answers = answers[:, 1] if method == "predict_proba" else answers
        return {"m": score(pipeline.labels(frame), answers)}

    return evaluate


def silent(_what: str, _done: int, _total: int) -> None:
    pass


def compared(model: Any, matrix: Any, labels: Any, evaluate: Any, *, resamples: int = 60) -> dict[str, dict[str, Any]]:
    """The simple models beside one that is trained on the first 400 rows, on the others."""
    trained, held = take_rows(matrix, slice(0, 400)), take_rows(matrix, HELD)
    side = side_of(model.fit(trained, labels[:400]), held, labels[HELD])
    measured = Measured(evaluate, TRAINED.iloc[HELD], "m")
    own = resampled(lambda at: measured(side, at), 200, resamples)
    call = Call(0, 1, "fit", trained, labels[:400], None, None)
    return {each["name"]: each for each in beside_simple(measured, side, call, own, silent)}


TREE = DecisionTreeClassifier(max_depth=3, random_state=0)
LINE = (TRAINED["x"] + RNG.normal(size=600) > 0).to_numpy()
"""Labels for which a line does as well as anything."""

BOTH = {"most frequent class", "logistic regression"}


@pytest.mark.parametrize(
    "model, matrix, labels, evaluate, beaten",
    [
        pytest.param(TREE, NUMBERS, BUMP, by(accuracy_score), BOTH, id="both"),
        pytest.param(
            TREE, NUMBERS.to_numpy(), BUMP, by(roc_auc_score, "predict_proba"),
            BOTH, id="an array, and probabilities",
        ),
        pytest.param(
            TREE, sparse.csr_matrix(NUMBERS.fillna(0)), BUMP, by(accuracy_score),
            BOTH, id="a sparse matrix",
        ),
        pytest.param(TREE, NUMBERS, LINE, by(accuracy_score), {"most frequent class"}, id="no better than a line"),
        pytest.param(DummyClassifier(), NUMBERS, BUMP, by(accuracy_score), set(), id="a constant itself"),
        pytest.param(
            LinearSVC(), NUMBERS.fillna(0), LINE, by(roc_auc_score, "decision_function"), {"most frequent class"},
            id="distances, which a constant answers too",
        ),
    ],
)  # fmt: skip
def test_a_model_is_compared_with_simple_ones_trained_on_the_same(
    model: Any, matrix: Any, labels: Any, evaluate: Any, beaten: set[str]
) -> None:
    told = compared(model, matrix, labels, evaluate)
    assert set(told) == BOTH
    assert {name for name, each in told.items() if each["difference"]["low"] > 0} == beaten
    assert all(each["low"] <= each["value"] <= each["high"] for each in told.values())


def test_text_is_told_apart_by_a_linear_model_and_gaps_are_filled() -> None:
    frame = TRAINED.assign(city=TRAINED["city"].astype("category"))
    labels = np.where(TRAINED["city"] == "Bern", "yes", "no")
    codes = FunctionTransformer(lambda rows: rows.assign(city=rows["city"].cat.codes))
    tree = make_pipeline(codes, DecisionTreeClassifier(random_state=0))
    told = compared(tree, frame, labels, by(accuracy_score))
    assert told["logistic regression"]["value"] == 1.0


class Resampled(BaseEstimator):  # type: ignore[misc]
    """A step that only training passes."""

    def fit_resample(self, rows: Any, labels: Any) -> Any:
        return rows, labels


def test_rows_pass_the_steps_of_the_model_that_serving_passes() -> None:
    model = make_pipeline("passthrough", FunctionTransformer(np.negative), TREE).fit(NUMBERS[:400], BUMP[:400])
    model.steps.insert(1, ("resampled", Resampled()))
    before, last = _parts(model)
    assert [type(each).__name__ for _, each in before.steps] == ["FunctionTransformer"]
    assert before.transform(NUMBERS).equals(-NUMBERS)
    assert last is model.steps[-1][1]


@pytest.mark.parametrize(
    "score, best",
    [
        pytest.param(mean_squared_error, "mean of the training", id="squared errors"),
        pytest.param(mean_absolute_error, "median of the training", id="absolute errors"),
    ],
)
def test_the_best_constant_of_numbers_depends_on_the_metric(score: Any, best: str) -> None:
    skewed = np.random.default_rng(0).exponential(size=600) ** 2
    told = compared(DecisionTreeRegressor(max_depth=1), NUMBERS, skewed, by(score))
    constants = {name: each["value"] for name, each in told.items() if each["kind"] == "constant"}
    assert min(constants, key=lambda name: constants[name]) == best
    assert "ridge regression" in told


@pytest.mark.parametrize(
    "model, matrix, labels, evaluate, reasons",
    [
        pytest.param(
            LogisticRegression(), NUMBERS.fillna(0), LINE, by(accuracy_score),
            {"logistic regression": "the model is a linear one itself"}, id="a linear model",
        ),
        pytest.param(
            TREE, NUMBERS, BUMP, by(lambda truth, leaves: len(set(leaves)) + 0 * len(truth), "apply"),
            {
                "most frequent class": "the notebook's evaluation can't ask it: AttributeError",
                "logistic regression": "the notebook's evaluation can't ask it: AttributeError",
            },
            id="what only the notebook's model answers",
        ),
        pytest.param(
            RandomForestClassifier(5), NUMBERS.fillna(0), np.column_stack([BUMP, LINE]),
            by(lambda truth, said: float((truth == said).mean())),
            {"logistic regression": "it can't be trained: ValueError"}, id="two labels at once",
        ),
    ],
)  # fmt: skip
def test_why_a_simple_model_is_not_compared_is_told(
    model: Any, matrix: Any, labels: Any, evaluate: Any, reasons: dict[str, str]
) -> None:
    told = compared(model, matrix, labels, evaluate, resamples=5)
    found = {name: each["reason"] for name, each in told.items() if "reason" in each}
    assert set(found) == set(reasons)
    assert all(found[name].startswith(reason) for name, reason in reasons.items())


@pytest.mark.parametrize(
    "model, linear",
    [
        pytest.param(Ridge(), True, id="ridge"),
        pytest.param(make_pipeline(StandardScaler(), LogisticRegression()), True, id="behind a step"),
        pytest.param(GridSearchCV(make_pipeline(StandardScaler(), LogisticRegression()), {}), True, id="searched for"),
        pytest.param(make_pipeline(StandardScaler(), TREE), False, id="a tree behind a step"),
        pytest.param(GridSearchCV(TREE, {}), False, id="a tree that was searched for"),
    ],
)
def test_a_model_that_is_itself_linear_is_known(model: Any, linear: bool) -> None:
    assert is_linear(model.fit(NUMBERS.fillna(0), LINE)) is linear


COLUMNS = ["Age", "Embarked_Q", "Embarked_S", "Embarked_S_late", "Fare"]


@pytest.mark.parametrize(
    "features, groups",
    [
        pytest.param(
            ["Age", "Embarked_*", "Fare"],
            {"Age": [0], "Embarked_*": [1, 2, 3], "Fare": [4]},
            id="columns of one feature",
        ),
        pytest.param(
            ["Age", "Embarked_*", "Embarked_S_*", "Fare"],
            {"Age": [0], "Embarked_*": [1, 2], "Embarked_S_*": [3], "Fare": [4]},
            id="the longest that fits",
        ),
        pytest.param(
            ["Embarked_S", "Embarked_*"],
            {"Age": [0], "Embarked_*": [1, 3], "Embarked_S": [2], "Fare": [4]},
            id="a name before any pattern, and columns that no feature names",
        ),
        pytest.param(["*"], {"*": [0, 1, 2, 3, 4]}, id="columns that nobody knows"),
        pytest.param([], {name: [place] for place, name in enumerate(COLUMNS)}, id="none"),
    ],
)
def test_columns_belong_to_features(features: list[str], groups: dict[str, list[int]]) -> None:
    assert dict(grouped(COLUMNS, features)) == groups


def test_the_last_of_many_features_are_taken_together() -> None:
    groups = grouped([f"x{place}" for place in range(200)], [])
    assert len(groups) == MOST_GROUPS
    assert groups[-1] == ("(others)", list(range(MOST_GROUPS - 1, 200)))


MIXED = pd.DataFrame(
    {"a": [1, 2, 3], "b": ["x", None, "z"], "c": pd.array([1, None, 3], dtype="Int64")}, index=[7, 8, 9]
)


@pytest.mark.parametrize(
    "matrix, places, expected",
    [
        pytest.param(
            MIXED, [1, 2], MIXED.assign(b=["z", "x", None], c=pd.array([3, 1, None], dtype="Int64")), id="a frame"
        ),
        pytest.param(np.array([[1, 2], [3, 4], [5, 6]]), [1], np.array([[1, 6], [3, 2], [5, 4]]), id="an array"),
        pytest.param(sparse.csr_matrix([[1, 0], [0, 4], [5, 6]]), [1], np.array([[1, 6], [0, 0], [5, 4]]), id="sparse"),
        pytest.param(pd.Series([1, 2, 3], index=[7, 8, 9]), [0], pd.Series([3, 1, 2], index=[7, 8, 9]), id="a series"),
    ],
)
def test_the_columns_of_a_feature_are_shuffled_together(matrix: Any, places: list[int], expected: Any) -> None:
    made = shuffled(matrix, places, np.array([2, 0, 1]))
    if isinstance(matrix, pd.DataFrame):
        pd.testing.assert_frame_equal(made, expected)
    elif isinstance(matrix, pd.Series):
        pd.testing.assert_series_equal(made, expected)
    else:
        assert (made.toarray() if hasattr(made, "tocsr") else made).tolist() == expected.tolist()


def test_what_a_feature_carries_is_lost_without_it() -> None:
    side = side_of(TREE.fit(NUMBERS[:400], BUMP[:400]), NUMBERS[HELD], BUMP[HELD])
    measured = Measured(by(accuracy_score), TRAINED.iloc[HELD], "m")
    told = {each["feature"]: each for each in without_each(measured, side, list(NUMBERS), ["x", "noise"], 5, silent)}
    assert list(told) == ["x", "noise", "gap"]
    assert told["x"]["lost"] > 0.2
    assert 0 < told["x"]["spread"] < 0.1
    assert abs(told["noise"]["lost"]) < 0.05
    assert told["gap"] == {"feature": "gap", "columns": 1, "lost": 0.0, "spread": 0.0}


SOME = pd.Series([1.0, 2.0, 2.0, np.nan, 9.0])
MANY = pd.Series([*range(20), None], dtype=float)


@pytest.mark.parametrize(
    "every, some, sizes",
    [
        pytest.param(SOME, SOME[:2], {"2": 1, "1": 1, "9": 0, "(missing)": 0}, id="few numbers, and some rows"),
        pytest.param(
            MANY, MANY, {"0 to 4.75": 5, "4.75 to 9.5": 5, "9.5 to 14.25": 5, "14.25 to 19": 5, "(missing)": 1},
            id="many numbers",
        ),
        pytest.param(
            pd.Series([0] * 30 + list(range(1, 21))), pd.Series([0, 0, 3, 20]),
            {"0": 2, "above 0, to 7.75": 1, "7.75 to 20": 1}, id="a number that stands for most",
        ),
        pytest.param(pd.Series([True, False, True]), pd.Series([True]), {"True": 1, "False": 0}, id="yes and no"),
        pytest.param(
            pd.Series(["a", None, "b"], dtype="category"), pd.Series(["b", None]), {"a": 0, "b": 1, "(missing)": 1},
            id="categories",
        ),
        pytest.param(
            pd.Series([f"c{n:02}" for n in range(15)] + ["c14"]), pd.Series(["c14", "c12", "c13"]),
            {"c14": 1, **{f"c{n:02}": 0 for n in range(11)}, "(others)": 2}, id="more values than can be looked at",
        ),
        pytest.param(
            pd.Series(pd.date_range("2024-01-01", periods=16)), pd.Series(pd.to_datetime(["2024-01-01", "2024-01-16"])),
            {
                "2024-01-01 00:00:00 to 2024-01-04 18:00:00": 1, "2024-01-04 18:00:00 to 2024-01-08 12:00:00": 0,
                "2024-01-08 12:00:00 to 2024-01-12 06:00:00": 0, "2024-01-12 06:00:00 to 2024-01-16 00:00:00": 1,
            },
            id="times",
        ),
    ],
)  # fmt: skip
def test_a_column_is_cut_into_slices(every: Any, some: Any, sizes: dict[str, int]) -> None:
    found = {label: int(mask.sum()) for label, mask in partition(every, some)}
    assert found == sizes
    assert sum(found.values()) == len(some)


def test_each_slice_has_a_metric_or_the_reason_why_not() -> None:
    raw = pd.DataFrame({"city": ["Bern"] * 60 + ["Chur"] * 3 + ["Genf"] * 4 + [None], "age": np.arange(68.0)})
    rows = raw.iloc[:63]
    truth, said = np.arange(63) % 2, np.arange(63) % 2
    truth[60:], said[:15] = 1, 1 - said[:15]

    class Model:
        def predict(self, matrix: Any) -> Any:
            return said[matrix]

    side = side_of(Model(), np.arange(63), truth)
    measured = Measured(by(roc_auc_score), rows, "m")
    told = by_slice(measured, side, raw, ["city", "gone"], 50, silent)
    bern, genf, chur, missing, gone = told
    assert (bern["value"], bern["n"], bern["metric"]) == ("Bern", 60, pytest.approx(0.75, abs=0.01))
    assert bern["low"] < bern["metric"] < bern["high"]
    assert (genf["value"], genf["n"], genf["reason"]) == ("Genf", 0, "none of the rows held out")
    assert (chur["value"], chur["n"], chur["reason"]) == ("Chur", 3, "m has no value on these rows")
    assert (missing["value"], missing["n"]) == ("(missing)", 0)
    assert (gone["value"], gone["reason"]) == (None, "the raw rows have no such column")


class Scores:
    """A model of two classes whose probability for a row is the row's number."""

    classes_ = np.array(["no", "yes"])

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold

    def predict_proba(self, matrix: Any) -> Any:
        return np.column_stack([1 - matrix, matrix])

    def predict(self, matrix: Any) -> Any:
        return self.classes_[(matrix >= self.threshold).astype(int)]


def drawn(turned: Any, rows: int = 2000) -> tuple[Any, Any]:
    """Scores, and labels that are true as often as `turned` makes of them."""
    random = np.random.default_rng(0)
    scores = random.random(rows)
    return scores, np.where(random.random(rows) < turned(scores), "yes", "no")


@pytest.mark.parametrize(
    "turned, error",
    [
        pytest.param(lambda scores: scores, 0.0, id="calibrated"),
        pytest.param(lambda scores: np.full(len(scores), 0.5), 0.25, id="scores that say nothing"),
        pytest.param(lambda scores: np.clip(scores - 0.2, 0, 1), 0.18, id="too high"),
    ],
)
def test_the_calibration_error_is_told_with_an_interval(turned: Any, error: float) -> None:
    scores, truth = drawn(turned)
    told = calibrated(side_of(Scores(), scores, truth), 200)
    assert told["low"] - 0.02 < error <= told["high"]
    assert told["high"] - told["low"] < 0.06
    assert told["error"] == pytest.approx(error, abs=0.03)
    assert [each["n"] for each in told["bins"]] == [200] * 10
    assert all(each["low"] <= each["share"] <= each["high"] for each in told["bins"])
    assert (told["of"], told["classes"]) == ("yes", 2)
    assert told["brier"] == pytest.approx(np.mean((scores - (truth == "yes")) ** 2))


def test_equal_scores_stay_in_one_bin() -> None:
    scores = np.repeat([0.2, 0.8], [700, 300])
    told = calibrated(side_of(Scores(), scores, np.where(np.arange(1000) % 5 == 0, "yes", "no")), 20)
    assert [(each["n"], each["score"]) for each in told["bins"]] == [
        (700, pytest.approx(0.2)),
        (300, pytest.approx(0.8)),
    ]


def test_of_three_classes_the_predicted_one_is_looked_at() -> None:
    matrix = np.random.default_rng(0).normal(size=(400, 2))
    truth = np.digitize(matrix[:, 0], [-0.5, 0.5])
    told = calibrated(side_of(LogisticRegression().fit(matrix, truth), matrix, truth), 20)
    assert (told["classes"], told["of"]) == (3, None)
    assert 0 < told["brier"] < 2
    assert decided_at(side_of(LogisticRegression().fit(matrix, truth), matrix, truth), 0.5)["differing"] is None


@pytest.mark.parametrize(
    "model, truth, reason",
    [
        pytest.param(Ridge(), [0, 1, 0, 1], "the model gives no probabilities", id="no probabilities"),
        pytest.param(
            LogisticRegression(), ["0", "1", "0", "1"], "some true labels are no classes of the model",
            id="the labels of another coding",
        ),
    ],
)  # fmt: skip
def test_why_scores_are_not_measured_is_told(model: Any, truth: list[Any], reason: str) -> None:
    matrix = np.arange(4.0).reshape(-1, 1)
    side = side_of(model.fit(matrix, [0, 1, 0, 1]), matrix, np.array(truth))
    assert calibrated(side, 5) == {"reason": reason}
    assert decided_at(side, 0.5)["reason"] == reason


@pytest.mark.parametrize(
    "own, declared, differing",
    [
        pytest.param(0.5, 0.5, 0, id="the same"),
        pytest.param(0.5, 0.3, 200, id="another"),
        pytest.param(0.5, 0.5004, 0, id="another that no row tells apart"),
        pytest.param(0.3, 0.5, 200, id="a model that decides at its own"),
    ],
)
def test_a_model_decides_at_a_threshold_or_not(own: float, declared: float, differing: int) -> None:
    scores = np.arange(1000) / 1000 + 0.0005
    told = decided_at(side_of(Scores(own), scores, np.where(scores > 0.5, "yes", "no")), declared)
    assert told["differing"] == differing
    assert told["between"] == [pytest.approx(own - 0.0005), pytest.approx(own + 0.0005)]


def test_r2_of_one_row_is_no_metric() -> None:
    side = side_of(Ridge().fit([[0.0], [1.0]], [0.0, 1.0]), np.array([[0.5], [1.0]]), np.array([0.4, 1.0]))
    told = by_slice(
        Measured(by(r2_score), pd.DataFrame({"a": ["x", "y"]}), "m"),
        side,
        pd.DataFrame({"a": ["x", "y"]}),
        ["a"],
        5,
        silent,
    )
    assert [each["reason"] for each in told] == ["m has no value on these rows"] * 2


@pytest.mark.parametrize(
    "predicted, told",
    [
        pytest.param("X_test", ("score", 37), id="the model's own score, where the notebook has no metric"),
        pytest.param("X_train", "the notebook predicts for no rows that it held out of the training", id="no rows"),
    ],
)
def test_a_run_is_reported_on_by_what_it_held_out(predicted: str, told: Any, tmp_path: Path) -> None:
    ran = run_in(tmp_path, NOTEBOOK.replace("predict(X_test)", f"predict({predicted})"))
    place = ran.root, "churn", "v0001", ran.captures, ran.python, ran.manifest
    found = replay.report_on_model(*place, metric="gain", slices=["city"], resamples=20, repeats=2)
    if isinstance(told, str):
        assert found == {"reason": told}
        return
    assert (found["metric"], found["rows"]) == told
    assert found["sets"] == [{"rows": found["rows"], "metrics": found["metrics"]}]
    assert found["errors"]["rows"] == found["rows"]
    assert "threshold" not in found
    assert [each["feature"] for each in found["groups"]] == [
        "age",
        "spend",
        "visits",
        "plan",
        "share",
        "band",
        "city_*",
    ]
    assert sum(each["n"] for each in found["slices"]) == found["rows"]
    assert [each["name"] for each in found["baselines"] if "reason" not in each] == ["most frequent class"]
