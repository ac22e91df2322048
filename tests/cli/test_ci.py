"""What CI sees: a clone without the data, JUnit's XML, reports beside the annotations, and the GitHub action."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

import nbprod as nbprod_package
from nbprod.cli.junit import Case, Suite, junit
from nbprod.cli.problem import Problem
from nbprod.notebook import read

ROOT = Path(nbprod_package.__file__).parents[1]
ACTION = ROOT / ".github/actions/nbprod/action.yml"
CELLS = [
    "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression\ndf = pd.read_csv('rows.csv')",
    "df['double'] = df['fare'] * 2",
    "model = LogisticRegression().fit(df[['age', 'double']], df['y'])",
]
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{who}_NAME": "a" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "a@example.org" for who in ("AUTHOR", "COMMITTER")},
}


def write(path: Path, cells: list[str]) -> None:
    body = {
        "cells": [
            {"cell_type": "code", "id": f"c{n}", "metadata": {}, "outputs": [], "execution_count": None,
             "source": text.splitlines(keepends=True)}
            for n, text in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip
    path.write_text(json.dumps(body, indent=1) + "\n")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """With `nbprod` and `python` on the path, as behind `pip install nbprod`."""
    folder = tmp_path_factory.mktemp("bin")
    for name, words in (("nbprod", '-m nbprod "$@"'), ("python", '"$@"')):
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words}\n')
        (folder / name).chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **GIT, "PATH": path, "PYTHONPATH": str(ROOT), "RUNNER_TEMP": str(folder)}


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """A repository with a notebook and its package, whose data is kept out of it."""
    folder = tmp_path_factory.mktemp("origin")
    (folder / "rows.csv").write_text("age,fare,y\n1,2,0\n3,4,1\n")
    (folder / ".gitignore").write_text("rows.csv\n.nbprod/\n")
    write(folder / "model.ipynb", CELLS)
    write(folder / "scratch.ipynb", ["x = 1"])
    for words in (["nbprod", "export", "model.ipynb", "--auto"], ["git", "init", "-q"], ["git", "add", "-A"],
                  ["git", "commit", "-qm", "one"]):  # fmt: skip
        subprocess.run(words, cwd=folder, env=environment, check=True, capture_output=True)
    return folder


@pytest.fixture
def clone(origin: Path, tmp_path: Path, environment: dict[str, str]) -> Path:
    subprocess.run(["git", "clone", "-q", str(origin), str(tmp_path / "clone")], env=environment, check=True)
    return tmp_path / "clone"


def call(folder: Path, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("verb", [("check",), ("export", "--check", "--auto")], ids=["check", "export --check"])
def test_in_a_clone_without_the_data_what_could_not_be_checked_is_said_at_its_line(
    verb: tuple[str, ...], clone: Path, environment: dict[str, str]
) -> None:
    done = call(clone, environment, "nbprod", verb[0], "model.ipynb", *verb[1:])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "info[missing-data]: rows.csv is not here: its columns are those that the package knows" in done.stdout
    assert "--> model.ipynb, cell 0 (id c0), line 3" in done.stdout
    told = json.loads(call(clone, environment, "nbprod", verb[0], "model.ipynb", *verb[1:], "--format", "json").stdout)
    assert [(each["path"], each["cell"], each["line"]) for each in told["unchecked"]] == [("rows.csv", 0, 3)]


def test_with_the_data_nothing_is_left_unchecked(origin: Path, environment: dict[str, str]) -> None:
    told = json.loads(call(origin, environment, "nbprod", "check", "model.ipynb", "--format", "json").stdout)
    assert told["unchecked"] == []


@pytest.mark.slow
def test_a_proof_for_which_the_data_is_missing_is_none_and_passes_where_that_is_allowed(
    clone: Path, environment: dict[str, str]
) -> None:
    verify = ("nbprod", "verify", "model", "--auto", "--quiet")
    done = call(clone, environment, *verify)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error[missing-data]: not verified" in done.stderr
    assert "rows.csv" in done.stderr
    assert "model.ipynb, cell 0 (id c0), line 3" in done.stderr

    allowed = call(clone, environment, *verify, "--allow-missing-data", "--format", "junit")
    assert allowed.returncode == 0, allowed.stderr
    (case,) = ElementTree.fromstring(allowed.stdout).iter("testcase")
    skipped = case.find("skipped")
    assert case.get("name") == "missing-data"
    assert skipped is not None
    assert "not verified" in (skipped.get("message") or "")


def test_junit_has_a_suite_for_each_notebook_and_a_case_for_each_rule(clone: Path, environment: dict[str, str]) -> None:
    write(clone / "model.ipynb", [CELLS[0], CELLS[1].replace("* 2", "* 3"), CELLS[2]])
    (clone / "broken.ipynb").write_text("{")

    done = call(clone, environment, "nbprod", "check", ".", "--format", "junit")

    root = ElementTree.fromstring(done.stdout)
    suites = {suite.get("name"): suite for suite in root}
    assert set(suites) == {"model.ipynb", "scratch.ipynb", "broken.ipynb"}
    assert (root.get("failures"), root.get("errors")) == ("1", "1")
    assert done.returncode == 2
    cases = {case.get("name"): case for case in suites["model.ipynb"]}
    failure = cases["divergence"].find("failure")
    assert failure is not None
    assert 'feature "double" changed' in (failure.get("message") or "")
    line = int(cases["divergence"].get("line") or 0)
    assert "* 3" in (clone / "model.ipynb").read_text().splitlines()[line - 1]
    assert cases["secret"].find("failure") is None
    assert cases["missing-data"].find("skipped") is not None
    assert [case.find("error") is not None for case in suites["broken.ipynb"]] == [True]


def test_junit_takes_any_text(tmp_path: Path) -> None:
    path = tmp_path / "a&b.ipynb"
    write(path, ["x = '<&>'"])
    problem = Problem(str(path), "secret", "error", 'a "<key>" \x00\x1b & more', 0, "c0", 1, 1)
    text = junit([Suite(str(path), (Case("secret", (problem,)),))], {str(path): read(str(path))})
    (case,) = ElementTree.fromstring(text).iter("testcase")
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == 'a "<key>" \ufffd\ufffd & more'


def test_reports_are_written_beside_the_annotations(clone: Path, environment: dict[str, str]) -> None:
    write(clone / "model.ipynb", [CELLS[0], CELLS[1].replace("* 2", "* 3"), CELLS[2]])
    words = ("--format", "github", "--report", "out/a.sarif", "--report", "out/a.xml")
    done = call(clone, environment, "nbprod", "check", "model.ipynb", *words)
    assert (done.returncode, done.stdout.count("::error ")) == (1, 1)
    (run,) = json.loads((clone / "out/a.sarif").read_text())["runs"]
    assert run["results"][0]["ruleId"] == "divergence"
    assert ElementTree.parse(clone / "out/a.xml").getroot().get("failures") == "1"
    wrong = call(clone, environment, "nbprod", "check", "model.ipynb", "--report", "a.html")
    assert (wrong.returncode, "FILE.sarif" in wrong.stderr) == (2, True)


# ------------------------------------------------------------------------------------------------- the action


def steps() -> dict[str, dict[str, Any]]:
    action = yaml.safe_load(ACTION.read_text())
    assert action["runs"]["using"] == "composite"
    return {step["name"]: step for step in action["runs"]["steps"] if "name" in step}


def run_step(name: str, folder: Path, environment: dict[str, str], **given: str) -> subprocess.CompletedProcess[str]:
    """A step's text in bash, called as GitHub calls it, with its inputs in the place of their expressions."""
    inputs = {key: str(each.get("default", "")) for key, each in yaml.safe_load(ACTION.read_text())["inputs"].items()}
    inputs |= {key.replace("_", "-"): value for key, value in given.items()}
    step = steps()[name]
    env = {}
    for key, value in step["env"].items():
        wanted = value.removeprefix("${{ inputs.").removesuffix(" }}")
        assert wanted in inputs, value
        env[key] = inputs[wanted]
    script = folder.parent / "step.sh"
    script.write_text(step["run"])
    return call(folder, environment | env, "bash", "--noprofile", "--norc", "-eo", "pipefail", str(script))


