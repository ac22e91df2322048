"""Stages that need not run again: what `run` restores after which change, and what `cache` shows and clears."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from nbprod.api import fitting_once
from tests.cli.conftest import Nbprod, WriteNotebook

CELLS: list[str | tuple[str, list[str]]] = [
    "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression\n"
    "from sklearn.metrics import accuracy_score\nfrom sklearn.model_selection import train_test_split",
    ("SEED = 0", ["parameters"]),
    ("df = pd.read_csv('rows.csv')\nprint(len(df))", ["data"]),
    ("df['age'] = df['age'].fillna(df['age'].median())\n"
     "X, X_test, y, y_test = train_test_split(df[['age', 'fare']], df['y'], random_state=SEED)", ["features"]),
    ("model = LogisticRegression()\nmodel.fit(X, y)", ["train"]),
    ("accuracy = accuracy_score(y_test, model.predict(X_test))\nprint(accuracy)", ["evaluate"]),
]  # fmt: skip
ROLES = ("data", "features", "train", "evaluate")


class Project:
    """A notebook with its table, edited and run again."""

    def __init__(self, nbprod: Nbprod, write: WriteNotebook) -> None:
        self.nbprod, self.write = nbprod, write
        self.cells = list(CELLS)
        self.path = write("model.ipynb", self.cells)
        self.table = self.path.with_name("rows.csv")
        rows = "".join(f"{'' if n % 7 == 0 else n % 60},{n % 13},{int(n % 5 > 1)}\n" for n in range(90))
        self.table.write_text("age,fare,y\n" + rows, encoding="utf-8")

    def edit(self, cell: int, before: str, after: str) -> None:
        text, tags = self.cells[cell]
        assert before in text
        self.cells[cell] = (text.replace(before, after), list(tags))
        self.write("model.ipynb", self.cells)

    def run(self, *words: str) -> dict[str, Any]:
        done = self.nbprod("run", "model.ipynb", "--format", "json", *words)
        assert done.exit_code == 0, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report


def restored(report: dict[str, Any]) -> list[str]:
    return [each["role"] for each in report["stages"] if each["restored"] and each["role"] in ROLES]


def shown(report: dict[str, Any]) -> list[str]:
    cells = nbformat.read(report["executed"], as_version=4).cells
    return ["".join(one.get("text", "") for one in cell.outputs) for cell in cells if cell.cell_type == "code"]


@pytest.mark.slow
def test_only_what_a_change_leads_to_runs_again(
    nbprod: Nbprod, write_notebook: WriteNotebook, valid: Callable[[str, Any], None]
) -> None:
    project = Project(nbprod, write_notebook)
    first = project.run()
    valid("run", first)
    assert (restored(first), first["restored"], first["not_kept"]) == ([], False, [])

    again = project.run()
    assert (restored(again), again["restored"], again["not_run"]) == (list(ROLES), True, [])
    assert again["run_id"] != first["run_id"]
    assert (again["version"], again["metrics"], again["verify"]) == (1, first["metrics"], first["verify"])
    assert shown(again) == shown(first)
    ledger = json.loads(nbprod("versions", "model", "--format", "json").stdout)["versions"]
    assert [each["run"] for each in ledger] == [again["run_id"]]
    assert nbprod("verify", "model", "--quick").exit_code == 0

    project.edit(2, "print(len(df))", "df.head()  # the first rows")
    plotted = project.run()
    assert (restored(plotted), plotted["restored"], plotted["not_run"]) == (list(ROLES), True, [2])
    sources = [cell.source for cell in nbformat.read(plotted["executed"], as_version=4).cells]
    assert any("# the first rows" in source for source in sources)

    project.edit(4, "()", "(C=0.1)")
    trained = project.run()
    assert (restored(trained), trained["version"]) == (["data", "features"], 2)
    assert trained["verify"]["status"] == "proven"
    whole = project.run("--no-cache")
    assert (restored(whole), whole["version"]) == ([], 2)
    assert (whole["metrics"], whole["verify"]) == (trained["metrics"], trained["verify"])
    assert shown(whole)[-1] == shown(trained)[-1]

    assert restored(project.run("--from", "train", "--no-verify")) == ["data", "features"]
    assert restored(project.run("-p", "SEED", "1", "--no-verify")) == ["data"]

    project.table.write_text(project.table.read_text(encoding="utf-8") + "30,2,1\n", encoding="utf-8")
    assert restored(project.run("--no-verify")) == []


@pytest.mark.slow
def test_another_wording_is_a_version_that_has_what_was_learned_and_proven(
    nbprod: Nbprod, write_notebook: WriteNotebook
) -> None:
    project = Project(nbprod, write_notebook)
    first = project.run()
    project.edit(3, "df['age'] = ", "# gaps\ndf['age'] = ")
    for number in (1, 2):
        worded = project.run()
        assert (worded["version"], worded["restored"], worded["not_run"]) == (2, True, [3]), number
        assert (worded["digest"], worded["metrics"], worded["verify"]) == (
            first["digest"], first["metrics"], first["verify"]
        )  # fmt: skip

    ledger = json.loads(nbprod("versions", "model", "--format", "json").stdout)["versions"]
    assert [(each["state"], each["run"]) for each in ledger] == [
        (ledger[0]["state"], first["run_id"]), (ledger[0]["state"], worded["run_id"])
    ]  # fmt: skip
    check = json.loads(nbprod("check", "model.ipynb", "--format", "json").stdout)
    assert "v0002" in check["package"]
    assert nbprod("verify", "model", "--quick").exit_code == 0
    # Another gate stops it: the notebook fits on rows that it tests with.
    assert "proven: 90 of 90 rows" in nbprod("versions", "model", "promote", "2").stdout
    # The training is restored, and its model is the one that another version of the package would train.
    project.edit(5, "print(accuracy)", "wrong = 1 - accuracy\nprint(wrong)")
    told = nbprod("run", "model.ipynb")
    assert "changed, but not run: cell 3" in told.stdout
    assert "fit: the notebook's own model is taken: the package would train the same one" in told.stderr


@pytest.mark.slow
def test_what_another_release_has_fitted_is_fitted_anew(
    nbprod: Nbprod, write_notebook: WriteNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(nbprod, write_notebook)
    project.run()
    said = "is fitted and proven on these rows already"

    assert said in nbprod("run", "model.ipynb").stderr
    monkeypatch.setattr(fitting_once, "maker", lambda: "another release")
    assert said not in nbprod("run", "model.ipynb").stderr
    assert said in nbprod("run", "model.ipynb").stderr


@pytest.mark.slow
def test_a_stage_that_asks_an_address_runs_again_and_the_run_says_why(
    nbprod: Nbprod, write_notebook: WriteNotebook
) -> None:
    project = Project(nbprod, write_notebook)
    asking = "\nimport socket\ntry:\n    socket.create_connection(('127.0.0.1', 9), 1)\nexcept OSError:\n    pass"
    project.edit(2, "\nprint(len(df))", asking)
    told = nbprod("run", "model.ipynb", "--no-verify")
    assert "what the cells up to 2 give is not kept for the next run: it asks 127.0.0.1:9" in told.stdout
    assert restored(project.run("--no-verify")) == []


@pytest.mark.slow
def test_what_is_kept_is_shown_and_cleared(
    nbprod: Nbprod, write_notebook: WriteNotebook, valid: Callable[[str, Any], None]
) -> None:
    assert "nothing is kept" in nbprod("cache").stdout
    project = Project(nbprod, write_notebook)
    project.run("--no-verify")
    report = json.loads(nbprod("cache", "--format", "json").stdout)
    valid("cache", report)
    assert [(each["notebook"], each["stage"], each["after"]) for each in report["entries"]] == [
        ("model.ipynb", role, after) for role, after in zip(ROLES, (2, 3, 4, 5), strict=True)
    ]
    assert {Path(path).name for each in report["entries"] for path in each["inputs"]} == {"rows.csv"}
    assert "whole run" in nbprod("cache", "model.ipynb").stdout
    assert nbprod("cache", "other.ipynb").exit_code == 2
    assert "removed 4 stages" in nbprod("cache", "--clear").stdout
    assert restored(project.run("--no-verify")) == []


def test_a_stage_that_there_is_not_is_refused(nbprod: Nbprod, write_notebook: WriteNotebook) -> None:
    write_notebook("model.ipynb", CELLS)
    done = nbprod("run", "model.ipynb", "--from", "trian")
    assert done.exit_code == 2
    assert "train" in done.stderr


@pytest.mark.slow
def test_each_stage_can_be_a_run_of_its_own(
    nbprod: Nbprod, write_notebook: WriteNotebook, valid: Callable[[str, Any], None]
) -> None:
    project = Project(nbprod, write_notebook)
    seen = []
    for stage in ("data", "features", "train"):
        report = project.run("--to", stage)
        valid("run_to", report)
        seen.append({each["role"]: each["restored"] for each in report["stages"] if each["role"] in ROLES})
    assert seen == [
        {"data": False},
        {"data": True, "features": False},
        {"data": True, "features": True, "train": False},
    ]
    assert all(each["restored"] for each in project.run("--to", "train")["stages"])
    assert not (project.path.parent / "pipelines").exists(), "nothing is fitted"
    assert [path.name for path in (project.path.parent / ".nbprod/runs").iterdir()] == [".gitignore"]
    assert "data, features restored" in nbprod("run", "model.ipynb", "--to", "features").stdout

    whole = project.run()
    assert (restored(whole), whole["verify"]["status"]) == (["data", "features", "train"], "proven")
    again = nbprod("run", "model", "--retrain", "--to", "train", "--format", "json")
    assert (again.exit_code, restored(json.loads(again.stdout))) == (0, ["data", "features", "train"])


@pytest.mark.parametrize(
    "cells, words, reason",
    [
        pytest.param(CELLS[:-1], ["--to", "train"], "the notebook ends with it", id="the last stage"),
        pytest.param([*CELLS[:2], CELLS[2], ("rows = iter(df)\nX = df[['fare']]", ["features"]),
                      ("model = LogisticRegression()\nmodel.fit(X, df['y'])", ["train"]),
                      ("print(next(rows))\nprint(model.score(X, df['y']))", ["evaluate"])],
                     ["--to", "features"], "rows", id="what can't be stored"),
        pytest.param([CELLS[0], ("SEED = 0\nTOKEN = ''", ["parameters"]), *CELLS[2:]],
                     ["--to", "train", "-p", "TOKEN", "env:A_TOKEN"], "a parameter is secret", id="a secret"),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_a_stage_that_nothing_can_go_on_from_is_refused(
    nbprod: Nbprod,
    write_notebook: WriteNotebook,
    monkeypatch: pytest.MonkeyPatch,
    cells: list[Any],
    words: list[str],
    reason: str,
) -> None:
    monkeypatch.setenv("A_TOKEN", "open sesame")
    project = Project(nbprod, write_notebook)
    project.cells = cells
    project.write("model.ipynb", cells)
    done = nbprod("run", "model.ipynb", *words)
    assert done.exit_code == 2
    assert "error[not-kept]" in done.stderr
    assert reason in done.stderr
    assert "nbprod run without --to" in done.stderr


def test_a_run_that_stops_before_the_fit_takes_no_option_of_it(nbprod: Nbprod, write_notebook: WriteNotebook) -> None:
    Project(nbprod, write_notebook)
    done = nbprod("run", "model.ipynb", "--to", "data", "--no-verify")
    assert (done.exit_code, "--to takes no --no-verify" in done.stderr) == (2, True)
