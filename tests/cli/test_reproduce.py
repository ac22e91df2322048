"""`nbprod reproduce`: what it prints, and its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click
import pytest

from nbprod.cli.verbs.reproduce import _text
from tests.cli.conftest import Nbprod, WriteNotebook

CELLS = [
    "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression",
    ('df = pd.read_csv("rows.csv")', ["data"]),
    ('df["age"] = df["age"].fillna(df["age"].median())', ["features"]),
    ('model = LogisticRegression().fit(df[["age"]], df["y"])\nmodel.predict(df[["age"]])', ["train"]),
]


@pytest.mark.slow
def test_a_run_is_the_same_until_its_table_is_another(
    nbprod: Nbprod, write_notebook: WriteNotebook, valid: Callable[[str, Any], None]
) -> None:
    table = write_notebook("model.ipynb", CELLS).with_name("rows.csv")
    rows = "".join(f"{'' if n % 7 == 0 else n},{n % 2}\n" for n in range(40))
    table.write_text("age,y\n" + rows)
    assert nbprod("run", "model.ipynb").exit_code == 0

    same = nbprod("reproduce", "model", "--format", "json")
    assert same.exit_code == 0
    report = json.loads(same.stdout)
    valid("reproduce", report)
    assert report["status"] == "identical"

    table.write_text("age,y\n" + rows + "90,1\n91,1\n")
    other = nbprod("reproduce", report["run_id"][:12])
    assert other.exit_code == 1
    assert "different: " in other.stdout
    assert "cause        rows.csv has other content than then" in other.stdout
    assert "age_median: 19.5 then, 21.0 now" in other.stdout, other.stdout


def change(kind: str, text: str, line: int | None = None) -> dict[str, Any]:
    return {"kind": kind, "text": text, "path": None, "cell": None if line is None else 4, "line": line}


def report(**said: Any) -> dict[str, Any]:
    verify = {"rows": 891, "rows_equal": 891, "predictions": 179, "predictions_equal": 179}
    return {
        "run_id": "0123456789abcdef", "name": "titanic", "version": 3, "status": "identical", "cause": None,
        "changes": [], "unseeded": [], "state": {"equal": True, "changed": []}, "metrics": [], "verify": verify,
        "environment": "here", "repeats": None, **said,
    }  # fmt: skip


SEED = change("seed", "the split has no seed", 2)


@pytest.mark.parametrize(
    "said, line",
    [
        pytest.param({}, "titanic version 3: run 01234567 again", id="which run"),
        pytest.param({}, "  learned      the same", id="the same state"),
        pytest.param(
            {"state": {"equal": False, "changed": []}},
            "  learned      not the same, within estimators or the model",
            id="a state that differs where no text shows it",
        ),
        pytest.param(
            {"state": {"equal": False, "changed": [{"name": "age_median", "before": "28.0", "after": "29.0"}]}},
            "    age_median: 28.0 then, 29.0 now",
            id="a learned value",
        ),
        pytest.param(
            {"metrics": [{"name": "auc", "before": 0.5, "after": 0.5}]}, "  auc          0.5", id="an equal metric"
        ),
        pytest.param(
            {"metrics": [{"name": "auc", "before": 0.25, "after": None}]},
            "  auc          0.25 then, none now",
            id="a metric that is gone",
        ),
        pytest.param(
            {"status": "different", "cause": SEED, "unseeded": [SEED]},
            "  cause        the split has no seed (cell 4, line 2)",
            id="the cause with its place",
        ),
        pytest.param(
            {"unseeded": [SEED]}, "  seed         the split has no seed (cell 4, line 2)", id="a missing seed"
        ),
        pytest.param(
            {"repeats": {"state": {"equal": True, "changed": []}, "metrics": []}},
            "  run twice    the same",
            id="two runs that are the same",
        ),
        pytest.param(
            {
                "repeats": {
                    "state": {"equal": False, "changed": []},
                    "metrics": [{"name": "auc", "before": 0.5, "after": 0.25}],
                }
            },
            "    auc: 0.5 the first time, 0.25 the second",
            id="what differs between two runs",
        ),
        pytest.param(
            {"changes": [change("library", "pandas was 2 then, and is 3")]},
            "  changed      pandas was 2 then, and is 3",
            id="a change without effect",
        ),
    ],
)
def test_the_report_says(said: dict[str, Any], line: str) -> None:
    assert line in click.unstyle(_text(report(**said))).splitlines()


def test_the_cause_is_told_once() -> None:
    assert _text(report(status="different", cause=SEED, unseeded=[SEED])).count("no seed") == 1
