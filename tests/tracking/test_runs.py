import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from mlflow.utils import environment
from msgspec.structs import replace

from nbprod.errors import NbprodError
from nbprod.tracking import (
    RunRecord,
    begin_run,
    close_dangling,
    default_uri,
    download,
    fail_run,
    get_run,
    log_model_of,
    log_run,
    registered,
    runs,
)

PROJECT = Path(__file__).parents[2]
SECRET = "hunter2-hunter2"

# Begins a run in a process of its own, says its id, and waits to be ended.
BEGIN = """
import sys, time
from nbprod.tracking import RunRecord, begin_run
print(begin_run(RunRecord(name="titanic", notebook="nb.ipynb"), uri=sys.argv[1], experiment="e",
    progress=lambda text: print(text, flush=True)), flush=True)
time.sleep(float(sys.argv[2]))
"""


def begin(uri: str, seconds: float = 60) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BEGIN, uri, str(seconds)]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)


def test_all_of_a_run_can_be_read_back(record: RunRecord, uri: str, tmp_path: Path) -> None:
    (tmp_path / "out.ipynb").write_text('{"cells": []}')
    (tmp_path / "package").mkdir()
    (tmp_path / "package/features.py").write_text("x = 1\n")
    whole = replace(
        record,
        artifacts={"executed/titanic.ipynb": tmp_path / "out.ipynb", "package": tmp_path / "package"},
        texts={"plan.json": '{"digest": 1}', "replay.json": "{}"},
        diff="-a\n+b\n",
        tags={"owner": "ana"},
        end=record.start + timedelta(seconds=90),
    )
    run = get_run(log_run(whole, uri=uri, experiment="titanic"), uri=uri)
    assert (run.status, run.experiment, run.start, run.end) == ("FINISHED", "titanic", whole.start, whole.end)
    assert run.params == {"seed": "0", "path": "titanic.csv"}
    assert run.metrics == {"accuracy": 0.81, "auc": 0.86}
    expected = {
        "nbprod.package": "titanic",
        "nbprod.notebook": "notebooks/titanic.ipynb",
        "nbprod.digest": "0123abcd",
        "nbprod.notebook_sha256": "ab" * 32,
        "nbprod.git.dirty": "true",
        "nbprod.versions.pandas": "3.0.6",
        "mlflow.source.git.commit": "c0ffee",
        "owner": "ana",
    }
    assert expected.items() <= run.tags.items()
    assert set(run.artifacts) == {
        "environment.json",
        "executed/titanic.ipynb",
        "git.diff",
        "inputs.json",
        "package/features.py",
        "plan.json",
        "replay.json",
    }
    (tmp_path / "back").mkdir()
    inputs = json.loads(Path(download(run.run_id, "inputs.json", str(tmp_path / "back"), uri=uri)).read_text())
    assert inputs == [{"path": "titanic.csv", "sha256": "cd" * 32, "bytes": 60302}]
    assert (tmp_path / ".nbprod/mlartifacts" / run.run_id).is_dir()


def test_secrets_are_written_nowhere(record: RunRecord, uri: str, tmp_path: Path) -> None:
    source = json.dumps({"cells": [{"source": [f'db = "{SECRET}"', 'url = "https://u:pw12345@x.org"']}]})
    (tmp_path / "out.ipynb").write_text(source)
    secret = replace(
        record,
        params={"db_password": SECRET, "seed": 1},
        tags={"note": "postgresql://ana:pw12345@db.org/x"},
        texts={"log.txt": f"connected with {SECRET}"},
        diff=f'+password = "{SECRET}"\n',
        artifacts={"executed/titanic.ipynb": tmp_path / "out.ipynb"},
    )
    run = get_run(log_run(secret, uri=uri, experiment="e"), uri=uri)
    assert run.params == {"db_password": "***", "seed": "1"}
    assert run.tags["note"] == "***"
    written = [path for path in (tmp_path / ".nbprod").rglob("*") if path.is_file()]
    assert len(written) > 4
    for path in written:
        assert SECRET.encode() not in path.read_bytes(), path
        assert b"pw12345" not in path.read_bytes(), path
    assert (tmp_path / "out.ipynb").read_text() == source


def test_odd_names_and_long_values_are_taken(record: RunRecord, uri: str) -> None:
    odd = replace(record, params={"a(b)": "x" * 9000, "ünï": 1, "../x": 2}, metrics={"R²": 0.5, "none": float("nan")})
    run = get_run(log_run(odd, uri=uri, experiment="e"), uri=uri)
    assert len(run.params["a_b_"]) == 6000
    assert set(run.params.values()) >= {"1", "2"}
    assert list(run.metrics.values()) == [0.5]


