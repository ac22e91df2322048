"""What alerts: faults planted in real rows, and no fault at all; benchmarks/drift.py measures the same at length."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbprod.codegen.runtime.baseline import columns_of, prediction_of
from nbprod.codegen.runtime.contract import Contract
from nbprod.codegen.runtime.observing import observe, records_of
from nbprod.codegen.runtime.sketch import Sketch
from nbprod.config import Monitoring, PipelineConfig, Requirements, Success
from nbprod.model.signal import Signal
from nbprod.monitoring import Seen, compare
from nbprod.monitoring.units import unit_hint

EXAMPLES = Path(__file__).parents[2] / "examples"
TITANIC = pd.read_csv(EXAMPLES / "titanic/data/train.csv").drop(columns="Survived")
HOUSING = pd.read_csv(EXAMPLES / "housing/data/housing.csv").drop(columns="median_house_value")
TRIALS = 8
FAULTY_TRIALS = 3


def baseline_of(rows: pd.DataFrame, answers: Any = None) -> dict[str, Any]:
    contract = Contract.from_parts({"columns": [{"name": str(each)} for each in rows.columns]}, observe(rows))
    prediction = None if answers is None else prediction_of(answers, "regression")
    return {"rows": len(rows), "columns": columns_of(contract, rows), "prediction": prediction}


def counts_of(baseline: dict[str, Any], rows: pd.DataFrame) -> dict[str, Any]:
    sketch = Sketch(baseline)
    for record in records_of(rows):
        sketch.add(record)
    return sketch.counts()


def looked_at(
    baseline: dict[str, Any], rows: pd.DataFrame, settings: PipelineConfig | None = None
) -> tuple[Signal, ...]:
    return compare(baseline, Seen(counts_of(baseline, rows)), settings or PipelineConfig())


def alerts(signals: tuple[Signal, ...]) -> set[tuple[str, str]]:
    return {(signal.feature, signal.what) for signal in signals if signal.alert}


def halves(table: pd.DataFrame, trial: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    order = np.random.default_rng([3, trial]).permutation(len(table))
    return table.iloc[order[: len(table) // 2]], table.iloc[order[len(table) // 2 :]]


@pytest.mark.parametrize("table", [pytest.param(TITANIC, id="titanic"), pytest.param(HOUSING, id="housing")])
def test_rows_that_were_held_back_from_training_do_not_alert(table: pd.DataFrame) -> None:
    found = []
    for trial in range(TRIALS):
        training, held_back = halves(table, trial)
        found += sorted(alerts(looked_at(baseline_of(training), held_back.iloc[:1000])))
    assert len(found) <= 1, found


def replaced(column: str, change: Callable[[pd.Series], Any]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda rows: rows.assign(**{column: change(rows[column])})


def every(nth: int, value: Any) -> Callable[[pd.Series], Any]:
    return lambda column: column.mask(np.arange(len(column)) % nth == 0, value)


@pytest.mark.parametrize(
    "fault, feature, what",
    [
        pytest.param(
            replaced("median_income", lambda each: each + 0.5 * each.std()),
            "median_income",
            "drift",
            id="the mean moved by half a standard deviation",
        ),
        pytest.param(
            replaced("ocean_proximity", every(20, "RIVERSIDE")), "ocean_proximity", "unseen", id="a new category"
        ),
        pytest.param(replaced("population", every(10, np.nan)), "population", "missing", id="a tenth is missing"),
        pytest.param(replaced("total_rooms", lambda each: each * 1000), "total_rooms", "range", id="another unit"),
        pytest.param(replaced("households", lambda each: each * 0 + 300), "households", "dead", id="one value"),
        pytest.param(
            replaced("population", lambda each: every(10, "many")(each.astype(object))),
            "population",
            "type",
            id="text among numbers",
        ),
    ],
)
def test_a_planted_fault_is_found_and_only_there(
    fault: Callable[[pd.DataFrame], pd.DataFrame], feature: str, what: str
) -> None:
    for trial in range(FAULTY_TRIALS):
        training, held_back = halves(HOUSING, trial)
        found = alerts(looked_at(baseline_of(training), fault(held_back.iloc[:1000])))
        assert (feature, what) in found, trial
        assert {each for each, _ in found} == {feature}, trial


def test_a_small_move_is_not_told_of_few_rows_but_of_many() -> None:
    random = np.random.default_rng(0)
    baseline = baseline_of(pd.DataFrame({"x": random.normal(size=20_000)}))
    found = [bool(alerts(looked_at(baseline, pd.DataFrame({"x": random.normal(0.3, 1, n)})))) for n in (50, 5000)]
    assert found == [False, True]


def test_the_declared_effect_decides_what_is_too_little_to_tell() -> None:
    random = np.random.default_rng(0)
    baseline = baseline_of(pd.DataFrame({"x": random.normal(size=20_000), "y": random.normal(size=20_000)}))
    rows = pd.DataFrame({"x": random.normal(0.3, 1, 5000), "y": random.normal(0.3, 1, 5000)})
    wide = Monitoring(drift=0.3, divergence=0.3)

    assert alerts(looked_at(baseline, rows)) == {("x", "drift"), ("y", "drift")}
    assert alerts(looked_at(baseline, rows, PipelineConfig(monitoring=wide))) == set()
    only = PipelineConfig(monitoring=Monitoring(thresholds={"x": 0.5}))
    assert alerts(looked_at(baseline, rows, only)) == {("y", "drift")}


def test_rare_categories_come_and_go_without_an_alert() -> None:
    random = np.random.default_rng(0)
    names = [f"city {number}" for number in range(150)]
    shares = 1 / np.arange(1, 151) / (1 / np.arange(1, 151)).sum()
    found = []
    for _ in range(TRIALS):
        training, served = (pd.DataFrame({"city": random.choice(names, n, p=shares)}) for n in (600, 400))
        found += sorted(alerts(looked_at(baseline_of(training), served)))
    assert found == []


def test_predictions_that_move_are_named_as_such() -> None:
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"x": random.normal(size=2000)})
    baseline = baseline_of(rows, random.normal(size=2000))
    sketch = Sketch(baseline)
    for value, answer in zip(random.normal(size=1000), random.normal(1, 1, 1000), strict=True):
        sketch.add({"x": float(value)}, float(answer))
    assert alerts(compare(baseline, Seen(sketch.counts()), PipelineConfig())) == {("prediction", "drift")}


SERVICE = PipelineConfig(requirements=Requirements(latency_ms=20, volume_rps=50))


@pytest.mark.parametrize(
    "seen, expected",
    [
        pytest.param({"latency_ms": 12.0, "slow": 3, "timed": 1000}, set(), id="99 of 100 are fast enough"),
        pytest.param({"latency_ms": 80.0, "slow": 60, "timed": 1000}, {("service", "latency")}, id="6 of 100 are slow"),
        pytest.param({"latency_ms": 80.0, "slow": 1, "timed": 20}, set(), id="one slow answer of twenty may be chance"),
        pytest.param({"peak_rps": 49.0, "timed": 9}, set(), id="as many requests as declared"),
        pytest.param({"peak_rps": 51.0, "timed": 9}, {("service", "volume")}, id="more requests than declared"),
        pytest.param({"answered": 90, "unanswered": 10}, {("prediction", "unanswered")}, id="a tenth has no answer"),
        pytest.param({"answered": 100, "unanswered": 1}, set(), id="one row has no answer"),
    ],
)
def test_the_service_is_held_to_what_is_declared(seen: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    baseline = {"rows": 100, "columns": [], "prediction": None}
    counts = {"rows": 100, "columns": [], "prediction": None}
    assert alerts(compare(baseline, Seen(counts, **seen), SERVICE)) == expected


def quality(metric: str, value: float, rows: int, error: float) -> dict[str, Any]:
    return {"metric": metric, "value": value, "rows": rows, "error": error, "low": value - error, "high": value + error}


HELD_OUT = {"predicted": "held-out", "quality": {"metric": "accuracy", "value": 0.83, "rows": 500}}
NONE_HELD_OUT = {**HELD_OUT, "predicted": "all"}
DECLARED = PipelineConfig(success=Success(metric="rmse", target=10.0))


@pytest.mark.parametrize(
    "known, now, settings, expected",
    [
        pytest.param(HELD_OUT, quality("accuracy", 0.81, 1000, 0.012), PipelineConfig(), [False], id="a little worse"),
        pytest.param(HELD_OUT, quality("accuracy", 0.6, 1000, 0.015), PipelineConfig(), [True], id="much worse"),
        pytest.param(HELD_OUT, quality("accuracy", 0.6, 20, 0.11), PipelineConfig(), [False], id="worse on few rows"),
        pytest.param(NONE_HELD_OUT, quality("accuracy", 0.6, 1000, 0.015), PipelineConfig(), [], id="none held out"),
        pytest.param({}, quality("rmse", 9.0, 500, 0.3), DECLARED, [False], id="better than declared"),
        pytest.param({}, quality("rmse", 13.0, 500, 0.3), DECLARED, [True], id="worse than declared"),
    ],
)  # fmt: skip
def test_a_metric_alerts_beyond_its_error_and_the_declared_loss(
    known: dict[str, Any], now: dict[str, Any], settings: PipelineConfig, expected: list[bool]
) -> None:
    empty = {"rows": 500, "columns": [], "prediction": None}
    signals = compare({**empty, **known}, Seen(empty, quality=now), settings)
    assert [signal.alert for signal in signals if signal.what == "quality"] == expected


@pytest.mark.parametrize(
    "factor, said",
    [
        pytest.param(1000, "1,000 times", id="grams for kilograms"),
        pytest.param(1 / 100, "1/100 of", id="metres for centimetres"),
        pytest.param(12, "12 times", id="months for years"),
        pytest.param(1.3, None, id="no known unit"),
    ],
)
def test_a_known_multiple_of_the_mean_asks_for_the_unit(factor: float, said: str | None) -> None:
    rows = pd.DataFrame({"x": np.random.default_rng(0).lognormal(3, 0.5, 1000)})
    baseline = baseline_of(rows)
    hint = unit_hint(baseline["columns"][0], counts_of(baseline, rows * factor)["columns"][0])
    assert (hint is None) if said is None else (said in (hint or ""))
