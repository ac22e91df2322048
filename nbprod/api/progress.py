"""What a long verb says while it works: values that a surface shows as it likes."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from msgspec import Struct


class Progress(Struct, frozen=True):
    """Where the work on one notebook stands: `done` of `total` parts of a stage (0 of 0: no parts), and what it is.

    `stage` is one of `plan`, `run`, `fit`, `verify`, `track`, `bench`; `cell` is the code cell that begins to run.
    """

    notebook: str
    stage: str
    text: str
    done: int = 0
    total: int = 0
    cell: int | None = None


OnProgress = Callable[[Progress], None]


def one_at_a_time(tell: OnProgress) -> OnProgress:
    """`tell`, for several threads that may have something to say at once."""
    lock = Lock()

    def told(progress: Progress) -> None:
        with lock:
            tell(progress)

    return told


def silent(_progress: Progress) -> None:
    """Say nothing."""
