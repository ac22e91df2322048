"""Run an ASGI application: with uvicorn where it is installed, else with the standard library's threading server."""

from __future__ import annotations

import asyncio
import http.server
import importlib.util
import json
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

Application = Callable[..., Any]
CHUNK = 2**16
IDLE_SECONDS = 30
GRACE_SECONDS = 10
REST_SECONDS, REST_PIECES = 0.5, 16
"""How long, and in how many pieces, the rest of a body is read that nobody asked for."""

WITH_CYCLES = ("H11Protocol", "HttpToolsProtocol")
"""uvicorn's protocols that keep a `cycle` for the request whose head they have read."""

MOST_DIGITS = 18
WAITING = 128
"""Connections that wait to be taken."""


def run(app: Application, host: str = "127.0.0.1", port: int = 8000, server: str = "auto") -> None:
    """Serve until SIGTERM or SIGINT; requests that are under way are still answered.

    `server` is `uvicorn`, `stdlib` or `auto`. Port 0 takes a free one; the address is printed to stderr.
    Raises OSError when the address cannot be had, RuntimeError when the application does not start.
    """
    listening = listen(host, port)
    say(listening, chosen(server))
    serve(app, listening, server)


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections, which wait until somebody answers. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=WAITING)
    # asyncio sets this only on sockets that tell their protocol; without it a small answer waits 40 ms for an ack.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def chosen(server: str) -> str:
    """The server that `auto` stands for here; any other one as it is."""
    return ("uvicorn" if importlib.util.find_spec("uvicorn") else "stdlib") if server == "auto" else server


def say(listening: socket.socket, with_: str) -> None:
    """Print the address to stderr."""
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if listening.family == socket.AF_INET6 else host
    print(f"serving on http://{shown}:{port} with {with_}", file=sys.stderr, flush=True)


def serve(app: Application, listening: socket.socket, server: str = "auto") -> None:
    """Answer what comes to a socket; see `run`."""
    with listening:
        (_run_uvicorn if chosen(server) == "uvicorn" else _run_stdlib)(app, listening)


def _run_uvicorn(app: Application, listening: socket.socket) -> None:
    import uvicorn  # optional: the standard library's server stands in for it

    config = uvicorn.Config(
        app, lifespan="on", log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE_SECONDS
    )
    config.load()
    if config.http_protocol_class.__name__ in WITH_CYCLES:
        config.http_protocol_class = _impatient(config.http_protocol_class)
    server = uvicorn.Server(config)
    server.run(sockets=[listening])
    if not server.started:
        raise RuntimeError("the application did not start")


def _impatient(protocol: Any) -> Any:
    """The protocol of uvicorn's connections, which closes one whose request's head does not come to its end in time."""

    class Impatient(protocol):  # type: ignore[misc]
        _waiting: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is None or self.cycle.response_complete:
                self._wait()
            elif self._waiting is not None:
                self._waiting.cancel()
                self._waiting = None

        def connection_lost(self, exc: Exception | None) -> None:
            if self._waiting is not None:
                self._waiting.cancel()
            super().connection_lost(exc)

        def _wait(self) -> None:
            if self._waiting is None:
                self._waiting = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.transport.close)

    return Impatient


def _run_stdlib(app: Application, listening: socket.socket) -> None:
    with _lifespan(app) as loop:
        server = _Server(app, loop, listening)
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        accepting = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
        accepting.start()
        stopping.wait()
        server.stop()
        accepting.join()
        server.server_close()


@contextmanager
def _lifespan(app: Application) -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread of its own, between the application's startup and shutdown."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    requests: asyncio.Queue[dict[str, Any]] = _call(loop, _queue())
    replies: asyncio.Queue[dict[str, Any]] = _call(loop, _queue())
    living = asyncio.run_coroutine_threadsafe(app({"type": "lifespan"}, requests.get, replies.put), loop)
    _call(loop, requests.put({"type": "lifespan.startup"}))
    reply = _call(loop, replies.get())
    if reply["type"] != "lifespan.startup.complete":
        raise RuntimeError(f"the application did not start: {reply.get('message', '')}")
    try:
        yield loop
    finally:
        _call(loop, requests.put({"type": "lifespan.shutdown"}))
        living.result(GRACE_SECONDS)
        loop.call_soon_threadsafe(loop.stop)


async def _queue() -> asyncio.Queue[dict[str, Any]]:
    return asyncio.Queue()


def _call(loop: asyncio.AbstractEventLoop, work: Any) -> Any:
    return asyncio.run_coroutine_threadsafe(work, loop).result()


