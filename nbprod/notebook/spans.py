"""Where the parts of a JSON text stand, so that one of them can be edited and every other byte kept."""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec import Struct

_WHITESPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class Member(Struct, frozen=True):
    """One `"key": value` of an object, or an element of an array (then `key` is empty, `start` its value's)."""

    key: str
    start: int
    value: int
    end: int


class Container(Struct, frozen=True):
    """An object or array from its opening bracket to one past the closing one."""

    start: int
    end: int
    members: tuple[Member, ...]

    def get(self, key: str) -> Member | None:
        """The member of that key; the last one, as JSON readers have it."""
        return next((member for member in reversed(self.members) if member.key == key), None)


def skip(text: str, at: int) -> int:
    """The next position that is not whitespace."""
    match = _WHITESPACE.match(text, at)
    return match.end() if match is not None else at


def value_at(text: str, at: int) -> tuple[Any, int]:
    """The value that begins at `at`, and the position after it."""
    value, end = _DECODER.raw_decode(text, at)
    return value, end


def object_at(text: str, start: int) -> Container:
    """The members of the object at `start`. Raises ValueError where there is none."""
    if text[start : start + 1] != "{":
        raise ValueError("no object")
    members: list[Member] = []
    at = skip(text, start + 1)
    while text[at] != "}":
        key, colon = value_at(text, at)
        value = skip(text, skip(text, colon) + 1)
        _, end = value_at(text, value)
        members.append(Member(key, at, value, end))
        at = _next(text, end)
    return Container(start, at + 1, tuple(members))


def array_at(text: str, start: int) -> Container:
    """The elements of the array at `start`. Raises ValueError where there is none."""
    if text[start : start + 1] != "[":
        raise ValueError("no array")
    members: list[Member] = []
    at = skip(text, start + 1)
    while text[at] != "]":
        _, end = value_at(text, at)
        members.append(Member("", at, at, end))
        at = _next(text, end)
    return Container(start, at + 1, tuple(members))


def _next(text: str, end: int) -> int:
    """After a member: the start of the next one, or the closing bracket."""
    at = skip(text, end)
    return skip(text, at + 1) if text[at] == "," else at
