"""What files hold, as digests; one that nobody has touched is read once in a process."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

A_WHILE = 2_000_000_000  # nanoseconds


def content_hashes(paths: Iterable[str]) -> tuple[tuple[str, str, int], ...]:
    """(absolute path, sha256, bytes) of each file that is still there."""
    found: list[tuple[str, str, int]] = []
    for path in sorted(paths):
        try:
            there = Path(path).stat()
            # A file that was written just now may be written again within one tick of the file system's clock.
            is_fresh = time.time_ns() - there.st_mtime_ns < A_WHILE
            hashed = _content_hash.__wrapped__ if is_fresh else _content_hash
            found.append((path, *hashed(path, there.st_size, there.st_mtime_ns, there.st_ino)))
        except OSError:
            continue
    return tuple(found)


@lru_cache(maxsize=4096)
def _content_hash(path: str, _size: int, _changed: int, _file: int) -> tuple[str, int]:
    """The sha256 and size of a file; a file that nobody has touched is read once in a process."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
