"""What a report says, apart from how it looks: a title and blocks of lines, items, tables and code."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from nbprod.notebook.redact import redact_text

Tone = Literal["good", "warning", "bad", "plain"]


class Line(Struct, frozen=True):
    """A sentence."""

    text: str
    tone: Tone = "plain"


class Item(Struct, frozen=True):
    """One thing that was found: what, where, the line of the notebook that it is about, and further lines."""

    tone: Tone
    label: str
    text: str
    place: str = ""
    code: str = ""
    details: tuple[str, ...] = ()


class Items(Struct, frozen=True):
    """Things that were found, under a heading."""

    heading: str
    items: tuple[Item, ...]


class Table(Struct, frozen=True):
    """Rows of texts under a heading; the first column names the row."""

    heading: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Code(Struct, frozen=True):
    """Lines of one cell, each with its number."""

    heading: str
    lines: tuple[tuple[int, str], ...]


Block = Line | Items | Table | Code


class Document(Struct, frozen=True):
    """A report to be shown: what it is about, the one word that counts, what that means, and the rest."""

    title: str
    word: str
    tone: Tone
    meaning: str = ""
    blocks: tuple[Block, ...] = ()


def with_secrets_masked(value: Any) -> Any:
    """A report, every text in it without what looks like a secret."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {key: with_secrets_masked(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_secrets_masked(part) for part in value]
    return value
