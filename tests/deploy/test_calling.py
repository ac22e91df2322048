"""The call of nbprod that exporters copy into tasks, with a program in nbprod's place."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nbprod.deploy.calling import FUNCTIONS, call, chosen, reason, sources


@pytest.fixture
def program(tmp_path: Path) -> Any:
    """Call a program as if it were nbprod; what it tells is gathered."""

    def run(text: str, seconds: float | None = None, tell: Any = str) -> tuple[int, dict[str, Any], list[str]]:
        (tmp_path / "nbprod.py").write_text(text)
        here = {**os.environ, "PYTHONPATH": str(tmp_path)}
        return call(sys.executable, ["-p", "A", "b c"], str(tmp_path), here, tell, id, seconds)

    return run


def test_a_call_gives_its_exit_code_its_record_and_what_it_told_as_it_came(program: Any) -> None:
    told: list[str] = []
    code, record, said = program(
        "import json, os, sys\n"
        "print('one\\ntwo', file=sys.stderr)\n"
        "print(json.dumps({'words': sys.argv[1:], 'here': os.getcwd()}))\n"
        "sys.exit(1)",
        tell=told.append,
    )

    assert (code, told, said) == (1, ["one", "two"], ["one", "two"])
    assert record["words"] == ["-p", "A", "b c"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("print('no JSON')", id="no JSON"),
        pytest.param("print([1])", id="no object"),
    ],
)
def test_what_is_no_record_is_none(program: Any, text: str) -> None:
    assert program(text)[:2] == (0, {})


HANGS = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open("pids", "w").write(f"{os.getpid()} {child.pid}")
print("begun", file=sys.stderr, flush=True)
time.sleep(60)
"""


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return not Path(f"/proc/{pid}/stat").is_file() or " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except ProcessLookupError:
        return False


def gone(tmp_path: Path) -> bool:
    pids = [int(each) for each in (tmp_path / "pids").read_text().split()]
    end = time.monotonic() + 30
    while time.monotonic() < end and any(map(is_running, pids)):
        time.sleep(0.05)
    return not any(map(is_running, pids))


def test_a_call_that_takes_too_long_is_ended_with_what_it_began(program: Any, tmp_path: Path) -> None:
    with pytest.raises(TimeoutError, match="longer than 3"):
        program(HANGS, seconds=3)
    assert gone(tmp_path)


def test_a_call_that_its_engine_breaks_off_is_ended_with_what_it_began(program: Any, tmp_path: Path) -> None:
    def stop(_line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        program(HANGS, tell=stop)
    assert gone(tmp_path)


@pytest.mark.parametrize(
    "record, said, expected",
    [
        pytest.param(
            {"gates": [{"name": "proof", "blocks": False}, {"name": "latency", "reason": "20 ms", "blocks": True}]},
            [],
            "stopped by latency: 20 ms",
            id="a gate",
        ),
        pytest.param(
            {"promotion": {"gates": [{"name": "latency", "reason": "20 ms", "blocks": True}]}},
            [],
            "stopped by latency: 20 ms",
            id="a gate of a retraining",
        ),
        pytest.param(
            {"refusals": [{"cell": 3, "line": 2, "reason": "a lag needs other rows"}]},
            [],
            "refused: cell 3, line 2: a lag needs other rows",
            id="a refusal",
        ),
        pytest.param({"verify": {"status": "failed"}}, ["row 7"], "the proof is failed: row 7", id="a proof"),
        pytest.param({}, ["run", "error[no-run]: gone", "hint: x"], "error[no-run]: gone\nhint: x", id="an error"),
        pytest.param({}, [], "it told no reason", id="nothing"),
    ],
)
def test_the_reason_is_that_of_the_record_else_what_was_told_last(
    record: dict[str, Any], said: list[str], expected: str
) -> None:
    assert reason(record, said) == expected


def test_what_is_handed_on_is_chosen_also_within() -> None:
    record = {"version": 3, "verify": {"status": "proven", "mismatch": {"name": "Ada"}}, "promotion": None}

    assert chosen(record, ["version", "verify.status", "promotion.gates", "missing"]) == {
        "version": 3,
        "verify": {"status": "proven"},
        "promotion": {},
    }


def test_the_functions_stand_alone() -> None:
    space: dict[str, Any] = {}
    exec(f"from __future__ import annotations\n{sources()}", space)

    assert all(each.__name__ in space for each in FUNCTIONS)
    assert space["call"](sys.executable, ["--version"], ".", dict(os.environ), print, id)[0] == 0
