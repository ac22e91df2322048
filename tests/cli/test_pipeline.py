"""The whole way as processes: run, verify, versions, score and serve on one small project."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

import nbprod
from nbprod import tracking
from nbprod.api.serving import ask
from nbprod.cli.app import app

CELLS: list[tuple[str, list[str]]] = [
    (
        "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression\n"
        "from sklearn.metrics import accuracy_score\nfrom sklearn.model_selection import train_test_split",
        [],
    ),
    ("SEED = 0\nSHARE = 0.25", ["parameters"]),
    ("df = pd.read_csv('people.csv')", ["data"]),
    ("df['age'] = df['age'].fillna(df['age'].median())\ndf['paid'] = df['fare'].clip(lower=0)", ["features"]),
    (
        "X = df[['age', 'paid']]\ny = df['left']\n"
        "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=SHARE, random_state=SEED)",
        ["features"],
    ),
    ("model = LogisticRegression()\nmodel.fit(X_train, y_train)", ["train"]),
    ("accuracy = accuracy_score(y_test, model.predict(X_test))\nprint(accuracy)", ["evaluate"]),
]
RECORD = {"age": 33, "fare": 7.0}
BIN = [sys.executable, "-m", "nbprod"]
# The source tree is found where nbprod is not installed, too.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(nbprod.__file__).parents[1])}


def write(path: Path, cells: list[tuple[str, list[str]]]) -> None:
    body = {
        "cells": [
            {
                "cell_type": "code", "execution_count": None, "id": f"cell-{number}", "outputs": [],
                "metadata": {"tags": tags} if tags else {}, "source": text.splitlines(keepends=True),
            }
            for number, (text, tags) in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip
    path.write_text(json.dumps(body, indent=1) + "\n")


def call(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BIN, *words], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False
    )


def called_here(folder: Path, *words: str) -> Result:
    """What the same words say within this process: starting one takes seconds, and an error needs none of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return CliRunner().invoke(app, words, prog_name="nbprod")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and a notebook that has been run once; its report lies in report.json."""
    folder = tmp_path_factory.mktemp("project")
    rows = [f"{20 + n % 40 if n % 7 else ''},{n % 13 - 1.5},{int(n % 5 > 1)}" for n in range(80)]
    (folder / "people.csv").write_text("\n".join(["age,fare,left", *rows]) + "\n")
    write(folder / "leavers.ipynb", CELLS)
    (folder / "nbprod.toml").write_text("")
    done = call(folder, "run", "leavers.ipynb", "--format", "json")
    assert done.returncode == 0, done.stderr
    (folder / "report.json").write_text(done.stdout)
    (folder / "stderr.txt").write_text(done.stderr)
    return folder


@pytest.fixture(scope="module")
def report(project: Path) -> Any:
    return json.loads((project / "report.json").read_text())


def test_run_proves_the_package_and_reports_it(project: Path, report: Any, valid: Any) -> None:
    valid("run", report)
    verify = report["verify"]
    assert verify["status"] in {"proven", "observed"}
    assert (verify["rows_equal"], verify["predictions_equal"]) == (verify["rows"], verify["predictions"])
    assert (report["package"], report["version"], report["refusals"]) == ("pipelines/leavers/v0001", 1, [])
    assert {stage["role"] for stage in report["stages"]} == {"parameters", "data", "features", "train", "evaluate"}
    assert (project / "pipelines/leavers/v0001/state/learned.json").is_file()


def test_metrics_are_those_that_the_notebook_printed(report: Any) -> None:
    executed = json.loads(Path(report["executed"]).read_text())
    printed = "".join(executed["cells"][-1]["outputs"][0]["text"])

    assert report["metrics"] == {"accuracy": pytest.approx(float(printed))}


def test_the_record_of_a_run_has_all_that_it_takes_to_run_it_again(
    project: Path, report: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)

    def told(name: str) -> Any:
        path = tracking.download(report["run_id"], name, str(tmp_path), uri=report["tracking_uri"])
        text = Path(path).read_text(encoding="utf-8")
        return json.loads(text) if name.endswith(".json") else text

    lock = told("requirements.lock").splitlines()
    assert f"pandas=={version('pandas')}" in lock
    assert lock[0].startswith(f"# CPython {platform.python_version()}, ")
    assert [Path(each["path"]).name for each in told("inputs.json")] == ["people.csv"]
    assert (told("outputs.json"), told("unpinned.json")) == ([], [])
    assert told("parameters.json") == [
        {"name": "SEED", "type": "int", "value": "0", "given": False},
        {"name": "SHARE", "type": "float", "value": "0.25", "given": False},
    ]
    assert told("seeds.json") == {
        "set": [{"cell": 4, "line": 3, "call": "train_test_split", "seed": "SEED"}], "missing": [],
    }  # fmt: skip
    cells = told("cells.json")
    assert [each["role"] for each in cells] == [None, "parameters", "data", "features", "features", "train", "evaluate"]
    assert all(each["memory"] > 10_000_000 and each["seconds"] >= 0 for each in cells)
    assert [each["outputs"] for each in cells][-2:] == [["execute_result"], ["stream"]]


def test_nothing_that_a_run_leaves_in_its_folder_is_for_git(project: Path) -> None:
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    told = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], cwd=project, capture_output=True, text=True, check=True
    )
    assert not [line for line in told.stdout.splitlines() if ".nbprod/" in line]
    assert "pipelines/leavers/versions.json" in told.stdout


def test_progress_goes_to_stderr_by_cell(project: Path) -> None:
    lines = (project / "stderr.txt").read_text().splitlines()

    assert [line for line in lines if line.startswith("run ")][2:4] == [
        "run 3/7: cell 2 (data)",
        "run 4/7: cell 3 (features)",
    ]
    assert "verify: one row at a time" in lines


def test_the_run_lies_in_the_store_with_its_model(report: Any) -> None:
    from nbprod.tracking import get_run, registered

    run = get_run(report["run_id"], uri=report["tracking_uri"])

    assert (run.status, run.metrics["accuracy"]) == ("FINISHED", report["metrics"]["accuracy"])
    assert {"executed.ipynb", "plan.json", "verify.json"} <= set(run.artifacts)
    assert [each.run_id for each in registered("leavers", uri=report["tracking_uri"])] == [report["run_id"]]


def test_verify_replays_the_same_run_again(project: Path, report: Any, valid: Any) -> None:
    done = call(project, "verify", "leavers", "--quick", "--format", "json")

    again = json.loads(done.stdout)
    valid("verify", again)
    assert (done.returncode, again["run_id"], again["version"]) == (0, report["run_id"], 1)
    assert again["verify"]["status"] == report["verify"]["status"]


def test_verify_finds_a_package_that_was_broken(project: Path, valid: Any) -> None:
    path = project / "pipelines/leavers/v0001/features.py"
    text = path.read_text()
    path.write_text(text.replace("clip(lower=0)", "clip(lower=1)"))
    try:
        done = call(project, "verify", "leavers.ipynb", "--quick", "--format", "json")
        shown = call(project, "verify", "leavers", "--quick")
    finally:
        path.write_text(text)

    found = json.loads(done.stdout)
    valid("verify", found)
    mismatch = found["verify"]["mismatch"]
    assert (done.returncode, found["verify"]["status"]) == (1, "failed")
    assert (mismatch["feature"], mismatch["cell"], mismatch["line"]) == ("paid", 3, 2)
    assert "2 | df['paid'] = df['fare'].clip(lower=0)" in shown.stdout
    assert "edited by hand since it was exported, so known by the replay alone: features.py" in shown.stdout


def test_what_was_edited_by_hand_is_proven_by_no_rule_and_kept_for_no_version(project: Path, valid: Any) -> None:
    path, kept = project / "pipelines/leavers/v0001/features.py", project / ".nbprod/proofs/leavers/v0001.json"
    text, before = path.read_text(), kept.read_text()
    path.write_text(f"{text}\n# the same\n")
    try:
        done = call(project, "verify", "leavers", "--quick", "--format", "json")
    finally:
        path.write_text(text)

    found = json.loads(done.stdout)
    valid("verify", found)
    assert (done.returncode, found["verify"]["status"], found["hand_edits"]) == (0, "observed", ["features.py"])
    assert kept.read_text() == before


def test_the_package_serves_itself_without_nbprod(project: Path) -> None:
    code = (
        "import sys; sys.modules['nbprod'] = None; sys.path.insert(0, 'pipelines'); import leavers; "
        f"print(leavers.load().predict_one({RECORD}))"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)

    assert done.stdout.strip() in {"0", "1"}


def test_score_writes_predictions_beside_the_rows(project: Path) -> None:
    (project / "rows.csv").write_text("age,fare\n33,7.0\n,2.0\n")

    done = call(project, "score", "leavers", "rows.csv", "scored.csv", "--format", "json", "--quiet")

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["rows"] == 2
    lines = (project / "scored.csv").read_text().splitlines()
    assert lines[0] == "age,fare,prediction"
    assert [line.rpartition(",")[0] for line in lines[1:]] == ["33,7.0", ",2.0"]


def test_score_puts_bad_rows_aside_and_counts_them(project: Path) -> None:
    (project / "some.csv").write_text("age,fare\n33,7.0\nold,2.0\n")

    stopped = call(project, "score", "leavers", "some.csv", "some_scored.csv")
    done = call(project, "score", "leavers", "some.csv", "some_scored.csv", "--bad-rows", "bad.csv", "--format", "json")

    assert stopped.returncode == 2
    assert "error[not-scored]: row 2: age: 'old' is not a number" in stopped.stderr
    assert "hint: --bad-rows FILE" in stopped.stderr
    assert (done.returncode, done.stderr) == (0, "")
    assert {key: json.loads(done.stdout)[key] for key in ("rows", "bad")} == {"rows": 1, "bad": 1}
    assert (project / "bad.csv").read_text() == "age,fare,row,reason\nold,2.0,2,age: 'old' is not a number\n"


def test_a_score_that_is_killed_leaves_nothing_at_work_and_goes_on(project: Path) -> None:
    (project / "many.csv").write_text("age,fare\n" + "33,7.0\n" * 60_000)
    words = ["score", "leavers", "many.csv", "many_scored.csv", "--rows", "100", "--jobs", "1"]
    first = subprocess.Popen([*BIN, *words], cwd=project, env=ENVIRONMENT)
    until = time.monotonic() + 120
    while not (project / ".many_scored.csv.parts/journal.jsonl").exists() and time.monotonic() < until:
        time.sleep(0.05)
    first.kill()
    first.wait()

    time.sleep(1)
    done = call(project, *words)

    assert done.returncode == 0, done.stderr
    assert "going on behind row" in done.stderr
    assert len((project / "many_scored.csv").read_text().splitlines()) == 60_001


@pytest.mark.parametrize(
    "rows, words, code",
    [
        pytest.param("fare\n1\n", ["leavers", "bad.csv", "out.csv"], "not-scored", id="a-missing-column"),
        pytest.param("", ["leavers", "gone.csv", "out.csv"], "not-scored", id="no-such-file"),
        pytest.param("", ["leavers@7", "bad.csv", "out.csv"], "no-version", id="no-such-version"),
        pytest.param("", ["leaver", "bad.csv", "out.csv"], "no-package", id="no-such-package"),
        pytest.param("", ["leavers", "bad.csv", "out.csv", "--python", "/no/python"], "no-interpreter", id="no-python"),
    ],
)
def test_what_cannot_be_scored_leaves_no_file(project: Path, rows: str, words: list[str], code: str) -> None:
    (project / "bad.csv").write_text(rows)

    done = called_here(project, "score", *words)

    assert done.exit_code == 2
    assert f"error[{code}]" in done.stderr
    assert not (project / "out.csv").exists()


@pytest.fixture(scope="module")
def url(project: Path) -> Iterator[str]:
    """`nbprod serve` as a process of its own."""
    with (project / "serve.txt").open("w") as log:
        process = subprocess.Popen([*BIN, "serve", "leavers", "--port", "0"], cwd=project, env=ENVIRONMENT, stderr=log)
        try:
            yield _url(process, project / "serve.txt")
        finally:
            process.terminate()
            assert process.wait(30) in {0, -15, 143}


def _url(process: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        found = re.search(r"http://\S+", log.read_text())
        if found and ask(f"{found[0]}/ready")["status"] == 200:
            return found[0]
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def test_serve_answers_one_record_and_many(project: Path, url: str) -> None:
    one, many = ask(f"{url}/predict", RECORD), ask(f"{url}/predict", {"records": [RECORD, RECORD]})

    assert (one["status"], one["body"]["version"]) == (200, "v0001")
    assert many["body"]["predictions"] == one["body"]["predictions"] * 2
    assert "leavers version 1, in " in (project / "serve.txt").read_text()


def test_bench_measures_the_service_and_holds_it_to_what_is_declared(project: Path) -> None:
    words = ["serve", "leavers", "--bench", "--bench-seconds", "0.5", "--concurrency", "2"]
    table = "[pipelines.leavers.requirements]\nlatency_ms = 60000\n"
    (project / "nbprod.toml").write_text(table + "memory_mb = 1\n")
    (project / "tokens.txt").write_text("# who may ask\nopen sesame\n")
    try:
        missed = call(project, *words, "--rate", "20", "--format", "json", "--token-file", "tokens.txt")
        (project / "nbprod.toml").write_text(table)
        met = call(project, *words)
    finally:
        (project / "nbprod.toml").write_text("")

    report = json.loads(missed.stdout)
    schema = json.loads((Path(nbprod.__file__).parent / "schemas" / "bench.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(report)
    assert (missed.returncode, met.returncode) == (1, 0), (missed.stderr, met.stderr)
    assert {each["name"]: each["met"] for each in report["requirements"]} == {"latency_ms": True, "memory_mb": False}
    assert [(run["connections"], run["rate"]) for run in report["runs"]] == [(2, None), (2, 20.0)]
    assert report["runs"][1]["requests"] == 10
    assert all(set(run["statuses"]) == {"200"} and not run["faults"] for run in report["runs"])
    assert "rows of the last run" in report["rows"]
    assert "2 connections" in met.stdout
    assert "met    latency_ms = 60000: " in met.stdout


@pytest.mark.parametrize(
    "words, message",
    [
        pytest.param(["--bench", "--concurrency", "1,none"], "takes numbers of connections", id="no-number"),
        pytest.param(["--bench", "--concurrency", "0"], "takes numbers of connections", id="none"),
        pytest.param(["--rate", "5"], "--rate goes with --bench", id="a-rate-alone"),
        pytest.param(["--format", "json"], "--format json goes with --bench", id="a-report-of-nothing"),
    ],
)
def test_options_of_a_bench_are_held_to_it(project: Path, words: list[str], message: str) -> None:
    done = called_here(project, "serve", "leavers", *words)

    assert done.exit_code == 2
    assert message in done.stderr


def test_serve_names_every_fault_of_a_bad_record(url: str) -> None:
    answer = ask(f"{url}/predict", {"age": "old"})

    assert answer["status"] == 422
    assert {fault["field"] for fault in answer["body"]["faults"]} == {"age", "fare"}


def test_a_version_that_was_never_fitted_is_not_served(project: Path, tmp_path: Path) -> None:
    write(tmp_path / "leavers.ipynb", CELLS)
    (tmp_path / "people.csv").write_bytes((project / "people.csv").read_bytes())
    call(tmp_path, "export", "leavers.ipynb")

    done = call(tmp_path, "serve", "leavers")

    assert done.returncode == 2
    assert "error[not-fitted]" in done.stderr
    assert "nbprod run leavers.ipynb" in done.stderr


@pytest.mark.parametrize(
    "words, code",
    [
        pytest.param(["-p", "SEDE", "1"], "unknown-parameter", id="a-parameter-mistyped"),
        pytest.param(["-p", "SEED", "x"], "bad-parameter", id="a-parameter-of-another-type"),
        pytest.param(["-f", "gone.yml"], "system", id="a-file-that-is-not-there"),
        pytest.param(["--kernel", "no-such-kernel"], "missing-kernel", id="a-kernel-that-is-not-there"),
    ],
)
def test_a_run_that_cannot_start_leaves_the_versions_alone(project: Path, words: list[str], code: str) -> None:
    before = (project / "pipelines/leavers/versions.json").read_bytes()

    done = called_here(project, "run", "leavers.ipynb", *words)

    assert (done.exit_code, done.stdout) == (2, "")
    assert f"error[{code}]" in done.stderr
    assert (project / "pipelines/leavers/versions.json").read_bytes() == before


def test_what_is_wrong_in_the_notebook_is_said_behind_the_proof(project: Path, valid: Any) -> None:
    scaled = (
        "from sklearn.preprocessing import StandardScaler\nscaler = StandardScaler()\n"
        "X_train = scaler.fit_transform(X_train)\nX_test = scaler.fit_transform(X_test)"
    )
    write(project / "skewed.ipynb", [*CELLS[:5], (scaled, ["features"]), *CELLS[5:]])

    done = call(project, "run", "skewed.ipynb")
    report = json.loads(call(project, "run", "skewed.ipynb", "--format", "json").stdout)

    assert done.returncode == 1
    assert "warnings in the notebook (nbprod check skewed.ipynb shows them)" in done.stdout
    assert "[divergent-test-path]" in done.stdout.partition("in the notebook (")[2]
    valid("run", report)
    assert "divergent-test-path" in {finding["rule"] for finding in report["findings"]}


def test_a_cell_that_fails_is_named_and_the_partial_notebook_is_tracked(project: Path, report: Any) -> None:
    from nbprod.tracking import runs

    cells = [*CELLS[:4], ("raise ValueError('no such luck')", ["features"]), *CELLS[4:]]
    write(project / "failing.ipynb", cells)

    done = call(project, "run", "failing.ipynb")

    assert done.returncode == 2
    assert "error[cell-failed]" in done.stderr
    assert "failing.ipynb, cell 4 (id cell-4), line 1" in done.stderr
    assert "no such luck" in done.stderr
    (failed,) = runs(uri=report["tracking_uri"], name="failing")
    assert failed.status == "FAILED"
    partial = project / ".nbprod/runs" / failed.run_id / "executed.ipynb"
    assert "no such luck" in partial.read_text()
    assert not (project / "pipelines/failing").exists()


def test_parameters_make_a_version_of_their_own(project: Path) -> None:
    done = call(
        project, "run", "leavers.ipynb", "--name", "other", "-p", "SEED", "3", "--no-verify", "--format", "json"
    )

    report = json.loads(done.stdout)
    assert (done.returncode, report["verify"]) == (0, None)
    assert "SEED = 3" in (project / "pipelines/other/v0001/features.py").read_text()
    executed = Path(report["executed"]).read_text()
    assert "injected-parameters" in executed
