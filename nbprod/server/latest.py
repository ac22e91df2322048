"""Questions of which only the newest matters: one thread a subject, and older ones that still wait are dropped."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from nbprod.errors import NbprodError

T = TypeVar("T")

THREADS = 4
"""Subjects that are worked on at once; all other routes have the event loop's own threads."""


class Latest:
    """Work on subjects (notebooks), each asked about by several askers (pages)."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="nbprod-study")
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._newest: dict[tuple[str, str], int] = {}
        self._count = 0

    async def ask(self, subject: str, asker: str, work: Callable[[], T]) -> T:
        """What `work` gives, done in a thread once no other question about `subject` is being worked on.

        Raises NbprodError (`superseded`) where `asker` has asked again about `subject` meanwhile.
        """
        self._count += 1
        mine = self._newest[subject, asker] = self._count
        async with self._locks[subject]:
            if self._newest.get((subject, asker)) != mine:
                raise NbprodError("a newer question about the same notebook came before the answer", code="superseded")
            try:
                return await asyncio.get_running_loop().run_in_executor(self._threads, work)
            finally:
                if self._newest.get((subject, asker)) == mine:
                    del self._newest[subject, asker]
