"""`init` adds to what is there and replaces nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from nbprod.api.starting import HOOK, init_project
from nbprod.config import find_project
from nbprod.errors import NbprodError

OTHER_HOOK = {"repo": "https://example.org/hooks", "rev": "v1", "hooks": [{"id": "ruff"}]}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Churn 2024.ipynb").write_text("{}")
    return tmp_path


def test_a_project_without_pyproject_gets_nbprod_toml(folder: Path) -> None:
    report = init_project(notebooks=["Churn 2024.ipynb"])

    assert report["written"] == ["nbprod.toml"]
    pipelines = find_project(folder).config.pipelines
    assert {name: each.notebook for name, each in pipelines.items()} == {"churn_2024": "Churn 2024.ipynb"}


def test_pyproject_keeps_its_text_and_comments(folder: Path) -> None:
    before = '# ours\n[project]\nname = "x"   # a name\n\n[tool.ruff]\nline-length = 100\n'
    (folder / "pyproject.toml").write_text(before)

    assert init_project(notebooks=["Churn 2024.ipynb"])["written"] == ["pyproject.toml"]

    after = (folder / "pyproject.toml").read_text()
    assert after.startswith(before)
    assert find_project(folder).config.pipelines["churn_2024"].notebook == "Churn 2024.ipynb"


def test_a_second_call_changes_nothing(folder: Path) -> None:
    def files() -> dict[str, str]:
        return {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}

    init_project(notebooks=["Churn 2024.ipynb"], pre_commit=True, github=True)
    before = files()

    report = init_project(notebooks=["Churn 2024.ipynb"], pre_commit=True, github=True)

    assert (report["written"], len(report["kept"]), files()) == ([], 3, before)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("repos:\n- repo: https://example.org/hooks\n  rev: v1\n  hooks:\n  - id: ruff\n", id="flush"),
        pytest.param(
            "repos:\n  # first\n  - repo: https://example.org/hooks\n    rev: v1\n    hooks: [{id: ruff}]",
            id="indented",
        ),
        pytest.param(
            "ci: 1\nrepos:\n  - repo: https://example.org/hooks\n    rev: v1\n    hooks: [{id: ruff}]\n\nx: 1\n",
            id="with-a-key-behind",
        ),
    ],
)
def test_the_hook_joins_the_others(folder: Path, text: str) -> None:
    path = folder / ".pre-commit-config.yaml"
    path.write_text(text)

    init_project(pre_commit=True)

    after = path.read_text()
    assert yaml.safe_load(after)["repos"] == [OTHER_HOOK, *yaml.safe_load(HOOK)]
    assert all(line in after.splitlines() for line in text.splitlines())
    assert {**yaml.safe_load(after), "repos": 0} == {**yaml.safe_load(text), "repos": 0}


@pytest.mark.parametrize("text", ["repos: [", "hooks: 1\n", "repos: []\n"], ids=["broken", "no-repos", "a-flow-list"])
def test_a_hook_file_that_cannot_be_added_to_is_left_alone(folder: Path, text: str) -> None:
    path = folder / ".pre-commit-config.yaml"
    path.write_text(text)

    with pytest.raises(NbprodError) as raised:
        init_project(pre_commit=True)

    assert raised.value.code == "not-added"
    assert "id: nbprod-check" in (raised.value.hint or "")
    assert path.read_text() == text
    assert not (folder / "nbprod.toml").exists()


def test_the_workflow_checks_the_notebooks_that_are_named(folder: Path) -> None:
    init_project(notebooks=["Churn 2024.ipynb"], github=True)

    steps = yaml.safe_load((folder / ".github/workflows/nbprod.yml").read_text())["jobs"]["check"]["steps"]
    runs = [step["run"] for step in steps if "run" in step]
    reports = "--report nbprod-reports/check.sarif --report nbprod-reports/check.xml"
    assert f"nbprod check 'Churn 2024.ipynb' --format github {reports}" in runs
    assert "nbprod export 'Churn 2024.ipynb' --check --auto --format github" in runs


@pytest.mark.parametrize(
    "notebooks, code",
    [(["gone.ipynb"], "not-found"), (["."], "not-found"), (["../elsewhere.ipynb"], "outside")],
    ids=["a-missing-notebook", "a-folder", "a-notebook-outside"],
)
def test_wrong_notebooks_are_errors_and_nothing_is_written(folder: Path, notebooks: list[str], code: str) -> None:
    (folder.parent / "elsewhere.ipynb").write_text("{}")

    with pytest.raises(NbprodError) as raised:
        init_project(notebooks=notebooks)

    assert raised.value.code == code
    assert not (folder / "nbprod.toml").exists()


ROOT = Path(__file__).parent.parent
MODEL = """\
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("rows.csv")
df["double"] = df["fare"] * 2
model = LogisticRegression().fit(df[["age", "double"]], df["y"])
"""


@pytest.fixture
def repository(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository with an exported notebook, and `nbprod init` with its hook switched on.

    What `pre-commit install` would do is done here with the hook's own words: its entry is called with the staged files
    that its pattern takes.
    """
    (folder / "rows.csv").write_text("age,fare,y\n1,2,0\n3,4,1\n")
    (folder / "bin").mkdir()
    command = folder / "bin" / "nbprod"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nbprod "$@"\n')
    command.chmod(0o755)
    for name, value in {
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **{
            f"GIT_{who}_{what}": f"a{at}b.c"
            for who in ("AUTHOR", "COMMITTER")
            for what, at in (("NAME", "-"), ("EMAIL", "@"))
        },
    }.items():
        monkeypatch.setenv(name, value)
    written(folder, MODEL)
    init_project(notebooks=["model.ipynb"], pre_commit=True, github=True)
    assert run("nbprod", "export", "model.ipynb", "--auto").returncode == 0
    assert run("git", "init", "-q").returncode == 0
    (repo,) = yaml.safe_load((folder / ".pre-commit-config.yaml").read_text())["repos"]
    hooks = repo["hooks"]
    assert [(hook["id"], hook["language"]) for hook in hooks] == [
        ("nbprod-check", "system"),
        ("nbprod-export-check", "system"),
    ]
    script = folder / ".git" / "hooks" / "pre-commit"
    script.parent.mkdir(exist_ok=True)
    staged = "git diff --cached --name-only --diff-filter=ACMR"
    calls = "".join(f"{staged} | grep -E '{hook['files']}' | xargs -r {hook['entry']}\n" for hook in hooks)
    script.write_text(f"#!/bin/sh\nset -e\n{calls}")
    script.chmod(0o755)
    (folder / "Churn 2024.ipynb").unlink()
    return folder


