"""The processes that requests are answered in: started ahead, one for each request, and ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

import nbprod
from nbprod.errors import NbprodError
from nbprod.replay.process import Runner, Runners, _faulty, run

PATIENCE = 120  # seconds that a process has to end


def test_one_waits_for_each_request_and_what_nobody_asks_for_is_ended() -> None:
    with Runners(sys.executable, 2) as runners:
        runners.prepare()
        runners.prepare()
        first = runners.take(sys.executable)
        second = runners.take(sys.executable)
        runners.prepare()
        third = runners.take(sys.executable)
        assert len({each.process.pid for each in (first, second, third)}) == 3
        for runner in (first, second, third):
            assert runner.process.poll() is None
            runner.close()
            assert runner.process.poll() is not None
            assert not runner.folder.exists()
    with Runners(sys.executable, 1) as runners:
        runners.prepare()
        [waiting] = runners._waiting
    assert waiting.process.poll() is not None
    assert not waiting.folder.exists()


def test_the_very_runner_that_waits_is_taken_and_the_next_one_waits_then() -> None:
    with Runners(sys.executable, 2) as runners:
        runners.prepare()
        [waiting] = runners._waiting
        first = runners.take(sys.executable)
        assert first is waiting
        [following] = runners._waiting
        assert following is not first
        second = runners.take(sys.executable)
        assert second is following
        assert runners._waiting == []  # nothing further is asked
    first.close()
    second.close()


@pytest.mark.parametrize("asked, waiting", [(3, 2), (2, 2), (1, 1)])
def test_several_wait_but_no_more_than_are_asked(asked: int, waiting: int) -> None:
    with Runners(sys.executable, asked) as runners:
        runners.prepare(2)
        runners.prepare(2)
        processes = [each.process for each in runners._waiting]
    assert len({each.pid for each in processes}) == waiting
    assert all(each.poll() is not None for each in processes)


def test_those_that_were_taken_are_ended_whatever_they_are_at() -> None:
    with Runners(sys.executable, 1) as runners:
        taken = runners.take(sys.executable)
        assert taken.process.poll() is None
        runners.end()
        late = runners.take(sys.executable)
    for each in (taken, late):
        assert each.process.wait(PATIENCE) != 0
        each.close()


def test_a_runner_of_another_interpreter_is_not_taken_and_the_next_one_is_of_the_one_asked_for(tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.symlink_to(sys.executable)
    with Runners(str(other), 2) as runners:
        runners.prepare()
        [waiting] = runners._waiting
        taken = runners.take(sys.executable)
        [following] = runners._waiting
        assert following.python == sys.executable
    assert (taken.python, waiting.process.poll() is not None) == (sys.executable, True)
    taken.close()


def test_a_runner_that_is_asked_nothing_ends_by_itself_and_leaves_nothing() -> None:
    runner = Runner(sys.executable)
    assert runner.process.stdin is not None
    runner.process.stdin.close()
    assert runner.process.wait(PATIENCE) == 0
    assert not runner.folder.exists()
    runner.close()


def test_an_interpreter_that_is_gone_is_told_of_when_it_is_asked_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    gone = str(tmp_path / "python")
    with Runners(gone, 1) as runners:
        runners.prepare()
        assert runners._waiting == []
        with pytest.raises(NbprodError) as taken:
            runners.take(gone)
        with pytest.raises(NbprodError) as asked:
            run({"version": "v0001"}, gone, {}, runners=runners)
    for caught in (taken, asked):
        assert (caught.value.code, caught.value.where and caught.value.where.path) == ("no-interpreter", gone)
    assert capfd.readouterr() == ("", "")


def test_a_folder_that_cannot_be_made_is_told_of_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with Runners(sys.executable, 1) as runners:
        runners.prepare()
        assert runners._waiting == []
        with pytest.raises(FileNotFoundError):
            runners.take(sys.executable)


def nothing_captured(folder: Path) -> dict[str, Any]:
    """A request that is answered at once: the run handed nothing over."""
    folder.mkdir(parents=True)
    (folder / "index.json").write_text(json.dumps({"raw": [], "fit": None, "notes": [], "predicts": []}))
    return {"mode": "fit", "root": str(folder), "name": "churn", "version": "v0001", "captures": str(folder)}


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems have no such names")
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("Zürich 東京".encode(), id="letters beyond ASCII"),
        pytest.param(b"Z\xfcrich", id="bytes that are no text"),
    ],
)
def test_a_request_is_found_in_a_folder_with(name: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / os.fsdecode(name)
    request = nothing_captured(folder / "captures")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("LC_ALL", "C")
    with pytest.raises(NbprodError) as caught:
        run(request, sys.executable, {})
    assert caught.value.code == "capture-missing"
    assert [path.name for path in folder.iterdir()] == ["captures"]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("true", id="no answer"),
        pytest.param('printf \'{"rows": 1\' > "${asked%/*}/result.json"', id="an answer that breaks off"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="the interpreter is a shell script")
def test_a_runner_is_said_to_have_ended_by_its_last_words_after(script: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nread -r asked\n{script}\necho 'OSError: No space left on device' >&2\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(NbprodError) as caught:
        run({"version": "v0001"}, str(python), {})
    assert caught.value.code == "replay-crashed"
    assert "OSError: No space left on device" in str(caught.value)


# A process that has a runner, and is killed: with `begun`, the runner's request takes for ever from there on.
STARTER = """
import json, sys, time
from pathlib import Path
from nbprod.replay.process import Runner
runner = Runner(sys.executable)
if sys.argv[1]:
    codec, request = Path(sys.argv[1], "codec.py"), runner.folder / "request.json"
    codec.write_text("import time\\nopen(" + repr(sys.argv[1] + "/begun") + ", 'w').close()\\ntime.sleep(600)\\n")
    asked = {"mode": "live", "codec": str(codec), "captures": sys.argv[1], "held": []}
    places = {"result": str(runner.folder / "result.json"), "folder": str(runner.folder)}
    request.write_text(json.dumps({**asked, **places}))
    runner.ask(request)
