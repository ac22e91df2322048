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

import psutil
import pytest

import nbprod
from nbprod.errors import NbprodError
from nbprod.replay import runners as module
from nbprod.replay.process import run
from nbprod.replay.runner.starter import PID
from nbprod.replay.runners import FORKS, Forked, Nursery, Runner, Runners, Started

PATIENCE = 120  # seconds that a process has to end


@pytest.fixture(
    params=[
        pytest.param(
            True, id="forked", marks=pytest.mark.skipif(not FORKS, reason="processes are started one by one here")
        ),
        pytest.param(False, id="started"),
    ],
    autouse=True,
)
def forks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether runners that wait go on from one process; elsewhere each of them is started by itself."""
    monkeypatch.setattr(module, "FORKS", request.param)
    return bool(request.param)


def pid_of(runner: Runner) -> int:
    """The id of a runner's process, once it has one."""
    if isinstance(runner, Started):
        return runner.process.pid
    await_that(lambda: bool((runner.folder / PID).is_file() and (runner.folder / PID).read_text()))
    return int((runner.folder / PID).read_text())


def test_one_waits_for_each_request_and_what_nobody_asks_for_is_ended(forks: bool) -> None:
    with Runners(sys.executable, 2) as runners:
        runners.prepare()
        runners.prepare()
        waiting = list(runners._waiting)
        first = runners.take(sys.executable)
        second = runners.take(sys.executable)
        runners.prepare()
        third = runners.take(sys.executable)
        assert [first, second][: len(waiting)] == waiting
        assert [type(each) for each in (first, second, third)] == [*[Forked if forks else Started] * 2, Started]
        pids = [pid_of(each) for each in (first, second, third)]
        assert len(set(pids)) == 3
        for runner, pid in zip((first, second, third), pids, strict=True):
            assert is_running(pid)
            runner.close()
            await_that(lambda pid=pid: not is_running(pid))
            assert not runner.folder.exists()
    with Runners(sys.executable, 2) as runners:
        runners.prepare()
        waiting = list(runners._waiting)
        pids = [pid_of(each) for each in waiting]
    assert len(pids) == (2 if forks else 1)
    for runner, pid in zip(waiting, pids, strict=True):
        await_that(lambda pid=pid: not is_running(pid))
        assert not runner.folder.exists()


def test_the_very_runner_that_waits_is_taken_and_the_next_one_waits_then() -> None:
    with Runners(sys.executable, 2) as runners:
        runners.prepare()
        waiting = runners._waiting[0]
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
def test_several_wait_but_no_more_than_are_asked(asked: int, waiting: int, forks: bool) -> None:
    with Runners(sys.executable, asked) as runners:
        runners.prepare(2)
        runners.prepare(2)
        pids = [pid_of(each) for each in runners._waiting]
    assert len(set(pids)) == (asked if forks else waiting)
    await_that(lambda: not any(is_running(pid) for pid in pids))


def test_those_that_were_taken_are_ended_whatever_they_are_at() -> None:
    with Runners(sys.executable, 2) as runners:
        runners.prepare()
        taken = runners.take(sys.executable)
        [waiting] = runners._waiting
        pids = [pid_of(taken), pid_of(waiting)]
        assert all(is_running(pid) for pid in pids)
        runners.end()
        late = runners.take(sys.executable)
        assert late is waiting
        await_that(lambda: not any(is_running(pid) for pid in pids))
    for each in (taken, late):
        each.close()


@pytest.mark.skipif(not FORKS, reason="processes are started one by one here")
def test_one_that_is_ended_before_its_process_is_there_ends_when_it_comes() -> None:
    nursery = Nursery(sys.executable, 2)
    first, second = nursery.runners
    second.end()
    assert not (second.folder / PID).exists()  # what is ended is not there yet
    pid_of(first)
    await_that(lambda: not second.folder.exists())
    processes = psutil.Process(nursery.process.pid)
    await_that(lambda: [each.pid for each in processes.children() if is_running(each.pid)] == [pid_of(first)])
    for each in (first, second):
        each.close()
    nursery.close()


def test_what_a_runner_has_answered_is_there_once_it_was_ended() -> None:
    with Runners(sys.executable, 2) as runners:
        runners.prepare()
        runner = runners.take(sys.executable)
        pid = pid_of(runner)
        (runner.folder / "result.json").touch()
        runner.end()
        await_that(lambda: not is_running(pid))
        assert (runner.folder / "result.json").exists()
        runner.close()


