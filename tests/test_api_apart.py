"""A run in a process of its own: how it is followed, how it is stopped, and that it outlives nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from nbprod.api import apart
from nbprod.api.apart import SeparateRun
from nbprod.api.worker import Said, outcome

ROOT = Path(__file__).parent.parent
LONGEST = 120


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def ended(path: str) -> Said:
    """What a run comes to that nobody stops."""
    ends: list[Said] = []
    run = SeparateRun(path, lambda _: None, ends.append)
    assert run.wait(LONGEST)
    return ends[0]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text("utf-8").rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(
    "last, is_cancelled, expected",
    [
        pytest.param(Said(result={"a": 1}), False, Said(result={"a": 1}), id="a result"),
        pytest.param(Said(result={"a": 1}), True, Said(result={"a": 1}), id="a result that came before it was stopped"),
        pytest.param(Said(error={"code": "x"}), False, Said(error={"code": "x"}), id="an error"),
        pytest.param(Said(error={"code": "x"}), True, Said(), id="an error of being stopped"),
        pytest.param(Said(), True, Said(), id="stopped without a word"),
    ],
)
def test_what_a_job_comes_to(last: Said, is_cancelled: bool, expected: Said) -> None:
    assert outcome(last, 143, is_cancelled=is_cancelled) == expected


def test_a_process_that_ends_without_a_word_is_an_error_with_its_code() -> None:
    error = outcome(Said(), -9, is_cancelled=False).error
    assert error is not None
    assert (error["code"], error["message"]) == ("job-died", "the job's process ended with -9")


@pytest.mark.parametrize("name", ["json", "msgspec", "nbprod"])
def test_a_module_beside_the_notebook_takes_the_place_of_none(folder: Path, name: str) -> None:
    (folder / f"{name}.py").write_text("raise SystemExit('run from the folder of the notebook')", "utf-8")
    error = ended("gone.ipynb").error
    assert error is not None
    assert error["code"] == "not-found", error


def test_a_fault_that_is_no_ones_mistake_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "sitecustomize.py").write_text(
        "import nbprod.api.running as running\n\n\ndef run_notebook(*_, **__):\n    raise KeyError('lost')\n\n\n"
        "running.run_notebook = run_notebook\n",
        "utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(ROOT)]))
    error = ended("gone.ipynb").error
    assert error is not None
    assert (error["code"], error["message"]) == ("job-crashed", "KeyError: 'lost'")


def test_a_report_that_came_before_it_was_stopped_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        'import time\nprint(\'{"result": {"version": 1}}\')\n'
        'print(\'{"progress": {"notebook": "a", "stage": "track", "text": ""}}\', flush=True)\n'
        "time.sleep(600)"
    )
    monkeypatch.setattr(apart, "command", lambda: [sys.executable, "-c", script])
    told, ends = threading.Event(), []
    run = SeparateRun("a.ipynb", lambda _: told.set(), ends.append)
    assert told.wait(LONGEST)
    run.cancel()
    assert run.wait(LONGEST)
    assert ends == [Said(result={"version": 1})]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="processes are looked at in the Unix way")
def test_a_run_ends_with_the_kernel_that_asked_for_it(folder: Path) -> None:
    """Killed as a kernel is that is restarted, so that nothing of its own can tell the run."""
    sources = (
        "import os, time\nopen('noted', 'w').write(str(os.getpid()))\n"
        "os.rename('noted', 'kernel.pid')\ntime.sleep(600)",
        "import pandas as pd\nfrom sklearn.linear_model import LinearRegression\ndf = pd.read_csv('rows.csv')",
        "model = LinearRegression().fit(df[['a']], df['b'])",
    )
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    (folder / "slow.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)), "utf-8")
    (folder / "rows.csv").write_text("a,b\n1,2\n3,4\n", "utf-8")
    asking = "from nbprod.api.apart import SeparateRun\nSeparateRun('slow.ipynb', lambda _: None, print).wait()\n"
    asker = subprocess.Popen([sys.executable, "-c", asking])
    until(lambda: (folder / "kernel.pid").exists() or asker.poll() is not None)
    kernel = int((folder / "kernel.pid").read_text("utf-8"))
    assert is_alive(kernel)
    asker.send_signal(signal.SIGKILL)
    asker.wait()
    until(lambda: not is_alive(kernel))
