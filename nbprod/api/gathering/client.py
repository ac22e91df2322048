"""Requests to a service of this machine over one kept connection."""

from __future__ import annotations

import http.client
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec import DecodeError, json

TIMEOUT = 60.0
_SAMPLE = re.compile(r"^(\w+)\{?([^}]*)\}? ([0-9.eE+-]+|\+Inf|NaN)$", re.MULTILINE)
_PARTS = re.compile(r"_(?:bucket|count|sum)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Client:
    """A connection to a service; a request that finds it closed opens it anew, once."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        assert at.hostname is not None
        self._connection = http.client.HTTPConnection(at.hostname, at.port, timeout=TIMEOUT)

    def ask(self, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body of the answer to a POST of `body`, or to a GET. Raises OSError where there is none."""
        given = {"content-type": "application/json", **(headers or {})}
        for attempt in (0, 1):
            try:
                self._connection.request("GET" if body is None else "POST", path, body, given)
                answer = self._connection.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, ConnectionError):
                self._connection.close()
                if attempt:
                    raise ConnectionError(f"no answer to {path}") from None
        raise AssertionError("a second attempt answers or raises")

    def asked(self, path: str, value: Any) -> tuple[int, Any]:
        """Status and JSON of the answer to `value`; None where the body is no JSON."""
        status, body = self.ask(path, json.encode(value))
        try:
            return status, json.decode(body)
        except DecodeError:
            return status, None

    def samples(self) -> Counter[tuple[str, tuple[tuple[str, str], ...]]]:
        """What `/metrics` counts, by name and labels (https://prometheus.io/docs/instrumenting/exposition_formats)."""
        _, body = self.ask("/metrics")
        found: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        for name, labels, value in _SAMPLE.findall(body.decode()):
            found[name, tuple(sorted(_LABEL.findall(labels)))] += float(value)  # type: ignore[assignment]
        return found

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def names_of(samples: Iterable[tuple[str, Any]]) -> frozenset[str]:
    """The names of samples, and those of the histograms and summaries that they are parts of."""
    names = {name for name, _ in samples}
    return frozenset(names | {_PARTS.sub("", name) for name in names})


def moved(
    before: Mapping[tuple[str, tuple[tuple[str, str], ...]], float],
    after: Mapping[tuple[str, tuple[tuple[str, str], ...]], float],
    name: str,
    **labels: str,
) -> float:
    """By how much the samples of a name grew that have these labels; a label that ends in `*` may go on."""
    return sum(
        value - before.get(key, 0.0)
        for key, value in after.items()
        if key[0] == name and all(_has(dict(key[1]).get(label), wanted) for label, wanted in labels.items())
    )


def _has(value: str | None, wanted: str) -> bool:
    if value is None:
        return False
    return value.startswith(wanted[:-1]) if wanted.endswith("*") else value == wanted
