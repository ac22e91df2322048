"""Processes that score pieces of a file, each with the package loaded once; results come in the order of the pieces.

Each is asked through a pipe and ends when that is closed, so that none is left behind however this process ends.
"""

from __future__ import annotations

import os
import pickle
import queue
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

IN_FLIGHT = 2
"""Pieces for each process that are read and not yet written: one at work and one that waits."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_LENGTH = struct.Struct(">Q")
# The folder that holds the package takes the place of the current one, where any file may stand in a library's way.
_WORK = "import importlib, sys; sys.path[0] = sys.argv[1]; importlib.import_module(sys.argv[2]).work()"


class WorkerError(RuntimeError):
    """A process that scores has ended by itself."""


def usable_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def working(jobs: int, module: str, root: Path, task: Any) -> Iterator[Workers]:
    """So many processes that have imported `module` from `root` and do what its `task_of(task)` gives."""
    workers = Workers(jobs, module, root, task)
    try:
        yield workers
    finally:
        workers.end()


class Workers:
    """Processes that wait for pieces."""

    def __init__(self, jobs: int, module: str, root: Path, task: Any) -> None:
        threads = str(max(1, usable_cores() // jobs))
        environment = {**dict.fromkeys(_THREADS, threads), **os.environ}
        command = [sys.executable, "-c", _WORK, str(root), module]
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._processes = []
        for _ in range(jobs):
            # Ctrl-C is for the process that asks: it ends these.
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                start_new_session=os.name != "nt",
            )
            self._processes.append(process)
            self._idle.put(process)
        self._task = task
        self._asked: set[int] = set()
        self._pool = ThreadPoolExecutor(jobs)
        self.jobs = jobs

    def results(self, pieces: Iterable[Any]) -> Iterator[Any]:
        """What comes of each piece, in their order; so many at most are under way."""
        under_way: deque[Future[Any]] = deque()
        for piece in pieces:
            under_way.append(self._pool.submit(self._ask, piece))
            if len(under_way) >= IN_FLIGHT * self.jobs:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

    def end(self) -> None:
        """End the processes, whatever they are at."""
        for process in self._processes:
            process.kill()
        self._pool.shutdown(wait=True)
        for process in self._processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()

    def _ask(self, piece: Any) -> Any:
        process = self._idle.get()
        try:
            if process.pid not in self._asked:
                self._asked.add(process.pid)
                _send(process.stdin, self._task)
            _send(process.stdin, piece)
            answer = _received(process.stdout)
        except (EOFError, OSError) as error:
            code = process.wait()
            raise WorkerError(
                f"a process that scores ended with {code}; where memory was short, take fewer --jobs or --rows"
            ) from error
        finally:
            self._idle.put(process)
        if isinstance(answer, Exception):
            raise answer
        return answer


def serve(task_of: Any) -> None:
    """Do pieces from standard input until it is closed: the first message is the task, each other one a piece."""
    source, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the notebook's code prints is no answer
    with suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        made: Any = None
        task = _received(source)
        while True:
            piece = _received(source)
            try:
                made = task_of(task) if made is None else made
                answer = made(piece)
            except Exception as error:  # noqa: BLE001 - it is raised where the piece was asked for
                answer = error
            _send(answers, answer)


def _send(pipe: IO[bytes] | None, value: Any) -> None:
    assert pipe is not None
    content = pickle.dumps(value, protocol=4)
    pipe.write(_LENGTH.pack(len(content)))
    pipe.write(content)
    pipe.flush()


def _received(pipe: IO[bytes] | None) -> Any:
    assert pipe is not None
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    content = pipe.read(length)
    if len(content) < length:
        raise EOFError
    return pickle.loads(content)
