"""What a version and the gateway before it say of a request alike: its id, its line in the log, its response's head.

The file stands beside the ledger and in each version, which need each other by ASGI alone.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import sys
import time
import uuid
from collections.abc import Sequence
from typing import Any

Headers = Sequence["tuple[bytes, bytes]"]
_PROCESS, _NUMBERS = uuid.uuid4().hex[:16], itertools.count(1)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")
LOOKING_SECONDS = 0.25
MOST_DIGITS = 18
_ENCODE = json.JSONEncoder(default=str).encode


def request_id(headers: Headers) -> str:
    """The id that a client gives its request in `x-request-id`, where it is a plain one; else a new one."""
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value.decode()
    return f"{_PROCESS}-{next(_NUMBERS):x}"


def length_of(headers: Headers) -> float:
    """The bytes that a body says it has; 0 where it says nothing, infinity for more than any has."""
    length = next((value for name, value in headers if name == b"content-length"), b"")
    if len(length) > MOST_DIGITS:  # Python reads no number of thousands of digits
        return float("inf")
    return int(length) if length.isdigit() else 0


def head(status: int, kind: bytes, size: int, id_: str, *more: tuple[bytes, bytes]) -> dict[str, Any]:
    """The message that begins a response; `more` headers may give another media type."""
    headers = [
        (b"content-type", kind),
        (b"content-length", str(size).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-request-id", id_.encode()),
        *more,
    ]
    return {"type": "http.response.start", "status": status, "headers": headers}


def problem(status: int, title: str, detail: str) -> dict[str, Any]:
    """What a client is told of a request without an answer, as RFC 9457 has it."""
    return {"type": "about:blank", "title": title, "status": status, "detail": detail}


def log(**entry: Any) -> None:
    """One line of JSON on stderr."""
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + "Z"
    sys.stderr.write(_ENCODE({"time": now, **entry}) + "\n")


class Deadlines:
    """What ends the waiting of tasks: one timer for all, since one for each of them costs more than most answers."""

    def __init__(self) -> None:
        self._until: dict[Any, float] = {}
        self._is_looking = False

    def begin(self, seconds: float) -> Any:
        """The task that runs, which is cancelled when it is not at its `end` within so many seconds."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        self._until[task] = loop.time() + seconds
        if not self._is_looking:
            self._is_looking = True
            loop.call_later(LOOKING_SECONDS, self._look, loop)
        return task

    def is_over(self, task: Any) -> bool:
        """Whether the time of a task was over, and not something else that cancelled it."""
        return task not in self._until

    def end(self, task: Any) -> None:
        """The task no longer waits."""
        self._until.pop(task, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task in [task for task, until in self._until.items() if until < now]:
            del self._until[task]
            task.cancel()
        self._is_looking = bool(self._until)
        if self._is_looking:
            loop.call_later(LOOKING_SECONDS, self._look, loop)
