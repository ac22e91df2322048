"""`nbprod verify` where there is no run to replay: the notebook is run for it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from nbprod.cli.app import app

MEDIAN = "df['a'] = df['a'].fillna(df['a'].median()).clip(lower=LEAST)"
CELLS: list[tuple[str, list[str]]] = [
    ("import pandas as pd\nfrom sklearn.linear_model import LinearRegression", []),
    ("LEAST = 0", ["parameters"]),
    ("df = pd.read_csv('rows.csv')", ["data"]),
    (MEDIAN, ["features"]),
    ("model = LinearRegression()\nmodel.fit(df[['a', 'b']], df['c'])", ["train"]),
    ("predictions = model.predict(df[['a', 'b']])", ["evaluate"]),
]


def write(path: Path, cells: list[tuple[str, list[str]]]) -> None:
    parts = [f"# %% tags={json.dumps(tags)}\n{text}\n" for text, tags in cells]
    path.write_text("\n".join(parts))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with rows and two notebooks: work.py was run with a parameter, and what it captured is gone."""
    folder = tmp_path_factory.mktemp("project")
    rows = [f"{n % 5 if n % 4 else ''},{n % 7},{n % 3}" for n in range(40)]
    (folder / "rows.csv").write_text("\n".join(["a,b,c", *rows]) + "\n")
    (folder / "nbprod.toml").write_text("")
    write(folder / "work.py", CELLS)
    write(folder / "never.py", CELLS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = CliRunner().invoke(app, ["run", "work.py", "-p", "LEAST", "2", "--no-verify"])
    assert done.exit_code == 0, done.output
    shutil.rmtree(folder / ".nbprod/runs")
    return folder


@pytest.fixture
def call(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(project)
    return lambda *words: CliRunner().invoke(app, words, prog_name="nbprod")


def test_a_notebook_that_was_never_run_is_run(project: Path, call: Any) -> None:
    call("export", "never.py")

    done = call("verify", "never")

    assert done.exit_code == 0, done.output
    assert "never was never run: running never.py" in done.stderr
    assert "run 3/6: cell 2 (data)" in done.stderr
    assert "of never.py, made now: never was never run" in done.stdout
    assert "rows         40 of 40 equal" in done.stdout
    assert (project / "pipelines/never/v0001/state/fitted.json").is_file()


def test_a_run_whose_captures_are_gone_is_made_again_with_its_parameters(project: Path, call: Any, valid: Any) -> None:
    ledger = (project / "pipelines/work/versions.json").read_bytes()

    done = call("verify", "work", "--format", "json")

    report = json.loads(done.stdout)
    valid("verify", report)
    assert (done.exit_code, report["run_id"], report["version"]) == (0, None, 1)
    assert report["fresh_run"] == "the run that version 1 was fitted in is not on this machine"
    assert report["verify"]["rows_equal"] == report["verify"]["rows"] == 40
    assert (project / "pipelines/work/versions.json").read_bytes() == ledger


def test_a_notebook_that_has_moved_on_is_held_against_the_package_as_it_is(project: Path, call: Any) -> None:
    moved = [(text.replace(".median()", ".max()"), tags) for text, tags in CELLS]
    write(project / "work.py", moved)
    try:
        done = call("verify", "work.py", "--quick")
    finally:
        write(project / "work.py", CELLS)

    assert done.exit_code == 1
    assert "is not on this machine, and work.py has changed since" in done.stdout
    assert "error[replay-mismatch]: a: the notebook has 4.0, the package 2.0" in done.stdout


def test_what_is_refused_is_not_run(project: Path, call: Any, valid: Any) -> None:
    write(project / "lagged.py", [*CELLS[:3], ("df['a'] = df['a'].shift(1)", ["features"]), *CELLS[4:]])

    shown, report = call("verify", "lagged.py"), json.loads(call("verify", "lagged.py", "--format", "json").stdout)

    valid("verify", report)
    assert (shown.exit_code, report["verify"]["status"], report["version"]) == (1, "refused", None)
    assert "error[not-servable]: shift" in shown.stdout
    assert "lagged.py: 1 refused, so nothing was run" in shown.stdout
    assert not (project / "pipelines/lagged").exists()


def test_a_package_without_its_notebook_says_what_is_missing(project: Path, call: Any) -> None:
    write(project / "moved.py", CELLS)
    call("export", "moved.py")
    (project / "moved.py").unlink()

    done = call("verify", "moved")

    assert done.exit_code == 2
    assert "error[no-run]: moved was never run, and moved.py is not here to be run" in done.stderr
    assert "hint: name the notebook: nbprod verify NOTEBOOK --name moved" in done.stderr


def test_an_untagged_notebook_is_not_run_unasked(project: Path, call: Any) -> None:
    write(project / "plain.py", [(text, []) for text, _ in CELLS])

    assert "error[untagged]" in call("verify", "plain.py").stderr
