"""The pipeline over HTTP, as a plain ASGI application: predictions, health, the contract and its OpenAPI description.

Any ASGI server runs `app`; `python -m` the package's name with `serve` runs it behind the package's gateway, with
uvicorn where that is installed, else with the standard library's server.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import math
import re
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from .bodies import ARROW_STREAM, TABLES, Problem, arrow_of, is_json, media_type, parse, table_of
from .faults import MOST_FAULTS, ContractError, Fault
from .light import Light, load
from .protocols import Answered, Mlflow, OpenInference, Own
from .request import Deadlines, head, length_of, log, request_id

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
LIMIT = 10 * 2**20
AT_ONCE_BYTES, AT_ONCE_ROWS = 2**16, 1_000
"""Bodies and answers up to so large are read and written in the event loop; larger ones would hold up the others."""

SECONDS = 60.0
"""The largest body in bytes, and the time that a request's body, and then its answer, may take."""

ASKED = "pipeline"
"""The key of a request's scope under which a gateway says what it asks for; see `Application`."""

_ENCODE = json.JSONEncoder(allow_nan=False, default=str).encode
METHODS = {
    "/": "GET",
    "/contract": "GET",
    "/health": "GET",
    "/invocations": "POST",
    "/openapi.json": "GET",
    "/ping": "GET",
    "/predict": "POST",
    "/ready": "GET",
    "/v2": "GET",
    "/v2/health/live": "GET",
    "/v2/health/ready": "GET",
    "/version": "GET",
}
FORMS: Mapping[str, Any] = {"/predict": Own, "/invocations": Mlflow}
QUIET = frozenset(("/health", "/ping", "/ready", "/v2/health/live", "/v2/health/ready"))
"""Paths that are asked every few seconds: the log has their failures only."""

_MODEL = re.compile(r"/v2/models/([^/]+)(?:/versions/([^/]+))?(/infer|/ready)?")


@dataclass(frozen=True)
class Reply:
    """A response: its status, its body as JSON or bytes, further headers, what the log says beside, its media type."""

    status: int
    body: Any
    headers: tuple[tuple[str, str], ...] = ()
    log: dict[str, Any] = field(default_factory=dict)
    kind: bytes = b"application/json"


