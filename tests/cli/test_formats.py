"""Problems as text, SARIF and GitHub annotations, at the right line of the notebook's file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nbprod.cli.excerpt import describe, describe_all, summary
from nbprod.cli.github import workflow_commands
from nbprod.cli.places import file_line, file_lines
from nbprod.cli.problem import Note, Problem, error_as_json, from_divergences, from_error, from_finding, from_refusal
from nbprod.cli.sarif import sarif
from nbprod.errors import NbprodError, Where
from nbprod.notebook import read

CELLS = ["import pandas as pd\ndf = pd.read_csv('a.csv')", "x = 1", "if x:\n    y = 2\n\n    z = 3"]


def problem(path: str, **more: Any) -> Problem:
    return Problem(
        path,
        **{"rule": "missing-seed", "severity": "warning", "message": "no seed", "cell": 2, "line": 2, "end_line": 2}
        | more,
    )


def line_holding(path: Path, text: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


@pytest.mark.parametrize("indent", [1, 2, None], ids=["indent-1", "indent-2", "all-on-one-line"])
@pytest.mark.parametrize("joined", [False, True], ids=["a-list-of-lines", "one-string"])
def test_each_line_of_a_cell_has_its_line_in_the_json(write_notebook: Any, indent: Any, joined: bool) -> None:
    path = write_notebook("a.ipynb", CELLS)
    body = json.loads(path.read_text())
    if joined:
        for cell in body["cells"]:
            cell["source"] = "".join(cell["source"])
    path.write_text(json.dumps(body, indent=indent))

    lines = file_lines(read(path))

    assert [len(cell) for cell in lines] == [2, 1, 4]
    assert file_line(lines, 0, 1) == line_holding(path, "import pandas")
    assert file_line(lines, 0, 2) == line_holding(path, "read_csv")
    assert file_line(lines, 2, 4) == line_holding(path, "z = 3")


def test_a_percent_script_has_its_own_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("# %% [markdown]\n# title\n\n# %%\nx = 1\n\n# %%\ny = 2\nz = 3\n")

    lines = file_lines(read(path))

    assert file_line(lines, 0, 1) == line_holding(path, "x = 1")
    assert file_line(lines, 1, 2) == line_holding(path, "z = 3")


@pytest.mark.parametrize(
    "cell, line",
    [(9, 1), (-1, 1), (0, 99), (0, 0)],
    ids=["no-such-cell", "no-cell", "a-line-too-far", "line-zero"],
)
def test_a_place_that_is_not_there_still_gives_a_line(write_notebook: Any, cell: int, line: int) -> None:
    path = write_notebook("a.ipynb", CELLS)

    assert 1 <= file_line(file_lines(read(path)), cell, line) <= len(path.read_text().splitlines())


def test_text_shows_place_source_caret_cause_and_hint(write_notebook: Any) -> None:
    path = write_notebook("a.ipynb", CELLS)
    shown = describe(problem("a.ipynb", related=(Note(1, 1, "set here"),), hint="give a seed"), read(path))

    assert shown.splitlines() == [
        "\x1b[33m\x1b[1mwarning[missing-seed]\x1b[0m: no seed",
        "  --> a.ipynb, cell 2 (id cell-2), line 2",
        "   |",
        " 2 |     y = 2",
        "   | \x1b[33m    ^^^^^\x1b[0m",
        "  ::: cell 1, line 1: set here",
        "   |",
        " 1 | x = 1",
        "   | \x1b[34m-----\x1b[0m",
        "\x1b[36mhint\x1b[0m: give a seed",
    ]


def test_what_one_place_causes_is_told_once_with_all_places_it_is_seen_at() -> None:
    cause, other = (Note(1, 1, "set here"),), (Note(0, 1, "set here"),)
    shown = describe_all(
        [
            problem("a.ipynb", related=cause),
            problem("a.ipynb", cell=3, related=cause),
            problem("a.ipynb", related=other),
            problem("a.ipynb", cell=4, line=7, related=cause),
            problem("a.ipynb"),
            problem("a.ipynb", cell=3),
        ],
        None,
    )

    assert [text.splitlines()[1:] for text in shown] == [
        [
            "  --> a.ipynb, cell 2, line 2",
            "  ::: cell 1, line 1: set here",
            "  also seen at cell 3, line 2; cell 4, line 7",
        ],
        ["  --> a.ipynb, cell 2, line 2", "  ::: cell 0, line 1: set here"],
        ["  --> a.ipynb, cell 2, line 2"],
        ["  --> a.ipynb, cell 3, line 2"],
    ]


def test_text_of_several_lines_is_cut(write_notebook: Any) -> None:
    path = write_notebook("a.ipynb", ["\n".join(f"x{n} = {n}" for n in range(20))])
    shown = describe(problem("a.ipynb", cell=0, line=9, end_line=20), read(path))

    assert "  9 | x8 = 8" in shown
    assert " 12 | x11 = 11" in shown
    assert "… 8 more lines" in shown


@pytest.mark.parametrize(
    "kinds, text",
    [
        ([], "no findings"),
        (["error"], "1 error"),
        (["warning", "error", "error", "info"], "2 errors, 1 warning, 1 info"),
    ],
)
def test_a_summary_counts(kinds: list[str], text: str) -> None:
    assert summary([problem("a.ipynb", severity=kind) for kind in kinds]) == text


def test_sarif_holds_rules_regions_and_what_failed(write_notebook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_notebook("deep folder/a.ipynb", CELLS)
    monkeypatch.chdir(path.parent.parent)
    name = "deep folder/a.ipynb"
    failed = from_error("b.ipynb", NbprodError("not JSON", code="truncated", where=Where("b.ipynb"), hint="restore it"))

    log = sarif(
        [problem(name, related=(Note(0, 1, "here"),)), problem(name, rule="secret", severity="error", cell=None)],
        {name: read(name)},
        [failed],
    )

    (run,) = log["runs"]
    seed, secret = run["results"]
    physical = seed["locations"][0]["physicalLocation"]
    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["missing-seed", "secret"]
    assert (seed["ruleId"], seed["ruleIndex"], seed["level"]) == ("missing-seed", 0, "warning")
    assert physical["artifactLocation"]["uri"] == "deep%20folder/a.ipynb"
    assert physical["region"]["startLine"] == line_holding(path, "y = 2")
    assert seed["locations"][0]["logicalLocations"][0]["name"] == "cell 2, line 2"
    assert seed["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == line_holding(path, "import pandas")
    assert (secret["level"], "logicalLocations" in secret["locations"][0]) == ("error", False)
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run["invocations"][0]["toolExecutionNotifications"][0]["descriptor"]["id"] == "truncated"


def test_a_sarif_fingerprint_survives_a_move_and_not_a_change(write_notebook: Any, monkeypatch: Any) -> None:
    def fingerprint(cells: list[str], cell: int, line: int) -> str:
        path = write_notebook("a.ipynb", cells)
        monkeypatch.chdir(path.parent)
        log = sarif([problem("a.ipynb", cell=cell, line=line, end_line=line)], {"a.ipynb": read("a.ipynb")})
        found: str = log["runs"][0]["results"][0]["partialFingerprints"]["nbprod/v1"]
        return found

    here = fingerprint(CELLS, 2, 2)

    assert fingerprint(["new = 1", *CELLS], 3, 2) == here
    assert fingerprint([*CELLS[:2], "if x:\n    y = 3"], 2, 2) != here


def test_github_annotations_escape_what_workflow_commands_use(write_notebook: Any, monkeypatch: Any) -> None:
    path = write_notebook("a,b.ipynb", CELLS)
    monkeypatch.chdir(path.parent)
    found = list(
        workflow_commands([problem("a,b.ipynb", message="50% off", hint="do: this")], {"a,b.ipynb": read(path)})
    )

    line = line_holding(path, "y = 2")
    assert found == [
        f"::warning file=a%2Cb.ipynb,line={line},endLine={line},title=missing-seed"
        "::cell 2, line 2: 50%25 off%0Ado: this"
    ]


def test_what_verbs_report_becomes_problems() -> None:
    finding = {
        "rule": "secret", "severity": "error", "message": "a key", "cell": 1, "cell_id": "c", "line": 2, "end_line": 3,
        "hint": None, "related": [{"cell": 0, "line": 1, "message": "read here"}],
    }  # fmt: skip
    refusal = {"cell": 1, "line": 2, "construct": "df.shift(1)", "reason": "needs another row", "hint": "drop it"}
    divergence = {
        "feature": "Age", "kind": "changed", "cell": 3, "cell_id": "d", "line": 2, "before": "a\n", "after": "b",
    }  # fmt: skip

    assert from_finding("n", finding).related == (Note(0, 1, "read here"),)
    assert from_refusal("n", refusal).message == "df.shift(1): needs another row"
    (one,) = from_divergences("n", [divergence], "churn")
    assert (one.message, one.was) == ('feature "Age" changed since churn', "a")
    assert next(from_divergences("n", [divergence | {"cell": -1}], "churn")).cell is None


def test_features_that_one_change_touches_are_one_problem() -> None:
    common = {"kind": "changed", "cell": 3, "cell_id": "d", "line": 2, "before": "a", "after": "b"}
    other = common | {"feature": "Fare", "line": 5}
    edited = common | {"feature": "features.py", "kind": "hand-edited", "cell": -1, "line": 0}

    found = list(from_divergences("n", [{**common, "feature": name} for name in "ABC"] + [other, edited], "churn"))

    assert [each.message for each in found] == [
        'features "A", "B" and "C" changed since churn',
        'feature "Fare" changed since churn',
        "features.py was edited by hand since churn",
    ]


def test_an_error_is_an_object_with_its_place() -> None:
    error = NbprodError("no model", code="no-model", where=Where("a.ipynb", 3, "f0", 2), hint="train one")

    assert error_as_json("a.ipynb", error) == {
        "notebook": "a.ipynb",
        "error": {
            "code": "no-model",
            "message": "no model",
            "where": {"path": "a.ipynb", "cell": 3, "cell_id": "f0", "line": 2},
            "hint": "train one",
        },
    }