print(json.dumps([runner.process.pid, str(runner.folder)]), flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    "at_work", [pytest.param(False, id="while it waits"), pytest.param(True, id="while it is at work")]
)
def test_a_runner_whose_starter_is_killed_ends_and_leaves_nothing(at_work: bool, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(nbprod.__file__).parents[1])}
    command = [sys.executable, "-c", STARTER, str(tmp_path) if at_work else ""]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        pid, folder = json.loads(starter.stdout.readline())
        assert Path(folder).is_dir()
        await_that(lambda: not at_work or (tmp_path / "begun").exists())
        starter.kill()
    await_that(lambda: not is_running(pid))
    assert not Path(folder).exists()


def is_running(pid: int) -> bool:
    try:
        return str(psutil.Process(pid).status()) != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def await_that(holds: Callable[[], bool]) -> None:
    """Wait for what comes sooner or later."""
    latest = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < latest
        time.sleep(0.05)


MANIFEST = {"notebook": "nb.ipynb", "source_map": {"features.py": [[3, 1, "id", 2]]}}
PLACES = [("features.py", 3)]


@pytest.mark.parametrize(
    "message, places, hint",
    [
        pytest.param("KeyError: 'a'", PLACES, "in the package it is v0001/features.py, line 3", id="at a line"),
        pytest.param(
            "ValueError: Length of values (200) does not match length of index (1)",
            PLACES,
            "what stands beside the rows there is as long as the training table, and a served row is one: make it of "
            "the rows, or leave it out of the features; in the package it is v0001/features.py, line 3",
            id="a column as long as the training table",
        ),
        pytest.param(
            "ModuleNotFoundError: No module named 'mine.tools'",
            [],
            "a package has to find mine wherever it is used: install it in the kernel's environment, or move what is "
            "used of it into a cell",
            id="a module that is not there",
        ),
    ],
)
def test_what_a_package_raises_comes_with_a_way_out(message: str, places: Any, hint: str) -> None:
    error = _faulty({"kind": "package", "message": message, "places": places}, MANIFEST, "v0001")

    assert (error.code, error.hint) == ("package-failed", hint)
