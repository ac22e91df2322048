"""Evidence about the model: what the figures of its report come to, and the whole way from a notebook that was run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest

from nbprod import api
from nbprod.api.gathering import model
from nbprod.api.gathering.deciding import judged_metric
from nbprod.api.gathering.model import below, judged_scores, judged_simple, turned
from nbprod.config import Success

INTERVAL = {"low": -0.01, "high": 0.05}


def simple(value: float, low: float, high: float, **more: Any) -> dict[str, Any]:
    difference = {"value": 0.8 - value, "low": low, "high": high}
    return {"name": f"at {value}", "kind": "constant", "value": value, "difference": difference, **more}


ITSELF = {"name": "logistic regression", "kind": "linear", "itself": True, "reason": "the model is a linear one itself"}
UNTRAINED = {"name": "ridge", "kind": "linear", "reason": "it can't be trained: no"}
GROUPS = [
    {"feature": name, "columns": 1, "lost": lost, "spread": 0.0} for name, lost in (("tenure", 0.1), ("city_*", 0.2))
]


def report(*baselines: dict[str, Any], higher: bool = True, **more: Any) -> dict[str, Any]:
    told = {
        "rows": 100, "held_out": 100, "metric": "accuracy", "model": {"value": 0.8, "low": 0.75, "high": 0.85},
        "baselines": list(baselines), "groups": GROUPS, "slices": [],
    }  # fmt: skip
    return turned({**told, **more}, higher=higher)


@pytest.mark.parametrize(
    "told, held, text",
    [
        pytest.param(
            report(simple(0.5, 0.2, 0.4), simple(0.7, 0.02, 0.18)), True,
            "accuracy 0.8 on 100 rows held out, at 0.5 0.5, at 0.7 0.7: improvement on the at 0.7 +0.1, 95 % interval "
            "+0.02 to +0.18; shuffling costs most for city_* 0.2, tenure 0.1", id="the better one is beaten",
        ),
        pytest.param(
            report(simple(0.5, 0.2, 0.4), simple(0.79, -0.02, 0.04)), False,
            "improvement on the at 0.79 +0.01, 95 % interval -0.02 to +0.04", id="the worse one alone is beaten",
        ),
        pytest.param(
            report(simple(0.9, -0.12, -0.08), simple(0.95, -0.2, -0.1), higher=False), True,
            "improvement on the at 0.9 +0.1, 95 % interval +0.08 to +0.12", id="less is better",
        ),
        pytest.param(
            report(simple(0.5, 0.2, 0.4), ITSELF), True, "logistic regression: the model is a linear one itself",
            id="a linear model beats the constant",
        ),
        pytest.param(
            report(simple(0.5, 0.2, 0.4), UNTRAINED), None,
            "ridge: it can't be trained: no", id="one that can't be compared is not beaten",
        ),
        pytest.param(
            report(simple(0.79, -0.1, 0.1), UNTRAINED),
            False, "interval -0.1 to +0.1", id="not better than the one that was compared",
        ),
        pytest.param(
            report(UNTRAINED), None,
            "ridge: it can't be trained: no", id="nothing to compare with",
        ),
    ],
)  # fmt: skip
def test_a_model_is_worth_its_cost_where_it_beats_the_best_simple_one(
    told: dict[str, Any], held: bool | None, text: str
) -> None:
    found, said = judged_simple(told)
    assert found is held
    assert text in said


SLICES = [{"column": "city", "value": "Bern", "n": 50, "metric": 0.7, "low": 0.6, "high": 0.76}]


@pytest.mark.parametrize(
    "limit, higher, count",
    [
        pytest.param(None, True, 0, id="nothing declared"),
        pytest.param(0.03, True, 1, id="surely further below"),
        pytest.param(0.05, True, 0, id="perhaps further below"),
        pytest.param(0.03, False, 0, id="less is better"),
    ],
)
def test_a_slice_is_too_low_where_its_whole_interval_is(limit: float | None, higher: bool, count: int) -> None:
    assert len(below(report(slices=SLICES, higher=higher), limit)) == count


def test_an_error_is_too_high_where_its_whole_interval_is() -> None:
    slices = [{**SLICES[0], "metric": 1.0, "low": 0.9, "high": 1.1}]
    assert below(report(slices=slices, higher=False), 0.05) == slices
    assert below(report(slices=slices, higher=False), 0.15) == []


def scores(low: float, high: float, **threshold: Any) -> dict[str, Any]:
    found = {"rows": 100, "classes": 2, "of": "1", "brier": 0.1, "bins": [], "error": (low + high) / 2}
    more = {"threshold": {"threshold": 0.4, "rows": 100, "between": [0.38, 0.42], **threshold}} if threshold else {}
    return {"rows": 100, "held_out": 100, "calibration": {**found, "low": low, "high": high}, **more}


NO_SCORES = {"rows": 100, "held_out": 100, "calibration": {"reason": "the model gives no probabilities"}}


@pytest.mark.parametrize(
    "told, uses, held, against",
    [
        pytest.param(scores(0.0, 0.09), True, True, None, id="calibrated"),
        pytest.param(scores(0.12, 0.2), True, False, "decision.uses_probability = true", id="uncalibrated"),
        pytest.param(scores(0.05, 0.2), True, None, None, id="too few rows to tell"),
        pytest.param(scores(0.12, 0.2), None, True, None, id="uncalibrated, and nobody reads it so"),
        pytest.param(scores(0.0, 0.05, differing=0), None, True, None, id="decides where it is declared"),
        pytest.param(scores(0.0, 0.05, differing=3), True, False, "decision.threshold = 0.4", id="decides elsewhere"),
        pytest.param(scores(0.0, 0.05, reason="no scores"), True, None, None, id="where it decides can't be told"),
        pytest.param(
            scores(0.0, 0.05, differing=None, classes=3), True, False, "decision.threshold = 0.4", id="three classes"
        ),
        pytest.param(NO_SCORES, True, False, "decision.uses_probability = true", id="no probabilities to read"),
        pytest.param(NO_SCORES, None, None, None, id="no probabilities"),
    ],
)
def test_scores_are_held_to_what_is_declared_of_them(
    told: dict[str, Any], uses: bool | None, held: bool | None, against: str | None
) -> None:
    assert judged_scores(told, uses_probability=uses)[::2] == (held, against)


ERRORS = {"of": "1", "rows": 100, "positives": 20, "missed": 5, "false_alarm": 10}
COSTS = {"missed": 10.0, "false_alarm": 1.0}


def measured(*values: float, errors: Any = ERRORS) -> dict[str, Any]:
    """A report on a model whose metric, `saved`, has these values on sets of 100 rows, 101, and so on."""
    sets = [{"rows": 100 + n, "metrics": {"saved": value, "undefined": None}} for n, value in enumerate(values)]
    return {"sets": sets, "errors": errors}


@pytest.mark.parametrize(
    "told, logged, success, held, text",
    [
        pytest.param(
            measured(0.8), {"saved": 0.8 + 1e-12}, Success(metric="saved"), True,
            "computed again on 100 rows held out, it is the same", id="the same",
        ),
        pytest.param(
            measured(0.7, 0.8), {"saved": 0.8}, Success(metric="saved"), True,
            "computed again on 101 rows held out, it is the same", id="another set gives it",
        ),
        pytest.param(
            measured(0.7, 0.6), {"saved": 0.8}, Success(metric="saved"), False,
            "computed again, saved is 0.7 on 100 rows held out and 0.6 on 101 rows held out, and the run logged 0.8: "
            "of other rows, or otherwise", id="no set gives it",
        ),
        pytest.param(
            measured(0.8), {"other": 0.8}, Success(metric="saved"), None, "the run gives no saved", id="not logged",
        ),
        pytest.param(
            measured(0.8), {"undefined": 0.8}, Success(metric="undefined"), None,
            "the evaluation of the package gives no undefined", id="the package gives no value",
        ),
        pytest.param(measured(0.8), {"saved": 0.8}, Success(), None, "success.metric is not declared", id="no metric"),
        pytest.param(
            measured(0.8), {"saved": 0.8}, Success(metric="saved", costs=COSTS), True,
            "its errors (5 missed, 10 false alarms of class 1) cost 60, and 80 with yes to all", id="what errors cost",
        ),
        pytest.param(
            measured(-0.6), {"saved": -0.6}, Success(metric="saved", costs=COSTS), True,
            "cost 60, which is this metric, and 80 with yes to all", id="the metric is the cost of a row",
        ),
        pytest.param(
            measured(0.8), {"saved": 0.8}, Success(metric="saved", costs={"missed": 1.0, "false_alarm": 5.0}), True,
            "cost 55, and 20 with no to all, which is less", id="no decision would cost less",
        ),
        pytest.param(
            measured(0.8, errors={"reason": "there are three"}), {"saved": 0.8},
            Success(metric="saved", costs=COSTS), True,
            "what errors cost can't be told: there are three", id="errors can't be told apart",
        ),
    ],
)  # fmt: skip
def test_the_metric_that_decides_is_computed_again(
    told: dict[str, Any], logged: dict[str, float], success: Success, held: bool | None, text: str
) -> None:
    found, said, against = judged_metric(told, logged, success)
    assert (found, said.endswith(text)) == (held, True), said
    assert against == ("success.metric = saved" if held is False else None)


ROWS = 1500
CELLS = {
    "data": 'import pandas as pd\ndf = pd.read_csv("rows.csv")',
    "features": 'df["tenure"] = df["tenure"].fillna(df["tenure"].median())\ndf = pd.get_dummies(df, columns=["city"])',
    "train": (
        "from sklearn.ensemble import GradientBoostingClassifier\n"
        "from sklearn.model_selection import train_test_split\n"
        'X, y = df.drop(columns="left"), df["left"]\n'
        "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0)\n"
        "model = GradientBoostingClassifier(n_estimators=TREES, random_state=0)\nmodel.fit(X_train, y_train)"
    ),
    "evaluate": (
        "from sklearn.metrics import accuracy_score, roc_auc_score\n"
        "accuracy = accuracy_score(y_test, model.predict(X_test))\n"
        "auc = roc_auc_score(y_test, model.predict_proba(X_test)[:, 1])"
    ),
}


def rows(*, worth: bool) -> pd.DataFrame:
    """Rows of which trees learn who has left, or nobody does; one of them is from a town that no other is from."""
    random = np.random.default_rng(2)
    tenure, visits = random.uniform(18, 80, ROWS), random.integers(0, 9, ROWS)
    left = (np.abs(tenure - 50) < 12) ^ (random.random(ROWS) < 0.1) if worth else random.random(ROWS) < 0.5
    frame = pd.DataFrame(
        {"tenure": tenure, "visits": visits, "city": random.choice(["Bern", "Chur"], ROWS), "left": left * 1}
    )
    frame.loc[random.random(ROWS) < 0.1, "tenure"] = np.nan
    frame.loc[0, "city"] = "Genf"
    return frame


def ran(folder: Path, *, worth: bool) -> Path:
    """A project whose notebook was run, fitted and proven."""
    rows(worth=worth).to_csv(folder / "rows.csv", index=False)
    texts = {role: source.replace("TREES", "40" if worth else "400") for role, source in CELLS.items()}
    cells = [nbformat.v4.new_code_cell(source, id=role, metadata={"tags": [role]}) for role, source in texts.items()]
    (folder / "churn.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert api.run_notebook("churn.ipynb", model="model")["verify"]["status"] == "proven"
    return folder


@pytest.fixture(scope="module")
def worth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is worth its cost."""
    return ran(tmp_path_factory.mktemp("worth"), worth=True)


