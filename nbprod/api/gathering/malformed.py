"""Requests that a service must refuse: a good record, spoilt in every way that JSON, types and HTTP allow."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import json

SEED = 0
_NOT_RECORDS: tuple[Any, ...] = (
    None,
    True,
    3,
    "text",
    [[]],
    [None],
    {"records": None},
    {"records": {}},
    {"records": 7},
)
_NOT_JSON = (
    b"",
    b"{",
    b"[",
    b"nul",
    b"NaN",
    b"\xff\xfe",
    b'{"a":',
    b'{"a" 1}',
    b"'a'",
    b"<xml/>",
    b"\x00",
    b'"\xed\xa0\x80"',
)
_WRONG: tuple[Any, ...] = ([], {}, [1, 2], {"a": 1}, "no number")


def malformed(
    record: Mapping[str, Any],
    numbers: Sequence[str],
    count: int,
    request: Callable[[Mapping[str, Any]], Any] = lambda record: record,
) -> Iterator[tuple[str, bytes, str]]:
    """So many requests to refuse: what is wrong, the body, and its content type. The same for the same record.

    `numbers` are the fields that must hold numbers; every field of `record` is required. `request` gives what asks
    about a record.
    """
    draw = random.Random(SEED)
    good = json.encode(request(record))
    ways = (
        lambda: ("a body cut short", good[: draw.randrange(1, len(good) - 1)], "application/json"),
        lambda: ("a field left out", json.encode(request(_without(record, draw))), "application/json"),
        lambda: ("a field of another type", json.encode(request(_wrong(record, numbers, draw))), "application/json"),
        lambda: ("no record", json.encode(draw.choice(_NOT_RECORDS)), "application/json"),
        lambda: ("no JSON", draw.choice(_NOT_JSON), "application/json"),
        lambda: ("bytes at random", _noise(draw), "application/json"),
        lambda: ("deep nesting", b"[" * draw.randrange(1_000, 50_000), "application/json"),
        lambda: ("another content type", good, draw.choice(("text/plain", "image/png", "application/x-protobuf"))),
        lambda: ("no table", _noise(draw), "application/vnd.apache.arrow.stream"),
        lambda: ("a record among broken ones", json.encode({"records": [dict(record), draw.choice(_NOT_RECORDS[:5])]}),
                 "application/json"),
    )  # fmt: skip
    for number in range(count):
        yield ways[number % len(ways)]()


def _without(record: Mapping[str, Any], draw: random.Random) -> dict[str, Any]:
    gone = draw.choice(list(record))
    return {key: value for key, value in record.items() if key != gone}


def _wrong(record: Mapping[str, Any], numbers: Sequence[str], draw: random.Random) -> dict[str, Any]:
    field = draw.choice(list(numbers or record))
    return {**record, field: draw.choice(_WRONG if field in numbers else _WRONG[:-1])}


def _noise(draw: random.Random) -> bytes:
    """Bytes that are no JSON: the first one begins none."""
    return b"\x01" + draw.randbytes(draw.randrange(1, 400))