class Application:
    """An ASGI 3 application around one pipeline, which `load` gives when the server starts.

    `limit` is the largest request body in bytes, `seconds` the time that a body, and then an answer, may take.
    Predictions that take pandas are made in threads, so that `/health` answers meanwhile; those of compiled rows take
    less than handing them to a thread.

    A gateway in front may put a dict under `ASKED` into a request's scope: `id` for the request, `limit` and `seconds`
    instead of the application's own, and `report`, a function that is called with the records, predictions and flags of
    each request that is answered, and with the faults of one that is refused.
    """

    def __init__(self, load: Callable[[], Any] = load, *, limit: int = LIMIT, seconds: float = SECONDS) -> None:
        self._load = load
        self._limit = limit
        self._seconds = seconds
        self._loading: asyncio.Future[Any] | None = None
        self._deadlines = Deadlines()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._respond(scope, receive, send)
        else:
            raise ValueError(f"this application speaks HTTP only, not {scope['type']}")

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._start_loading()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        asked = scope.get(ASKED) or {"id": request_id(scope["headers"])}
        path = scope["path"]
        form = FORMS.get(path) or (OpenInference if path.startswith("/v2/") else Own)
        try:
            reply = await self._reply(scope, receive, form, asked)
        except Problem as problem:
            reply = _refusal(problem, form)
        except Exception as error:  # noqa: BLE001 - the client learns that it failed, the log why
            reply = _refusal(Problem(500, "the pipeline failed on this request; the server's log says why"), form)
            reply.log.update(error=f"{type(error).__name__}: {error}", traceback=traceback.format_exc())
        body = reply.body if isinstance(reply.body, bytes) else _encoded(reply.body)
        more = [(name.encode(), value.encode("latin-1", "replace")) for name, value in reply.headers]
        if scope["method"] != "POST":
            more.append((b"cache-control", b"no-store"))
        await send(head(reply.status, reply.kind, len(body), asked["id"], *more))
        milliseconds = round(1000 * (time.perf_counter() - started), 2)
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
        if path not in QUIET or reply.status >= 500:
            entry = {"method": scope["method"], "path": path, "status": reply.status, "ms": milliseconds}
            log(**entry, id=asked["id"], **reply.log)

    async def _reply(self, scope: Scope, receive: Receive, form: Any, asked: Mapping[str, Any]) -> Reply:
        path, method = scope["path"], scope["method"]
        allowed, model = METHODS.get(path), None
        if allowed is None:
            model = _MODEL.fullmatch(path)
            allowed = model and ("POST" if model[3] == "/infer" else "GET")
        if allowed is None:
            raise Problem(404, f"there is no {path}; there are {', '.join(sorted(METHODS))}")
        if method != allowed and not (method == "HEAD" and allowed == "GET"):
            raise Problem(405, f"{path} takes {allowed}, not {method}", headers=(("allow", allowed),))
        if path == "/health":
            return Reply(200, {"status": "alive"})
        if path == "/v2/health/live":
            return Reply(200, {"live": True})
        if allowed == "POST":
            kind = media_type(scope["headers"])
            _hold_to_plain(scope["headers"])
            if not is_json(kind) and kind not in TABLES:
                raise Problem(415, f"send application/json or {', '.join(TABLES)}, not {kind or 'nothing'}")
            body = await self._body(scope, receive, asked)
        pipeline = await self._ready()
        if model is not None:
            _hold_to_model(pipeline, *model.group(1, 2))
        if allowed == "POST":
            return await self._predict(scope, pipeline, body, kind, form, asked)
        if model is not None:
            return Reply(200, _of_model(pipeline, model[3]))
        return _of_service(path, pipeline)

    async def _predict(
        self, scope: Scope, pipeline: Any, body: bytes, kind: str, form: Any, asked: Mapping[str, Any]
    ) -> Reply:
        report = asked.get("report")
        payload, records = None, None
        try:
            if is_json(kind):
                is_small = len(body) <= AT_ONCE_BYTES
                read = form, body, pipeline.contract
                payload, records = _read(*read) if is_small else await self._in_time(_read, asked, *read)
                made = pipeline.at_once(records) if is_small and isinstance(pipeline, Light) else None
                if made is None:
                    made = await self._in_time(pipeline.answer, asked, records)
                predictions, flags = made
            else:
                limit = asked.get("limit", self._limit)
                records, predictions, flags = await self._in_time(
                    _of_table, asked, pipeline, body, kind, limit, report is not None
                )
            is_asked = form is Own and scope.get("query_string")
            more = await self._chances(scope, pipeline, records, asked) if is_asked else {}
        except ContractError as error:
            if report is not None:
                report(records or [], None, error.faults[:MOST_FAULTS])
            raise _broken(error) from error
        rows = len(predictions)
        if report is not None:
            report(records, predictions, flags)
        entry = {"rows": rows, "flags": len(flags), "version": pipeline.version}
        answered = Answered(_identity(pipeline), asked["id"], predictions, flags, payload)
        if form is Own and _accepts(scope["headers"], ARROW_STREAM):
            notes = {**answered.identity, "request_id": answered.request_id, "flags": [vars(flag) for flag in flags]}
            return Reply(200, arrow_of(predictions, notes), (), entry, ARROW_STREAM.encode())
        if rows + len(flags) > AT_ONCE_ROWS:
            return Reply(200, await self._in_time(_written, asked, form, answered, more), log=entry)
        return Reply(200, {**form.answer(answered), **more} if more else form.answer(answered), log=entry)

    async def _chances(
        self, scope: Scope, pipeline: Any, records: Any, asked: Mapping[str, Any]
    ) -> dict[str, list[Any]]:
        """Classes and their probabilities for each record, where the request asks for them."""
        wanted = parse_qs(scope["query_string"].decode("latin-1")).get("probabilities", ["false"])[-1].lower()
        if wanted not in ("true", "1", "false", "0"):
            raise Problem(400, f"probabilities is true or false, not {wanted[:80]!r}", title="No such choice")
        if wanted in ("false", "0"):
            return {}
        if pipeline.contract.classes is None:
            raise Problem(400, "this pipeline's model gives no probabilities", title="No such choice")
        if records is None:
            raise Problem(400, "probabilities are given for records, not for tables", title="No such choice")
        try:
            return {
                "classes": list(pipeline.contract.classes),
                "probabilities": await self._in_time(pipeline.probabilities, asked, records),
            }
        except TypeError as error:
            raise Problem(
                400, f"this pipeline's model gives no probabilities: {error}", title="No such choice"
            ) from error

    async def _in_time(self, work: Callable[..., Any], asked: Mapping[str, Any], *arguments: Any) -> Any:
        """What a function gives in a thread of its own; Problem 503 where it takes too long."""
        seconds = asked.get("seconds", self._seconds)
        try:
            return await asyncio.wait_for(asyncio.to_thread(work, *arguments), seconds)
        except asyncio.TimeoutError:
            told = f"the answer took longer than {seconds:g} s: send fewer rows"
            raise Problem(503, told, headers=(("retry-after", "1"),), title="Too slow") from None

    async def _body(self, scope: Scope, receive: Receive, asked: Mapping[str, Any]) -> bytes:
        limit = asked.get("limit", self._limit)
        if length_of(scope["headers"]) > limit:
            raise _too_large(limit)
        message = await self._received(receive, asked)
        if not message.get("more_body", False) and message["type"] == "http.request":
            body: bytes = message.get("body", b"")
            if len(body) > limit:
                raise _too_large(limit)
            return body
        until = time.monotonic() + asked.get("seconds", self._seconds)
        pieces, size = [], 0
        while True:
            if message["type"] == "http.disconnect":
                raise Problem(400, "the client went away before its request was complete", title="Incomplete")
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > limit:
                raise _too_large(limit)
            if not message.get("more_body", False):
                return b"".join(pieces)
            message = await self._received(receive, {"seconds": until - time.monotonic()})

    async def _received(self, receive: Receive, asked: Mapping[str, Any]) -> dict[str, Any]:
        """The next part of a body; Problem 408 where the client takes too long with it."""
        seconds = asked.get("seconds", self._seconds)
        task = self._deadlines.begin(seconds)
        try:
            return await receive()
        except asyncio.CancelledError:
            if not self._deadlines.is_over(task):
                raise
            close = (("connection", "close"),)
            raise Problem(408, "the body did not come in time", headers=close) from None
        finally:
            self._deadlines.end(task)

    async def _ready(self) -> Any:
        """The loaded pipeline; 503 while it is being loaded, or when it cannot be."""
        loading = self._loading
        if loading is None:  # a server without lifespan events
            loading = self._start_loading()
            await asyncio.wait([loading])
        if not loading.done():
            raise Problem(503, "the pipeline is being loaded", headers=(("retry-after", "1"),))
        error = loading.exception()
        if error is not None:
            raise Problem(503, f"the pipeline could not be loaded: {error}")
        return loading.result()

    def _start_loading(self) -> asyncio.Future[Any]:
        if self._loading is None:
            self._loading = asyncio.ensure_future(asyncio.to_thread(self._load_and_ask))
            self._loading.add_done_callback(_log_loading)
        return self._loading

    def _load_and_ask(self) -> Any:
        """Load the pipeline and see that it answers as when it was fitted."""
        pipeline = self._load()
        pipeline.hold()
        return pipeline