def test_a_failed_run_keeps_what_there_is(record: RunRecord, uri: str, tmp_path: Path) -> None:
    run_id = begin_run(record, uri=uri, experiment="e")
    assert get_run(run_id, uri=uri).status == "RUNNING"
    (tmp_path / "partial.ipynb").write_text("{}")
    partial = replace(record, metrics={}, artifacts={"executed.ipynb": tmp_path / "partial.ipynb"})
    fail_run(partial, uri=uri, experiment="e", run_id=run_id, error="KeyError: 'Age'\n  in cell 3")
    run = get_run(run_id, uri=uri)
    assert (run.status, run.tags["nbprod.error"]) == ("FAILED", "KeyError: 'Age'")
    assert {"error.txt", "executed.ipynb"} <= set(run.artifacts)


def test_a_run_that_was_killed_is_closed_by_the_next_one(record: RunRecord, uri: str) -> None:
    process = begin(uri)
    alive = begin(uri)
    try:
        assert process.stdout is not None
        assert alive.stdout is not None
        killed, running = process.stdout.readline().strip(), alive.stdout.readline().strip()
        process.send_signal(signal.SIGKILL)
        process.wait()
        next_run = begin_run(record, uri=uri, experiment="e")
        statuses = {run: get_run(run, uri=uri).status for run in (killed, running, next_run)}
        assert statuses == {killed: "KILLED", running: "RUNNING", next_run: "RUNNING"}
        assert close_dangling(uri=uri) == ()
    finally:
        process.kill()
        alive.kill()


@pytest.mark.parametrize(
    "tags, status",
    [
        pytest.param({"nbprod.host": "another"}, "RUNNING", id="another machine's run is left alone"),
        pytest.param({"nbprod.process_start": "0:1"}, "KILLED", id="a process that got the id of a dead one"),
    ],
)
def test_whose_run_it_is_decides(tags: dict[str, str], status: str, record: RunRecord, uri: str) -> None:
    from nbprod.tracking.store import client

    run_id = begin_run(record, uri=uri, experiment="e")
    for name, value in tags.items():
        client(uri).set_tag(run_id, name, value)
    close_dangling(uri=uri)
    assert get_run(run_id, uri=uri).status == status


def test_a_model_that_a_killed_run_did_not_complete_is_marked(record: RunRecord, uri: str) -> None:
    from nbprod.tracking.store import client

    run_id = begin_run(record, uri=uri, experiment="e")
    store = client(uri)
    experiment = store.get_experiment_by_name("e").experiment_id
    whole, half = (store.create_logged_model(experiment, name=name, source_run_id=run_id) for name in ("a", "b"))
    store.finalize_logged_model(whole.model_id, "READY")
    store.set_tag(run_id, "nbprod.process_start", "0:1")
    assert close_dangling(uri=uri, experiment="e") == (run_id,)
    statuses = [store.get_logged_model(model.model_id).status.value for model in (whole, half)]
    assert statuses == ["READY", "FAILED"]


def test_a_model_that_was_logged_before_the_run_has_ended_is_its_one_model(
    record: RunRecord, uri: str, package: Callable[..., Path]
) -> None:
    from nbprod.tracking.store import client

    run_id = begin_run(record, uri=uri, experiment="e")
    of_version = replace(record, package=package(), version=1)
    log_model_of(record, run_id, uri=uri)  # no version: no model
    log_model_of(of_version, "0" * 32, uri=uri)  # no such run
    log_model_of(of_version, run_id, uri=uri)

    def models() -> list[tuple[str, str]]:
        experiment = client(uri).get_experiment_by_name("e").experiment_id
        return [(each.model_id, str(each.status)) for each in client(uri).search_logged_models([experiment])]

    [(model, status)] = models()
    assert status == "READY"
    assert get_run(run_id, uri=uri).status == "RUNNING"
    log_run(of_version, uri=uri, experiment="e", run_id=run_id)
    assert models() == [(model, "READY")]
    assert [each.model_id for each in client(uri).get_run(run_id).outputs.model_outputs] == [model]
    assert get_run(run_id, uri=uri).status == "FINISHED"


