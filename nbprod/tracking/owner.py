"""The process that a thing belongs to while it is made, so that others can tell whether it was left behind."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from nbprod.tracking.store import is_alive


class Owner(Struct, frozen=True):
    """A process: its machine, its id there, and when it started (a later process may get the same id)."""

    host: str
    pid: int
    start: str

    @property
    def is_here(self) -> bool:
        """Whether it is a process of this machine, whose life can be told from here."""
        return self.host == socket.gethostname()

    @property
    def is_at_work(self) -> bool:
        """Whether the process still runs, of one of this machine."""
        return is_alive(self.pid) and _process_start(self.pid) == self.start

    def as_tags(self, prefix: str) -> dict[str, str]:
        """The owner as tags of a run, each name behind `prefix`."""
        return {f"{prefix}host": self.host, f"{prefix}pid": str(self.pid), f"{prefix}process_start": self.start}


def this_process() -> Owner:
    """The process that asks."""
    return Owner(socket.gethostname(), os.getpid(), _process_start(os.getpid()))


def owner_in(tags: Mapping[str, str], prefix: str) -> Owner:
    """The owner that `as_tags` has put down."""
    pid = tags.get(f"{prefix}pid", "")
    start = tags.get(f"{prefix}process_start", "")
    return Owner(tags.get(f"{prefix}host", ""), int(pid) if pid.isdecimal() else 0, start)


def _process_start(pid: int) -> str:
    """When a process started, in ticks since boot and with the boot's id; empty where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # proc(5): field 22, counted after the command's name, which may hold spaces.
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
    return f"{boot}:{ticks}"
