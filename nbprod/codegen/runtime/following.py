"""Which version answers: that of an alias, which is followed, with a share for a canary and a copy for a shadow.

Each request is answered by one version from its first byte to its last. When the ledger lets an alias stand for another
version, the one before answers until the next one is loaded and has given its golden row; one that can't be loaded
takes no request.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .request import log

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
CHAMPION = "champion"
SECONDS = 1.0
AGAIN_SECONDS = 30.0
"""How often the ledger is looked at, and the pause behind a version that could not be loaded."""

GET: Mapping[str, Any] = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "query_string": b"",
    "root_path": "",
    "headers": [],
}


@dataclass(frozen=True)
class Served:
    """A version that answers: its number, its name, its digest and its ASGI application.

    `sketch` counts its rows in the bins of its training rows; None where it was fitted without these.
    """

    number: int
    name: str
    digest: str
    application: Callable[[Scope, Receive, Send], Awaitable[None]]
    sketch: Any = None


class Following:
    """The versions that answer.

    `reference` is an alias, which is followed; a number or name, which is not; or None: the champion, and until there
    is one, what is served now. `canary` is the reference of a version and its share of the requests, `shadow` that of
    one that is asked as well, without its answers being given to anybody.
    """

    def __init__(
        self,
        package: Any,
        reference: str | None,
        pipeline: Any,
        *,
        canary: tuple[str, float] | None = None,
        shadow: str | None = None,
    ) -> None:
        self._package = package
        self._reference = reference
        self._ledger = Path(package.__file__).parent / "versions.json"
        self._stamp = _stamp(self._ledger)
        self._watch: asyncio.Future[None] | None = None
        self.name = pipeline.contract.name
        self.main = _served(pipeline)
        self._canary = None if canary is None else canary[0]
        self._share = 0.0 if canary is None else canary[1]
        self._shadow = shadow
        self.canary = None if canary is None else _served(package.service(canary[0]))
        self.shadow = None if shadow is None else _served(package.service(shadow))

    def of(self, request_id: str) -> Served:
        """The version that answers a request: the same one for each attempt with the same id."""
        if self.canary is not None and zlib.crc32(request_id.encode()) < self._share * 2**32:
            return self.canary
        return self.main

    def answering(self) -> list[Served]:
        """The versions whose answers are given, the main one first."""
        return [self.main] if self.canary is None else [self.main, self.canary]

    def all(self) -> list[Served]:
        """The versions that are asked at the moment, each once, the main one first."""
        asked = [*self.answering(), *([] if self.shadow is None else [self.shadow])]
        return list({served.number: served for served in reversed(asked)}.values())[::-1]

    async def live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The life of the service: the first version's application hears of its start and its end."""
        if self._is_followed():
            self._watch = asyncio.ensure_future(self._follow())
        try:
            await self.main.application(scope, receive, send)
        finally:
            if self._watch is not None:
                self._watch.cancel()

    def _is_followed(self) -> bool:
        named = {self._reference, self._canary, self._shadow} - {None}
        aliases = {alias for entry in self._package.versions() for alias in entry.get("aliases", ())}
        return self._reference is None or bool(named & aliases)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            stamp = _stamp(self._ledger)
            if stamp is None or stamp == self._stamp:
                continue
            try:
                for role, reference in (("main", self._reference), ("canary", self._canary), ("shadow", self._shadow)):
                    if role == "main" or reference is not None:
                        await self._go_over(role, reference or CHAMPION)
                self._stamp = stamp
            except Exception as error:  # noqa: BLE001 - whatever it is, the version before goes on answering
                log(event="not followed", serving=self.main.name, error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(AGAIN_SECONDS)

    async def _go_over(self, role: str, reference: str) -> None:
        number = await asyncio.to_thread(self._meant, reference)
        before = getattr(self, role)
        if number is None or number == before.number:
            return
        started = time.perf_counter()
        served = await asyncio.to_thread(self._load, number)
        await _ready(served)
        setattr(self, role, served)
        seconds = round(time.perf_counter() - started, 2)
        log(event="followed", role=role, alias=reference, version=served.name, before=before.name, s=seconds)

    def _meant(self, alias: str) -> int | None:
        """The number of the version that the ledger names now; None where it names none, and all stays as it is."""
        named = (entry["number"] for entry in self._package.versions() if alias in entry.get("aliases", ()))
        return next(named, None)

    def _load(self, number: int) -> Served:
        importlib.invalidate_caches()  # its folder may be younger than this process
        return _served(self._package.service(number))


def _served(pipeline: Any) -> Served:
    package = type(pipeline).__module__.rpartition(".")[0]
    application = importlib.import_module(f"{package}.serve").Application(lambda: pipeline)
    number = int(pipeline.version.lstrip("v"))
    return Served(number, pipeline.version, pipeline.digest, application, _sketch(package, pipeline.folder))


def _sketch(package: str, folder: Path) -> Any:
    """What counts the rows of a version; None for one that has no baseline, as those of earlier exports."""
    if not (folder / "sketch.py").is_file():
        return None
    module = importlib.import_module(f"{package}.sketch")
    baseline = module.read_baseline(folder)
    return None if baseline is None else module.Sketch(baseline)


async def _ready(served: Served) -> None:
    """Ask a version whether it is ready; raises RuntimeError with its reason where it is not."""
    status, body = await asked(served, {**GET, "path": "/ready", "raw_path": b"/ready"}, b"")
    if status != 200:
        raise RuntimeError(f"{served.name}: {json.loads(body)['detail']}")


async def asked(served: Served, scope: Scope, body: bytes) -> tuple[int, bytes]:
    """The status and the body that a version answers a request of this process with."""
    told: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    await served.application(scope, receive, send)
    return told[0]["status"], b"".join(message.get("body", b"") for message in told[1:])


def _stamp(path: Path) -> tuple[int, ...] | None:
    """What changes with a file that is replaced; None where it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