def test_the_store_is_kept_out_of_commits_and_the_rest_of_the_folder_is_not(uri: str, tmp_path: Path) -> None:
    from nbprod.tracking.store import _ignore_in_git

    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    _ignore_in_git(tmp_path / ".nbprod")
    (tmp_path / ".nbprod/mlartifacts").mkdir()
    (tmp_path / ".nbprod/mlartifacts/a").write_text("")
    (tmp_path / ".nbprod/rules.yml").write_text("")
    status = ["git", "status", "--porcelain", "--untracked-files=all"]
    listed = subprocess.run(status, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert listed == "?? .nbprod/rules.yml\n"


def test_a_kill_while_the_store_is_created_leaves_none(tmp_path: Path, record: RunRecord) -> None:
    uri = default_uri(tmp_path)
    process = begin(uri)
    assert process.stdout is not None
    assert "creating" in process.stdout.readline()
    while not list((tmp_path / ".nbprod").glob(".mlflow.db-*")):
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / ".nbprod/mlflow.db").exists()
    assert runs(uri=uri) == ()
    both = [begin(uri, 0), begin(uri, 0)]
    ids = {process.communicate(timeout=120)[0].splitlines()[-1] for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert {run.run_id for run in runs(uri=uri)} == ids
    assert len(ids) == 2
    assert {path.name for path in (tmp_path / ".nbprod").iterdir() if path.is_file()} == {
        ".gitignore",
        "mlflow.db",
    }


def test_runs_are_found_by_experiment_package_and_prefix(record: RunRecord, uri: str) -> None:
    first = log_run(record, uri=uri, experiment="a")
    second = log_run(replace(record, name="churn", start=record.start + timedelta(days=1)), uri=uri, experiment="b")
    assert [run.run_id for run in runs(uri=uri)] == [second, first]
    assert [run.run_id for run in runs(uri=uri, experiment="a")] == [first]
    assert [run.run_id for run in runs(uri=uri, name="churn")] == [second]
    assert [run.run_id for run in runs(uri=uri, limit=1)] == [second]
    assert runs(uri=uri, experiment="none") == ()
    assert get_run(first[:12], uri=uri).run_id == first
    for wrong in ("0" * 32, "nothing", ""):
        with pytest.raises(NbprodError) as caught:
            get_run(wrong, uri=uri)
        assert caught.value.code == "no-run"


def test_asking_a_store_that_is_not_there_creates_none(tmp_path: Path) -> None:
    uri = default_uri(tmp_path)
    assert runs(uri=uri) == ()
    assert registered("titanic", uri=uri) == ()
    assert close_dangling(uri=uri) == ()
    assert list(tmp_path.iterdir()) == []


def test_an_experiment_that_was_deleted_comes_back(record: RunRecord, uri: str) -> None:
    from nbprod.tracking.store import client

    run_id = log_run(record, uri=uri, experiment="e")
    client(uri).delete_experiment(client(uri).get_experiment_by_name("e").experiment_id)
    log_run(record, uri=uri, experiment="e")
    assert run_id in {run.run_id for run in runs(uri=uri, experiment="e")}


def test_a_file_that_is_no_store_is_named_and_kept(record: RunRecord, tmp_path: Path) -> None:
    uri = default_uri(tmp_path)
    (tmp_path / ".nbprod").mkdir()
    (tmp_path / ".nbprod/mlflow.db").write_text("not a database at all, " * 100)
    with pytest.raises(NbprodError) as caught:
        log_run(record, uri=uri, experiment="e")
    assert caught.value.code == "tracking"
    assert (tmp_path / ".nbprod/mlflow.db").read_text().startswith("not a database")


def test_a_folder_where_none_can_be_created_is_named(record: RunRecord, tmp_path: Path) -> None:
    (tmp_path / ".nbprod").write_text("a file")
    with pytest.raises(NbprodError, match="cannot be created"):
        log_run(record, uri=default_uri(tmp_path), experiment="e")


def test_no_host_is_asked_for_and_nothing_is_left_beside_the_store(
    fresh: Callable[..., str], template: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    (project / ".nbprod").mkdir(parents=True)
    shutil.copy(template, project / ".nbprod/mlflow.db")
    script = f"""
import sys
sys.path.insert(0, {str(PROJECT)!r})
from nbprod.tracking import RunRecord, log_run
print(log_run(RunRecord(name="titanic", notebook="nb.ipynb"), uri=sys.argv[1], experiment="e"))
"""
    run_id = fresh(script, default_uri(project), cwd=project).strip()
    assert get_run(run_id, uri=default_uri(project)).status == "FINISHED"
    assert [path.name for path in project.iterdir()] == [".nbprod"]


def test_what_the_kernel_has_is_not_held_to_this_environment(
    record: RunRecord, package: Callable[..., Path], uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = package()
    (folder / "v0001/requirements.lock").write_text("pandas==1.1.0\n")
    before = environment.warn_dependency_requirement_mismatches

    log_run(replace(record, package=folder, version=1), uri=uri, experiment="e")

    [logged] = (folder.parents[1] / ".nbprod").rglob("requirements.txt")
    assert "pandas==1.1.0" in logged.read_text().splitlines()
    assert [each.getMessage() for each in caplog.records if "mismatch" in each.getMessage()] == []
    assert environment.warn_dependency_requirement_mismatches is before
