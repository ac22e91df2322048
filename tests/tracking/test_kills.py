"""A hundred kills at random moments of what a run writes: versions, the store of runs, the registry, what waits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
KILLS = 100

# Everything is imported once; each round is a child of its own, ended with SIGKILL at a random moment of its work.
ROUNDS = """
import json, os, random, signal, sqlite3, sys, time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pandas, sklearn
from nbprod import tracking, versions
from nbprod.api.sending import Place, begun, recorded
from nbprod.tracking import RunRecord, spool
from nbprod.tracking.store import import_mlflow
import_mlflow()
import mlflow.pyfunc, mlflow.store.tracking.sqlalchemy_store, mlflow.tracking

folder, kills = Path(sys.argv[1]), int(sys.argv[2])
root, notebook = folder / "pipelines", folder / "titanic.ipynb"
uri = tracking.default_uri(folder)
written = notebook.read_bytes()
first = {path.relative_to(root / "titanic/v0001").as_posix(): path.read_bytes()
         for path in (root / "titanic/v0001").rglob("*")
         if path.is_file() and "state" not in path.parts and "__pycache__" not in path.parts}
top = {"__init__.py": (root / "titanic/__init__.py").read_bytes()}
random.seed(8)

def quiet(stage, text):
    pass

def work(number, where):
    # One run, as `nbprod run` writes it: begun, a version, its state, its record and its model.
    now = datetime.now(UTC)
    record = RunRecord("titanic", "titanic.ipynb", digest=f"d{number}", params={"n": number}, start=now,
        artifacts={"executed.ipynb": notebook})
    place = Place(folder, where, "titanic")
    run_id = begun(record, place, quiet)
    files = {**first, "features.py": f"FACTOR = {number}\\n".encode()}
    version = versions.publish(root, "titanic", files, top, digest=f"d{number}", notebook="titanic.ipynb", commit=None,
        why=str(number), now=now)
    state = folder / f"state-{os.getpid()}"
    state.mkdir()
    (state / "learned.json").write_text(json.dumps({"mean": number}))
    (state / "schema.json").write_text((root / "titanic/v0001/state/schema.json").read_text())
    version = versions.put_state(root, "titanic", version.number, state, run_id=run_id, now=now)
    ended = RunRecord("titanic", "titanic.ipynb", digest=f"d{number}", version=version.number, package=root / "titanic",
        params={"n": number}, metrics={"n": number}, start=now, end=datetime.now(UTC),
        artifacts={"executed.ipynb": notebook, "package": root / f"titanic/v{version.number:04d}"})
    recorded(ended, place, run_id, register=True, say=quiet)

def child(number, where):
    pid = os.fork()
    if pid == 0:
        try:
            work(number, where)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return pid

def is_whole(stop):
    assert notebook.read_bytes() == written
    # Old versions are not touched again: all of them are held to their digests at the end.
    listed = versions.ledger(root, "titanic")
    for version in listed if stop == "the last" else listed[-3:]:
        assert versions.is_state_recorded(root, "titanic", version.number), (stop, version)
        there = root / f"titanic/v{version.number:04d}"
        for name in first:
            assert (there / name).is_file(), (stop, version, name)
        factor = (there / "features.py").read_text()
        assert version.number == 1 or factor == f"FACTOR = {version.why}\\n", (stop, version, factor)
        assert version.state is None or json.loads((there / "state/learned.json").read_text()), (stop, version)
    with closing(sqlite3.connect(folder / ".nbprod/mlflow.db")) as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)], stop
    unsent = folder / ".nbprod/unsent"
    for run_id in spool.waiting(unsent):
        run = spool.read(unsent, run_id).record
        assert all(path.exists() for path in run.artifacts.values()), (stop, run_id)
        assert (run.package / f"v{run.version:04d}/state/learned.json").is_file(), (stop, run_id)

AWAY = "http://127.0.0.1:9"
lasts = {}
for where in (uri, AWAY):
    began = time.monotonic()
    _, status = os.waitpid(child(5 if where == uri else 6, where), 0)
    assert status == 0
    lasts[where] = time.monotonic() - began
killed = whole = 0
while killed < kills and killed + whole < 2 * kills:
    number = 10 + killed + whole
    where = AWAY if number % 4 == 0 else uri
    pid = child(number, where)
    time.sleep(random.uniform(0.0, lasts[where]))
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert status in (0, signal.SIGKILL), status
    killed += status != 0
    whole += status == 0
    is_whole(number)
pid = child(9999, uri)
assert os.waitpid(pid, 0)[1] == 0
is_whole("the last")
print(json.dumps({"killed": killed, "whole": whole}))
"""


@pytest.mark.slow
@pytest.mark.serial
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_hundred_kills_leave_store_ledger_and_notebook_whole_and_the_next_run_works(
    package: Callable[..., Path], uri: str, tmp_path: Path
) -> None:
    package()
    (tmp_path / "titanic.ipynb").write_text('{"cells": []}')
    done = subprocess.run(
        [sys.executable, "-c", ROUNDS, str(tmp_path), str(KILLS)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["killed"] == KILLS

    from nbprod.tracking import get_run, registered, runs

    last, *others = runs(uri=uri, name="titanic", limit=1000)
    assert last.status == "FINISHED"
    assert {run.status for run in others} <= {"FINISHED", "KILLED"}
    assert len(get_run(last.run_id, uri=uri).models) == 1
    models = registered("titanic", uri=uri)
    assert models[-1].run_id == last.run_id
    # No model of a run that was cut short while it was written is in the registry.
    assert {each.run_id for each in models} <= {run.run_id for run in (last, *others)}
    assert [path.name for path in (tmp_path / "pipelines/titanic").glob(".*")] == []
