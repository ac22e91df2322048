"""`nbprod tag`: roles shown, suggested, set and taken away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

CELLS = [
    "import pandas as pd\nfrom sklearn.linear_model import LinearRegression",
    "df = pd.read_csv('a.csv')",
    "df['b'] = df['a'].fillna(df['a'].median())",
    "df.describe()",
    "model = LinearRegression()\nmodel.fit(df[['b']], df['y'])",
]
SUGGESTED = [None, "data", "features", "explore", "train"]


@pytest.fixture
def notebook(write_notebook: Any) -> Path:
    path: Path = write_notebook("a.ipynb", CELLS)
    return path


def tags(path: Path) -> list[list[str]]:
    cells = json.loads(path.read_text())["cells"]
    return [cell["metadata"].get("tags", []) for cell in cells if cell["cell_type"] == "code"]


def roles(result: Any) -> list[str | None]:
    return [cell["role"] for cell in json.loads(result.stdout)["cells"]]


@pytest.mark.usefixtures("notebook")
def test_suggestions_are_shown_with_reasons_and_nothing_is_written(nbprod: Any, valid: Any) -> None:
    result = nbprod("tag", "a.ipynb", "--format", "json")

    report = json.loads(result.stdout)
    valid("tag", report)
    assert (result.exit_code, report["changed"]) == (0, [])
    assert [(cell["suggestion"] or {}).get("role") for cell in report["cells"]] == SUGGESTED
    assert all(cell["suggestion"]["reason"] for cell in report["cells"] if cell["suggestion"])
    assert tags(Path("a.ipynb")) == [[]] * 5


def test_text_names_each_cell_and_the_way_on(nbprod: Any, notebook: Path) -> None:
    shown = nbprod("tag", notebook.name).stdout

    assert "df = pd.read_csv('a.csv')" in shown
    assert "[data 9" in shown
    assert "nbprod tag a.ipynb --apply" in shown
    assert "\x1b[" not in shown


def test_apply_writes_the_suggestions_and_clear_restores_every_byte(nbprod: Any, notebook: Path) -> None:
    before = notebook.read_bytes()

    applied = nbprod("tag", "a.ipynb", "--apply", "--format", "json")
    written = tags(notebook)
    cleared = nbprod("tag", "a.ipynb", "--clear", "--yes", "--format", "json")

    assert roles(applied) == SUGGESTED
    assert written == [[role] if role else [] for role in SUGGESTED]
    assert roles(cleared) == [None] * 5
    assert notebook.read_bytes() == before


@pytest.mark.parametrize(
    "setting, expected",
    [
        pytest.param(["--set", "3=features"], [None, None, None, "features", None], id="by-number"),
        pytest.param(["--set", "cell-2=evaluate"], [None, None, "evaluate", None, None], id="by-id"),
        pytest.param(
            ["--set", "0=explore", "--set", "1=data"], ["explore", "data", None, None, None], id="several-at-once"
        ),
        pytest.param(
            ["--apply", "--set", "3=features"], [None, "data", "features", "features", "train"], id="over-apply"
        ),
    ],
)
def test_set_gives_cells_their_roles(nbprod: Any, notebook: Path, setting: list[str], expected: list[str]) -> None:
    result = nbprod("tag", notebook.name, *setting, "--format", "json")

    assert result.exit_code == 0
    assert roles(result) == expected
    assert tags(notebook) == [[role] if role else [] for role in expected]


@pytest.mark.usefixtures("notebook")
def test_an_empty_role_takes_one_away(nbprod: Any) -> None:
    nbprod("tag", "a.ipynb", "--set", "1=data", "--set", "2=features")

    assert roles(nbprod("tag", "a.ipynb", "--set", "1=", "--format", "json")) == [None, None, "features", None, None]


@pytest.mark.parametrize(
    "words, code, hint",
    [
        pytest.param(["--set", "1=feature"], "unknown-role", 'did you mean "features"?', id="a-role-mistyped"),
        pytest.param(["--set", "1=zzz"], "unknown-role", "roles: parameters, data", id="no-role-at-all"),
        pytest.param(["--set", "5=data"], "no-such-cell", "count from 0 to 4", id="a-cell-too-far"),
        pytest.param(["--set", "nope=data"], "no-such-cell", "an id works too", id="no-such-id"),
        pytest.param(["--set", "1"], "usage", "--set 4=features", id="no-equals-sign"),
        pytest.param(["--clear", "--apply"], "usage", "call tag twice", id="clear-and-apply"),
    ],
)
def test_wrong_use_writes_nothing(nbprod: Any, notebook: Path, words: list[str], code: str, hint: str) -> None:
    before = notebook.read_bytes()

    result = (
        nbprod("tag", "a.ipynb", "--set", "2=features", *words)
        if "--set" in words
        else nbprod("tag", "a.ipynb", *words)
    )

    assert (result.exit_code, result.stdout) == (2, "")
    assert f"error[{code}]" in result.stderr
    assert hint in result.stderr
    assert notebook.read_bytes() == before


def test_a_cell_with_two_roles_is_shown_with_both_places(nbprod: Any, write_notebook: Any) -> None:
    write_notebook("two.ipynb", [*CELLS[:2], ("#| nbprod: train\nx = 1", ["features"])])

    result = nbprod("tag", "two.ipynb")

    assert "error[conflicting-role]" in result.stdout
    assert "two.ipynb, cell 2 (id cell-2), line 1" in result.stdout


def test_json_lines_go_on_after_a_notebook_that_fails(nbprod: Any, notebook: Path, valid: Any) -> None:
    Path("broken.ipynb").write_text('{"cells": [')

    result = nbprod("tag", notebook.name, "broken.ipynb", "gone.ipynb", "--format", "jsonl")

    good, broken, gone = (json.loads(line) for line in result.stdout.splitlines())
    valid("tag", good)
    valid("error", broken)
    valid("error", gone)
    assert result.exit_code == 2
    assert gone["error"]["code"] == "not-found"
    assert result.stderr.count("error[") == 2


@pytest.mark.usefixtures("notebook")
def test_a_folder_gives_a_json_list(nbprod: Any) -> None:
    report = json.loads(nbprod("tag", ".", "--format", "json").stdout)

    assert [each["notebook"] for each in report] == ["a.ipynb"]