def written(folder: Path, source: str) -> None:
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
    book = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "model.ipynb").write_text(json.dumps(book, indent=1) + "\n")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def committed() -> subprocess.CompletedProcess[str]:
    run("git", "add", "-A")
    return run("git", "commit", "-m", "a change")


def test_the_hook_lets_a_commit_pass_only_while_the_package_is_what_the_notebook_says(repository: Path) -> None:
    first = committed()
    assert first.returncode == 0, first.stdout + first.stderr

    written(repository, MODEL.replace("* 2", "* 3"))
    refused = committed()
    assert refused.returncode != 0
    assert 'feature "double" changed' in refused.stdout + refused.stderr

    assert run("nbprod", "export", "model.ipynb", "--auto").returncode == 0
    assert committed().returncode == 0


def test_the_hook_leaves_commits_without_notebooks_alone(repository: Path) -> None:
    committed()
    written(repository, MODEL.replace("* 2", "* 3"))
    (repository / "notes.txt").write_text("x")
    run("git", "add", "notes.txt")
    assert run("git", "commit", "-m", "notes").returncode == 0


def test_the_steps_of_the_workflow_pass_and_fail_as_the_hook_does(repository: Path) -> None:
    steps = yaml.safe_load((repository / ".github/workflows/nbprod.yml").read_text())["jobs"]["check"]["steps"]
    checks = [step["run"] for step in steps if step.get("run", "").startswith("nbprod ")]
    assert len(checks) == 2
    assert [run("sh", "-c", check).returncode for check in checks] == [0, 0]
    written(repository, MODEL.replace("* 2", "* 3"))
    after = [run("sh", "-c", check) for check in checks]
    assert [each.returncode for each in after] == [1, 1]
    assert all(each.stdout.startswith("::error") for each in after)
    assert "<failure" in (repository / "nbprod-reports/check.xml").read_text()
    assert '"ruleId": "divergence"' in (repository / "nbprod-reports/check.sarif").read_text()


def test_the_export_hook_is_for_the_notebooks_that_have_a_pipeline_alone(folder: Path) -> None:
    (folder / "other.ipynb").write_text("{}")
    init_project(notebooks=["Churn 2024.ipynb"], pre_commit=True)
    (repo,) = yaml.safe_load((folder / ".pre-commit-config.yaml").read_text())["repos"]
    check, export = repo["hooks"]
    assert [bool(re.search(check["files"], name)) for name in ("Churn 2024.ipynb", "other.ipynb")] == [True, True]
    assert [bool(re.search(export["files"], name)) for name in ("Churn 2024.ipynb", "other.ipynb")] == [True, False]