@pytest.mark.skipif(not FORKS, reason="processes are started one by one here")
def test_a_nursery_waits_for_its_runners_to_be_closed_and_leaves_nothing() -> None:
    nursery = Nursery(sys.executable, 2)
    first, second = nursery.runners
    pids = [pid_of(first), pid_of(second)]
    first.close()
    await_that(lambda: not is_running(pids[0]))
    assert psutil.pid_exists(pids[0])  # so that nothing else gets its id
    assert is_running(pids[1])
    second.close()
    nursery.close()
    await_that(lambda: not any(is_running(pid) for pid in [*pids, nursery.process.pid]))
    assert not any(each.folder.exists() for each in (first, second, nursery))


@pytest.mark.skipif(not FORKS, reason="processes are started one by one here")
def test_what_keeps_a_nursery_from_its_imports_is_told_for_each_runner(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'ModuleNotFoundError: No module named numpy' >&2\nexit 1\n")
    python.chmod(0o755)
    with Runners(str(python), 2) as runners:
        runners.prepare()
        for _ in range(2):
            with pytest.raises(NbprodError) as caught:
                run({"version": "v0001"}, str(python), {}, runners=runners)
            assert caught.value.code == "replay-crashed"
            assert "No module named numpy" in str(caught.value)


def test_a_runner_of_another_interpreter_is_not_taken_and_the_next_one_is_of_the_one_asked_for(tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.symlink_to(sys.executable)
    with Runners(str(other), 2) as runners:
        runners.prepare()
        waiting = list(runners._waiting)
        taken = runners.take(sys.executable)
        [following] = runners._waiting
        assert following.python == sys.executable
        assert taken.python == sys.executable
        assert not any(each.folder.exists() for each in waiting)
        taken.close()


def test_a_runner_that_is_asked_nothing_ends_by_itself_and_leaves_nothing() -> None:
    with Runners(sys.executable, 2) as runners:
        runners.prepare()
        runner = runners._waiting[0]
        pid = pid_of(runner)
        runner.channels[0].close()
        await_that(lambda: not is_running(pid))
        assert not runner.folder.exists()


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


# A process that has a runner, and is killed: with `begun`, the runner's request takes for ever from there on.
STARTER = """
import json, sys, time
from pathlib import Path
from nbprod.replay import runners as module
module.FORKS = bool(sys.argv[2])
runners = module.Runners(sys.executable, 2)
runners.prepare()
runner = runners.take(sys.executable)
if sys.argv[1]:
    codec, request = Path(sys.argv[1], "codec.py"), runner.folder / "request.json"
    codec.write_text("import time\\nopen(" + repr(sys.argv[1] + "/begun") + ", 'w').close()\\ntime.sleep(600)\\n")
    asked = {"mode": "live", "codec": str(codec), "captures": sys.argv[1], "held": []}
    places = {"result": str(runner.folder / "result.json"), "folder": str(runner.folder)}
    request.write_text(json.dumps({**asked, **places}))
    runner.ask(request)
print(json.dumps(str(runner.folder)), flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    "at_work", [pytest.param(False, id="while it waits"), pytest.param(True, id="while it is at work")]
)
def test_a_runner_whose_starter_is_killed_ends_and_leaves_nothing(at_work: bool, forks: bool, tmp_path: Path) -> None:
    places = {"PYTHONPATH": str(Path(nbprod.__file__).parents[1]), "TMPDIR": str(tmp_path / "temporary")}
    (tmp_path / "temporary").mkdir()
    command = [sys.executable, "-c", STARTER, str(tmp_path) if at_work else "", "yes" if forks else ""]
    with subprocess.Popen(command, env={**os.environ, **places}, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        folder = json.loads(starter.stdout.readline())
        assert Path(folder).is_dir()
        await_that(lambda: not at_work or (tmp_path / "begun").exists())
        started = psutil.Process(starter.pid).children(recursive=True)
        assert started
        starter.kill()
    await_that(lambda: not any(is_running(each.pid) for each in started))
    await_that(lambda: not any((tmp_path / "temporary").iterdir()))


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
