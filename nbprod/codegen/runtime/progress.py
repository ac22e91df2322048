"""How far a long piece of work is: one line on a terminal that is written over, and nothing elsewhere."""

from __future__ import annotations

import sys
import time
from typing import IO

STEP_SECONDS = 0.2


class Line:
    """Rows and share of them that are done, rows a second, and the time that is left."""

    def __init__(self, rows: int = 0, *, quiet: bool = False, stream: IO[str] | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._quiet, self._shows = quiet, not quiet and self._stream.isatty()
        self._began, self._before = time.monotonic(), rows
        self._shown, self._width = 0.0, 0

    def show(self, rows: int, share: float) -> None:
        """Show that so many rows are done, which is such a share of all; 0 where that is not known."""
        now = time.monotonic()
        if not self._shows or now < self._shown + STEP_SECONDS:
            return
        self._shown = now
        taken = max(now - self._began, 1e-9)
        words = [f"{share:4.0%}"] if share else []
        words += [f"{rows:,} rows", f"{(rows - self._before) / taken:,.0f} rows/s"]
        gone = share * (rows - self._before) / rows if rows else 0.0
        if 0 < share < 1 and gone > 0:
            words.append(f"{_clock(taken * (1 - share) / gone)} left")
        text = "  ".join(words)
        self._stream.write(f"\r{text.ljust(self._width)}")
        self._stream.flush()
        self._width = len(text)

    def end(self) -> None:
        """Leave an empty line to what comes next."""
        if self._shows and self._width:
            self._stream.write(f"\r{' ' * self._width}\r")
            self._stream.flush()
            self._width = 0

    def note(self, text: str) -> None:
        """A line that stays."""
        self.end()
        if not self._quiet:
            self._stream.write(f"{text}\n")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