def test_the_action_passes_while_packages_are_what_their_notebooks_say(
    clone: Path, environment: dict[str, str]
) -> None:
    check = run_step("nbprod check", clone, environment, sarif="a.sarif", junit="a.xml")
    assert check.returncode == 0, check.stdout + check.stderr
    assert "::notice file=model.ipynb" in check.stdout
    assert (clone / "a.sarif").is_file()
    assert (clone / "a.xml").is_file()
    # A notebook that was never exported is held to no package.
    export = run_step("nbprod export --check", clone, environment)
    assert export.returncode == 0, export.stdout + export.stderr
    none = run_step("nbprod export --check", clone, environment, notebooks="\nscratch.ipynb\n")
    assert (none.returncode, "no notebook has a package" in none.stdout) == (0, True)


def test_the_action_fails_at_the_line_that_moved(clone: Path, environment: dict[str, str]) -> None:
    write(clone / "model.ipynb", [CELLS[0], CELLS[1].replace("* 2", "* 3"), CELLS[2]])
    line = next(n for n, text in enumerate((clone / "model.ipynb").read_text().splitlines(), 1) if "* 3" in text)
    for name in ("nbprod check", "nbprod export --check"):
        done = run_step(name, clone, environment, notebooks="model.ipynb\nscratch.ipynb")
        assert done.returncode == 1, done.stdout + done.stderr
        assert f"::error file=model.ipynb,line={line}," in done.stdout


@pytest.mark.slow
def test_the_action_says_that_it_could_not_verify(clone: Path, environment: dict[str, str]) -> None:
    done = run_step("nbprod verify", clone, environment)
    assert done.returncode == 0, done.stderr
    assert "::warning file=model.ipynb,line=" in done.stdout
    assert "not verified" in done.stdout


def test_the_hooks_of_the_repository_are_those_that_init_writes() -> None:
    from nbprod.api.starting import hook_of

    ours = {hook["id"]: hook["entry"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    (repo,) = yaml.safe_load(hook_of(["a.ipynb"]))
    assert {hook["id"]: hook["entry"] for hook in repo["hooks"]} == ours
