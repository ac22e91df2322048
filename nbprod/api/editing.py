"""Notebooks that are being edited: what is known of each is kept from one keystroke to the next."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from nbprod.analysis.incremental import Analyser

MOST = 8


class EditedNotebooks:
    """The analysers of the notebooks that were edited last, by their paths."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._analysers: OrderedDict[str, tuple[Analyser, Lock]] = OrderedDict()

    @contextmanager
    def analyser_of(self, path: str) -> Iterator[Analyser]:
        """The analyser of one notebook, for one caller at a time: its results hold until the next analysis."""
        with self._lock:
            analyser, lock = self._analysers.setdefault(path, (Analyser(), Lock()))
            self._analysers.move_to_end(path)
            while len(self._analysers) > MOST:
                self._analysers.popitem(last=False)
        with lock:
            yield analyser
