"""Work that Python's search for garbage does not interrupt: it would take a third of the time, and find nothing."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_under_way = 0
_was_on = False


@contextmanager
def undisturbed() -> Iterator[None]:
    """The cyclic garbage collector waits until all such work is done, and then goes on as before.

    What the work leaves counts as old by then: it would be searched at once otherwise, while somebody waits.
    """
    global _under_way, _was_on
    with _lock:
        if _under_way == 0:
            _was_on = gc.isenabled()
            gc.disable()
        _under_way += 1
    try:
        yield
    finally:
        with _lock:
            _under_way -= 1
            if _under_way == 0 and _was_on:
                if gc.get_freeze_count() == 0:
                    gc.freeze()
                    gc.unfreeze()
                gc.enable()
