"""The prediction log: what is written, what is left out, and what happens where it can't be written."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nbprod.codegen.runtime import recording
from nbprod.codegen.runtime.faults import Fault
from nbprod.codegen.runtime.recording import Recorder, Row


def row(request_id: str = "r", at: float | None = None, **record: Any) -> Row:
    flags = [Fault(0, "city", "unseen", "'Chur' does not occur in training", "flag")]
    moment = time.time() if at is None else at
    return Row(moment, request_id, "v0001", "main", [record or {"x": 1, "city": "Chur"}], [0.5], flags, 0.002)


def written(path: Path) -> list[dict[str, Any]]:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    found = [dict(each) for each in connection.execute("select * from predictions order by rowid")]
    connection.close()
    return found


def test_a_row_is_written_with_its_answer(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "log.sqlite")
    recorder.put(row("r-1"))
    recorder.close()

    (found,) = written(tmp_path / "log.sqlite")
    assert (found["request_id"], found["version"], found["role"], found["row"]) == ("r-1", "v0001", "main", 0)
    assert (json.loads(found["record"]), json.loads(found["answer"])) == ({"x": 1, "city": "Chur"}, 0.5)
    assert json.loads(found["flags"])[0]["message"] == "'Chur' does not occur in training"
    assert found["milliseconds"] == 2.0
    assert recorder.counted() == {"written": 1, "dropped": 0, "failed": 0}


def test_a_column_that_is_private_is_nowhere_in_the_file(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "log.sqlite", without=["city"])
    recorder.put(row())
    recorder.close()

    assert json.loads(written(tmp_path / "log.sqlite")[0]["record"]) == {"x": 1}
    assert not any(b"Chur" in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize("share, least, most", [(0.0, 0, 0), (0.2, 120, 280), (1.0, 1000, 1000)])
def test_a_share_of_the_requests_is_written(share: float, least: int, most: int, tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "log.sqlite", share=share)
    for place in range(1000):
        recorder.put(row(f"request {place}"))
    recorder.close()

    assert least <= len(written(tmp_path / "log.sqlite")) <= most


def test_old_rows_and_those_beyond_the_number_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "TIDY_SECONDS", 0.0)
    recorder = Recorder(tmp_path / "log.sqlite", days=1.0, rows=5)
    for place in range(8):
        recorder.put(row(f"r-{place}", at=time.time() - (2 * 86400 if place == 7 else 0)))
    recorder.close()

    assert [each["request_id"] for each in written(tmp_path / "log.sqlite")] == [f"r-{place}" for place in range(2, 7)]


def test_a_file_that_cannot_be_opened_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "log.sqlite").write_text("this is no database, but a text that is long enough to be read as one\n" * 20)

    with pytest.raises(OSError, match="cannot be used as a prediction log"):
        Recorder(tmp_path / "log.sqlite")


def test_a_full_disk_costs_rows_and_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder(tmp_path / "log.sqlite")
    insert, is_full = recording._insert, True

    def full(connection: sqlite3.Connection, rows: Any) -> None:
        if is_full:
            connection.execute("pragma max_page_count = 1")
            rows = [(*each[:5], "x" * 10_000, *each[6:]) for each in rows]
        insert(connection, rows)

    monkeypatch.setattr(recording, "_insert", full)
    recorder.put(row("lost"))
    until = time.monotonic() + 20
    while not recorder.counted()["failed"] and time.monotonic() < until:
        time.sleep(0.05)
    is_full = False
    recorder.put(row("kept"))
    recorder.close()

    assert recorder.counted() == {"written": 1, "dropped": 0, "failed": 1}
    assert [each["request_id"] for each in written(tmp_path / "log.sqlite")] == ["kept"]
    assert "full" in json.loads(capsys.readouterr().err)["error"]


def test_more_than_can_wait_is_dropped_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MOST_WAITING", 3)
    monkeypatch.setattr(Recorder, "_write", lambda _: None)
    recorder = Recorder(tmp_path / "log.sqlite")
    for _ in range(5):
        recorder.put(row())

    assert recorder.counted()["dropped"] == 2


def test_half_of_a_character_is_written_as_well(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "log.sqlite")
    recorder.put(row(city="\ud800", x=float("nan")))
    recorder.close()

    assert len(written(tmp_path / "log.sqlite")) == 1


WRITER = """
import sys, time
from nbprod.codegen.runtime.recording import Recorder, Row
from pathlib import Path
recorder = Recorder(Path(sys.argv[1]))
for at in range(300):
    recorder.put(Row(time.time(), f"{sys.argv[2]}-{at}", "v0001", "main", [{"x": at}], [0.5], [], 0.002))
    time.sleep(0.005)
recorder.close()
print(recorder.counted())
"""


def test_several_processes_write_to_one_file(tmp_path: Path) -> None:
    words = [sys.executable, "-c", WRITER, str(tmp_path / "log.sqlite")]
    processes = [subprocess.Popen([*words, str(at)], stdout=subprocess.PIPE, text=True) for at in range(4)]
    told = [process.communicate(timeout=60)[0] for process in processes]

    assert told == ["{'written': 300, 'dropped': 0, 'failed': 0}\n"] * 4
    assert len({each["request_id"] for each in written(tmp_path / "log.sqlite")}) == 1200


def test_a_file_that_was_there_may_be_away_for_one_that_is_started_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder(tmp_path / "nowhere" / "log.sqlite", again=True)
    (tmp_path / "nowhere").mkdir()
    recorder.put(row("kept"))
    recorder.close()

    assert "cannot be used as a prediction log" in json.loads(capsys.readouterr().err)["error"]
    assert [each["request_id"] for each in written(tmp_path / "nowhere" / "log.sqlite")] == ["kept"]
