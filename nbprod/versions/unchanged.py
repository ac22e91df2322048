"""What was made of a file, kept for as long as the file is the same one by place, time and size."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar

T = TypeVar("T")

MOST = 64
JUST_NOW = 50_000_000
"""Nanoseconds within which a second change may leave the same time on a file: file systems count in ticks."""


class Unchanged(Generic[T]):
    """A reading of files that is done again only where a file has changed; who asks leaves the value as it is.

    A file that changed just now is read again the next time, as git does with what it calls racily clean. The `most`
    files that were asked for last are remembered.
    """

    def __init__(self, read: Callable[[Path], T], most: int = MOST) -> None:
        self._read = read
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[str, tuple[tuple[int, ...], T]] = OrderedDict()

    def __call__(self, path: Path) -> T:
        """What is read from `path`; raises what the reading raises, and OSError where the file is not there."""
        status = path.stat()
        same = (status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)
        with self._lock:
            known = self._kept.get(str(path))
            if known is not None and known[0] == same:
                self._kept.move_to_end(str(path))
                return known[1]
        settled = abs(time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns)) > JUST_NOW
        value = self._read(path)
        if not settled:
            return value
        with self._lock:
            self._kept[str(path)] = (same, value)
            self._kept.move_to_end(str(path))
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value


def read_object(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file, None where the file is not there or holds none; who asks leaves it as it is."""
    try:
        value = _values(path)
    except (OSError, RecursionError, ValueError):
        return None
    return value if isinstance(value, dict) else None


_values: Unchanged[Any] = Unchanged(lambda path: json.loads(path.read_bytes()), most=256)
