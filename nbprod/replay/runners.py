"""The processes that requests are answered in, by the notebook's interpreter: started ahead, asked once, and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import IO

from nbprod import environment
from nbprod.errors import NbprodError, Where
from nbprod.replay.runner.starter import ERRORS, PID

RUNNER = Path(__file__).parent / "runner"
STDERR_LINES = 20
PATIENCE = 5
"""Seconds that processes are given to be gone which were ended."""

FORKS = sys.platform == "linux"
"""Whether a process may go on as several: elsewhere what it has imported by then may not take that."""

# The runner's folder is loaded as a package of its own: the kernel's environment has no nbprod to import it from. What
# lies in the working folder is imported by nobody; `-I` would do that, but forget the seed of hashes, too.
LAUNCHER = """
import sys
sys.path[:] = [place for place in sys.path if place]
import importlib.util
spec = importlib.util.spec_from_file_location(
    "nbprod_replay", sys.argv[1] + "/__init__.py", submodule_search_locations=[sys.argv[1]]
)
module = sys.modules["nbprod_replay"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from nbprod_replay.main import main, warm
from nbprod_replay.starter import forked
warm()
sys.exit(main(forked(sys.argv[2:])))
"""


class Runner(ABC):
    """A process in an empty folder, which reads the file of its one request once there is one.

    It may be started before anything is asked of it: its imports take seconds. Closing it ends it; where this process
    is killed, it ends by itself and removes its folder. Raises OSError where its folder can't be written.
    """

    def __init__(self, python: str) -> None:
        self.python = python
        # What a process that was just ended still holds open can't be removed everywhere.
        self._temporary = tempfile.TemporaryDirectory(prefix="nbprod-", ignore_cleanup_errors=True)
        self.folder = Path(self._temporary.name)

    @property
    @abstractmethod
    def channels(self) -> tuple[IO[bytes], IO[bytes]]:
        """Where the process is asked, and where it tells of its progress until it ends."""

    @abstractmethod
    def end(self) -> None:
        """End the process, whatever it is at."""

    def ask(self, request: Path) -> IO[bytes]:
        """Name the file of the request; gives what the process tells of its progress, as lines of JSON.

        The path goes as the bytes that the file system has. The channel stays open: its end is the process's end.
        """
        asks, tells = self.channels
        with suppress(OSError):  # one that died is found to have no answer
            asks.write(os.fsencode(request) + b"\n")
            asks.flush()
        return tells

    @property
    def last_errors(self) -> str:
        """The last lines of what the process wrote to stderr."""
        return _last_lines(self.folder)

    def close(self) -> None:
        """End the process and remove its folder."""
        self.end()
        for channel in self.channels:
            with suppress(OSError):
                channel.close()
        self._temporary.cleanup()


class Started(Runner):
    """A runner that is a process of the interpreter alone. Raises NbprodError where that can't be started."""

    def __init__(self, python: str) -> None:
        super().__init__(python)
        try:
            self.process = _launched(python, self.folder)
        except (OSError, NbprodError):
            self._temporary.cleanup()
            raise

    @property
    def channels(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        return self.process.stdin, self.process.stdout

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


class Forked(Runner):
    """A runner that goes on from what a `Nursery` has imported, with channels and a folder of its own."""

    def __init__(self, python: str, nursery: Nursery) -> None:
        super().__init__(python)
        self._nursery = nursery
        (reads, asks), (tells, writes) = os.pipe(), os.pipe()
        self.theirs = reads, writes
        self._channels = os.fdopen(asks, "wb", buffering=0), os.fdopen(tells, "rb")

    @property
    def channels(self) -> tuple[IO[bytes], IO[bytes]]:
        return self._channels

    def give_away(self) -> None:
        """Close the ends of the channels that are the process's own, once it has them."""
        for end in self.theirs:
            os.close(end)

    def end(self) -> None:
        try:
            pid = int((self.folder / PID).read_text(encoding="ascii"))
        except (OSError, ValueError):  # it has not been asked anything
            self.channels[0].close()
        else:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @property
    def last_errors(self) -> str:
        return super().last_errors or _last_lines(self._nursery.folder)


class Nursery:
    """A process that imports what all runners need, goes on as each of `runners`, and ends with this process.

    As long as it is there, nothing else gets the id of a runner that has ended. Raises what `Started` raises.
    """

    def __init__(self, python: str, count: int) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="nbprod-", ignore_cleanup_errors=True)
        self.folder = Path(self._temporary.name)
        self.runners: list[Forked] = []
        try:
            self.runners += (Forked(python, self) for _ in range(count))
            self.process = _launched(python, self.folder, self.runners)
        except (OSError, NbprodError):
            for runner in self.runners:
                runner.close()
            self._temporary.cleanup()
            raise
        finally:
            for runner in self.runners:
                runner.give_away()

    def close(self) -> None:
        """End the process, whose runners are closed before: it waits for them to be gone."""
        with suppress(OSError), suppress(subprocess.TimeoutExpired):
            self.process.communicate(timeout=PATIENCE)
        self.process.kill()
        with suppress(OSError), self.process:
            pass
        self._temporary.cleanup()


def _launched(python: str, folder: Path, runners: Sequence[Forked] = ()) -> subprocess.Popen[bytes]:
    """An isolated interpreter: no current folder, no PYTHONPATH, no user site."""
    words = [str(word) for each in runners for word in (each.folder, *each.theirs)]
    with (folder / ERRORS).open("wb") as errors:
        try:
            return subprocess.Popen(
                [python, "-s", "-c", LAUNCHER, str(RUNNER), str(folder), *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=folder,
                env=environment.isolated(),
                pass_fds=[end for each in runners for end in each.theirs],
            )
        except OSError as error:
            raise NbprodError(
                f"the notebook's interpreter can't be started: {error.strerror or error}",
                code="no-interpreter",
                where=Where(python),
                hint="run the notebook again: the run records the interpreter that its kernel uses",
            ) from error


def _last_lines(folder: Path) -> str:
    log = folder / ERRORS
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    return "\n".join(text.splitlines()[-STDERR_LINES:])


class Runners:
    """Runners for `asked` requests, of any thread, which wait for them and need not wait for imports then."""

    def __init__(self, python: str, asked: int) -> None:
        self.python = python
        self._left = asked
        self._waiting: list[Runner] = []
        self._taken: list[Runner] = []
        self._nurseries: list[Nursery] = []
        self._is_ended = False
        self._lock = RLock()

    def __enter__(self) -> Runners:
        return self

    def __exit__(self, *_: object) -> None:
        for waiting in self._waiting:
            waiting.close()
        self.end()
        for nursery in self._nurseries:
            nursery.close()

    def end(self) -> None:
        """End those that were or will be taken, whatever they are at: who waits for an answer gets an error."""
        with self._lock:
            self._is_ended = True
            for taken in self._taken:
                taken.end()

    def prepare(self, count: int = 1) -> None:
        """Have so many runners wait, or all that will be asked; where processes fork, all of them.

        One that can't be started is told of when it is asked for.
        """
        with self._lock, suppress(NbprodError, OSError):
            missing = min(count, self._left) - len(self._waiting)
            if missing > 0 and FORKS and self._left > 1:
                self._nurseries.append(Nursery(self.python, self._left - len(self._waiting)))
                self._waiting += self._nurseries[-1].runners
            else:
                self._waiting += (Started(self.python) for _ in range(missing))

    def take(self, python: str) -> Runner:
        """The runner that waits, else a new one; the next one starts."""
        with self._lock:
            while self._waiting and self._waiting[0].python != python:
                self._waiting.pop(0).close()
            self.python = python
            taken = self._waiting.pop(0) if self._waiting else Started(python)
            self._taken.append(taken)
            if self._is_ended:
                taken.end()
            self._left -= 1
            self.prepare()
        return taken
