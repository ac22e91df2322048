"""The process that started this one: what it asks, and its end, which is this one's as well."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from contextlib import suppress
from pathlib import Path

PID = "pid.txt"
"""The file in which a forked process tells its id."""

ERRORS = "stderr.txt"


def forked(words: list[str]) -> str | None:
    """The folder that is this process's own: the first word, or that of a process which goes on from here.

    Three words for each such process follow: its folder, and the channels on which it is asked and tells. What has
    been imported by now is theirs as well. The first process only waits for the end of its starter, and theirs, then.
    """
    folder, others = (words[0] if words else None), words[1:]
    while others:
        (place, reads, writes), others = others[:3], others[3:]
        if os.fork() == 0:
            _go_on(place, int(reads), int(writes))
            for end in (end for at, end in enumerate(others) if at % 3):
                os.close(int(end))
            return place
        os.close(int(reads))
        os.close(int(writes))
    if len(words) > 1:
        os.read(0, 1)
        with suppress(ChildProcessError):
            while True:
                os.wait()
        leave_nothing(folder)
        os._exit(0)
    return folder


def _go_on(folder: str, reads: int, writes: int) -> None:
    """Be a process of its own: with its id in its folder, its channels, and a file for its errors."""
    os.chdir(folder)
    Path(PID).write_text(str(os.getpid()), encoding="ascii")
    errors = os.open(ERRORS, os.O_WRONLY | os.O_CREAT, 0o600)
    for end, known in ((reads, 0), (writes, 1), (errors, 2)):
        os.dup2(end, known)
        os.close(end)


def asked() -> str:
    """Wait for the path of a request; empty where the starter ended before it had one."""
    return os.fsdecode(sys.stdin.buffer.readline().rstrip(b"\n"))


def end_with_starter(folder: str | None) -> None:
    """End this process when its starter closes its input, which it also does by dying; `folder` is removed then.

    From here on the package under test, and what it starts, read nothing from that input.
    """
    channel = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def watch() -> None:
        os.read(channel, 1)
        leave_nothing(folder)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def leave_nothing(folder: str | None) -> None:
    """Remove the folder of a process whose starter, which would do so, is gone."""
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
