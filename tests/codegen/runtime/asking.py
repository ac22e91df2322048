"""Requests to an ASGI application in this process, each within an event loop of its own or several within one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

JSON = "application/json"


class Response(NamedTuple):
    """What a request got."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


async def send(
    app: Callable[..., Awaitable[None]],
    path: str,
    body: bytes | None = None,
    kind: str = JSON,
    method: str | None = None,
    pieces: Sequence[tuple[float, bytes]] | None = None,
    query: str = "",
    **headers: str,
) -> Response:
    """Ask `path`, by POST where there is a body. `pieces` is a body that comes in parts, each after some seconds."""
    given = {"content-type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http",
        "method": method or ("GET" if body is None and pieces is None else "POST"),
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
    }
    parts = list(pieces if pieces is not None else [(0.0, body or b"")])
    got: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        seconds, part = parts[0]
        await asyncio.sleep(seconds)
        del parts[0]  # what is not waited for comes the next time
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def take(message: dict[str, Any]) -> None:
        got.append(message)

    await app(scope, receive, take)
    told = {name.decode(): value.decode("latin-1") for name, value in got[0]["headers"]}
    return Response(got[0]["status"], told, b"".join(message.get("body", b"") for message in got[1:]))


def ask(app: Callable[..., Awaitable[None]], path: str, body: Any = None, **options: Any) -> Response:
    """`send` in a loop of its own; a body that is no bytes is sent as JSON."""
    given = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    return asyncio.run(_ready_and_send(app, path, given, options))


async def _ready_and_send(app: Any, path: str, body: bytes | None, options: dict[str, Any]) -> Response:
    return await send(app, path, body, **options)
