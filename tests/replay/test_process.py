"""The processes that requests are answered in: started ahead, one for each request, and ended."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nbprod.errors import NbprodError
from nbprod.replay.process import Runner, Runners, run


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
        waiting = runners._waiting
    assert waiting is not None
    assert waiting.process.poll() is not None
    assert not waiting.folder.exists()


def test_a_runner_of_another_interpreter_is_not_taken(tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.symlink_to(sys.executable)
    with Runners(str(other), 1) as runners:
        runners.prepare()
        waiting = runners._waiting
        taken = runners.take(sys.executable)
    assert waiting is not None
    assert (taken.python, waiting.process.poll() is not None) == (sys.executable, True)
    taken.close()


def test_a_runner_that_is_asked_nothing_ends_by_itself() -> None:
    runner = Runner(sys.executable)
    assert runner.process.stdin is not None
    runner.process.stdin.close()
    assert runner.process.wait(120) == 0
    assert runner.last_errors == ""
    runner.close()


def test_an_interpreter_that_is_gone_is_told_of_when_it_is_asked_for(tmp_path: Path) -> None:
    gone = str(tmp_path / "python")
    with Runners(gone, 1) as runners:
        runners.prepare()
        with pytest.raises(NbprodError) as caught:
            run({"version": "v0001"}, gone, {}, runners=runners)
    assert (caught.value.code, caught.value.where and caught.value.where.path) == ("no-interpreter", gone)