class _Server(http.server.ThreadingHTTPServer):
    """A thread for each connection. `stop` ends idle connections and lets busy ones finish their answer."""

    daemon_threads = False

    def __init__(self, app: Application, loop: asyncio.AbstractEventLoop, listening: socket.socket) -> None:
        super().__init__(listening.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        # of several processes that hear of a connection one gets it: the others must not wait for the next one
        self.socket.setblocking(False)
        self.app = app
        self.loop = loop
        self.idle: set[socket.socket] = set()
        self.stopped = False
        self.lock = threading.Lock()

    def get_request(self) -> tuple[socket.socket, Any]:
        """A connection, whose reads and writes wait; some systems hand down that the listening socket's don't."""
        connection, address = super().get_request()
        connection.setblocking(True)
        return connection, address

    def stop(self) -> None:
        """Take no more connections, and wake the threads that wait for a next request."""
        self.shutdown()
        with self.lock:
            self.stopped = True
            for connection in self.idle:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's signature
        """A connection that broke is the client's affair; anything else goes to stderr as one line."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            print(json.dumps({"event": "connection", "error": repr(error)}), file=sys.stderr, flush=True)


class _Handler(http.server.BaseHTTPRequestHandler):
    """Hands one connection's requests to the ASGI application."""

    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    error_content_type = "application/problem+json"
    error_message_format = '{"type": "about:blank", "title": "%(message)s", "status": %(code)d}'

    def handle_one_request(self) -> None:
        """Wait for a request as an idle connection, then answer it."""
        with self.server.lock:
            if self.server.stopped:
                self.close_connection = True
                return
            self.server.idle.add(self.connection)
        try:
            super().handle_one_request()
        finally:
            with self.server.lock:
                self.server.idle.discard(self.connection)

    def parse_request(self) -> bool:
        """A request line has come: the connection is no longer idle. Any method is the application's to judge."""
        with self.server.lock:
            self.server.idle.discard(self.connection)
        parsed = super().parse_request()
        if parsed and not hasattr(self, f"do_{self.command}"):
            setattr(self, f"do_{self.command}", self._answer)
        return parsed

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": self.request_version.partition("/")[2],
            "method": self.command.upper(),
            "scheme": "http",
            "path": path,
            "raw_path": path.encode("latin-1", "replace"),
            "query_string": query.encode("latin-1", "replace"),
            "headers": [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in self._headers()],
            "client": self.client_address[:2],
            "server": self.server.server_address[:2],
        }
        body = _Body(self._body(), self.connection, self.server.loop)
        messages: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            messages.append(message)

        answering = asyncio.run_coroutine_threadsafe(self.server.app(scope, body.receive, send), self.server.loop)
        body.read_for(answering)
        answering.result()
        if not body.is_read():
            self.close_connection = True  # the rest of the body would be read as the next request
        if isinstance(body.error, _BadBody):
            self.send_error(400, str(body.error))
            return
        self._write(messages)

    def _headers(self) -> list[tuple[str, str]]:
        return list(self.headers.items())

    def _write(self, messages: list[dict[str, Any]]) -> None:
        start = messages[0]
        self.send_response(start["status"])
        for name, value in start["headers"]:
            self.send_header(name.decode(), value.decode("latin-1"))
        if self.close_connection or self.server.stopped:
            self.close_connection = True
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(b"".join(message.get("body", b"") for message in messages[1:]))

    def _body(self) -> Iterator[bytes]:
        """The request's body in pieces, whether its length is given or it comes in chunks."""
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            yield from self._chunks()
            return
        length = self.headers.get("content-length", "0").strip()
        if not (length.isascii() and length.isdigit() and len(length) <= MOST_DIGITS):
            raise _BadBody("Content-Length is not a number of bytes")
        left = int(length)
        while left:
            piece = self.rfile.read1(min(left, CHUNK))
            if not piece:
                raise _BadBody("The body is shorter than Content-Length")
            left -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        while True:
            size = self.rfile.readline(1024).partition(b";")[0].strip()
            try:
                left = int(size, 16)
            except ValueError as error:
                raise _BadBody("A chunk has no size") from error
            if left <= 0:
                while self.rfile.readline(CHUNK).strip():
                    pass  # trailers
                return
            while left:
                piece = self.rfile.read(min(left, CHUNK))
                if not piece:
                    raise _BadBody("The body ends within a chunk")
                left -= len(piece)
                yield piece
            self.rfile.readline(8)

    def version_string(self) -> str:
        """The Server header names no versions."""
        return "stdlib"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the application logs each request."""


class _Body:
    """A request's body, which the thread of its connection reads: a client that is slow holds up no other one."""

    def __init__(self, pieces: Iterator[bytes], connection: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
        self._pieces = pieces
        self._connection = connection
        self._loop = loop
        self._wanted: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._is_reading = False
        self._is_read = False
        self.error: Exception | None = None

    async def receive(self) -> dict[str, Any]:
        """The next part for the application, which hears of a client that went away where no more comes."""
        if self._is_read:
            return {"type": "http.request", "body": b"", "more_body": False}
        waiting = self._loop.create_future()
        self._wanted.put(waiting)
        message: dict[str, Any] = await waiting
        return message

    def read_for(self, answering: Future[Any]) -> None:
        """Read what the application asks for until it has answered; what it no longer waits for is given up."""
        answering.add_done_callback(self._answered)
        for waiting in iter(self._wanted.get, None):
            self._is_reading = True
            message = {"type": "http.disconnect"} if answering.done() else self._message()
            self._is_reading = False
            self._loop.call_soon_threadsafe(_settle, waiting, message)

    def is_read(self) -> bool:
        """Whether nothing of the body is left, once what is there was read: a reset would overtake the answer."""
        self._connection.settimeout(REST_SECONDS)
        for _ in range(REST_PIECES):
            if not self._is_read and self.error is None:
                self._message()
        self._connection.settimeout(IDLE_SECONDS)
        return self._is_read

    def _answered(self, _: Future[Any]) -> None:
        self._wanted.put(None)
        if self._is_reading:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RD)

    def _message(self) -> dict[str, Any]:
        try:
            piece = next(self._pieces, None)
        except (_BadBody, OSError) as error:
            self.error = error
            return {"type": "http.disconnect"}
        self._is_read = piece is None
        return {"type": "http.request", "body": piece or b"", "more_body": not self._is_read}


def _settle(waiting: asyncio.Future[Any], message: dict[str, Any]) -> None:
    if not waiting.done():  # else it was given up
        waiting.set_result(message)


class _BadBody(ValueError):
    """The bytes of a request are not HTTP."""
