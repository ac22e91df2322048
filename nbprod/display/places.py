"""Where something was found in a notebook, as words and as the text that stands there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nbprod.notebook.formats import lines_of


def place(found: Mapping[str, Any]) -> str:
    """`cell 4, line 2`, as the command line has it; nothing where it concerns the file as a whole."""
    return "" if found["cell"] is None or found["cell"] < 0 else f"cell {found['cell']}, line {found['line']}"


def line_of(found: Mapping[str, Any], sources: Sequence[str]) -> str:
    """The text of the line that something was found at."""
    if found["cell"] is None or not 0 <= found["cell"] < len(sources):
        return ""
    lines = lines_of(sources[found["cell"]], keepends=False)
    return lines[found["line"] - 1].strip() if 0 < found["line"] <= len(lines) else ""
