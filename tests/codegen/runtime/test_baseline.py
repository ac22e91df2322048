"""What a fit writes of its training rows for those who watch the served ones: counts, and no row."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbprod.codegen.runtime.baseline import columns_of, prediction_of, predictions, rows_to_predict
from nbprod.codegen.runtime.contract import Contract
from nbprod.codegen.runtime.observing import observe, records_of
from nbprod.codegen.runtime.sketch import Sketch, read_baseline
from tests.codegen.runtime.sample import assemble, frame


def column_of(values: Any) -> dict[str, Any]:
    """The baseline of one column."""
    rows = pd.DataFrame({"x": values})
    contract = Contract.from_parts({"columns": [{"name": "x"}]}, observe(rows))
    (column,) = columns_of(contract, rows)
    return column


def told(column: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in column.items() if key != "name" and value not in (0, None)}


@pytest.mark.parametrize(
    "values, expected",
    [
        pytest.param(
            [1, 1, 3], {"kind": "number", "edges": [1, 3, 3], "counts": [2, 1], "total": 5}, id="few whole numbers"
        ),
        pytest.param([2.5] * 4, {"kind": "number", "edges": [2.5, 2.5], "counts": [4], "total": 10}, id="a constant"),
        pytest.param(
            [0.5, np.nan, np.inf, -np.inf],
            {"kind": "number", "edges": [0.5, 0.5], "counts": [1], "above": 1, "below": 1, "missing": 1, "total": 0.5},
            id="gaps and infinities",
        ),
        pytest.param([np.nan] * 3, {"kind": "any", "counts": [0], "missing": 3}, id="a column of gaps"),
        pytest.param(
            [True, True, True], {"kind": "choice", "values": [False, True], "counts": [0, 3]}, id="true alone"
        ),
        pytest.param(
            ["b", "a", None, "b"],
            {"kind": "choice", "values": ["a", "b"], "counts": [1, 2], "missing": 1},
            id="few texts, in order",
        ),
        pytest.param(
            [*(f"name {n}" for n in range(60)), "", None],
            {"kind": "text", "counts": [60], "empty": 1, "missing": 1},
            id="names are not kept",
        ),
        pytest.param(
            pd.to_datetime(["2024-01-01", "2024-01-02", None]),
            {"kind": "date", "edges": [738886, 738887, 738887], "counts": [1, 1], "missing": 1, "total": 1477773},
            id="dates by their day",
        ),
        pytest.param(
            pd.Categorical(["x", "x"], categories=["x", "y"]),
            {"kind": "choice", "values": ["x", "y"], "counts": [2, 0]},
            id="a category that no row has",
        ),
    ],
)
def test_a_column_becomes_counts(values: Any, expected: dict[str, Any]) -> None:
    assert told(column_of(values)) == expected


@pytest.mark.parametrize("draw", ["normal", "lognormal", "standard_cauchy", "integers"])
def test_bins_hold_about_equal_shares_and_all_rows(draw: str) -> None:
    random = np.random.default_rng(0)
    values = random.integers(0, 10_000, 3000) if draw == "integers" else getattr(random, draw)(size=3000)
    column = column_of(values)

    assert sum(column["counts"]) == 3000
    assert len(column["counts"]) == 20
    assert max(column["counts"]) <= 0.06 * 3000
    assert (column["edges"][0], column["edges"][-1]) == (values.min(), values.max())


def test_a_value_of_many_rows_has_a_bin_of_its_own() -> None:
    values = np.concatenate([np.zeros(700), np.random.default_rng(0).exponential(10, 300)])
    column = column_of(values)

    assert column["edges"][0] == 0
    assert column["counts"][0] == 700
    assert len(column["counts"]) > 5


@pytest.mark.parametrize(
    "answers, task, kind",
    [
        pytest.param(np.array([0, 1, 1]), "classification", "choice", id="classes"),
        pytest.param(np.array(["a", "b"], dtype=object), "classification", "choice", id="named classes"),
        pytest.param(np.linspace(0, 1, 500), "regression", "number", id="numbers"),
        pytest.param(np.zeros((4, 2)), "regression", "any", id="several outputs"),
    ],
)
def test_predictions_are_counted_by_what_they_are(answers: Any, task: str, kind: str) -> None:
    column = prediction_of(answers, task)
    assert column["kind"] == kind
    assert sum(column["counts"]) + column["missing"] == len(answers)


def to_predict(trained: Any, rows: pd.DataFrame, dropped: tuple[Any, ...] = ()) -> tuple[list[int], bool]:
    features = SimpleNamespace(trained_=trained, together=False)
    pipeline = SimpleNamespace(features=features, contract=Contract(rows=len(rows), dropped=dropped))
    places, held_out = rows_to_predict(pipeline, rows)
    return places.tolist(), held_out


def test_the_rows_that_the_notebook_held_out_are_predicted() -> None:
    rows = pd.DataFrame({"x": np.arange(1000.0)})

    assert to_predict(np.arange(0, 800), rows) == ([*range(800, 1000)], True)
    assert to_predict(np.arange(0, 950), rows) == ([*range(1000)], False), "too few were held out"
    assert to_predict(None, rows) == ([*range(1000)], False), "which were trained is not told"


def test_rows_that_training_dropped_are_among_them_in_the_share_that_they_have_of_all() -> None:
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"price": random.uniform(0, 100, 1000), "kind": random.choice(["a", "b"], 1000)})
    rows.loc[::10, "price"] = 500.0
    ordinary = np.flatnonzero(rows["price"] < 500)
    trained = ordinary[np.isin(ordinary % 4, [0, 1, 2])]

    places, held_out = to_predict(trained, rows, ({"predicate": "rows[rows.price < 500]"},))

    assert held_out
    assert not {*places} & {*trained.tolist()}
    assert (rows["price"].iloc[places] == 500).mean() == pytest.approx(0.1, abs=0.01)


def test_the_last_bits_of_predictions_do_not_move_their_bins() -> None:
    answers = np.random.default_rng(0).normal(1e5, 3e4, 4000)
    moved = np.nextafter(answers, np.inf)
    assert prediction_of(answers, "regression") == prediction_of(moved, "regression")


@pytest.mark.parametrize(
    "stated, expected",
    [
        pytest.param({}, [0, 0, 1, 1], id="no range of doubt"),
        pytest.param({"unsure": [0.3, 0.7], "when_unsure": "flag"}, [0, 0, 1, 1], id="doubts are marked"),
        pytest.param({"unsure": [0.3, 0.7], "when_unsure": "abstain"}, [0, None, None, 1], id="answers are withheld"),
        pytest.param({"unsure": [0.95, 1.0], "when_unsure": "abstain"}, [0, 0, 1, 1], id="the model is sure"),
    ],
)
def test_an_answer_that_the_contract_withholds_is_none(stated: dict[str, Any], expected: list[Any]) -> None:
    rows = pd.DataFrame({"x": [0.1, 0.4, 0.6, 0.9]})
    pipeline = SimpleNamespace(
        contract=Contract.from_parts({"columns": [{"name": "x"}], **stated}, observe(rows)),
        features=SimpleNamespace(together=False),
        predict=lambda part: (part["x"] > 0.5).astype(int).to_numpy(),
        predict_proba=lambda part: np.column_stack([1 - part["x"], part["x"]]),
    )

    answers, at = predictions(pipeline, rows)

    assert (answers.tolist(), at.tolist()) == (expected, [0, 1, 2, 3])
    assert prediction_of(answers, "classification")["missing"] == expected.count(None)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A fitted package, as (pipeline, folder of its version)."""
    root = tmp_path_factory.mktemp("watched")
    folder = assemble(root, "watched")
    sys.path.insert(0, str(root))
    try:
        import watched  # type: ignore[import-not-found]

        pipeline = watched.train(frame())
        pipeline.save(frame=frame())
        yield pipeline, folder
    finally:
        sys.path.remove(str(root))


