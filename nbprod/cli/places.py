"""From a cell and its line to the line of the file on disk, for tools that know files alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from json.decoder import WHITESPACE  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any

from nbprod.model.notebook import Notebook

_DECODER = json.JSONDecoder()


def file_lines(notebook: Notebook) -> tuple[tuple[int, ...], ...]:
    """For each code cell, the 1-based line of the file for each of its source lines.

    A cell whose source is one JSON string has all of its lines on that string's line.
    """
    if notebook.format != "ipynb":
        return tuple(
            tuple(range(cell.file_line, cell.file_line + cell.source.count("\n") + 1)) for cell in notebook.cells
        )
    text = Path(notebook.path).read_text(encoding="utf-8-sig")
    by_position = _source_lines(text)
    return tuple(by_position.get(cell.position, (1,)) for cell in notebook.cells)


def file_line(lines: tuple[tuple[int, ...], ...], cell: int, line: int) -> int:
    """The file's line of a cell's line; the nearest known one for lines beyond the cell."""
    if not 0 <= cell < len(lines) or not lines[cell]:
        return 1
    known = lines[cell]
    return max(1, known[min(max(line, 1), len(known)) - 1])


def _source_lines(text: str) -> dict[int, tuple[int, ...]]:
    starts = _line_starts(text)
    for key, start, _ in _members(text, 0):
        if key == "cells":
            return {
                position: tuple(_lines_of_cell(text, cell, starts))
                for position, (cell, _) in enumerate(_items(text, start))
            }
    return {}


def _lines_of_cell(text: str, cell: int, starts: list[int]) -> Iterator[int]:
    from bisect import bisect_right

    for key, start, _ in _members(text, cell):
        if key != "source":
            continue
        entries = _items(text, start) if text[start] == "[" else iter([(start, 0)])
        for entry, _ in entries:
            value, _ = _DECODER.raw_decode(text, entry)
            for _ in range(max(1, len(str(value).splitlines()))):
                yield bisect_right(starts, entry)


def _line_starts(text: str) -> list[int]:
    return [0, *(index + 1 for index, character in enumerate(text) if character == "\n")]


def _members(text: str, start: int) -> Iterator[tuple[str, int, int]]:
    """Key, start and end of the value, of each member of the JSON object at `start`."""
    at = _skip(text, _skip(text, start) + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        begin = _skip(text, _skip(text, at) + 1)
        _, end = _value(text, begin)
        yield key, begin, end
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _items(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Start and end of each item of the JSON array at `start`."""
    at = _skip(text, start + 1)
    while text[at] != "]":
        _, end = _value(text, at)
        yield at, end
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _value(text: str, at: int) -> tuple[Any, int]:
    return _DECODER.raw_decode(text, at)


def _skip(text: str, at: int) -> int:
    match = WHITESPACE.match(text, at)
    return int(match.end())
