"""The static verbs on real notebooks: inspect, export, check and diff, in every format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

IMPORTS = "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression"
DATA = "df = pd.read_csv('people.csv')"
FEATURES = "df['age'] = df['age'].fillna(df['age'].median())\ndf['double'] = df['fare'] * 2"
TRAIN = "X = df[['age', 'double']]\ny = df['left']\nmodel = LogisticRegression()\nmodel.fit(X, y)"
TAGGED = [IMPORTS, (DATA, ["data"]), (FEATURES, ["features"]), (TRAIN, ["train"])]
UNTAGGED = [IMPORTS, DATA, FEATURES, TRAIN]
SHIFTED = [
    *TAGGED[:2],
    ("df['before'] = df['age'].shift(1)", ["features"]),
    (TRAIN.replace("double", "before"), ["train"]),
]
MEAN = [*TAGGED[:2], (FEATURES.replace("median", "mean"), ["features"]), TAGGED[3]]
REWORDED = [*TAGGED[:2], ("# tidy\n" + FEATURES.replace("df['fare'] * 2", "(df.fare * 2)"), ["features"]), TAGGED[3]]
RETRAINED = [*TAGGED[:3], (TRAIN.replace("LogisticRegression()", "LogisticRegression(C=0.5)"), ["train"])]


@pytest.fixture(autouse=True)
def data(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("age,fare,left\n22,7.5,0\n,8.5,1\n40,9.5,0\n31,1.5,1\n")


def as_json(result: Any) -> Any:
    return json.loads(result.stdout)


def test_inspect_reports_cells_edges_and_plan(nbprod: Any, write_notebook: Any, valid: Any) -> None:
    write_notebook("a.ipynb", TAGGED)

    result = nbprod("inspect", "a.ipynb", "--format", "json")

    report = as_json(result)
    valid("inspect", report)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [cell["role"] for cell in report["cells"]] == [None, "data", "features", "train"]
    assert {"from": 1, "to": 2, "names": ["df"]} in report["edges"]
    assert report["plan"]["target"] == "left"
    assert report["plan"]["inputs"] == ["age", "fare"]
    assert [each["name"] for each in report["plan"]["features"]] == ["age", "double"]
    assert report["plan_error"] is None


def test_inspect_text_shows_cells_plan_and_what_is_learned(nbprod: Any, write_notebook: Any) -> None:
    write_notebook("a.ipynb", TAGGED)

    shown = nbprod("inspect", "a.ipynb").stdout

    assert "4 code cells" in shown
    assert "df['age'] = df['age'].fillna(df['age'].median())" in shown
    assert "target       left" in shown
    assert "\x1b[" not in shown


def test_inspect_shows_a_refusal_once_at_its_line(nbprod: Any, write_notebook: Any) -> None:
    write_notebook("a.ipynb", SHIFTED)

    shown = nbprod("inspect", "a.ipynb").stdout

    assert shown.count("error[not-servable]") == 1
    assert "--> a.ipynb, cell 2 (id cell-2), line 1" in shown
    assert "1 | df['before'] = df['age'].shift(1)" in shown


def test_inspect_says_why_there_is_no_plan(nbprod: Any, write_notebook: Any, valid: Any) -> None:
    write_notebook("a.ipynb", [IMPORTS, DATA])

    report = as_json(nbprod("inspect", "a.ipynb", "--format", "json"))

    valid("inspect", report)
    assert report["plan"] is None
    assert report["plan_error"]["code"] == "no-model"
    assert report["plan_error"]["message"] in nbprod("inspect", "a.ipynb").stdout


def test_a_cell_that_does_not_parse_is_named_and_the_others_go_on(nbprod: Any, write_notebook: Any) -> None:
    write_notebook("a.ipynb", [*TAGGED, "def broken(:"])

    report = as_json(nbprod("inspect", "a.ipynb", "--format", "json"))

    assert ("syntax-error", 4, 1) in [(each["rule"], each["cell"], each["line"]) for each in report["findings"]]
    assert report["plan"]["target"] == "left"


def test_slice_gives_the_cells_and_lines_behind_a_value(nbprod: Any, write_notebook: Any, valid: Any) -> None:
    write_notebook("a.ipynb", [*TAGGED, "unrelated = 3"])

    report = as_json(nbprod("inspect", "a.ipynb", "--slice", "X", "--format", "json"))
    shown = nbprod("inspect", "a.ipynb", "--slice", "X").stdout
    missing = nbprod("inspect", "a.ipynb", "--slice", "modle")

    valid("slice", report)
    assert {each["cell"] for each in report["slice"]} >= {1, 2, 3}
    assert 4 not in {each["cell"] for each in report["slice"]}
    assert "  1 | df = pd.read_csv('people.csv')" in shown
    assert "y = df['left']" not in shown
    assert missing.exit_code == 2
    assert 'did you mean "model"?' in missing.stderr


def test_inspect_of_an_editors_content_needs_no_file() -> None:
    from nbprod.api import inspect_notebook

    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in UNTAGGED]
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}

    as_dict = inspect_notebook("unsaved.ipynb", content)

    assert inspect_notebook("unsaved.ipynb", json.dumps(content)) == as_dict
    assert as_dict["plan"]["target"] == "left"
    assert json.loads(json.dumps(as_dict)) == as_dict


def test_export_writes_a_package_that_a_second_export_leaves_alone(
    nbprod: Any, write_notebook: Any, valid: Any
) -> None:
    write_notebook("a.ipynb", TAGGED)

    first = as_json(nbprod("export", "a.ipynb", "--format", "json"))
    before = {path: path.read_bytes() for path in Path("pipelines").rglob("*") if path.is_file()}
    second = nbprod("export", "a.ipynb", "--format", "json")

    valid("export", first)
    assert (first["status"], first["package"], first["version"]) == ("written", "pipelines/a/v0001", 1)
    version = Path("pipelines/a/v0001")
    assert set(first["files"]) == {path.relative_to(version).as_posix() for path in before if version in path.parents}
    assert {path.name for path in version.glob("*.py")} == {"__init__.py", "evaluate.py", "features.py", "train.py"}
    assert {path.name for path in version.parent.glob("*.py")} == {"__init__.py", "__main__.py"}
    assert (second.exit_code, as_json(second)["status"]) == (0, "unchanged")
    assert {path: path.read_bytes() for path in Path("pipelines").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "words, package",
    [
        pytest.param([], "pipelines/churn_2024/v0001", id="a-name-from-the-file"),
        pytest.param(["--name", "mine"], "pipelines/mine/v0001", id="a-name-that-is-given"),
        pytest.param(["-o", "out/deep"], "out/deep/churn_2024/v0001", id="a-folder-that-is-given"),
    ],
)
def test_export_chooses_name_and_place(nbprod: Any, write_notebook: Any, words: list[str], package: str) -> None:
    write_notebook("Churn 2024.ipynb", TAGGED)

    report = as_json(nbprod("export", "Churn 2024.ipynb", *words, "--format", "json"))

    assert report["package"] == package
    assert (Path(package) / "features.py").is_file()


def test_export_takes_name_and_folder_from_the_configuration(nbprod: Any, write_notebook: Any) -> None:
    write_notebook("deep/a.ipynb", TAGGED)
    Path("deep/people.csv").write_bytes(Path("people.csv").read_bytes())
    Path("nbprod.toml").write_text('output = "out"\n[pipelines.leavers]\nnotebook = "deep/a.ipynb"\n')

    assert as_json(nbprod("export", "deep/a.ipynb", "--format", "json"))["package"] == "out/leavers/v0001"


@pytest.mark.parametrize(
    "settings, policy, answer",
    [
        pytest.param("", "flag", None, id="flag-where-nothing-is-stated"),
        pytest.param('row_policy = "reject"', "reject", None, id="reject"),
        pytest.param('row_policy = "default"\nrow_default = 0', "default", 0.0, id="default-with-its-answer"),
    ],
)
def test_the_contract_states_the_row_policy(
    nbprod: Any, write_notebook: Any, settings: str, policy: str, answer: float | None
) -> None:
    write_notebook("a.ipynb", TAGGED)
    Path("nbprod.toml").write_text(f'[pipelines.a]\nnotebook = "a.ipynb"\n{settings}\n')

    nbprod("export", "a.ipynb")

    contract = json.loads(Path("pipelines/a/v0001/contract.json").read_text())
    assert (contract["policy"], contract.get("default")) == (policy, answer)
    assert nbprod("export", "a.ipynb", "--check").exit_code == 0
    assert as_json(nbprod("check", "a.ipynb", "--format", "json"))["divergences"] == []


def test_the_contract_states_what_is_declared_of_columns(nbprod: Any, write_notebook: Any) -> None:
    write_notebook("a.ipynb", TAGGED)
    nbprod("export", "a.ipynb")
    stated = '[pipelines.a.columns]\nage = { max = 120, categories = ["a", 1], on_missing = "reject" }\nother = {}\n'
    Path("nbprod.toml").write_text(f'[pipelines.a]\nnotebook = "a.ipynb"\n{stated}')
    assert nbprod("export", "a.ipynb", "--check").exit_code == 1

    nbprod("export", "a.ipynb")

    contract = json.loads(Path("pipelines/a/v0001/contract.json").read_text())
    assert contract["stated"] == {"age": {"max": 120.0, "categories": ["a", 1.0], "on_missing": "reject"}}
    assert nbprod("export", "a.ipynb", "--check").exit_code == 0


def test_a_name_that_the_kernel_gives_is_not_undefined(nbprod: Any, write_notebook: Any) -> None:
    write_notebook("a.ipynb", [*TAGGED, ("spark.stop()", None)])

    def rules() -> list[str]:
        return [each["rule"] for each in as_json(nbprod("check", "a.ipynb", "--format", "json"))["findings"]]

    assert "undefined-name" in rules()
    Path("nbprod.toml").write_text('[pipelines.a]\nnotebook = "a.ipynb"\nallow_names = ["spark"]\n')
    assert "undefined-name" not in rules()


def test_a_default_without_an_answer_is_an_error(nbprod: Any, write_notebook: Any) -> None:
    write_notebook("a.ipynb", TAGGED)
    Path("nbprod.toml").write_text('[pipelines.a]\nnotebook = "a.ipynb"\nrow_policy = "default"\n')

    result = nbprod("export", "a.ipynb")

    assert result.exit_code == 2
    assert "set row_default for pipeline a" in result.stderr


def test_an_untagged_notebook_is_exported_with_auto_alone(nbprod: Any, write_notebook: Any) -> None:
    path = write_notebook("a.ipynb", UNTAGGED)
    before = path.read_bytes()

    plain = nbprod("export", "a.ipynb")
    auto = nbprod("export", "a.ipynb", "--auto", "--format", "json")

    assert (plain.exit_code, plain.stdout) == (2, "")
    assert "error[untagged]" in plain.stderr
    assert "nbprod tag a.ipynb" in plain.stderr
    assert "--auto" in plain.stderr
    assert as_json(auto)["status"] == "written"
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "name, hint",
    [("2fast", "pipeline_2fast"), ("class", "class_pipeline"), ("numpy", "numpy_pipeline"), ("a-b", "a_b")],
)
def test_a_name_that_no_package_can_have_is_an_error(nbprod: Any, write_notebook: Any, name: str, hint: str) -> None:
    write_notebook("a.ipynb", TAGGED)

    result = nbprod("export", "a.ipynb", "--name", name)

    assert result.exit_code == 2
    assert "error[bad-name]" in result.stderr
    assert hint in result.stderr
    assert not Path("pipelines").exists()


def test_what_is_refused_is_shown_and_nothing_is_written(nbprod: Any, write_notebook: Any, valid: Any) -> None:
    write_notebook("a.ipynb", SHIFTED)

    report = nbprod("export", "a.ipynb", "--format", "json")
    shown = nbprod("export", "a.ipynb")

    valid("export", as_json(report))
    (refusal, *_) = as_json(report)["refusals"]
    assert (report.exit_code, shown.exit_code, as_json(report)["status"]) == (1, 1, "refused")
    assert (refusal["cell"], refusal["line"]) == (2, 1)
    assert refusal["reason"] in shown.stdout
    assert refusal["hint"] in shown.stdout
    assert "1 | df['before'] = df['age'].shift(1)" in shown.stdout
    assert not Path("pipelines").exists()


def test_a_command_in_a_hint_can_be_copied_whatever_the_file_is_called(nbprod: Any, write_notebook: Any) -> None:
    write_notebook("02 - Regression.ipynb", TAGGED)
    shown = nbprod("export", "02 - Regression.ipynb", "--check", "--auto").stdout
    assert "nbprod export '02 - Regression.ipynb'" in shown


def test_export_check_writes_nothing_and_names_the_cell_that_moved(
    nbprod: Any, write_notebook: Any, valid: Any
) -> None:
    write_notebook("a.ipynb", TAGGED)
    never = nbprod("export", "a.ipynb", "--check")
    nbprod("export", "a.ipynb")
    fresh = nbprod("export", "a.ipynb", "--check", "--format", "json")
    write_notebook("a.ipynb", MEAN)
    before = {path: path.read_bytes() for path in Path("pipelines").rglob("*") if path.is_file()}
    stale = nbprod("export", "a.ipynb", "--check", "--format", "json")
    shown = nbprod("export", "a.ipynb", "--check")
    diff = nbprod("export", "a.ipynb", "--diff")

    valid("export", as_json(stale))
    assert (never.exit_code, "never exported" in never.stdout) == (1, True)
    assert (fresh.exit_code, as_json(fresh)["status"]) == (0, "fresh")
    assert (stale.exit_code, as_json(stale)["status"]) == (1, "stale")
    assert "features.py" in as_json(stale)["changed_files"]
    assert "--> a.ipynb, cell 2 (id cell-2), line 1" in shown.stdout
    assert diff.exit_code == 0
    assert "+    df['age'] = df['age'].fillna(" in diff.stdout
    assert {path: path.read_bytes() for path in Path("pipelines").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "cells, verdict, code",
    [
        pytest.param(TAGGED, "same", 0, id="the-same"),
        pytest.param(REWORDED, "cosmetic", 0, id="another-wording"),
        pytest.param(RETRAINED, "training-only", 0, id="another-training"),
        pytest.param(MEAN, "diverges", 1, id="another-imputation"),
        pytest.param([IMPORTS], "unknown", 1, id="no-model-any-more"),
    ],
)
def test_check_has_a_verdict(nbprod: Any, write_notebook: Any, valid: Any, cells: Any, verdict: str, code: int) -> None:
    write_notebook("a.ipynb", TAGGED)
    nbprod("export", "a.ipynb")
    write_notebook("a.ipynb", cells)

    result = nbprod("check", "a.ipynb", "--format", "json", "--fail-on", "never")

    valid("check", as_json(result))
    assert (as_json(result)["verdict"], result.exit_code) == (verdict, code)
    assert as_json(result)["package"] == "pipelines/a/v0001"
    assert verdict in nbprod("check", "a.ipynb").stdout


def test_a_notebook_that_was_never_exported_is_no_divergence(nbprod: Any, write_notebook: Any, valid: Any) -> None:
    write_notebook("a.ipynb", TAGGED)

    result = nbprod("check", "a.ipynb", "--format", "json", "--fail-on", "never")

    valid("check", as_json(result))
    assert (result.exit_code, as_json(result)["verdict"], as_json(result)["package"]) == (0, "not-exported", None)


def test_a_package_file_that_was_edited_by_hand_diverges(nbprod: Any, write_notebook: Any) -> None:
    write_notebook("a.ipynb", TAGGED)
    nbprod("export", "a.ipynb")
    path = Path("pipelines/a/v0001/features.py")
    path.write_text(path.read_text().replace("* 2", "* 3"))

    result = nbprod("check", "a.ipynb")

    assert result.exit_code == 1
    assert "features.py was edited by hand" in result.stdout


@pytest.mark.parametrize(
    "level, code", [("error", 1), ("warning", 1), ("never", 0)], ids=["errors", "warnings-and-errors", "never"]
)
def test_findings_fail_a_check_from_a_level_on(nbprod: Any, write_notebook: Any, level: str, code: int) -> None:
    write_notebook("a.ipynb", [*TAGGED, "print(nowhere)"])

    assert nbprod("check", "a.ipynb", "--fail-on", level).exit_code == code


def test_check_speaks_sarif_and_github(nbprod: Any, write_notebook: Any) -> None:
    path = write_notebook("a.ipynb", TAGGED)
    nbprod("export", "a.ipynb")
    write_notebook("a.ipynb", MEAN)
    line = next(n for n, text in enumerate(path.read_text().splitlines(), start=1) if ".mean()" in text)

    log = as_json(nbprod("check", "a.ipynb", "--format", "sarif"))
    annotations = nbprod("check", "a.ipynb", "--format", "github").stdout

    results = [each for each in log["runs"][0]["results"] if each["ruleId"] == "divergence"]
    assert results[0]["locations"][0]["physicalLocation"]["region"]["startLine"] == line
    assert f"::error file=a.ipynb,line={line},endLine={line},title=divergence::cell 2, line 1: " in annotations


def test_many_notebooks_are_checked_at_once_and_a_broken_one_stays_alone(
    nbprod: Any, write_notebook: Any, valid: Any
) -> None:
    for name in ("one.ipynb", "two.ipynb", "three.ipynb"):
        write_notebook(name, TAGGED)
    Path("broken.ipynb").write_text("{")

    result = nbprod("check", ".", "--format", "jsonl", "--fail-on", "never")
    log = as_json(nbprod("check", ".", "--format", "sarif", "--fail-on", "never"))

    reports = [json.loads(line) for line in result.stdout.splitlines()]
    for report in reports:
        valid("error" if "error" in report else "check", report)
    assert [report["notebook"] for report in reports] == ["broken.ipynb", "one.ipynb", "three.ipynb", "two.ipynb"]
    assert result.exit_code == 2
    assert log["runs"][0]["invocations"][0]["executionSuccessful"] is False


def test_diff_tells_two_notebooks_sides_and_versions_apart(nbprod: Any, write_notebook: Any, valid: Any) -> None:
    write_notebook("a.ipynb", TAGGED)
    nbprod("export", "a.ipynb")
    write_notebook("a.ipynb", MEAN)

    result = nbprod("diff", "a@1", "a.ipynb", "--format", "json")
    short = nbprod("diff", "1", "a.ipynb")
    same = nbprod("diff", "a", "a@latest")

    valid("diff", as_json(result))
    assert as_json(result)["features"] == {"added": [], "removed": [], "changed": ["age"], "same": ["double"]}
    assert (result.exit_code, short.exit_code, same.exit_code) == (1, 1, 0)
    assert "  + df['age'] = df['age'].fillna(df['age'].mean())" in short.stdout


@pytest.mark.parametrize(
    "words, code",
    [
        pytest.param(["diff", "gone.ipynb", "a"], "not-found", id="diff-of-a-missing-notebook"),
        pytest.param(["diff", "nope", "nope@2"], "no-package", id="diff-of-a-missing-package"),
        pytest.param(["export", "a.ipynb", "b.ipynb", "--name", "x"], "usage", id="one-name-for-two"),
        pytest.param(["check", "gone.ipynb"], "not-found", id="check-of-a-missing-notebook"),
        pytest.param(["inspect", "empty"], "not-found", id="a-folder-without-notebooks"),
        pytest.param(["export", "a.ipynb", "-o", "file"], "not-a-folder", id="a-file-for-a-folder"),
        pytest.param(["export", "a.ipynb", "--name", "taken"], "occupied-folder", id="a-folder-with-something-else"),
        pytest.param(["export", "a.ipynb", "--model", "zzz"], "", id="a-model-that-is-not-there"),
    ],
)
def test_what_cannot_be_done_is_an_error(nbprod: Any, write_notebook: Any, words: list[str], code: str) -> None:
    write_notebook("a.ipynb", TAGGED)
    write_notebook("b.ipynb", TAGGED)
    Path("empty").mkdir()
    Path("file").touch()
    Path("pipelines/taken").mkdir(parents=True)
    Path("pipelines/taken/work.txt").touch()

    result = nbprod(*words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error[{code}" if code else "error[")
    assert "internal" not in result.stderr
