"""Which steps of workflows check notebooks and packages, and which of them may fail unnoticed."""

from __future__ import annotations

import pytest

from nbprod.api import init_project
from nbprod.api.workflows import check_steps
from nbprod.model.workflow import CheckStep


def workflow(job: str) -> str:
    return f"on: push\njobs:\n  check:\n    runs-on: ubuntu-latest\n{job}"


STEPS = "    steps:\n      - uses: actions/checkout@v4\n      - run: "


@pytest.mark.parametrize(
    "text, expected",
    [
        pytest.param(workflow(f"{STEPS}nbprod check a.ipynb"), ("nbprod check a.ipynb", None), id="check"),
        pytest.param(
            workflow(f"{STEPS}|\n          pip install nbprod\n          nbprod export a.ipynb --check --auto"),
            ("nbprod export a.ipynb --check --auto", None),
            id="a line among others",
        ),
        pytest.param(
            workflow(f"{STEPS}nbprod check .\n        continue-on-error: true"),
            ("nbprod check .", "continue-on-error lets it fail"),
            id="a step that may fail",
        ),
        pytest.param(
            workflow(f"    if: github.ref == 'x'\n{STEPS}nbprod check ."),
            ("nbprod check .", "it only runs if github.ref == 'x'"),
            id="a job under a condition",
        ),
        pytest.param(
            workflow(f"{STEPS}nbprod check . || true"),
            ("nbprod check . || true", "what follows || lets it fail"),
            id="a command that never fails",
        ),
        pytest.param(
            workflow(f"{STEPS}|\n          set +e\n          nbprod check .\n          echo done"),
            ("nbprod check .", "set +e lets it fail"),
            id="a script that goes on after a failure",
        ),
        pytest.param(
            workflow(f"{STEPS}nbprod check .").replace("on: push", "on: [workflow_dispatch, schedule]"),
            ("nbprod check .", "it runs on workflow_dispatch, schedule, and on no change"),
            id="a workflow that no change starts",
        ),
        pytest.param(
            workflow(f"{STEPS}nbprod check .").replace("on: push", "on:\n  pull_request:\n  schedule:\n    - cron: x"),
            ("nbprod check .", None),
            id="a workflow that a change starts too",
        ),
        pytest.param(workflow(f"{STEPS}|\n          # nbprod check .\n          true"), None, id="a comment"),
        pytest.param(workflow(f"{STEPS}nbprod export a.ipynb"), None, id="an export that checks nothing"),
        pytest.param(workflow(f"{STEPS}echo my-nbprod check"), None, id="another program"),
        pytest.param(workflow("    steps: nbprod check"), None, id="steps that are none"),
        pytest.param("jobs: [", None, id="no YAML"),
        pytest.param("made: 2024-13-45", None, id="no date"),
        pytest.param("[" * 3000, None, id="too deep to be read"),
        pytest.param("", None, id="empty"),
    ],
)
def test_the_steps_that_check(text, expected, tmp_path):
    place = tmp_path / ".github/workflows/ci.yaml"
    place.parent.mkdir(parents=True)
    place.write_text(text, "utf-8")
    assert check_steps(tmp_path) == (() if expected is None else (CheckStep("ci.yaml", *expected),))


def test_the_workflow_that_init_writes_is_one(tmp_path):
    init_project(str(tmp_path), github=True)
    (gate,) = check_steps(tmp_path)
    assert (gate.file, gate.loosened) == ("nbprod.yml", None)
