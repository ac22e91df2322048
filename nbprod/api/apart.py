"""`run` in a process of its own, for surfaces that must stay awake meanwhile: followed by its progress, and stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, convert, to_builtins

from nbprod.api.progress import Progress
from nbprod.errors import NbprodError

STOP_SECONDS = 20.0
"""How long a run that is stopped may take to end its kernel and to close its record."""


class Ended(Struct, frozen=True):
    """How a run came out: its report, or the error's text; neither where it was cancelled."""

    report: Mapping[str, Any] | None = None
    error: str | None = None


class SeparateRun:
    """A run of a notebook. `on_progress` and `on_end` are called from another thread."""

    def __init__(self, path: str, on_progress: Callable[[Progress], None], on_end: Callable[[Ended], None]) -> None:
        self._cancelled = False
        command = [sys.executable, "-m", "nbprod.api.apart", path]
        # In a session of its own: an interrupt of the caller's kernel is not meant for it.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._thread = threading.Thread(target=self._follow, args=(on_progress, on_end), daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Interrupt it as Ctrl-C would, so that its kernel ends and its record is closed; after a while kill it."""
        self._cancelled = True
        self._process.send_signal(signal.SIGINT)
        killer = threading.Timer(STOP_SECONDS, self._process.kill)
        killer.daemon = True
        killer.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for its end; whether it came in time."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _follow(self, on_progress: Callable[[Progress], None], on_end: Callable[[Ended], None]) -> None:
        ended = Ended(error="the process of the run ended without an answer")
        assert self._process.stdout is not None
        with self._process:
            for line in self._process.stdout:
                told = json.loads(line)
                if "progress" in told:
                    on_progress(convert(told["progress"], Progress))
                else:
                    ended = convert(told, Ended)
        on_end(Ended() if self._cancelled else ended)


def main(path: str) -> None:
    """Run the notebook, with lines of JSON on stdout: `progress` for each step, then `report` or `error`."""
    import os

    from nbprod.api.running import run_notebook

    # What libraries print goes to stderr.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(value: Mapping[str, Any]) -> None:
        channel.write(json.dumps(value, default=str) + "\n")
        channel.flush()

    try:
        say({"report": run_notebook(path, auto=True, on_progress=lambda each: say({"progress": to_builtins(each)}))})
    except NbprodError as error:
        say({"error": str(error)})


if __name__ == "__main__":
    main(sys.argv[1])