@pytest.fixture(scope="module")
def worthless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of what nobody can know."""
    return ran(tmp_path_factory.mktemp("worthless"), worth=False)


ITEMS = ("SU-1", "SU-2", "SU-3", "SU-4")
STATED = {
    "success.decision": '"whom to call"', "success.metric": '"auc"', "success.target": "0.5",
    "success.costs": "{missed = 9, false_alarm = 1}", "slices": '["visits"]', "decision.uses_probability": "true",
}  # fmt: skip


@pytest.fixture
def gathered(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is told of the items of a project, after evidence was made with these declarations."""
    monkeypatch.setattr(model, "RESAMPLES", 100)

    def made(folder: Path, stated: dict[str, str]) -> dict[str, dict[str, Any]]:
        lines = [f"{key} = {value}" for key, value in stated.items()]
        text = "\n".join(["[pipelines.churn]", 'notebook = "churn.ipynb"', *lines])
        (folder / "nbprod.toml").write_text(f"{text}\n")
        monkeypatch.chdir(folder)
        api.gather("churn.ipynb", items=ITEMS)
        told = json.loads(json.dumps(api.readiness_report("churn.ipynb")))
        return {each["id"]: each for each in told["items"] if each["id"] in ITEMS}

    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    "stated, states, said",
    [
        pytest.param(
            STATED, ["proved", "proved", "proved", "proved"],
            [("SU-1", "computed again on 600 rows held out, it is the same; its errors ("),
             ("SU-2", "improvement on the logistic regression +"), ("SU-3", "lowest of 9 slices: visits = ")],
            id="worth its cost",
        ),
        pytest.param(
            {**STATED, "slices": '["city"]'}, ["proved", "proved", "contradicted", "proved"],
            [("SU-3", "no metric of city = Genf: none of the rows held out")], id="a slice without rows",
        ),
        pytest.param(
            {**STATED, "success.metric": '"gain"', "success.max_slice_drop": "0.001"},
            ["contradicted", "proved", "proved", "proved"],
            [("SU-2", "the notebook's evaluation gives no gain, so by its first metric: accuracy 0."),
             ("SU-3", "so by its first metric: accuracy 0.")],
            id="a metric that the notebook does not have",
        ),
        pytest.param(
            {**STATED, "decision.threshold": "0.2"}, ["proved", "proved", "proved", "contradicted"],
            [("SU-4", "the model decides otherwise than at 0.2 in ")], id="a threshold that differs",
        ),
        pytest.param(
            {**STATED, "decision.threshold": "0.5"}, ["proved", "proved", "proved", "proved"],
            [("SU-4", "it decides at 0.5 in all of ")], id="the threshold that it has",
        ),
    ],
)  # fmt: skip
def test_what_a_model_is_worth_is_told_from_a_run(
    worth: Path, gathered: Any, stated: dict[str, str], states: list[str], said: list[tuple[str, str]]
) -> None:
    told = gathered(worth, stated)
    assert [told[item]["state"] for item in ITEMS] == states, told
    for item, text in said:
        assert text in told[item]["evidence"]
    numbers = told["SU-2"]["numbers"]
    assert [each["name"] for each in numbers["baselines"]] == ["most frequent class", "logistic regression"]
    assert [each["feature"] for each in numbers["groups"]] == ["tenure", "visits", "city_*"]
    assert max(numbers["groups"], key=lambda each: each["lost"])["feature"] == "tenure"
    assert told["SU-4"]["numbers"]["calibration"]["rows"] == numbers["rows"] == ROWS * 0.4


@pytest.mark.slow
def test_a_model_that_beats_nothing_and_whose_scores_mislead_is_found_out(worthless: Path, gathered: Any) -> None:
    told = gathered(worthless, {**STATED, "decision.threshold": "0.5"})
    assert told["SU-2"]["state"] == told["SU-4"]["state"] == "contradicted"
    assert told["SU-4"]["contradicts"] == "decision.uses_probability = true"
    assert "0.1 is the most for a probability" in told["SU-4"]["evidence"]
    best = max(told["SU-2"]["numbers"]["baselines"], key=lambda each: each["value"])
    assert best["improvement"]["low"] <= 0


@pytest.mark.slow
def test_evidence_of_the_model_goes_stale_with_what_is_declared(worth: Path, gathered: Any) -> None:
    gathered(worth, STATED)
    path = worth / "nbprod.toml"
    path.write_text(path.read_text() + "success.max_slice_drop = 0.2\n")
    told = {each["id"]: each for each in api.readiness_report("churn.ipynb")["items"]}
    assert [told[item]["state"] for item in ITEMS] == ["stale", "stale", "stale", "proved"]
