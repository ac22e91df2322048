"""Tables for people, drawn within the terminal's width. Cells are measured by rich; its own tables start too slowly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import click
from rich.cells import cell_len, chop_cells

from nbprod.cli.terminal import wants_colour

NARROWEST = 80
SHORT = 12
GAP = "   "
PLAIN_WIDTH = 200
RESET = "\x1b[0m"


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = (), clipped: Sequence[str] = ()
) -> str:
    """A table as text, as wide as the terminal at most.

    `right` names the columns that are set to the right, `clipped` those that are cut rather than wrapped. A cell may
    be styled as a whole by `click.style`.
    """
    columns = zip(head, *rows, strict=True)
    natural = [max(cell_len(click.unstyle(cell)) for cell in column) for column in columns]
    widths = _fitted(natural, _width() - len(GAP) * (len(head) - 1))
    bold = [click.style(title, bold=True) for title in head]
    parts = [
        [
            _set(cell, width, to_right=title in right, cut=title in clipped or title in right)
            for cell, title, width in zip(row, head, widths, strict=True)
        ]
        for row in (bold, *rows)
    ]
    first, *others = ("\n".join(_lines(row, widths)) for row in parts)
    return "\n".join([first, "─" * (sum(widths) + len(GAP) * (len(head) - 1)), *others])


def _lines(row: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    """The lines of a row whose cells may take several."""
    for line in zip_longest(*row):
        yield GAP.join(" " * width if part is None else part for part, width in zip(line, widths, strict=True)).rstrip()


def _set(cell: str, width: int, *, to_right: bool, cut: bool) -> list[str]:
    """A cell's lines, each of `width`, styled as the cell is."""
    plain = click.unstyle(cell)
    before = cell[: cell.rindex(plain, 0, -len(RESET))] if cell != plain and wants_colour() else ""
    lines = [_cut(plain, width)] if cut else _wrapped(plain, width)
    padding = [" " * (width - cell_len(line)) for line in lines]
    styled = [f"{before}{line}{RESET if before else ''}" for line in lines]
    return [f"{pad}{line}" if to_right else f"{line}{pad}" for line, pad in zip(styled, padding, strict=True)]


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else chop_cells(text, width - 1)[0] + "…"


def _wrapped(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width`, broken between words, and within those that are longer."""
    if cell_len(text) <= width:
        return [text]
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".lstrip()
        if cell_len(joined) <= width:
            lines[-1] = joined
        else:
            lines.extend(chop_cells(word, width))
    return [line for line in lines if line]


def _fitted(natural: Sequence[int], room: int) -> list[int]:
    """Column widths that fit: short columns keep theirs, the long ones share what is left by their length."""
    long = [at for at, width in enumerate(natural) if width > SHORT]
    left = room - sum(width for width in natural if width <= SHORT)
    wanted = sum(natural[at] for at in long)
    if wanted <= left or not long:
        return list(natural)
    least = max(SHORT, left // (3 * len(long)))
    spare = max(left - least * len(long), 0)
    return [least + spare * width // wanted if at in long else width for at, width in enumerate(natural)]


def _width() -> int:
    from shutil import get_terminal_size

    return max(NARROWEST, get_terminal_size((PLAIN_WIDTH, 24)).columns)


def shortened(names: Sequence[str], most: int = 6) -> str:
    """`a, b, c and 4 more`."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"