def _read(form: Any, body: bytes, contract: Any) -> tuple[Any, list[Any]]:
    """What a body of JSON says, and the records in it."""
    payload = parse(body)
    return payload, form.records(payload, contract)


def _written(form: Any, answered: Answered, more: Mapping[str, Any]) -> bytes:
    """The body of an answer."""
    return _encoded({**form.answer(answered), **more})


def _of_table(
    pipeline: Any, body: bytes, kind: str, limit: int, is_reported: bool
) -> tuple[Any, list[Any], list[Fault]]:
    """The rows of a table, as records where they are asked for, their predictions and flags."""
    whole = pipeline.whole() if isinstance(pipeline, Light) else pipeline
    frame = table_of(body, kind, limit, pipeline.contract)
    observing = importlib.import_module(".observing", __package__)
    try:
        predictions, flags = whole.judge(frame)
    except ContractError:
        raise
    except Exception:  # noqa: BLE001 - what the notebook's code raises for the table: its records tell which one it was
        records = observing.records_of(frame)
        return records, *whole.answer(records)
    return observing.records_of(frame) if is_reported else None, predictions.tolist(), flags


def _of_service(path: str, pipeline: Any) -> Reply:
    identity = _identity(pipeline)
    if path in ("/ready", "/ping"):
        return Reply(200, {"status": "ready", **identity})
    if path == "/v2/health/ready":
        return Reply(200, {"ready": True})
    if path == "/version":
        return Reply(200, identity)
    if path == "/contract":
        return Reply(200, pipeline.contract.to_json())
    if path == "/openapi.json":
        return Reply(200, importlib.import_module(".openapi", __package__).openapi(pipeline))
    if path == "/v2":
        return Reply(200, {"name": identity["name"], "version": identity["version"], "extensions": []})
    return Reply(200, {**identity, "paths": METHODS})


