"""A tracking server that is away: the run waits in the project, whole, and is sent once, whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from nbprod.api.packages import Target
from nbprod.api.sending import UNSENT, Place, begun, failed, recorded
from nbprod.api.syncing import sync_runs
from nbprod.api.tracked import artifact_of, run_of, tracked_runs
from nbprod.config import find_project
from nbprod.errors import NbprodError
from nbprod.tracking import RunRecord, get_run, registered, runs, spool, store, unreachable
from nbprod.tracking.store import client
from nbprod.versions.lock import locked

PROJECT = Path(__file__).parents[2]
NOWHERE = "http://127.0.0.1:9"
SECRET = "hunter2-hunter2"


def quiet(stage: str, text: str) -> None:
    """Nobody is told."""


@pytest.fixture
def finished(record: RunRecord, package: Callable[..., Path], tmp_path: Path) -> RunRecord:
    """The record of a run that gave version 1 and an executed notebook, with a parameter that is a secret."""
    executed = tmp_path / "executed.ipynb"
    executed.write_text(json.dumps({"cells": [{"source": f"password = {SECRET!r}"}]}))
    folder = package()
    return replace(
        record,
        version=1,
        package=folder,
        params={**record.params, "password": SECRET},
        tags={"nbprod.verify": "proven", "note": f"with {SECRET}"},
        diff=f"+ {SECRET}",
        artifacts={"executed.ipynb": executed, "package": folder / "v0001"},
        texts={"plan.json": "{}\n"},
        example=({"Age": float("nan"), "Fare": 1.5, "Sex": "male", "Cabin": None, "Parch": 0},),
    )


def configured(folder: Path, uri: str) -> Place:
    (folder / "nbprod.toml").write_text(f'tracking_uri = "{uri}"\n')
    return Place(folder, uri, "titanic")


def target(folder: Path) -> Target:
    return Target("titanic", folder / "pipelines", find_project(folder))


def keep(place: Place, record: RunRecord) -> str:
    run_id = begun(record, place, quiet)
    assert recorded(record, place, run_id, register=True, say=quiet) is False
    return run_id


def test_a_run_that_waits_is_whole_and_holds_no_secret_and_no_pickle(finished: RunRecord, tmp_path: Path) -> None:
    run_id = keep(configured(tmp_path, NOWHERE), finished)

    folder = tmp_path / UNSENT
    waiting = spool.read(folder, run_id).record
    assert spool.waiting(folder) == (run_id,)
    assert waiting.params == {"seed": "0", "path": "titanic.csv", "password": "***"}
    assert (waiting.metrics, waiting.version, waiting.start) == (finished.metrics, 1, finished.start)
    assert {"executed.ipynb", "package", "plan.json", "inputs.json", "environment.json"} <= set(waiting.artifacts)
    assert all(path.exists() for path in waiting.artifacts.values())
    assert waiting.package is not None
    assert (waiting.package / "v0001/state/learned.json").is_file()
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []
    assert [path for path in files if path.suffix in {".pkl", ".pickle", ".joblib"}] == []
    assert (folder / ".gitignore").read_text() == "*\n"


def test_a_run_that_waits_is_listed_and_its_files_are_found_without_the_server(
    finished: RunRecord, tmp_path: Path
) -> None:
    run_id = keep(configured(tmp_path, NOWHERE), finished)

    found = run_of(target(tmp_path), run_id[:6])

    assert (found.run_id, found.status, found.tags["nbprod.verify"]) == (run_id, "FINISHED", "proven")
    path = artifact_of(target(tmp_path), found, "inputs.json", str(tmp_path))
    assert path is not None
    assert json.loads(path.read_text())[0]["path"] == "titanic.csv"


def test_what_a_killed_writer_had_begun_goes_with_the_next_run(finished: RunRecord, tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    for left in (f".{'a' * 32}-{gone.pid}", f".gone-{'b' * 32}-{gone.pid}"):
        (tmp_path / UNSENT / left).mkdir(parents=True)
    run_id = keep(configured(tmp_path, NOWHERE), finished)
    assert {path.name for path in (tmp_path / UNSENT).iterdir()} == {".gitignore", run_id}


def test_sync_says_that_the_server_is_away_and_keeps_the_run(finished: RunRecord, tmp_path: Path) -> None:
    run_id = keep(configured(tmp_path, NOWHERE), finished)
    with pytest.raises(NbprodError, match="does not answer") as raised:
        sync_runs(str(tmp_path))
    assert raised.value.code == "unreachable"
    assert "1 run waits" in (raised.value.hint or "")
    assert spool.waiting(tmp_path / UNSENT) == (run_id,)


def test_two_that_send_at_once_do_not_send_twice(finished: RunRecord, tmp_path: Path) -> None:
    keep(configured(tmp_path, NOWHERE), finished)
    with locked(tmp_path / UNSENT), pytest.raises(NbprodError) as raised:
        sync_runs(str(tmp_path))
    assert raised.value.code == "locked"


def test_a_record_that_is_damaged_is_named(finished: RunRecord, tmp_path: Path) -> None:
    run_id = keep(configured(tmp_path, NOWHERE), finished)
    (tmp_path / UNSENT / run_id / "record.json").write_text('{"schema": 1')
    with pytest.raises(NbprodError, match="can't be read") as raised:
        spool.read(tmp_path / UNSENT, run_id)
    assert raised.value.code == "damaged-run"
    assert run_id in str(raised.value)


def test_a_disk_that_is_full_leaves_no_half_of_a_run(finished: RunRecord, tmp_path: Path) -> None:
    place = configured(tmp_path, NOWHERE)
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("mounting a small disk takes root and unshare")
    script = """
