"""Packages for whole batches: features made of the rows around a row, served as the notebook made them."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
import pytest

from nbprod.analysis import analyse
from nbprod.analysis.headers import read_headers
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan
from nbprod.notebook import read_text
from nbprod.plan import Choice, make_plan

CASES = runpy.run_path(str(Path(__file__).parents[1] / "test_cases.py"))
HEAD = """# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
df = pd.read_csv("data.csv", parse_dates=["day"])

# %%
"""
FIT = """

# %%
model = LinearRegression()
model.fit(X, y)
"""


def sales() -> pd.DataFrame:
    """Sales of three shops over thirty days, in no order, with gaps in the price."""
    rng = np.random.default_rng(3)
    days = pd.date_range("2024-01-01", periods=30)
    table = pd.DataFrame([(day, shop) for day in days for shop in "abc"], columns=["day", "shop"])
    table["price"] = np.where(rng.random(len(table)) < 0.1, np.nan, rng.integers(1, 9, len(table)).astype(float))
    table["sales"] = rng.integers(10, 99, len(table)).astype(float)
    return table.sample(frac=1, random_state=1).reset_index(drop=True)


def planned(code: str, folder: Path, *, batch: bool = True) -> tuple[Notebook, FeaturePlan]:
    sales().to_csv(folder / "data.csv", index=False)
    notebook = read_text(HEAD + code + FIT, str(folder / "sales.py"))
    analysis = analyse(notebook, read_headers(analyse(notebook).events, folder))
    return notebook, make_plan(notebook, analysis, Choice(batch=batch))


def package(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """The package's features, fitted on the notebook's table, and the matrix that the notebook made."""
    monkeypatch.chdir(folder)
    notebook, plan = planned(code, folder)
    assert plan.refusals == ()
    assert plan.around
    (matrix, _), _ = CASES["run_notebook"](notebook, plan)
    name = f"sales_{crc32(code.encode())}"
    features = CASES["exported"](plan, notebook, name, folder / "packages", monkeypatch)
    fitted, _ = features.fit_rows(raw_of())
    CASES["assert_same"](fitted, matrix)
    return features, matrix


def raw_of() -> pd.DataFrame:
    return pd.read_csv("data.csv", parse_dates=["day"])


LABELS = 'y = df["sales"]'


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "code",
    [
        pytest.param('df["lag"] = df["price"].shift(1).fillna(0)\nX = df[["lag"]]', id="a lag in the file's order"),
        pytest.param(
            'df = df.sort_values(["shop", "day"])\ndf["lag"] = df.groupby("shop")["sales"].shift(1)\n'
            'df = df.dropna()\nX = df[["lag"]]',
            id="lags of the target by group, sorted",
        ),
        pytest.param(
            'df.sort_values("day", inplace=True, kind="stable")\n'
            'df["mean"] = df["sales"].rolling(3, min_periods=1).mean()\nX = df[["mean"]]',
            id="a moving average, sorted in place",
        ),
        pytest.param(
            'df = df.sort_values(["day", "shop"])\ndf["sum"] = df["sales"].cumsum()\ndf = df.dropna()\nX = df[["sum"]]',
            id="a running sum, rows left out later",
        ),
        pytest.param(
            'df.sort_values("day", inplace=True)\ndf["n"] = df.groupby("shop").cumcount()\ndf = df.sort_index()\n'
            'X = df[["n"]]',
            id="sorted, and sorted back",
        ),
        pytest.param(
            "def prepared(rows):\n"
            '    rows = rows.sort_values(["shop", "day"])\n'
            '    rows["lag"] = rows.groupby("shop")["sales"].shift(1)\n'
            "    return rows.dropna()\n\n\n"
            'df = prepared(df)\nX = df[["lag"]]',
            id="in a function",
        ),
        pytest.param(
            'df["price"] = df["price"].ffill().fillna(df["price"].median())\nX = df[["price"]]',
            id="gaps filled from the row before, then learned",
        ),
        pytest.param(
            'df = df.sort_index()\ndf["step"] = df["sales"].diff().fillna(0)\ndf["n"] = df.groupby("shop").cumcount()\n'
            'X = df[["step", "n"]]',
            id="differences and counts",
        ),
        pytest.param(
            'df["z"] = (df["price"] - df["price"].mean()) / df["price"].std()\n'
            'df["ewm"] = df["sales"].ewm(span=4).mean()\ndf = df[df["z"].notna()]\nX = df[["z", "ewm"]]',
            id="beside a learned value",
        ),
    ],
)
def test_a_batch_has_the_notebooks_own_features(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    features, matrix = package(f"{code}\n{LABELS}", tmp_path, monkeypatch)

    served = features.model_input(raw_of())

    assert list(served.index) == list(range(len(sales())))
    pd.testing.assert_frame_equal(served.loc[matrix.index], matrix)


def test_a_batch_is_answered_in_its_own_order_where_training_numbers_rows_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        'df = df.sort_values(["shop", "day"]).reset_index(drop=True)\n'
        'df["lag"] = df.groupby("shop")["sales"].shift(1).fillna(0)\nX = df[["lag"]]'
    )
    features, matrix = package(f"{code}\n{LABELS}", tmp_path, monkeypatch)

    served = features.model_input(raw_of())

    ordered = raw_of().sort_values(["shop", "day"]).index
    assert served["lag"].loc[ordered].tolist() == matrix["lag"].tolist()


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(
            'from sklearn.preprocessing import StandardScaler\ndf = df.sort_values(["shop", "day"])\n'
            'df["lag"] = df.groupby("shop")["sales"].shift(1).fillna(0)\n'
            'X = StandardScaler().fit_transform(df[["lag"]])',
            id="an array has no labels",
        ),
        pytest.param(
            'df = df.set_index(["shop", "day"]).sort_index().reset_index()\n'
            'df["max"] = df.groupby("shop")["sales"].cummax()\nX = df[["max"]]',
            id="numbered anew",
        ),
    ],
)
def test_where_the_order_is_lost_rows_have_to_come_sorted(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features, matrix = package(f"{code}\n{LABELS}", tmp_path, monkeypatch)

    in_order = raw_of().sort_values(["shop", "day"])
    np.testing.assert_array_equal(features.model_input(in_order), np.asarray(matrix))
    with pytest.raises(ValueError, match="send them in that order"):
        features.model_input(raw_of())


LAGS = f"""df = df.sort_values(["shop", "day"])
df["lag"] = df.groupby("shop")["sales"].shift(2)
df = df.dropna(subset=["lag"])
X = df[["lag"]]
{LABELS}"""


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    import importlib

    features, _ = package(LAGS, tmp_path, monkeypatch)
    version = type(features).__module__.rpartition(".")[0]
    train = importlib.import_module(f"{version}.train").train
    train(raw_of()).save(frame=raw_of())
    return importlib.import_module(f"{version}.runtime.pipeline").Pipeline.load()


def test_rows_without_history_get_no_answer_and_say_so(pipeline: Any) -> None:
    raw = raw_of()
    first = raw.sort_values(["shop", "day"]).groupby("shop").head(2).index

    answers, faults = pipeline.judge(raw)

    assert sorted(np.flatnonzero(np.isnan(answers))) == sorted(first)
    assert {(fault.row, fault.kind, fault.severity) for fault in faults} == {(row, "history", "flag") for row in first}


def test_records_are_one_batch_and_one_record_is_none(pipeline: Any) -> None:
    raw = raw_of().sort_values(["shop", "day"]).head(4)
    records = [dict(zip(("day", "shop", "sales"), row, strict=True)) for row in raw[["day", "shop", "sales"]].values]
    records = [{**record, "day": str(record["day"])} for record in records]
    records[-1]["sales"] = None  # what is asked for: nobody knows it yet

    answers, faults = pipeline.answer(records)

    assert answers[:2] == [None, None]
    assert answers[2:] == pipeline.predict(raw)[2:].tolist()
    assert [(fault.row, fault.kind) for fault in faults] == [(0, "history"), (1, "history")]
    with pytest.raises(ValueError, match="send the rows before it"):
        pipeline.predict_one(records[0])


def test_a_file_is_scored_as_one_batch(pipeline: Any, tmp_path: Path) -> None:
    import importlib

    score = importlib.import_module(type(pipeline).__module__.rpartition(".")[0] + ".score").score_file

    report = score(pipeline, tmp_path / "data.csv", tmp_path / "scored.csv", rows=7)

    scored = pd.read_csv(tmp_path / "scored.csv")
    np.testing.assert_allclose(scored["prediction"], pipeline.predict(raw_of()))
    assert report["rows"] == len(sales())


def test_the_versions_own_tests_pass(pipeline: Any) -> None:
    assert pytest.main(["-q", "-p", "no:cacheprovider", str(pipeline.folder / "tests")]) == 0


@pytest.mark.parametrize(
    "code, construct",
    [
        pytest.param(
            'df = df[df["price"] > 2]\ndf["lag"] = df["sales"].shift(1)\nX = df[["lag"]]',
            "shift",
            id="rows left out before",
        ),
        pytest.param(
            'df = df.dropna().sort_values("day")\ndf["sum"] = df["sales"].cumsum()\nX = df[["sum"]]',
            "cumsum",
            id="rows with gaps left out before",
        ),
        pytest.param(
            'df = df.sort_values("day", ignore_index=True)\ndf["lag"] = df["sales"].shift(1)\nX = df[["lag"]]',
            "order-lost",
            id="labels forgotten",
        ),
    ],
)
def test_what_no_batch_can_have_is_refused(code: str, construct: str, tmp_path: Path) -> None:
    _, plan = planned(f"{code}\n{LABELS}", tmp_path)

    assert construct in {refusal.construct for refusal in plan.refusals}


def test_rows_around_are_refused_unless_batches_are_asked_for(tmp_path: Path) -> None:
    _, plan = planned(LAGS, tmp_path, batch=False)

    assert [refusal.construct for refusal in plan.refusals] == ["groupby.shift"]
    assert "--batch" in plan.refusals[0].hint


def test_a_notebook_that_looks_at_no_other_rows_serves_rows_although_batches_are_asked_for(tmp_path: Path) -> None:
    _, plan = planned(f'X = df[["price"]].fillna(0)\n{LABELS}', tmp_path)

    assert (plan.refusals, plan.around) == ((), ())