def _hold_to_plain(headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Problem 415 for a body that is sent compressed, which nothing here unpacks."""
    for name, value in headers:
        if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise Problem(415, f"send the body as it is, not with content-encoding {value.decode('latin-1')[:80]}")


def _hold_to_model(pipeline: Any, name: str, version: str | None) -> None:
    """Problem 404 where a path of the Open Inference Protocol names another model, or a version that is not served."""
    served = {pipeline.version, pipeline.version.lstrip("v").lstrip("0")}
    if name != pipeline.contract.name or (version is not None and version not in served):
        told = f"there is no model {name!r}" + (f" of version {version!r}" if version else "")
        raise Problem(404, f"{told}; there is {pipeline.contract.name} {pipeline.version}")


def _of_model(pipeline: Any, asked: str | None) -> dict[str, Any]:
    if asked == "/ready":
        return {"name": pipeline.contract.name, "ready": True}
    return OpenInference.metadata(_identity(pipeline), [pipeline.version], pipeline.contract)


def _identity(pipeline: Any) -> dict[str, str]:
    return {"name": pipeline.contract.name, "version": pipeline.version, "digest": pipeline.digest}


def _broken(error: ContractError) -> Problem:
    told = error.faults[:MOST_FAULTS]
    fields = sorted({fault.field for fault in told if fault.field})
    what = f"{len(told)} faults" if len(told) > 1 else "one fault"
    if len(told) == MOST_FAULTS:
        what = f"more faults than are told: the first {MOST_FAULTS} are"
    return Problem(422, what + (f" in {', '.join(field[:100] for field in fields[:10])}" if fields else ""), told)


def _too_large(limit: int) -> Problem:
    return Problem(413, f"a request has at most {limit} bytes", headers=(("connection", "close"),))


def _refusal(problem: Problem, form: Any) -> Reply:
    status, body = form.problem(problem)
    entry = {"detail": problem.detail, **({"faults": len(problem.faults)} if problem.faults else {})}
    kind = b"application/problem+json" if form is Own else b"application/json"
    return Reply(status, body, problem.headers, entry, kind)


def _accepts(headers: Sequence[tuple[bytes, bytes]], kind: str) -> bool:
    return any(name == b"accept" and kind.encode() in value.lower() for name, value in headers)


def _encoded(body: Any) -> bytes:
    try:
        return _ENCODE(body).encode()
    except ValueError:  # what is no number in JSON, which few bodies have
        return _ENCODE(_finite(body)).encode()


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: they become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _log_loading(loading: asyncio.Future[Any]) -> None:
    if loading.cancelled():
        return
    error = loading.exception()
    if error is not None:
        log(event="load", error=f"{type(error).__name__}: {error}")
    else:
        log(event="load", version=loading.result().version, digest=loading.result().digest)


app = Application()
