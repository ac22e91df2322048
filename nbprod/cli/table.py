"""Tables for people, by rich, which is imported when the first one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from nbprod.cli.terminal import wants_colour

NARROWEST = 80
SHORT = 12
GAP = 3
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

    cells = [[Text.from_ansi(cell) for cell in row] for row in rows]
    natural = [max([len(title), *(row[at].cell_len for row in cells)]) for at, title in enumerate(head)]
    widths = _fitted(natural, _width() - GAP * (len(head) - 1))
    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for title, width in zip(head, widths, strict=True):
        drawn.add_column(
            title,
            justify="right" if title in right else "left",
            overflow="ellipsis" if title in clipped else "fold",
            no_wrap=title in clipped or title in right,
            width=width,
        )
    for row in cells:
        drawn.add_row(*row)
    out = StringIO()
    console = Console(file=out, width=_width(), force_terminal=wants_colour(), no_color=not wants_colour())
    console.print(drawn)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines())


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
