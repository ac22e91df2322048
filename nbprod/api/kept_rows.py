"""What the rows that a fitted version keeps show of people, by the patterns of their texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nbprod import versions
from nbprod.api.fitting import GOLDEN
from nbprod.readiness.names import personal_values

SCHEMA = "state/schema.json"


def personal_columns(folder: Path) -> dict[str, str]:
    """Columns of raw rows with what their texts look like, in the golden rows and among the categories of a version.

    `folder` is the version's. Nothing is unpickled, and what can't be read shows nothing.
    """
    found: dict[str, str] = {}
    for name, texts in (*_categories(versions.read_object(folder / SCHEMA)), *_golden(folder / GOLDEN)):
        what = personal_values("\n".join(texts))
        if what is not None:
            found.setdefault(name, what)
    return found


def _categories(schema: Mapping[str, Any] | None) -> Iterator[tuple[str, list[str]]]:
    columns = (schema or {}).get("columns")
    for column in columns if isinstance(columns, list) else []:
        if isinstance(column, dict):
            yield str(column.get("name")), list(_texts(column.get("categories")))


def _golden(path: Path) -> Iterator[tuple[str, list[str]]]:
    """The texts of each column of a frame as `codec` writes it, and of its index: parts with their columns' places."""
    rows = (versions.read_object(path) or {}).get("rows")
    if not isinstance(rows, dict):
        return
    names = _names(rows.get("columns"))
    parts = rows.get("parts")
    yield "the index", list(_texts(rows.get("index")))
    for part in parts if isinstance(parts, list) else []:
        part = part if isinstance(part, dict) else {}
        at: list[Any] = part["at"] if isinstance(part.get("at"), list) else []
        for number, place in enumerate(at):
            values = part.get("values") if len(at) == 1 else _column(part.get("values"), number, len(at))
            is_named = isinstance(place, int) and 0 <= place < len(names)
            yield names[place] if is_named else f"column {place}", list(_texts(values))


def _names(columns: object) -> list[str]:
    """A name for each column, numbers among them; none where they are told in another way, as those of levels are."""
    values = columns
    while isinstance(values, dict):
        values = values.get("values")
    return [each if isinstance(each, str) else str(each) for each in values] if isinstance(values, list) else []


def _column(block: object, number: int, count: int) -> list[Any]:
    """One column of a block of several, which lies in memory column by column (F) or row by row."""
    if not isinstance(block, dict) or not isinstance(block.get("values"), list):
        return []
    values: list[Any] = block["values"]
    rows = len(values) // count
    return values[number * rows : (number + 1) * rows] if block.get("order") == "F" else values[number::count]


def _texts(value: object) -> Iterator[str]:
    """The texts in what is kept of values; the names of types are none."""
    left = [value]
    while left:
        match left.pop():
            case str() as text:
                yield text
            case list() as several:
                left.extend(reversed(several))
            case dict() as kept:
                left.extend(
                    kept[key] for key in ("items", "categories", "dtype", "values") if _is_nested(kept.get(key))
                )


def _is_nested(value: object) -> bool:
    return isinstance(value, list | dict)
