"""One writer at a time in a package's folder, and a note of what it was doing should it be killed."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from nbprod.errors import NbprodError, Where

LOCK = ".lock"
WAIT = 120.0


class Lock(Struct):
    """The held lock of a folder; `unlisted` are version numbers that this writer, or a killed one, has in hand."""

    handle: int
    unlisted: tuple[int, ...]

    def note(self, *numbers: int) -> None:
        """Note the versions whose folders, or whose state, are about to exist without being in the ledger."""
        self.unlisted = (*self.unlisted, *(number for number in numbers if number not in self.unlisted))
        _write(self.handle, self.unlisted)


@contextmanager
def locked(folder: Path, wait: float = WAIT) -> Iterator[Lock]:
    """Hold the lock of `folder`, which is made where it is not there, waiting up to `wait` seconds.

    Raises NbprodError that names who holds it. The system itself ends the lock of a process that dies, so a lock
    file that is left behind is never mistaken for a held one; what it says is handed on in `Lock.unlisted`.
    """
    path = folder / LOCK
    handle = _acquire(path, time.monotonic() + wait)
    try:
        lock = Lock(handle, _read(handle).unlisted)
        _write(handle, lock.unlisted)
        yield lock
    finally:
        _release(path, handle)


def noted(folder: Path) -> tuple[int, ...]:
    """The version numbers that who writes `folder`, or was killed while it did, has in hand; nothing is waited for."""
    try:
        handle = os.open(folder / LOCK, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return ()
    try:
        return _read(handle).unlisted
    finally:
        os.close(handle)


class _Note(Struct, frozen=True):
    holder: str = "another process"
    unlisted: tuple[int, ...] = ()


def _acquire(path: Path, deadline: float) -> int:
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            continue
        if _try_lock(handle):
            # The file may have been removed by its last holder between our open and our lock.
            if _is_at(handle, path):
                return handle
        elif time.monotonic() > deadline:
            holder = _read(handle).holder
            os.close(handle)
            raise NbprodError(
                f"{path.parent} is being written by {holder}",
                code="locked",
                where=Where(path=str(path)),
                hint="wait for it to end, or end it, and try again",
            )
        os.close(handle)
        time.sleep(0.02)


def _release(path: Path, handle: int) -> None:
    if sys.platform == "win32":
        os.ftruncate(handle, 0)
        os.close(handle)
        return
    # Removed while still held: whoever opened it meanwhile sees that it is gone and opens anew.
    path.unlink(missing_ok=True)
    os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        # A byte far behind the text, so that others can read who holds the lock.
        os.lseek(handle, 1 << 20, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _is_at(handle: int, path: Path) -> bool:
    try:
        there = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return False
    here = os.fstat(handle)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _read(handle: int) -> _Note:
    os.lseek(handle, 0, os.SEEK_SET)
    try:
        note = json.loads(os.read(handle, 1 << 16))
        return _Note(f"process {int(note['pid'])} on {note['host']}", tuple(int(number) for number in note["unlisted"]))
    except (ValueError, KeyError, TypeError):
        return _Note()


def _write(handle: int, unlisted: tuple[int, ...]) -> None:
    text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "unlisted": unlisted}).encode()
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, text)
    os.ftruncate(handle, len(text))
    os.fsync(handle)
