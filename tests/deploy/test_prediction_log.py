"""The scripts that bring replicas' logs to the job that looks at them, on logs of the real recorder."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from nbprod.cli.app import app
from nbprod.codegen.runtime.recording import Recorder, Row
from nbprod.deploy.carried import gather_logs, ship_log
from tests.deploy.deployments import MOST, files_of

FOLDER = Path(ship_log.__file__).parent
SECONDS = 30.0


def recorded(path: Path, rows: int, *, request: str = "r", without: tuple[str, ...] = ()) -> Recorder:
    """A log into which rows were put; it is open until it is closed."""
    recorder = Recorder(path, without=without)
    put(recorder, rows, request=request)
    return recorder


def put(recorder: Recorder, rows: int, *, request: str = "r") -> None:
    before = recorder.counted()["written"]
    for number in range(rows):
        row = Row(time.time(), f"{request}{number}", "v0003", "main", [{"age": number}], [1], [], 0.001)
        recorder.put(row)
    until(lambda: recorder.counted()["written"] == before + rows)


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def count(path: Path) -> int:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        return int(connection.execute("select count(*) from predictions").fetchone()[0])


def test_a_copy_of_a_log_that_is_written_to_is_whole_and_needs_no_file_beside(tmp_path: Path) -> None:
    log, copies = tmp_path / "log/predictions.sqlite", tmp_path / "copies"
    log.parent.mkdir()
    copies.mkdir()
    assert not ship_log.ship(log, copies / "pod.sqlite"), "there is none yet"
    recorder = recorded(log, 5)
    assert ship_log.ship(log, copies / "pod.sqlite")
    assert [path.name for path in copies.iterdir()] == ["pod.sqlite"]
    assert count(copies / "pod.sqlite") == 5
    put(recorder, 2)
    assert ship_log.ship(log, copies / "pod.sqlite")
    assert count(copies / "pod.sqlite") == 7
    recorder.close()


def test_the_container_beside_ships_a_last_time_when_it_is_ended(tmp_path: Path) -> None:
    log, copy = tmp_path / "predictions.sqlite", tmp_path / "pod.sqlite"
    recorder = recorded(log, 3)
    words = [sys.executable, str(FOLDER / "ship_log.py"), str(log), str(copy), "0.1"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        until(copy.exists)
        recorder.close()
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=SECONDS)[1]
    assert (process.returncode, said, count(copy)) == (0, "", 3)


def test_rows_of_the_last_seconds_are_shipped_at_the_end(tmp_path: Path) -> None:
    log, copy = tmp_path / "predictions.sqlite", tmp_path / "pod.sqlite"
    words = [sys.executable, str(FOLDER / "ship_log.py"), str(log), str(copy), "3600"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        recorded(log, 4).close()
        time.sleep(1.0)  # it may not have set its handlers yet
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=SECONDS)
    assert (process.returncode, count(copy)) == (0, 4)


def test_where_a_copy_can_t_be_put_that_is_told_and_the_log_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "predictions.sqlite"
    recorded(log, 1).close()
    words = [sys.executable, str(FOLDER / "ship_log.py"), str(log), str(tmp_path / "none/pod.sqlite"), "0.1"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert '"event": "prediction log"' in process.stderr.readline()
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert count(log) == 1


def test_logs_of_all_replicas_are_one_log_with_what_a_reader_has_to_know(tmp_path: Path) -> None:
    copies = tmp_path / "copies of 100% #1"
    copies.mkdir()
    for name, rows in (("a", 3), ("b", 4)):
        recorded(tmp_path / f"{name}.sqlite", rows, request=name, without=("name",)).close()
        ship_log.ship(tmp_path / f"{name}.sqlite", copies / f"{name}.sqlite")
    (copies / ".c.sqlite.part").write_bytes(b"half a copy")
    target = tmp_path / "all.sqlite"
    assert gather_logs.main([str(copies), str(target), "30"]) == 0
    assert count(target) == 7
    with closing(sqlite3.connect(target)) as connection:
        assert dict(connection.execute("select name, value from settings")) == {"share": "1.0", "without": '["name"]'}
        assert connection.execute("select count(distinct request_id) from predictions").fetchone() == (7,)


def test_copies_of_replicas_that_are_long_gone_are_dropped(tmp_path: Path) -> None:
    old, new = tmp_path / "old.sqlite", tmp_path / "new.sqlite"
    for path in (old, new):
        path.touch()
    os.utime(old, (time.time() - 40 * 86400,) * 2)
    assert gather_logs.kept(tmp_path, 30) == [new]
    assert not old.exists()


def test_nothing_served_is_told_apart_from_a_log_that_can_t_be_read(tmp_path: Path) -> None:
    assert gather_logs.main([str(tmp_path), str(tmp_path / "target"), "30"]) == 3
    (tmp_path / "a.sqlite").write_bytes(b"no database, whatever the name says" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        gather_logs.main([str(tmp_path), str(tmp_path / "other"), "30"])


def test_the_files_of_the_deployment_are_these_scripts() -> None:
    made = files_of(MOST, "kubernetes", "k")
    for name in ("ship_log.py", "gather_logs.py"):
        text = made[f"k/monitoring/{name}"]
        assert text.endswith((FOLDER / name).read_text())
        compile(text, name, "exec")


def test_monitoring_reads_what_was_gathered(project: Path, tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.sqlite")
    for number in range(300):
        record = {"age": 20 + number % 40, "fare": float(number % 50), "town": "abc"[number % 3]}
        recorder.put(Row(time.time(), f"r{number}", "v0001", "main", [record], [number % 2], [], 0.001))
    until(lambda: recorder.counted()["written"] == 300)
    recorder.close()
    copies = tmp_path / "copies"
    copies.mkdir()
    ship_log.ship(tmp_path / "a.sqlite", copies / "a.sqlite")
    log = tmp_path / "all.sqlite"
    assert gather_logs.main([str(copies), str(log), "30"]) == 0
    words = ["monitor", "leavers@1", "--log", str(log), "--since", "24h", "--format", "json"]
    done = CliRunner().invoke(app, words, prog_name="nbprod")
    assert done.exit_code in (0, 1), done.output
    assert '"rows": 300' in done.stdout
