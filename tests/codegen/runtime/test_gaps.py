"""Missing values where training had none: one verdict over HTTP, for one record, for a frame and for a file."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nbprod.codegen.runtime.gaps import with_handled

SAMPLE = Path(__file__).with_name("sample.py")
FILLED = ["age", "rooms", "garden", "street"]
LEFT = ["heating", "sold"]


def load_sample() -> Any:
    spec = importlib.util.spec_from_file_location("runtime_sample_of_gaps", SAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


sample = load_sample()


@pytest.fixture(scope="module", params=["flag", "reject", "default"])
def pipeline(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    root = tmp_path_factory.mktemp("gaps")
    name = f"gaps_{request.param}"
    sample.assemble(root, name, request.param)
    sys.path.insert(0, str(root))
    package = importlib.import_module(name)
    package.train(sample.frame()).save()
    yield package.load()
    sys.path.remove(str(root))
    for loaded in [key for key in sys.modules if key.partition(".")[0] == name]:
        del sys.modules[loaded]


def verdict(ask: Any) -> Any:
    """The predictions, or the kind of the first fault."""
    try:
        found = ask()
    except ValueError as error:
        return [(fault.field, fault.kind) for fault in getattr(error, "faults", ())][:1] or str(error)
    return np.asarray(found).tolist()


def scored(pipeline: Any, rows: pd.DataFrame, folder: Path) -> Any:
    """What `score` makes of the rows, in the words of `verdict`."""
    module = importlib.import_module(f"{type(pipeline).__module__.rpartition('.')[0]}.score")
    rows.to_csv(folder / "in.csv", index=False)
    try:
        module.score_file(pipeline, folder / "in.csv", folder / "out.csv")
    except module.ScoreError as error:
        row, field, _ = str(error).split(": ")
        return [(field, "null")] if row == "row 1" else str(error)
    return pd.read_csv(folder / "out.csv")["prediction"].tolist()


@pytest.mark.parametrize("name", [*FILLED, *LEFT])
def test_every_way_in_has_the_same_verdict(pipeline: Any, name: str, tmp_path: Path) -> None:
    rows = sample.frame().drop(columns="price").iloc[[5]]
    given = {key: None if pd.isna(value) else value for key, value in rows.iloc[0].items()} | {name: None}
    given = {key: value.item() if hasattr(value, "item") else value for key, value in given.items()}
    emptied = rows.assign(**{name: None})
    policy = pipeline.contract.policy

    over_http = verdict(lambda: pipeline.answer([given])[0])
    alone = verdict(lambda: [pipeline.predict_one(given)])
    whole = verdict(lambda: pipeline.predict(emptied))
    file = scored(pipeline, emptied, tmp_path)

    if name in LEFT:
        assert over_http == alone == whole == file == [(name, "null")]
        return
    # The row policy is about what the service and `score` do with rows outside of what training saw.
    assert alone == whole == [pytest.approx(pipeline.predict(emptied)[0])]
    assert over_http == file == {"flag": alone, "reject": [(name, "null")], "default": [0.0]}[policy]


def test_the_contract_says_which_columns_are_filled(pipeline: Any) -> None:
    columns = {column.name: column for column in pipeline.contract.columns}
    schema = pipeline.contract.json_schema()["properties"]

    assert [name for name, column in columns.items() if column.filled] == FILLED
    assert all(columns[name].nullable and columns[name].missing == 0 for name in FILLED)
    assert not any(columns[name].nullable for name in LEFT)
    assert schema["rooms"]["type"] == ["integer", "null"]
    assert schema["heating"]["type"] == "string"


def test_a_filled_value_is_flagged_with_the_reason(pipeline: Any) -> None:
    (fault,) = pipeline.check(sample.frame().iloc[[5]].assign(rooms=None))

    assert (fault.field, fault.kind) == ("rooms", "null")
    assert fault.message == "training has no missing value in this column; the notebook's code fills it"


def test_a_state_of_an_earlier_release_refuses_as_it_did(pipeline: Any) -> None:
    contract = type(pipeline.contract)
    seen = {"name": "a", "dtype": "int64", "kind": "integer", "nullable": False, "missing": 0.0}
    old = contract.from_parts({"columns": [{"name": "a"}]}, {"columns": [seen]})

    assert [(fault.kind, fault.severity) for fault in old.validate([{"a": None}])] == [("null", "error")]


FRAME = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [4.0, 3.0, 2.0, 1.0]})
TARGET = [1.0, 2.0, 3.0, 4.0]


def observed(make: Any, model: Any) -> list[bool]:
    """Which of the columns `a` and `b` come out as filled, where `make` prepares the matrix."""
    features = SimpleNamespace(
        schema_=SimpleNamespace(template=FRAME.iloc[:1]),
        anchors_=FRAME,
        observed_={"columns": [{"name": name, "nullable": False} for name in FRAME]},
        required_columns=lambda: ("a", "b"),
        model_input=lambda frame: make(frame.astype(float)),
    )
    model.fit(make(FRAME), TARGET)
    return [column["filled"] for column in with_handled(features, model)["columns"]]


@pytest.mark.parametrize(
    "make, model, expected",
    [
        pytest.param(lambda d: d, LinearRegression(), [False, False], id="nothing fills"),
        pytest.param(lambda d: d.assign(a=d["a"].fillna(0)), LinearRegression(), [True, False], id="the features fill"),
        pytest.param(
            lambda d: d, make_pipeline(SimpleImputer(), LinearRegression()), [True, True], id="the model's own imputer"
        ),
        pytest.param(
            lambda d: d,
            GridSearchCV(make_pipeline(StandardScaler(), SimpleImputer(), LinearRegression()), {}, cv=2),
            [True, True],
            id="the imputer of a search's best model fills",
        ),
        pytest.param(
            lambda d: d, HistGradientBoostingRegressor(min_samples_leaf=1), [False, False], id="a model that takes NaN"
        ),
        pytest.param(
            lambda d: d[["a"]].assign(big=d["b"] > 2).astype({"big": int}),
            LinearRegression(),
            [False, True],
            id="a comparison has an answer",
        ),
        pytest.param(
            lambda d: d.fillna(0).assign(b=d["b"].fillna("none")), DummyRegressor(), [True, False],
            id="text in the place of a number",
        ),
    ],
)  # fmt: skip
def test_what_counts_as_filled(make: Any, model: Any, expected: list[bool]) -> None:
    assert observed(make, model) == expected
