"""Which version answers: that of an alias, which is followed, with a share for a canary and a copy for a shadow.

Each request is answered by one version from its first byte to its last. When the ledger lets an alias stand for another
version, the one before answers until the next one is loaded and has given its golden row; one that can't be loaded
takes no request.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import re
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

_VERSION = re.compile(r"v?\d+")

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
        self._stamp: tuple[int, ...] | None = None  # an alias may have moved since the pipeline was chosen
        self._trouble: str | None = None
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
        if self._has_alias():
            self._watch = asyncio.ensure_future(self._follow())
        try:
            await self.main.application(scope, receive, send)
        finally:
            if self._watch is not None:
                self._watch.cancel()

    @property
    def is_followed(self) -> bool | None:
        """Whether the ledger can be read and what it names be loaded; None where it is not looked at."""
        return self._trouble is None if self._has_alias() else None

    def _has_alias(self) -> bool:
        """Whether a version is meant by an alias: by none of the numbers and names of versions."""
        named = (self._reference, self._canary, self._shadow)
        return self._reference is None or any(each is not None and not _VERSION.fullmatch(each) for each in named)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            try:
                stamp = _stamp(self._ledger)
                meant = {} if stamp == self._stamp else await asyncio.to_thread(self._meant)
            except Exception as error:  # noqa: BLE001 - whatever is in the ledger's place, the versions go on answering
                self._say(f"{type(error).__name__}: {error}")
                continue
            try:
                for role, number in meant.items():
                    await self._go_over(role, number)
            except Exception as error:  # noqa: BLE001 - whatever it is, the version before goes on answering
                self._say(f"{type(error).__name__}: {error}")
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                self._stamp = stamp
                self._say(None)

    def _say(self, trouble: str | None) -> None:
        """Log once that the ledger cannot be followed, and once that it can be again."""
        if trouble == self._trouble:
            return
        self._trouble = trouble
        if trouble is None:
            log(event="followed again", serving=self.main.name)
        else:
            log(event="not followed", serving=self.main.name, error=trouble)

    def _meant(self) -> dict[str, int]:
        """The version that the ledger names now for each role; where it names none, all stays as it is."""
        roles = {"main": self._reference or CHAMPION, "canary": self._canary, "shadow": self._shadow}
        named = {alias: entry["number"] for entry in self._package.versions() for alias in entry.get("aliases", ())}
        return {role: named[alias] for role, alias in roles.items() if alias in named}

    async def _go_over(self, role: str, number: int) -> None:
        before = getattr(self, role)
        if number == before.number:
            return
        started = time.perf_counter()
        served = await asyncio.to_thread(self._load, number)
        await hold(served)
        setattr(self, role, served)
        seconds = round(time.perf_counter() - started, 2)
        log(event="followed", role=role, version=served.name, before=before.name, s=seconds)

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
    if importlib.util.find_spec(f"{package}.sketch") is None:
        return None
    module = importlib.import_module(f"{package}.sketch")
    baseline = module.read_baseline(folder)
    return None if baseline is None else module.Sketch(baseline)


async def hold(served: Served) -> None:
    """Ask a version whether it is ready, once it is loaded; raises RuntimeError with its reason where it is not."""
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


def _stamp(path: Path) -> tuple[int, ...]:
    """What changes with a file that is replaced. Raises OSError where it is not there."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size
