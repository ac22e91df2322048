"""What stands before the versions of a package: ids, tokens, a limit of requests under way, metrics and the log.

Nothing here touches an answer: the version that a request is handed to gives it. The gateway knows no version's code
but by ASGI, so versions that were exported earlier stand behind it as well.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .following import Following, Served, asked, hold
from .metrics import CONTENT_TYPE, Metrics, Told, text_of
from .recording import Recorder, Row
from .request import Deadlines, head, length_of, log, problem, request_id
from .sharing import Shared

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

OPEN = frozenset(("/health", "/ready", "/ping", "/v2/health/live", "/v2/health/ready"))
"""What is answered without a token and however busy the service is: whether it lives, and whether it is ready."""

PREDICTING = re.compile(r"/predict|/invocations|/v2/models/[^/]+(?:/versions/[^/]+)?/infer")
_VERSIONED = re.compile(r"/v2/models/[^/]+/versions/v?0*(\d+)(?:/.*)?")
TOKEN_SECONDS = 1.0
MOST_SHADOWED = 16
AT_ONCE = 1_000
MOST_COMING = 16
"""Rows that are counted without a pause, and bodies that may be on their way for each request that may be under way."""

_PLAIN = frozenset(("/predict", "/invocations"))


@dataclass(frozen=True)
class Limits:
    """The largest body in bytes, the requests under way at once, and the seconds for a body, and for its answer."""

    body: int = 10 * 2**20
    requests: int = 64
    seconds: float = 60.0


class Tokens:
    """The tokens of a file, one a line; it is read again when it was replaced, so that they can be changed at work."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._looked = 0.0
        self._stamp: tuple[int, int] | None = None
        self._digests: list[bytes] = []
        self._read()
        if not self._digests:
            raise ValueError(f"{path} holds no token: write one a line")

    def allow(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        """Whether a request carries one of the tokens as `authorization: Bearer TOKEN`."""
        if time.monotonic() - self._looked > TOKEN_SECONDS:
            self._read()
        given = next((value for name, value in headers if name == b"authorization"), b"")
        scheme, _, token = given.partition(b" ")
        digest = hashlib.sha256(token.strip()).digest()
        found = [hmac.compare_digest(digest, known) for known in self._digests]
        return scheme.lower() == b"bearer" and any(found)

    def _read(self) -> None:
        """Take what the file holds now; where it is gone or empty, what it held stays in force."""
        self._looked = time.monotonic()
        try:
            status = self._path.stat()
            stamp = status.st_ino, status.st_mtime_ns
            if stamp == self._stamp:
                return
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except OSError:
            if self._stamp is None:
                raise
            return
        tokens = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
        if tokens:
            self._stamp, self._digests = stamp, [hashlib.sha256(token.encode()).digest() for token in tokens]


class Gateway:
    """An ASGI 3 application in front of the versions that `following` names.

    A request is under way from its body's last byte on: clients that are slow with theirs take nobody's place. With
    `shared` this is one of several processes: it answers once its version is ready, and then calls `on_ready`.
    """

    def __init__(
        self,
        following: Following,
        *,
        limits: Limits = Limits(),
        tokens: Tokens | None = None,
        recorder: Recorder | None = None,
        shared: Shared | None = None,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._following = following
        self._limits = limits
        self._tokens = tokens
        self._recorder = recorder
        self._shared = shared
        self._on_ready = on_ready
        self._sharing: asyncio.Future[None] | None = None
        self._under_way = 0
        self._coming = 0
        self._held = 0
        self._deadlines = Deadlines()
        self._shadowing: set[asyncio.Task[None]] = set()
        self.metrics = Metrics()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._live(scope, receive, send)
            return
        path = scope["path"]
        if path in OPEN:
            served = self._following.main
            await served.application(scope, receive, _Sent(send, served.name))
            return
        id_ = request_id(scope["headers"])
        if self._tokens is not None and not self._tokens.allow(scope["headers"]):
            self.metrics.refused["token"] += 1
            challenge = (b"www-authenticate", b"Bearer")
            told = 401, "No token", "send a token of this service as Authorization: Bearer TOKEN"
            await _refuse(send, id_, *told, challenge)
        elif path == "/metrics":
            await _reply(send, 200, CONTENT_TYPE.encode(), self._scraped(), id_)
        elif self._under_way >= self._limits.requests:
            await self._turn_away(send, id_, f"{self._under_way} requests are under way already")
        elif scope["method"] == "POST" and _is_predicting(path):
            await self._take(scope, receive, send, id_)
        else:
            await self._hand_over(scope, receive, send, id_)

    async def _turn_away(self, send: Send, request_id: str, told: str) -> None:
        self.metrics.refused["busy"] += 1
        await _refuse(send, request_id, 503, "Busy", f"{told}: try again", (b"retry-after", b"1"))

    async def _take(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        """Wait for the body of a request, and hand both over; a body that is wrong is the version's to refuse."""
        most = self._limits.requests * MOST_COMING, self._limits.requests * self._limits.body
        if self._coming >= most[0]:
            await self._turn_away(send, request_id, f"{self._coming} bodies are on their way already")
            return
        body = _Kept(receive)
        self._coming += 1
        try:
            in_time = await self._has_come(scope, body, most[1])
        finally:
            self._coming -= 1
            self._held -= body.size
        if in_time is None:
            await self._turn_away(send, request_id, f"the bodies on their way have {most[1]} bytes already")
        elif self._under_way >= self._limits.requests:
            await self._turn_away(send, request_id, f"{self._under_way} requests are under way already")
        else:
            await self._hand_over(scope, body, send, request_id, in_time)

    async def _has_come(self, scope: Scope, body: _Kept, most: int) -> bool | None:
        """Whether a body has come in time, as far as it is wanted; None where all together are too large."""
        if length_of(scope["headers"]) > self._limits.body:
            return True
        task = self._deadlines.begin(self._limits.seconds)
        try:
            while not body.is_whole and body.size <= self._limits.body:
                size = await body.more()
                self._held += size
                if self._held > most and not body.is_whole:
                    return None
        except asyncio.CancelledError:
            if not self._deadlines.is_over(task):
                raise
            return False
        finally:
            self._deadlines.end(task)
        return True

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The life of the service; as one of several processes it begins when the version is ready."""
        closing = self._closing(send)
        if self._shared is None:
            await self._following.live(scope, receive, closing)
            return
        try:
            await hold(self._following.main)
        except RuntimeError as error:
            log(event="load", error=str(error))
            await receive()
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        self._sharing = asyncio.ensure_future(self._shared.keep_writing(self._told))
        try:
            await self._following.live(scope, receive, closing)
        finally:
            self._sharing.cancel()

    def _told(self) -> tuple[Told, str]:
        """What this process has counted, and the version that answers."""
        counted = {} if self._recorder is None else self._recorder.counted()
        sketches = {each.name: each.sketch.counts() for each in self._following.all() if each.sketch is not None}
        return self.metrics.told(self._under_way, counted, sketches), self._following.main.name

    def _closing(self, send: Send) -> Send:
        """Passes on the service's end when the log is written: a server may end the process with that."""

        async def passed_on(message: dict[str, Any]) -> None:
            if message["type"] == "lifespan.shutdown.complete":
                if self._recorder is not None:
                    await asyncio.to_thread(self._recorder.close)
                if self._shared is not None:
                    await asyncio.to_thread(self._shared.write, *self._told())
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                self._on_ready()

        return passed_on

    async def _hand_over(
        self, scope: Scope, receive: Receive, send: Send, request_id: str, in_time: bool = True
    ) -> None:
        """Let a version answer; where the body has not come `in_time`, its answer is that."""
        self._under_way += 1
        try:
            await self._answer(scope, receive, send, request_id, in_time)
        finally:
            self._under_way -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str, in_time: bool) -> None:
        started = time.perf_counter()
        path = scope["path"]
        served = self._meant(path) or self._following.of(request_id)
        is_predicting = _is_predicting(path)
        given, reported = self._given(request_id)
        if not in_time:
            given["seconds"] = 0.0
        sent = _Sent(send, served.name)
        shadow = self._following.shadow if is_predicting else None
        await served.application({**scope, "pipeline": given}, receive, sent)
        if not is_predicting:
            return
        seconds = time.perf_counter() - started
        self.metrics.count(served.name, path, sent.status, seconds)
        if not reported:
            return
        records, predictions, faults = reported
        self.metrics.observe(served.name, predictions, faults)
        if predictions is None:
            return
        if served.sketch is not None and records:
            for at, (record, answer) in enumerate(zip(records, predictions), 1):
                served.sketch.add(record, answer)
                if not at % AT_ONCE:
                    await asyncio.sleep(0)  # others want to be answered
        if self._recorder is not None and records:
            self._recorder.put(Row(time.time(), request_id, served.name, "main", records, predictions, faults, seconds))
        if shadow is not None and isinstance(receive, _Kept):
            self._shadow(shadow, scope, receive.body(), request_id, predictions)

    def _given(self, request_id: str) -> tuple[dict[str, Any], list[Any]]:
        """What a version is told of a request, and the list that takes its report."""
        reported: list[Any] = []
        limits = {"limit": self._limits.body, "seconds": self._limits.seconds}
        return {"id": request_id, **limits, "report": lambda *told: reported.extend(told)}, reported

    def _meant(self, path: str) -> Served | None:
        """The version that a path names, where it is one of those that answer; a shadow is none."""
        found = _VERSIONED.fullmatch(path) if path.startswith("/v2/") else None
        if found is None:
            return None
        return next((each for each in self._following.answering() if each.number == int(found[1])), None)

    def _shadow(self, shadow: Served, scope: Scope, body: bytes, request_id: str, predictions: list[Any]) -> None:
        """Ask the shadow the same in the background; with too many of these under way it is not asked."""
        if len(self._shadowing) >= MOST_SHADOWED:
            self.metrics.shadowed["not asked"] += 1
            return
        task = asyncio.ensure_future(self._compare(shadow, scope, body, request_id, predictions))
        self._shadowing.add(task)
        task.add_done_callback(self._shadowing.discard)

    async def _compare(
        self, shadow: Served, scope: Scope, body: bytes, request_id: str, predictions: list[Any]
    ) -> None:
        given, reported = self._given(request_id)
        started = time.perf_counter()
        status, _ = await asked(shadow, {**scope, "pipeline": given}, body)
        seconds = time.perf_counter() - started
        if status != 200 or not reported or reported[1] is None:
            self.metrics.shadowed["failed"] += 1
            return
        records, answers, faults = reported
        for own, other in zip(predictions, answers):
            self.metrics.shadowed["same" if own == other else "other"] += 1
        if self._recorder is not None and records:
            self._recorder.put(Row(time.time(), request_id, shadow.name, "shadow", records, answers, faults, seconds))

    def _scraped(self) -> bytes:
        """The metrics as Prometheus reads them, of all processes where there are several."""
        versions = [(served.name, served.digest) for served in self._following.all()]
        told, _ = self._told()
        if self._shared is not None:
            told = self._shared.together(told)
        follows = self._following.is_followed
        is_shared = self._shared is not None
        return text_of(self._following.name, versions, told, is_shared=is_shared, follows=follows).encode()


def _is_predicting(path: str) -> bool:
    return path in _PLAIN or PREDICTING.fullmatch(path) is not None


class _Sent:
    """Passes on what is sent; the response says in a header which version gave it, a refusal too."""

    __slots__ = ("_name", "_send", "status")

    def __init__(self, send: Send, name: str) -> None:
        self._send = send
        self._name = name.encode()
        self.status = 0

    async def __call__(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-pipeline-version", self._name)]
        await self._send(message)


class _Kept:
    """A body that is received before it is handed over: what has come is passed on once more, and kept."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[dict[str, Any]] = []
        self._passed_on = 0
        self.size = 0
        self.is_whole = False

    async def more(self) -> int:
        """Wait for the next part; its bytes. Behind the last one the body is whole, also where the client went away."""
        message = await self._receive()
        self._messages.append(message)
        self.is_whole = message["type"] != "http.request" or not message.get("more_body", False)
        size = len(message.get("body", b""))
        self.size += size
        return size

    async def __call__(self) -> dict[str, Any]:
        if self._passed_on == len(self._messages):
            if self.is_whole:
                return await self._receive()
            await self.more()
        self._passed_on += 1
        return self._messages[self._passed_on - 1]

    def body(self) -> bytes:
        """All that has come."""
        return b"".join(message.get("body", b"") for message in self._messages)


async def _refuse(
    send: Send, request_id: str, status: int, title: str, detail: str, *more: tuple[bytes, bytes]
) -> None:
    body = json.dumps(problem(status, title, detail)).encode()
    await _reply(send, status, b"application/problem+json", body, request_id, *more)


async def _reply(
    send: Send, status: int, kind: bytes, body: bytes, request_id: str, *more: tuple[bytes, bytes]
) -> None:
    await send(head(status, kind, len(body), request_id, (b"cache-control", b"no-store"), *more))
    await send({"type": "http.response.body", "body": body})
