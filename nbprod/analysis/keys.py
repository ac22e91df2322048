"""What the files beside a notebook say of the keys of its joins: whether they repeat, and which holds which.

Nothing of the notebook runs. A file is read up to a bound; what lies behind it stays unknown.
"""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from pathlib import Path

from msgspec import Struct

from nbprod.analysis.headers import open_text, reading_of

MOST_ROWS = 200_000
"""Rows of a file that are looked at: a fraction of a second. Keys that repeat do so long before, as a rule."""

LIMITING = frozenset({"nrows", "chunksize", "iterator", "skipfooter"})
"""Options by which a call reads a part of a file."""


class JoinKind(StrEnum):
    """What a join is: halves of one record, a lookup in the right table or in the left one, or many rows to many."""

    RECORDS = "records"
    LOOKUP = "lookup"
    LEFT_LOOKUP = "left-lookup"
    MANY = "many"


TABLES = frozenset({"left", "right", "other"})
"""The names of the parameters of joins that are tables."""


class KeySource(Struct, frozen=True):
    """Key columns as they stand in a file. `whole`: no row of the file was left out before the join."""

    path: str
    reader: str
    node: ast.Call
    columns: tuple[str, ...]
    whole: bool


class Joined(Struct, frozen=True):
    """A join that a notebook makes, by its text, with the files that the keys of both tables come from."""

    text: str
    left: KeySource | None
    right: KeySource | None


class Keys(Struct, frozen=True):
    """The keys of a file: all of them where the file was read to its end, and whether they repeat."""

    values: frozenset[tuple[str, ...]]
    repeat: bool
    all: bool


def read_joins(joins: Iterable[Joined], folder: Path) -> dict[str, str]:
    """A join's text → what it is (a `JoinKind`), for the joins of which the files tell."""
    found: dict[str, set[str]] = {}
    for join in joins:
        found.setdefault(join.text, set()).add(_kind(join, folder))
    return {text: kinds.pop() for text, kinds in found.items() if len(kinds) == 1 and kinds != {""}}


def _kind(join: Joined, folder: Path) -> str:
    if join.left is None or join.right is None:
        return ""
    left, right = _keys(join.left, folder), _keys(join.right, folder)
    if left is None or right is None:
        return ""
    match _repeats(left, join.left), _repeats(right, join.right):
        case True, True:
            return JoinKind.MANY
        case True, _:
            return JoinKind.LOOKUP
        case False, True:
            return JoinKind.LEFT_LOOKUP
        case False, False:
            return JoinKind.RECORDS if right.values <= left.values else JoinKind.LOOKUP
        case _:
            return ""


def _repeats(keys: Keys, source: KeySource) -> bool | None:
    """Whether a table has several rows of one key, None where that is not known."""
    if keys.repeat:
        return True if source.whole else None
    return False if keys.all else None


def _keys(source: KeySource, folder: Path) -> Keys | None:
    reading = reading_of(source.reader, source.node)
    if reading is None or reading.names is not None or any(one.arg in LIMITING for one in source.node.keywords):
        return None
    path = folder / source.path
    try:
        stamp = path.stat()
        return _keys_of(path, reading.separator, reading.encoding, source.columns, stamp.st_mtime_ns, stamp.st_size)
    except (OSError, UnicodeError, csv.Error, LookupError, ValueError):
        return None


@lru_cache(maxsize=64)
def _keys_of(
    path: Path, separator: str, encoding: str, columns: tuple[str, ...], changed: int, size: int
) -> Keys | None:
    del changed, size  # a file that was written anew is read anew
    with open_text(path, encoding) as stream:
        rows = csv.reader(stream, delimiter=separator)
        header = next(rows, [])
        places = [header.index(column) for column in columns]
        values: set[tuple[str, ...]] = set()
        seen = 0
        for row in islice(rows, MOST_ROWS):
            if len(row) > max(places):
                seen += 1
                values.add(tuple(row[place] for place in places))
        ended = next(rows, None) is None
    return Keys(frozenset(values), len(values) < seen, ended)
