"""The process that started this one: what it asks, and its end, which is this one's as well."""

from __future__ import annotations

import os
import shutil
import sys
import threading


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