def test_a_fit_writes_the_columns_that_a_record_must_have(fitted: tuple[Any, Path]) -> None:
    pipeline, folder = fitted
    baseline = read_baseline(folder)

    assert baseline is not None
    assert [column["name"] for column in baseline["columns"]] == list(pipeline.contract.required)
    assert baseline["rows"] == 300
    assert "baseline.json" in json.loads((folder / "state/fitted.json").read_text())["files"]


def test_training_rows_counted_by_a_sketch_are_the_baseline(fitted: tuple[Any, Path]) -> None:
    baseline = read_baseline(fitted[1])
    assert baseline is not None
    sketch = Sketch(baseline)
    for record in records_of(frame()):
        sketch.add(record)

    counted = sketch.counts()
    sums = [column.pop("total", None) for column in counted["columns"]]
    assert sums == pytest.approx([column.pop("total", None) for column in baseline["columns"]])
    assert counted["columns"] == baseline["columns"]


def test_predictions_and_quality_are_those_that_the_pipeline_gives(fitted: tuple[Any, Path]) -> None:
    """`houses` holds out 60 rows, which are too few: all of them are predicted."""
    pipeline, folder = fitted
    baseline = read_baseline(folder)
    assert baseline is not None
    answers, truth = pipeline.predict(frame()), frame()["price"].to_numpy()

    assert len(pipeline.features.trained_) == 240
    assert baseline["predicted"] == "all"
    assert sum(baseline["prediction"]["counts"]) == 300
    assert baseline["quality"]["value"] == pytest.approx(np.sqrt(np.mean((answers - truth) ** 2)), rel=1e-5)


def test_the_same_rows_give_the_same_file_and_no_rows_none(fitted: tuple[Any, Path], tmp_path: Path) -> None:
    pipeline, folder = fitted
    pipeline.save(tmp_path / "again", frame())
    pipeline.save(tmp_path / "without")

    assert (tmp_path / "again/state/baseline.json").read_bytes() == (folder / "state/baseline.json").read_bytes()
    assert read_baseline(tmp_path / "without") is None


def test_no_row_can_be_read_from_it(fitted: tuple[Any, Path]) -> None:
    text = (fitted[1] / "state/baseline.json").read_text()
    assert "street" in text
    assert "note" not in json.loads(text)["columns"]
    assert not any(f'"{note}"' in text for note in frame()["note"])
