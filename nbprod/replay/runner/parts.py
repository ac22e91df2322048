"""Further processes that serve rows one at a time, where there are many and the machine has the cores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable

WORTH = 4.0
"""Seconds of work that one more process is started for: it takes two to begin."""

MOST = 7
"""Processes beside this one: each holds the captures and the package in memory, which cores say nothing of."""

MOST_BYTES = 300_000_000
"""The size of captures that each process reads for itself; with more of them the rows are served in one."""


class Parts:
    """What processes for parts of the rows are started with: the request of this one, and the program of a runner."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request

    def count(self, seconds: float) -> int:
        """How many processes beside this one are worth it for work that would take so long here."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        captured = sum(path.stat().st_size for path in Path(self.request["captures"]).iterdir())
        return 0 if captured > MOST_BYTES else max(0, min(cores - 1, MOST, int(seconds // WORTH)))

    def start(self, source: int, parts: list[list[int]]) -> list[Part]:
        """A process for each part: positions among the rows of a raw frame that the package can serve.

        There are fewer, for the first parts, where the machine has no room for more.
        """
        started: list[Part] = []
        with suppress(OSError):  # no memory, process or disk for one more; the caller serves what none was started for
            for number, part in enumerate(parts):
                asked = {**self.request, "mode": "alone", "source": source, "positions": part}
                started.append(Part(asked, f"part-{source}-{number}"))
        return started


class Part:
    """One process at work on its rows; it ends with this one, however this one ends.

    Its files lie in the folder of this one's answer, and go with it. Raises OSError where it can't be started.
    """

    def __init__(self, request: dict[str, Any], name: str) -> None:
        folder = Path(request["result"]).parent
        asked, self.result = folder / f"{name}-request.json", folder / f"{name}-result.json"
        asked.write_text(json.dumps({**request, "result": str(self.result)}), encoding="utf-8")
        launcher = [sys.executable, "-s", "-c", request["launcher"], str(Path(__file__).parent)]
        nowhere = subprocess.DEVNULL
        self.process = subprocess.Popen(launcher, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere)
        assert self.process.stdin is not None
        with suppress(OSError):  # one that died gives no answer
            self.process.stdin.write(os.fsencode(asked) + b"\n")
            self.process.stdin.flush()

    def answer(self) -> dict[str, Any] | None:
        """What it has found, None where it gave no answer."""
        self.process.wait()
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.close()
        try:
            found = json.loads(self.result.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if "equal" in found else None


FORKS = sys.platform == "linux"
"""Whether a process may go on as two: elsewhere libraries may not take that."""


class Twin:
    """A process that goes on from this one at once, gets ready, and does the tasks that it is told of, one by one.

    It costs no imports and no captures of its own. It has to be made before anything is computed here, as the threads
    in which libraries compute are not there in another process. It ends with this one. `tasks` are what can be asked,
    by name: they take and give what JSON can say. `leaves` is a channel that is this process's alone.
    """

    def __init__(self, ready: Callable[[], None], tasks: Mapping[str, Callable[..., Any]], leaves: int) -> None:
        self._tasks = tasks
        (reads, asks), (tells, writes) = os.pipe(), os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            status = 1
            try:
                for end in (asks, tells, leaves):
                    os.close(end)
                ready()
                self._answered(reads, writes)
                status = 0
            finally:  # whatever is raised: the first process does what this one does not
                os._exit(status)
        os.close(reads)
        os.close(writes)
        self._asks, self._tells = os.fdopen(asks, "wb"), os.fdopen(tells, "rb")

    def _answered(self, reads: int, writes: int) -> None:
        with os.fdopen(reads, "rb") as asked, os.fdopen(writes, "wb") as told:
            for line in asked:
                name, given = json.loads(line)
                told.write(json.dumps(self._tasks[name](*given)).encode() + b"\n")
                told.flush()

    def begin(self, task: str, *given: Any) -> None:
        """Tell of a task, whose answer is asked for before the next one begins."""
        with suppress(OSError):  # one that died gives no answer
            self._asks.write(json.dumps([task, given]).encode() + b"\n")
            self._asks.flush()

    def answer(self) -> Any:
        """Wait for what the task has found; None where it gave no answer."""
        try:
            return json.loads(self._tells.readline())
        except ValueError:
            return None

    def close(self) -> None:
        """Wait for its end, which comes with that of the task that it is at."""
        with suppress(OSError):
            self._asks.close()
        self._tells.close()
        os.waitpid(self._pid, 0)
