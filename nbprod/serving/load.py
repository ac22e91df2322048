"""Requests to an HTTP service over kept connections, and how long each answer took.

A closed loop (`rate` is None) asks again on each connection as soon as it has the answer. An open loop sends at a rate
whatever the answers do; a request that had to wait for a connection is counted from when it was due, since a client
would have waited as well (G. Tene, "How NOT to Measure Latency", on coordinated omission).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from math import ceil

from msgspec import Struct

PROGRESS_SECONDS = 0.2
ANSWER_SECONDS = 30.0
RECONNECT_SECONDS = 0.05

OnShare = Callable[[float], None]


class Load(Struct, frozen=True):
    """What a load has measured: seconds of each answer in order of size, statuses, and faults of connections."""

    connections: int
    rate: float | None
    seconds: float
    taken: tuple[float, ...]
    statuses: dict[int, int]
    faults: dict[str, int]

    @property
    def throughput(self) -> float:
        """Answers a second."""
        return len(self.taken) / self.seconds if self.seconds else 0.0

    @property
    def answered(self) -> float:
        """The share of requests that were answered, with a status below 500; 0 where there was none."""
        asked = len(self.taken) + sum(self.faults.values())
        good = sum(number for status, number in self.statuses.items() if status < 500)
        return good / asked if asked else 0.0

    def quantile(self, share: float) -> float:
        """The least time within which such a share of the answers came (nearest rank); NaN where there is none."""
        if not self.taken:
            return float("nan")
        return self.taken[max(0, ceil(share * len(self.taken)) - 1)]


def drive(
    host: str,
    port: int,
    path: str,
    bodies: Sequence[bytes],
    *,
    connections: int = 1,
    seconds: float = 10.0,
    rate: float | None = None,
    token: str | None = None,
    on_progress: OnShare | None = None,
) -> Load:
    """POST the bodies in turn, over and over, for so many seconds. A connection that breaks is opened anew.

    `token` goes with each request, as a service with tokens asks for it.
    """
    return asyncio.run(_Driver(host, port, path, bodies, connections, seconds, rate, token).run(on_progress))


class _Driver:
    """One load: its requests, the schedule that they share, and what came of them."""

    def __init__(
        self,
        host: str,
        port: int,
        path: str,
        bodies: Sequence[bytes],
        connections: int,
        seconds: float,
        rate: float | None,
        token: str | None,
    ) -> None:
        self.address = host, port
        self.connections, self.seconds, self.rate = connections, seconds, rate
        head = f"POST {path} HTTP/1.1\r\nhost: {host}:{port}\r\ncontent-type: application/json\r\n"
        head += "" if token is None else f"authorization: Bearer {token}\r\n"
        self.requests = [f"{head}content-length: {len(body)}\r\n\r\n".encode() + body for body in bodies]
        self.numbers = count()
        self.taken: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.faults: Counter[str] = Counter()

    async def run(self, on_progress: OnShare | None) -> Load:
        """All connections at once, until the time is over."""
        self.began = time.perf_counter()
        asking = [asyncio.ensure_future(self._ask()) for _ in range(self.connections)]
        try:
            while True:
                _, left = await asyncio.wait(asking, timeout=PROGRESS_SECONDS)
                if on_progress is not None:
                    on_progress(min(1.0, (time.perf_counter() - self.began) / self.seconds))
                if not left:
                    break
            await asyncio.gather(*asking)
        finally:
            for each in asking:
                each.cancel()
        spent = time.perf_counter() - self.began
        return Load(
            self.connections, self.rate, spent, tuple(sorted(self.taken)), dict(self.statuses), dict(self.faults)
        )

    async def _due(self, number: int) -> float | None:
        """When a request is to be sent, once that is now; None where it is no longer."""
        if self.rate is None:
            now = time.perf_counter()
            return now if now < self.began + self.seconds else None
        due = self.began + number / self.rate
        if due >= self.began + self.seconds:
            return None
        await asyncio.sleep(due - time.perf_counter())
        return due

    async def _ask(self) -> None:
        """Send requests on one connection at a time."""
        writer: asyncio.StreamWriter | None = None
        try:
            while True:
                number = next(self.numbers)
                due = await self._due(number)
                if due is None:
                    return
                try:
                    if writer is None:
                        reader, writer = await asyncio.open_connection(*self.address)
                    writer.write(self.requests[number % len(self.requests)])
                    async with asyncio.timeout(ANSWER_SECONDS):
                        status, is_kept = await _answer(reader)
                except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
                    self.faults[_fault(error)] += 1
                    await asyncio.sleep(RECONNECT_SECONDS)
                    is_kept = False
                else:
                    self.taken.append(time.perf_counter() - due)
                    self.statuses[status] += 1
                if not is_kept and writer is not None:
                    writer.close()
                    writer = None
        finally:
            if writer is not None:
                writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status of an answer that was read to its end, and whether the connection is kept."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    if not first.startswith("HTTP/1."):
        raise ValueError(first)
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if fields.get("transfer-encoding", "").lower() == "chunked":
        while size := int((await reader.readline()).split(b";")[0], 16):
            await reader.readexactly(size + 2)
        await reader.readuntil(b"\r\n")
    else:
        await reader.readexactly(int(fields.get("content-length", 0)))
    return int(first.split()[1]), fields.get("connection", "").lower() != "close"


def _fault(error: Exception) -> str:
    """A fault of a connection in the words of a report."""
    match error:
        case TimeoutError():
            return f"no answer within {ANSWER_SECONDS:g} s"
        case ConnectionRefusedError():
            return "connection refused"
        case EOFError() | ConnectionError():
            return "connection broken"
        case OSError():
            return error.strerror or type(error).__name__
        case _:
            return "not HTTP"
