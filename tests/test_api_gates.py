"""What the gates of a promotion say of plain values: contracts, directions, thresholds, intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from nbprod.api.directions import is_higher_better
from nbprod.api.gates.case import Case
from nbprod.api.gates.champion import no_worse
from nbprod.api.gates.contract import breaking, narrowed
from nbprod.api.gates.thresholds import above_thresholds
from nbprod.api.packages import Target
from nbprod.config import Config, GateConfig, PipelineConfig, Project, Success
from nbprod.model.run import Version

AGE = {"name": "age", "kind": "number", "dtype": "float64", "nullable": True, "min": 1.0, "max": 80.0}
CITY = {"name": "city", "kind": "text", "dtype": "str", "nullable": True, "categories": ["Bern", "Oslo"]}
BEFORE = {"columns": [AGE, CITY], "target": "left", "task": "classification", "classes": [0, 1]}


def columns(*listed: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**BEFORE, "columns": list(listed), **more}


@pytest.mark.parametrize(
    "after, told",
    [
        pytest.param(BEFORE, [], id="the same"),
        pytest.param(columns(AGE), [], id="a column less"),
        pytest.param(columns(AGE, CITY, {**CITY, "name": "zip"}), ["zip is required now"], id="a column more"),
        pytest.param(columns(AGE, CITY, {**CITY, "name": "zip", "required": False}), [], id="an optional column more"),
        pytest.param(
            columns({**AGE, "kind": "text", "dtype": "str"}, CITY),
            ["age was number (float64), and is text (str)"],
            id="another type",
        ),
        pytest.param(
            columns({**AGE, "kind": "integer", "dtype": "int64"}, CITY),
            ["age was number (float64), and is integer (int64)"],
            id="whole numbers only",
        ),
        pytest.param(columns(AGE, {**CITY, "kind": "category"}), [], id="text as a category"),
        pytest.param(columns({**AGE, "nullable": False}, CITY), ["age may not be missing any more"], id="no gaps"),
        pytest.param(
            columns({**AGE, "on_missing": "reject"}, CITY), ["age may not be missing any more"], id="gaps are refused"
        ),
        pytest.param(columns({**AGE, "on_missing": "flag"}, CITY), [], id="gaps are marked"),
        pytest.param({**BEFORE, "target": "paid"}, ["the answer's target was left, and is paid"], id="another target"),
        pytest.param(
            {**BEFORE, "task": "regression", "classes": None},
            ["the answer's task was classification, and is regression"],
            id="another task",
        ),
        pytest.param({**BEFORE, "classes": [0, 1, 2]}, ["answers may be 2, which is new"], id="a class more"),
        pytest.param({**BEFORE, "classes": [0]}, [], id="a class less"),
        pytest.param({**BEFORE, "serves": "batch"}, ["it served rows, and serves batch"], id="batches only"),
        pytest.param({**BEFORE, "strict": True}, ["unknown fields are refused now"], id="strict"),
    ],
)
def test_what_a_caller_would_stumble_over_is_named(after: dict[str, Any], told: list[str]) -> None:
    assert list(breaking(BEFORE, after)) == told


def test_an_integer_column_may_become_a_column_of_numbers() -> None:
    assert list(breaking(columns({**AGE, "kind": "integer"}), columns(AGE))) == []


def test_the_target_is_no_column_that_a_caller_sends() -> None:
    assert list(breaking(BEFORE, columns(AGE, CITY, {**AGE, "name": "left"}))) == []


@pytest.mark.parametrize(
    "after, told",
    [
        pytest.param(BEFORE, [], id="the same"),
        pytest.param(columns({**AGE, "max": 90.0}, CITY), [], id="a longer range"),
        pytest.param(columns({**AGE, "max": 70}, CITY), ["age from 1.0 to 70 (was 1.0 to 80.0)"], id="a shorter range"),
        pytest.param(columns(AGE, {**CITY, "categories": ["Bern"]}), ["city without Oslo"], id="a category less"),
        pytest.param(columns(AGE, {**CITY, "categories": ["Bern", "Oslo", "Rome"]}), [], id="a category more"),
        pytest.param(columns(AGE, {**CITY, "categories": None}), [], id="free text"),
        pytest.param(columns({**AGE, "min": None, "max": None}, CITY), [], id="no range"),
    ],
)
def test_what_training_saw_less_of_is_named(after: dict[str, Any], told: list[str]) -> None:
    assert list(narrowed(BEFORE, after)) == told


EVALUATE = """
from sklearn.metrics import accuracy_score, mean_squared_error as mse, log_loss
import sklearn.metrics as metrics
import numpy as np

def evaluate(pipeline, frame):
    y = pipeline.labels(frame)
    error = mse(y, pipeline.model.predict(frame))
    root = error ** 0.5
    return {
        "accuracy": float(accuracy_score(y, y)),
        "error": float(error),
        "root": float(root),
        "rounded": float(round(np.sqrt(error), 3)),
        "loss": float(log_loss(y, y)),
        "deviance": float(metrics.mean_poisson_deviance(y, y)),
        "turned": float(-error),
        "own": float(cost(y, y)),
        "score": float(pipeline.model.score(frame, y)),
    }
