"""Tables for people, by rich, which is imported when the first one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from nbprod.cli.terminal import wants_colour

NARROWEST = 80
PLAIN_WIDTH = 200


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = (), clipped: Sequence[str] = ()
) -> str:
    """A table as text, as wide as the terminal at most.

    `right` names the columns that are set to the right, `clipped` those that are cut rather than wrapped.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for title in head:
        drawn.add_column(
            title,
            justify="right" if title in right else "left",
            overflow="ellipsis" if title in clipped else "fold",
            no_wrap=title in clipped or title in right,
            min_width=len(title),
        )
    for row in rows:
        drawn.add_row(*(Text.from_ansi(cell) for cell in row))
    out = StringIO()
    console = Console(file=out, width=_width(), force_terminal=wants_colour(), no_color=not wants_colour())
    console.print(drawn)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines())


def _width() -> int:
    from shutil import get_terminal_size

    return max(NARROWEST, get_terminal_size((PLAIN_WIDTH, 24)).columns)


def shortened(names: Sequence[str], most: int = 6) -> str:
    """`a, b, c and 4 more`."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"
