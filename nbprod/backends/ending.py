"""The end of a kernel that was asked to end, awaited beside what follows its run."""

from __future__ import annotations

import subprocess

PATIENCE = 2.5
"""Seconds that a kernel is given, as Jupyter gives them, before it is told to end, and again before it is made to."""


class Ending:
    """Kernels that were asked to end. Leaving it waits for them."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Ending:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()

    def await_later(self, process: subprocess.Popen[bytes]) -> None:
        """Take over the process of a kernel that was asked to end."""
        self._processes.append(process)

    def wait(self) -> None:
        """Wait for them, and end those that take too long."""
        while self._processes:
            _end(self._processes.pop())


def _end(process: subprocess.Popen[bytes]) -> None:
    for make_it in (process.terminate, process.kill):
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            make_it()
    process.wait()
