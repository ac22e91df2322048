"""The service of an alias: when the ledger lets it stand for another version, requests go over to that one.

Each request is answered by one version from its first byte to its last. The version before answers until the next one
is loaded and has given its golden row; one that can't be loaded takes no request.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
CHAMPION = "champion"
SECONDS = 1.0
AGAIN_SECONDS = 30.0
"""How often the ledger is looked at, and the pause behind a version that could not be loaded."""

_ASK = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/ready",
    "raw_path": b"/ready",
    "query_string": b"",
    "root_path": "",
    "headers": [],
}


@dataclass(frozen=True)
class Served:
    """A version that answers: its number, its name and its ASGI application."""

    number: int
    name: str
    application: Callable[[Scope, Receive, Send], Awaitable[None]]


class Following:
    """An ASGI 3 application that hands requests to the version that `reference` stands for.

    `reference` is an alias, which is followed; a number or name, which is not; or None: the champion, and until there
    is one, what is served now.
    """

    def __init__(self, package: Any, reference: str | None, pipeline: Any) -> None:
        self._package = package
        self._reference = reference
        self._ledger = Path(package.__file__).parent / "versions.json"
        self._stamp = _stamp(self._ledger)
        self._served = _served(pipeline)
        self._watch: asyncio.Future[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        served = self._served
        if self._watch is None and self._is_followed():
            self._watch = asyncio.ensure_future(self._follow())
        if scope["type"] != "lifespan":
            await served.application(scope, receive, _named(send, served))
            return
        try:
            await served.application(scope, receive, send)
        finally:
            if self._watch is not None:
                self._watch.cancel()

    def _is_followed(self) -> bool:
        return self._reference is None or any(
            self._reference in entry.get("aliases", ()) for entry in self._package.versions()
        )

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            stamp = _stamp(self._ledger)
            if stamp is None or stamp == self._stamp:
                continue
            try:
                await self._go_over()
                self._stamp = stamp
            except Exception as error:  # noqa: BLE001 - whatever it is, the version before goes on answering
                _log(event="not followed", serving=self._served.name, error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(AGAIN_SECONDS)

    async def _go_over(self) -> None:
        number = await asyncio.to_thread(self._meant)
        if number is None or number == self._served.number:
            return
        started = time.perf_counter()
        served = await asyncio.to_thread(self._load, number)
        await _ready(served)
        before, self._served = self._served, served
        seconds = round(time.perf_counter() - started, 2)
        _log(event="followed", alias=self._reference or CHAMPION, version=served.name, before=before.name, s=seconds)

    def _meant(self) -> int | None:
        """The number of the version that the ledger names now; None where it names none, and all stays as it is."""
        alias = self._reference or CHAMPION
        named = (entry["number"] for entry in self._package.versions() if alias in entry.get("aliases", ()))
        return next(named, None)

    def _load(self, number: int) -> Served:
        importlib.invalidate_caches()  # its folder may be younger than this process
        return _served(self._package.service(number))


def _served(pipeline: Any) -> Served:
    package = type(pipeline).__module__.rpartition(".")[0]
    application = importlib.import_module(f"{package}.serve").Application(lambda: pipeline)
    return Served(int(pipeline.version.lstrip("v")), pipeline.version, application)


async def _ready(served: Served) -> None:
    """Ask a version whether it is ready; raises RuntimeError with its reason where it is not."""
    told: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    await served.application(dict(_ASK), receive, send)
    if told[0]["status"] != 200:
        raise RuntimeError(f"{served.name}: {json.loads(told[1]['body'])['detail']}")


def _named(send: Send, served: Served) -> Send:
    """Each response says in a header which version gave it, a refusal too."""

    async def named(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), (b"x-pipeline-version", served.name.encode())]
            message = {**message, "headers": headers}
        await send(message)

    return named


def _stamp(path: Path) -> tuple[int, ...] | None:
    """What changes with a file that is replaced; None where it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _log(**entry: Any) -> None:
    """One line of JSON on stderr."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + "Z"
    print(json.dumps({"time": now, **entry}, default=str), file=sys.stderr, flush=True)