"""


@pytest.mark.parametrize(
    "metric, higher",
    [
        ("accuracy", True), ("error", False), ("root", False), ("rounded", False), ("loss", False),
        ("deviance", False), ("turned", True), ("own", True), ("score", True), ("gone", True),
    ],
)  # fmt: skip
def test_which_way_is_better_is_told_by_the_function_that_computes_it(
    metric: str, higher: bool, tmp_path: Path
) -> None:
    (tmp_path / "evaluate.py").write_text(EVALUATE)
    assert is_higher_better(tmp_path, metric) is higher
    assert is_higher_better(tmp_path, metric, declared=False) is False


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A case whose measurements are given."""
    (tmp_path / "evaluate.py").write_text(EVALUATE)
    monkeypatch.setattr(Case, "folder", tmp_path)

    def made(settings: PipelineConfig, champion: bool = True, **measured: Any) -> Case:
        project = Project(tmp_path, Config(pipelines={"churn": settings}))
        version = Version(2, "d", "2026-01-01T00:00:00Z", "churn.ipynb", None, "first", "state", "run")
        before = replace(version, number=1) if champion else None
        found = Case(Target("churn", tmp_path, project), version, before, lambda _: None)
        found.__dict__.update(measured)
        return found

    return made


@pytest.mark.parametrize(
    "success, outcome, reason",
    [
        pytest.param(Success(), "not-applicable", "no target", id="nothing declared"),
        pytest.param(Success(metric="accuracy"), "not-applicable", "no target", id="a metric alone"),
        pytest.param(Success(metric="accuracy", target=0.8), "passed", "at least 0.8", id="reached"),
        pytest.param(Success(metric="accuracy", target=0.81), "failed", "at least 0.81", id="not reached"),
        pytest.param(Success(metric="accuracy", baseline=0.8), "failed", "above 0.8", id="as good as the baseline"),
        pytest.param(Success(metric="accuracy", baseline=0.7), "passed", "above 0.7", id="better than the baseline"),
        pytest.param(Success(metric="error", target=3), "passed", "at most 3", id="an error below its limit"),
        pytest.param(Success(metric="error", target=1), "failed", "at most 1", id="an error above its limit"),
        pytest.param(Success(thresholds={"accuracy": 0.9}), "failed", "thresholds.accuracy", id="a further limit"),
        pytest.param(Success(metric="recall", target=0.5), "unknown", "there is accuracy, error", id="not measured"),
    ],
)
def test_metrics_are_held_to_the_configuration(success: Success, outcome: str, reason: str, case: Any) -> None:
    gate = above_thresholds(case(PipelineConfig(success=success), metrics={"accuracy": 0.8, "error": 2.0}))
    assert (gate.outcome, gate.blocks) == (outcome, outcome in ("failed", "unknown"))
    assert reason in gate.reason


SIDES = {"candidate": 0.80, "champion": 0.82, "rows": 900, "held_out": 900, "resamples": 1000, "undefined": 0}


@pytest.mark.parametrize(
    "metric, low, high, margin, outcome, reason",
    [
        pytest.param("accuracy", 0.0, 0.0, None, "passed", "margin 0.0082", id="the same answers"),
        pytest.param("accuracy", -0.008, 0.05, None, "passed", "interval -0.008 to +0.05", id="within the margin"),
        pytest.param("accuracy", -0.009, 0.05, None, "failed", "not shown to be no worse", id="not shown"),
        pytest.param("accuracy", -0.05, -0.01, None, "failed", "worse: accuracy", id="worse"),
        pytest.param("accuracy", -0.05, 0.05, 0.05, "passed", "margin 0.05", id="a loss that may be taken"),
        pytest.param("accuracy", -0.001, 0.05, 0.0, "failed", "margin 0", id="no loss may be taken"),
        pytest.param("error", -0.05, 0.008, None, "passed", "interval -0.008 to +0.05", id="an error that is smaller"),
        pytest.param("error", 0.01, 0.05, None, "failed", "worse: error", id="an error that is larger"),
    ],
)
def test_the_interval_of_the_improvement_decides(
    metric: str, low: float, high: float, margin: float | None, outcome: str, reason: str, case: Any
) -> None:
    told = {**SIDES, "metric": metric, "low": low, "high": high, "level": 0.95}
    gate = no_worse(case(PipelineConfig(gate=GateConfig(min_delta=margin)), side_by_side=told, last=None))
    assert (gate.outcome, gate.blocks) == (outcome, outcome == "failed")
    assert reason in gate.reason


def test_what_can_not_be_measured_on_the_champion_stops_the_promotion(case: Any) -> None:
    gate = no_worse(case(PipelineConfig(), side_by_side={"reason": "the champion can't be measured"}, last=object()))
    assert (gate.outcome, gate.blocks) == ("unknown", True)


def test_the_first_champion_is_compared_with_none(case: Any) -> None:
    gate = no_worse(case(PipelineConfig(), champion=False))
    assert (gate.outcome, gate.blocks) == ("not-applicable", False)
