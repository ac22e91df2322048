"""A document as Markdown, for places that show no HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from nbprod.display.document import Block, Code, Document, Item, Items, Line, Table

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~$])")


def markdown(document: Document) -> str:
    """The document; what is text in it is escaped."""
    head = f"**{escaped(document.title)}**" + (f" — **{escaped(document.word)}**" if document.word else "")
    meaning = f", {escaped(document.meaning)}" if document.meaning else ""
    return "\n\n".join([head + meaning, *(part for block in document.blocks for part in _block(block))]) + "\n"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _MARKS.sub(r"\\\1", " ".join(text.splitlines()))


def _block(block: Block) -> Iterator[str]:
    match block:
        case Line(text, _):
            yield escaped(text)
        case Items(heading, items):
            yield from _heading(heading)
            yield "\n".join(map(_item, items))
        case Table(heading, head, rows):
            yield from _heading(heading)
            yield "\n".join(
                [_row(map(escaped, head)), _row("---" for _ in head), *(_row(map(escaped, row)) for row in rows)]
            )
        case Code(heading, lines):
            yield from _heading(heading)
            yield _fenced("\n".join(f"{number:>3}  {text}" for number, text in lines))


def _item(item: Item) -> str:
    place = f" ({escaped(item.place)})" if item.place else ""
    code = "" if not item.code else "\n\n" + _indented(_fenced(item.code)) + "\n"
    return f"- **{escaped(item.label)}** {escaped(item.text)}{place}{code}" + "".join(
        f"\n  {escaped(each)}" for each in item.details
    )


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _fenced(text: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}python\n{text}\n{fence}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _heading(text: str) -> Iterator[str]:
    if text:
        yield f"**{escaped(text)}**"
