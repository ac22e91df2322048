"""The pipeline over HTTP, as a plain ASGI application: predictions, health, the contract and its OpenAPI description.

Any ASGI server runs `app`; `python -m` the package's name with `serve` runs it with uvicorn where that is installed,
else with the standard library's server.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .contract import Contract
from .faults import ContractError, Fault
from .light import Light, load

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
LIMIT = 10 * 2**20
_ENCODE = json.JSONEncoder(allow_nan=False, default=str).encode
_ENCODE_LOG = json.JSONEncoder(default=str).encode
METHODS = {
    "/": "GET",
    "/contract": "GET",
    "/health": "GET",
    "/openapi.json": "GET",
    "/predict": "POST",
    "/ready": "GET",
}
TITLES = {
    400: "Not JSON",
    404: "No such path",
    405: "Method not allowed",
    413: "Request too large",
    415: "Not the right media type",
    422: "The records break the contract",
    500: "The pipeline failed",
    503: "The pipeline is not ready",
}


@dataclass(frozen=True)
class Reply:
    """A response: its status, its body as JSON, further headers, and what the log says beside that."""

    status: int
    body: Any
    headers: tuple[tuple[str, str], ...] = ()
    log: dict[str, Any] = field(default_factory=dict)


class Problem(Exception):
    """A request that gets no answer; told to the client as RFC 9457 has it."""

    def __init__(
        self, status: int, detail: str, faults: Sequence[Fault] = (), headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = faults
        self.headers = headers

    def reply(self) -> Reply:
        """The response, with every fault by row and field."""
        body = {"type": "about:blank", "title": TITLES[self.status], "status": self.status, "detail": self.detail}
        if self.faults:
            body["faults"] = [asdict(fault) for fault in self.faults]
        log = {"detail": self.detail, "faults": len(self.faults)} if self.faults else {"detail": self.detail}
        return Reply(self.status, body, (("content-type", "application/problem+json"), *self.headers), log)


class Application:
    """An ASGI 3 application around one pipeline, which `load` gives when the server starts.

    `limit` is the largest request body in bytes. Predictions that take pandas are made in threads, so that `/health`
    answers meanwhile; those of compiled rows take less than handing them to a thread.
    """

    def __init__(self, load: Callable[[], Any] = load, *, limit: int = LIMIT) -> None:
        self._load = load
        self._limit = limit
        self._loading: asyncio.Future[Any] | None = None

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
        try:
            reply = await self._reply(scope, receive)
        except Problem as problem:
            reply = problem.reply()
        except Exception as error:  # noqa: BLE001 - the client learns that it failed, the log why
            reply = Problem(500, "the pipeline failed on this request; the server's log says why").reply()
            reply.log.update(error=f"{type(error).__name__}: {error}", traceback=traceback.format_exc())
        milliseconds = round(1000 * (time.perf_counter() - started), 2)
        if scope["path"] not in ("/health", "/ready") or reply.status >= 500:
            _log(method=scope["method"], path=scope["path"], status=reply.status, ms=milliseconds, **reply.log)
        body = _encoded(reply.body)
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            **dict(reply.headers),
        }
        encoded = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        path, method = scope["path"], scope["method"]
        allowed = METHODS.get(path)
        if allowed is None:
            raise Problem(404, f"there is no {path}; there are {', '.join(sorted(METHODS))}")
        if method != allowed and not (method == "HEAD" and allowed == "GET"):
            raise Problem(405, f"{path} takes {allowed}, not {method}", headers=(("allow", allowed),))
        if path == "/health":
            return Reply(200, {"status": "alive"})
        if path == "/predict":
            _check_media_type(scope)
            body = await self._body(scope, receive)
            return await self._predict(body)
        pipeline = await self._ready()
        if path == "/ready":
            return Reply(200, {"status": "ready", **_identity(pipeline)})
        if path == "/contract":
            return Reply(200, pipeline.contract.to_json())
        if path == "/openapi.json":
            return Reply(200, openapi(pipeline))
        return Reply(200, {**_identity(pipeline), "paths": METHODS})

    async def _predict(self, body: bytes) -> Reply:
        pipeline = await self._ready()
        records = _records(parse(body), pipeline.contract)
        try:
            made = pipeline.at_once(records) if isinstance(pipeline, Light) else None
            predictions, flags = await asyncio.to_thread(pipeline.answer, records) if made is None else made
        except ContractError as error:
            fields = sorted({fault.field for fault in error.faults if fault.field})
            what = f"{len(error.faults)} faults" if len(error.faults) > 1 else "one fault"
            detail = what + (f" in {', '.join(fields[:10])}" if fields else "")
            raise Problem(422, detail, error.faults) from error
        answer = {**_identity(pipeline), "predictions": predictions, "flags": [asdict(flag) for flag in flags]}
        return Reply(200, answer, log={"rows": len(records), "flags": len(flags), "version": pipeline.version})

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        length = dict(scope["headers"]).get(b"content-length", b"0")
        too_large = Problem(413, f"a request has at most {self._limit} bytes", headers=(("connection", "close"),))
        if length.isdigit() and int(length) > self._limit:
            raise too_large
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Problem(400, "the client went away before its request was complete")
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._limit:
                raise too_large
        return bytes(body)

    async def _ready(self) -> Any:
        """The loaded pipeline; 503 while it is being loaded, or when it cannot be."""
        if self._loading is None:  # a server without lifespan events
            await asyncio.wait([self._start_loading()])
        loading = self._start_loading()
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


def parse(body: bytes) -> Any:
    """JSON from a request; raises Problem 400 saying what is wrong with it and where."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_unique_fields)
    except UnicodeDecodeError as error:
        raise Problem(400, f"the body is not UTF-8: byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise Problem(400, f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise Problem(400, "the JSON is nested too deeply") from error
    except ValueError as error:
        raise Problem(400, str(error).split(";")[0]) from error


def openapi(pipeline: Any) -> dict[str, Any]:
    """The OpenAPI 3.1 description, with the record's schema from the contract and a training row as its example."""
    contract = pipeline.contract
    example = {
        name: value
        for name, value in pipeline.example().items()
        if name in contract.required or (value is not None and name != contract.target)
    }
    problem = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    answer = {"description": "One prediction for each record", **_content({"$ref": "#/components/schemas/Answer"})}
    record = {"$ref": "#/components/schemas/Record"}
    many = {"type": "array", "items": record}
    body = {
        "oneOf": [
            record,
            many,
            {"type": "object", "required": ["records"], "properties": {"records": many}, "additionalProperties": False},
        ]
    }
    if not contract.required:
        body = {"anyOf": body["oneOf"]}  # an empty object is then a record as well
    paths: dict[str, Any] = {
        path: {
            "get": {
                "summary": summary,
                "operationId": path.strip("/").replace(".json", "") or "index",
                "responses": {"200": {"description": "OK", **_content({"type": "object"})}},
            }
        }
        for path, summary in {
            "/": "What is here",
            "/contract": "Raw columns, ranges, categories and features",
            "/health": "Whether the process lives",
            "/ready": "Whether the pipeline is loaded and answers as when it was fitted",
        }.items()
    }
    paths["/ready"]["get"]["responses"]["503"] = {"description": TITLES[503], **problem}
    paths["/predict"] = {
        "post": {
            "summary": "Predict for one record or many",
            "operationId": "predict",
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": body, "example": {"records": [example]}}},
            },
            "responses": {
                "200": answer,
                **{
                    str(status): {"description": TITLES[status], **problem} for status in (400, 413, 415, 422, 500, 503)
                },
            },
        }
    }
    fault = {name: {"type": "string"} for name in ("field", "kind", "message", "severity")}
    schemas = {
        "Record": {**contract.json_schema(), "examples": [example]},
        "Answer": {
            "type": "object",
            "required": ["predictions", "version", "digest", "flags"],
            "properties": {
                "name": {"type": "string"},
                "version": {"type": "string"},
                "digest": {"type": "string"},
                "predictions": {"type": "array", "items": {}},
                "flags": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
            },
        },
        "Fault": {"type": "object", "properties": {"row": {"type": "integer"}, **fault}},
        "Problem": {
            "type": "object",
            "properties": {
                **{name: {"type": "string"} for name in ("type", "title", "detail")},
                "status": {"type": "integer"},
                "faults": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
            },
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": contract.name, "version": f"{pipeline.version}+{contract.digest[:12]}".rstrip("+")},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _identity(pipeline: Any) -> dict[str, str]:
    return {"name": pipeline.contract.name, "version": pipeline.version, "digest": pipeline.digest}


def _records(payload: Any, contract: Contract) -> list[Any]:
    """The records of a request: one object, a list, or `{"records": [...]}`."""
    if isinstance(payload, dict):
        wrapped = payload.get("records")
        if isinstance(wrapped, list) and "records" not in {column.name for column in contract.columns}:
            return wrapped
        return [payload]
    if isinstance(payload, list):
        return payload
    fault = Fault(0, "", "type", 'send one record, a list of records or {"records": [...]}')
    raise Problem(422, fault.message, [fault])


def _check_media_type(scope: Scope) -> None:
    given = dict(scope["headers"]).get(b"content-type", b"application/json").decode("latin-1")
    kind, _, parameters = given.partition(";")
    kind = kind.strip().lower()
    charset = parameters.lower().replace('"', "").replace(" ", "")
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Problem(415, f"send application/json, not {kind or 'nothing'}")
    if charset.startswith("charset=") and charset not in ("charset=utf-8", "charset=utf8", "charset=us-ascii"):
        raise Problem(415, f"send UTF-8, not {charset[len('charset=') :]}")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON: send null for a missing value")


def _unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the field {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return fields


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


def _log(**entry: Any) -> None:
    """One line of JSON on stderr."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + "Z"
    print(_ENCODE_LOG({"time": now, **entry}), file=sys.stderr, flush=True)


def _log_loading(loading: asyncio.Future[Any]) -> None:
    if loading.cancelled():
        return
    error = loading.exception()
    if error is not None:
        _log(event="load", error=f"{type(error).__name__}: {error}")
    else:
        _log(event="load", version=loading.result().version, digest=loading.result().digest)


app = Application()
