"""The load generator against small servers of its own: times, statuses, faults and the pace of requests."""

from __future__ import annotations

import asyncio
import math
import socket
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from nbprod.serving.load import Load, drive

Answer = Callable[[int], bytes | None]
BUSY = b"HTTP/1.1 503 Busy\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
CHUNKS = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n1\r\n \r\n0\r\n\r\n"
BAD = b"HTTP/1.1 422 No\r\ncontent-length: 2\r\n\r\n{}"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


class Seen:
    """What a server has met: bodies, connections, and the most requests at once."""

    def __init__(self) -> None:
        self.bodies: Counter[bytes] = Counter()
        self.connections = self.now = self.most = self.requests = 0


@contextmanager
def serving(answer: Answer, delay: float = 0.0) -> Iterator[tuple[int, Seen]]:
    """A server on a free port; `answer` gives what the n-th request gets, None breaks the connection."""
    seen, loop, ready = Seen(), asyncio.new_event_loop(), threading.Event()
    stop: asyncio.Event

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                seen.bodies[await reader.readexactly(length)] += 1
                seen.now += 1
                seen.most = max(seen.most, seen.now)
                if delay:
                    await asyncio.sleep(delay)
                seen.now -= 1
                given = answer(seen.requests)
                seen.requests += 1
                if given is None:
                    return
                writer.write(given)
                await writer.drain()
        except (EOFError, ConnectionError):
            pass
        finally:
            writer.close()

    ports: list[int] = []

    async def main() -> None:
        nonlocal stop
        stop = asyncio.Event()
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await stop.wait()
        server.close()

    thread = threading.Thread(target=_run, args=(loop, main()))
    thread.start()
    assert ready.wait(30)
    try:
        yield ports[0], seen
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def _run(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> None:
    loop.run_until_complete(work)
    loop.run_until_complete(asyncio.sleep(0.05))
    loop.close()


def test_a_closed_loop_asks_on_kept_connections_and_counts_each_answer() -> None:
    shares: list[float] = []

    with serving(lambda _: OK, delay=0.01) as (port, seen):
        load = drive("127.0.0.1", port, "/", [b"a", b"bc"], connections=3, seconds=0.5, on_progress=shares.append)

    assert (seen.connections, seen.most) == (3, 3)
    assert load.statuses == {200: len(load.taken)}
    assert len(load.taken) == seen.requests == sum(seen.bodies.values()) > 3
    assert abs(seen.bodies[b"a"] - seen.bodies[b"bc"]) <= 3
    assert load.taken[0] >= 0.01
    assert shares[-1] == 1.0
    assert load.answered == 1.0


def test_an_open_loop_sends_no_more_than_its_rate() -> None:
    with serving(lambda _: OK) as (port, seen):
        load = drive("127.0.0.1", port, "/", [b"{}"], connections=4, seconds=1.0, rate=50)

    assert len(load.taken) == seen.requests == 50


def test_in_an_open_loop_waiting_for_a_connection_counts() -> None:
    with serving(lambda _: OK, delay=0.1) as (port, _):
        load = drive("127.0.0.1", port, "/", [b"{}"], connections=1, seconds=0.5, rate=40)

    # 20 are due within half a second and each takes a tenth: the last one has waited for a second and a half.
    assert len(load.taken) == 20
    assert load.quantile(1.0) > 1.0
    assert load.taken[0] < 1.0


@pytest.mark.parametrize(
    "answer, statuses, faults",
    [
        pytest.param(lambda at: BAD if at % 2 else OK, {200, 422}, set(), id="two-statuses"),
        pytest.param(lambda at: None if at % 3 == 2 else OK, {200}, {"connection broken"}, id="broken-connections"),
        pytest.param(lambda at: b"SSH-2.0\r\n\r\n" if at == 0 else OK, {200}, {"not HTTP"}, id="another-protocol"),
        pytest.param(lambda _: BUSY, {503}, set(), id="all-refused"),
        pytest.param(lambda _: CHUNKS, {200}, set(), id="chunks"),
    ],
)
def test_what_comes_back_is_told_as_what_it_is(answer: Answer, statuses: set[int], faults: set[str]) -> None:
    with serving(answer, delay=0.005) as (port, seen):
        load = drive("127.0.0.1", port, "/", [b"{}"], connections=2, seconds=0.4)

    assert set(load.statuses) == statuses
    assert set(load.faults) == faults
    assert len(load.taken) + sum(load.faults.values()) == seen.requests
    assert (load.answered < 1.0) == bool(faults or 503 in statuses)


def test_a_service_that_is_away_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    load = drive("127.0.0.1", port, "/", [b"{}"], connections=1, seconds=0.2)

    assert (load.taken, set(load.faults), load.answered) == ((), {"connection refused"}, 0.0)
    assert math.isnan(load.quantile(0.5))


@pytest.mark.parametrize("share, value", [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)])
def test_quantiles_are_times_that_were_measured(share: float, value: float) -> None:
    load = Load(1, None, 2.0, tuple(map(float, range(1, 101))), {200: 100}, {})

    assert load.quantile(share) == value
    assert load.throughput == 50.0
