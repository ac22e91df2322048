"""What was made of a file, kept for as long as the file is the same one by place, time and size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")

MOST = 64


class Unchanged(Generic[T]):
    """A reading of files that is done again only where a file has changed; who asks leaves the value as it is."""

    def __init__(self, read: Callable[[Path], T]) -> None:
        self._read = read
        self._lock = Lock()
        self._kept: OrderedDict[str, tuple[tuple[int, int, int], T]] = OrderedDict()

    def __call__(self, path: Path) -> T:
        """What is read from `path`; raises what the reading raises, and OSError where the file is not there."""
        status = path.stat()
        same = (status.st_ino, status.st_mtime_ns, status.st_size)
        with self._lock:
            known = self._kept.get(str(path))
            if known is not None and known[0] == same:
                self._kept.move_to_end(str(path))
                return known[1]
        value = self._read(path)
        with self._lock:
            self._kept[str(path)] = (same, value)
            self._kept.move_to_end(str(path))
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return value
