"""`run` in a process of its own, for surfaces that must stay awake meanwhile: followed by its progress, and stopped."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress

from msgspec import json

from nbprod.api.answers import JobKind
from nbprod.api.progress import Progress
from nbprod.api.worker import Said, Task, command, end_group, first_line, outcome
from nbprod.errors import from_system

STOP_SECONDS = 20.0
"""How long a run that is stopped may take to end its kernel and to close its record."""


class SeparateRun:
    """A run of a notebook for the packages in `output`, which ends with this process at the latest.

    `on_progress` and `on_end` are called from another thread; what `on_end` is told has the report, or the error, or
    neither where the run was cancelled. Raises NbprodError where no process can be started.
    """

    def __init__(
        self,
        path: str,
        on_progress: Callable[[Progress], None],
        on_end: Callable[[Said], None],
        *,
        output: str | None = None,
    ) -> None:
        self._is_cancelled = False
        try:
            # In a session of its own: an interrupt of the caller's kernel is not meant for it.
            self._process = subprocess.Popen(
                command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise from_system(error) from error
        assert self._process.stdin is not None
        # A process that has ended already is told of by how it ended.
        with suppress(BrokenPipeError):
            self._process.stdin.write(first_line(Task(JobKind.RUN, path, output, auto=True)))
            self._process.stdin.flush()
        self._thread = threading.Thread(target=self._follow, args=(on_progress, on_end), daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Have it end its kernel and close its record; after a while kill it with all that it has started."""
        self._is_cancelled = True
        self._process.terminate()
        killer = threading.Timer(STOP_SECONDS, self._process.kill)
        killer.daemon = True
        killer.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for its end; whether it came in time."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _follow(self, on_progress: Callable[[Progress], None], on_end: Callable[[Said], None]) -> None:
        last = Said()
        assert self._process.stdout is not None
        try:
            with self._process:
                for line in self._process.stdout:
                    said = json.decode(line, type=Said)
                    if said.progress is None:
                        last = said
                    else:
                        on_progress(said.progress)
        finally:
            end_group(self._process.pid)
        code = self._process.returncode
        on_end(outcome(last, code, is_cancelled=self._is_cancelled))
