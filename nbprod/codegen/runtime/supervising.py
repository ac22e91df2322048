"""Several processes that answer at one address: each is ready before it takes a request, and replaced when it ends.

The first one starts alone, so that what is wrong with the command is told once, and ends it. The address is this
process's own: what waits to be taken while a process is away is taken by the others. A process ends with this one,
however that ends, since it holds the other end of a pipe.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .request import log
from .server import GRACE_SECONDS, chosen, listen, say

STEADY_SECONDS = 10.0
PAUSES = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""What is waited before a process is started anew, by how often it has ended within so many seconds of its start."""

STOP_SECONDS = GRACE_SECONDS + 5.0
READY = b"1"
# As `python -m` would, but for the current folder, where any file may stand in a library's way.
_MODULE = "import runpy, sys; sys.path[0] = sys.argv.pop(1); runpy.run_module(sys.argv.pop(1), run_name='__main__')"


@dataclass(frozen=True)
class Worker:
    """What a process is told: its number, the descriptors of the socket and two pipes, the folder that all share.

    `again` says that it takes the place of one that has ended: what it can't have is told then, and done without.
    """

    number: int
    listening: int
    living: int
    ready: int
    folder: str
    again: bool

    @classmethod
    def of(cls, text: str | None) -> Worker | None:
        """The worker that a command line describes; None where it describes none."""
        return None if text is None else cls(**json.loads(text))

    def begin(self) -> None:
        """End this process in good order when the one that has started it is gone."""
        threading.Thread(target=self._wait, name="supervisor", daemon=True).start()

    def is_ready(self) -> None:
        """Tell that this process takes requests from now on."""
        os.write(self.ready, READY)

    def _wait(self) -> None:
        with suppress(OSError):
            os.read(self.living, 1)
        os.kill(os.getpid(), signal.SIGTERM)


def supervise(words: Sequence[str], host: str, port: int, server: str, workers: int) -> int:
    """Serve with so many processes, which run the command `words` of this package, until SIGTERM or SIGINT.

    Returns 0, or the exit code of a first process that never got ready. Raises OSError when the address cannot be had.
    """
    if os.name == "nt":
        raise OSError("--workers takes a system on which processes can share a socket: run several services instead")
    with listen(host, port) as listening, tempfile.TemporaryDirectory(prefix="pipeline-") as folder:
        say(listening, f"{chosen(server)}, {workers} workers")
        return _Supervisor(words, listening.fileno(), Path(folder), workers).run()


class _Place:
    """One of the processes, and the ones after it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.process: subprocess.Popen[bytes] | None = None
        self.ready = -1
        self.is_ready = False
        self.began = 0.0
        self.due = 0.0
        self.starts = 0
        self.ended = 0


class _Supervisor:
    """Starts processes, waits for what becomes of them, and starts others."""

    def __init__(self, words: Sequence[str], listening: int, folder: Path, workers: int) -> None:
        self._words = words
        self._listening = listening
        self._folder = folder
        self._workers = workers
        self._places: list[_Place] = []
        self._selector = selectors.DefaultSelector()
        self._living, self._own = os.pipe()
        self._is_stopped = False
        self._was_ready = False

    def run(self) -> int:
        woken, wake = os.pipe()
        os.set_blocking(wake, False)
        self._selector.register(woken, selectors.EVENT_READ)
        signal.set_wakeup_fd(wake)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        try:
            self._places.append(self._started(_Place(1)))
            while not self._is_stopped:
                for key, _ in self._selector.select(self._until_due()):
                    if key.fd == woken:
                        os.read(woken, 512)
                        continue
                    code = self._heard(key.data)
                    if code is not None:
                        return code
                for place in self._places:
                    if place.process is None and place.due <= time.monotonic() and not self._is_stopped:
                        self._started(place)
            return 0
        finally:
            self._end()

    def _stop(self, *_: Any) -> None:
        self._is_stopped = True

    def _until_due(self) -> float | None:
        """Seconds until a process is to be started; None where none is."""
        due = [place.due for place in self._places if place.process is None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _started(self, place: _Place) -> _Place:
        heard, told = os.pipe()
        worker = Worker(place.number, self._listening, self._living, told, str(self._folder), self._was_ready)
        root, name = Path(__file__).resolve().parents[2], str(__package__).rpartition(".")[0]
        words = [sys.executable, "-c", _MODULE, str(root), name, *self._words, "--worker", json.dumps(asdict(worker))]
        place.process = subprocess.Popen(
            words,
            pass_fds=(worker.listening, worker.living, worker.ready),
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the process that supervises: it ends these
        )
        os.close(told)
        place.ready, place.is_ready, place.began = heard, False, time.monotonic()
        place.starts += 1
        self._selector.register(heard, selectors.EVENT_READ, place)
        return place

    def _heard(self, place: _Place) -> int | None:
        """A process is ready, or has ended; its exit code where the service ends with it."""
        assert place.process is not None
        if os.read(place.ready, 1) == READY:
            place.is_ready = True
            if not self._was_ready:
                self._was_ready = True
                self._places += [self._started(_Place(number)) for number in range(2, self._workers + 1)]
            if place.starts > 1:
                log(event="worker", number=place.number, pid=place.process.pid, told="answers in place of the last one")
            return None
        self._selector.unregister(place.ready)
        os.close(place.ready)
        code = place.process.wait()
        if not self._was_ready:
            return code if code > 0 else 1
        lived = time.monotonic() - place.began
        place.ended = 1 if lived > STEADY_SECONDS else place.ended + 1
        pause = PAUSES[min(place.ended, len(PAUSES)) - 1]
        log(event="worker", number=place.number, pid=place.process.pid, code=code, told="ended", again_in_s=pause)
        place.process, place.due = None, time.monotonic() + pause
        return None

    def _end(self) -> None:
        """End all processes in good order; what has not ended in time is killed."""
        processes = [place.process for place in self._places if place.process is not None]
        for process in processes:
            process.terminate()
        until = time.monotonic() + STOP_SECONDS
        for process in processes:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        os.close(self._own)