mkdir -p "$1" && mount -t tmpfs -o size=24k tmpfs "$1" || exit 77
exec "$2" -c '
import sys
from pathlib import Path
from nbprod.tracking import RunRecord, spool
try:
    spool.keep(Path(sys.argv[1]), "a" * 32, RunRecord("n", "n.ipynb", texts={"big.txt": "x" * 100_000}),
        experiment="n", register=False)
except OSError as error:
    print(error.errno, sorted(path.name for path in Path(sys.argv[1]).iterdir()))
' "$1"
"""
    command = ["unshare", "-m", "sh", "-c", script, "sh", str(place.unsent), sys.executable]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode == 77:
        pytest.skip("this machine lets nobody mount a disk")
    assert done.stdout.strip() == "28 ['.gitignore']", done.stderr


# ------------------------------------------------------------------------------------------- with a real server

# Sends what waits, and ends before the n-th word to the server.
SENDER = """
import os, signal, sys
import requests
from nbprod.api.syncing import sync_runs
left, send = int(sys.argv[2]), requests.Session.request
def counted(self, method, url, **options):
    global left
    if "/health" not in url and method.upper() != "GET":
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return send(self, method, url, **options)
requests.Session.request = counted
sync_runs(sys.argv[1])
"""


@pytest.mark.slow
def test_a_run_that_began_without_the_server_is_there_once_however_often_sending_was_killed(
    finished: RunRecord, running_server: Any, tmp_path: Path
) -> None:
    running_server.stop()
    place = configured(tmp_path, running_server.uri)
    run_id = keep(place, finished)
    running_server.start()

    kills = 0
    for words in (1, 6, 14, 25):
        done = subprocess.run(
            [sys.executable, "-c", SENDER, str(tmp_path), str(words)], cwd=PROJECT, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        kills += 1
        assert spool.waiting(tmp_path / UNSENT) == (run_id,)
    report = sync_runs(str(tmp_path))

    assert kills >= 3
    (found,) = runs(uri=running_server.uri, name="titanic")
    assert (found.run_id, found.status, found.tags["nbprod.run"]) == (run_id, "FINISHED", run_id)
    assert found.mlflow_id != run_id
    assert found.params["password"] == "***"
    assert found.tags["note"] == "with ***"
    (model,) = registered("titanic", uri=running_server.uri)
    assert (model.version, model.run_id) == (1, found.mlflow_id)
    assert report["failed"] == []
    assert spool.waiting(tmp_path / UNSENT) == ()
    assert len(get_run(run_id[:8], uri=running_server.uri).models) == 1
    assert sync_runs(str(tmp_path))["sent"] == []
    assert [run.run_id for run in tracked_runs(target(tmp_path), 5)] == [run_id]


@pytest.mark.slow
def test_a_server_that_dies_in_mid_run_is_given_the_end_of_the_run_later(
    finished: RunRecord, running_server: Any, tmp_path: Path
) -> None:
    place = configured(tmp_path, running_server.uri)
    place = replace(place, experiment="died")
    run_id = begun(finished, place, quiet)
    other = begun(finished, place, quiet)
    running_server.stop()
    told: list[str] = []

    assert recorded(finished, place, run_id, register=True, say=lambda *words: told.append(words[1])) is False
    assert failed(finished, place, other, "no such column", quiet) is False
    assert "nbprod sync" in told[0]
    running_server.start()
    assert get_run(run_id, uri=running_server.uri).status == "RUNNING"
    report = sync_runs(str(tmp_path))

    assert {each["run_id"]: each["mlflow_run_id"] for each in report["sent"]} == {run_id: run_id, other: other}
    assert {each["run_id"]: each["status"] for each in report["sent"]} == {run_id: "FINISHED", other: "FAILED"}
    found = get_run(run_id, uri=running_server.uri)
    assert (found.status, found.metrics["accuracy"], len(found.models)) == ("FINISHED", 0.81, 1)
    assert "error.txt" in get_run(other, uri=running_server.uri).artifacts


@pytest.mark.parametrize(
    "uri, is_away",
    [
        (NOWHERE, True),
        ("https://127.0.0.1:9/mlflow", True),
        ("postgresql://u:p@127.0.0.1:9/runs", True),
        ("postgresql+psycopg2://u@/runs?host=/tmp/x", False),
        ("sqlite:////nowhere/at/all.db", False),
    ],
)
def test_whether_a_server_answers_is_known_within_seconds(uri: str, is_away: bool) -> None:
    assert (unreachable(uri) is not None) is is_away


def test_a_server_that_refuses_is_an_error_before_anything_runs(
    finished: RunRecord, running_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PATIENCE", 60)  # it is there, however slowly it answers
    place = Place(Path(), f"{running_server.uri}/no-such-prefix", "titanic")
    with pytest.raises(NbprodError) as raised:
        begun(finished, place, quiet)
    assert raised.value.code == "tracking"


def test_the_clients_patience_is_the_users_where_it_is_set(fresh: Callable[..., str]) -> None:
    text = "import os\nfrom nbprod.tracking.store import import_mlflow\nimport_mlflow()\n"
    show = 'print(os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"])'
    assert fresh(text + show).strip() == "2"
    assert fresh('import os\nos.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "9"\n' + text + show).strip() == "9"


def test_the_store_of_a_project_is_not_asked_whether_it_is_there(record: RunRecord, uri: str, tmp_path: Path) -> None:
    place = Place(tmp_path, uri, "titanic")
    run_id = begun(record, place, quiet)
    assert recorded(record, place, run_id, register=False, say=quiet) is True
    assert client(uri).get_run(run_id).info.status == "FINISHED"
    assert not (tmp_path / UNSENT).exists()
