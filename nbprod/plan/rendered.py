"""Statements as text: lines with the line of the cell that each comes from."""

from __future__ import annotations

from msgspec import Struct, field

INDENT = "    "
Line = tuple[str, int]


class Rendered(Struct):
    """One statement as text: lines with the cell line that each comes from (0 where there is none)."""

    lines: list[Line]
    otherwise: list[Line] = field(default_factory=list)
    fitting: bool = False


def numbered(text: str, line: int) -> list[Line]:
    """The lines of a text, each with the line of the cell that it came from."""
    return [(part, line + number) for number, part in enumerate(text.split("\n"))]
