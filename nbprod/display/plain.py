"""A document as plain text, for terminals and for notebooks that are run without a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from nbprod.display.document import Block, Code, Document, Item, Items, Line, Table

WIDEST = 60


def plain(document: Document) -> str:
    """The document."""
    head = document.title + (f": {document.word}" if document.word else "")
    blocks = (line for block in document.blocks for line in _block(block))
    return "\n".join([head + (f", {document.meaning}" if document.meaning else ""), *blocks])


def _block(block: Block) -> Iterator[str]:
    match block:
        case Line(text, _):
            yield text
        case Items(heading, items):
            yield from _heading(heading)
            for item in items:
                yield from _item(item)
        case Table(heading, head, rows):
            yield from _heading(heading)
            yield from _table((head, *rows))
        case Code(heading, lines):
            yield from _heading(heading)
            yield from (f" {number:>3} | {text}" for number, text in lines)


def _item(item: Item) -> Iterator[str]:
    yield f"{item.label}: {item.text}" + (f" ({item.place})" if item.place else "")
    yield from (f"    | {line}" for line in item.code.splitlines())
    yield from (f"    {each}" for each in item.details)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [min(WIDEST, max(map(len, column))) for column in zip_longest(*rows, fillvalue="")]
    for number, row in enumerate(rows):
        cells = [_cut(text).ljust(width) for text, width in zip(row, widths, strict=False)]
        yield ("  " + "   ".join(cells)).rstrip()
        if number == 0:
            yield "  " + "─" * (sum(widths) + 3 * (len(widths) - 1))


def _cut(text: str) -> str:
    line = " ".join(text.splitlines())
    return line if len(line) <= WIDEST else line[: WIDEST - 1] + "…"


def _heading(text: str) -> Iterator[str]:
    if text:
        yield ""
        yield text
