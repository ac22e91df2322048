"""What is saved in a notebook's outputs, against what a run of the same text in a fresh kernel has shown."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from msgspec import Struct

from nbprod.analysis.outside import CLOCKS
from nbprod.backends.documents import INJECTED_TAG
from nbprod.model.notebook import Cell, Notebook
from nbprod.notebook.outputs import COLOURS, NUMBER
from nbprod.notebook.parsed import nodes_below, syntax_tree
from nbprod.notebook.redact import redact_text
from nbprod.readiness.facts import ShownOtherwise

TIMED = frozenset({"time", "timeit", "prun"})
"""Magics that print how long something took."""

SAME = 1e-6
"""The share of a printed number by which two runs on two machines may part."""

LONGEST = 80
"""Characters of a line that is quoted."""

_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_NUMBER = re.compile(f"({NUMBER})")


def shown_otherwise(notebook: Notebook, executed: Sequence[Path]) -> tuple[ShownOtherwise, ...]:
    """The cells whose saved text is not what the first of these executed notebooks shows, with the first such lines.

    A cell whose output was cleared is left out, and so is one that tells the time, and one that shows something else
    in each of the further runs of the same text: of such a cell nothing can be told. Plots are not compared. Numbers
    may part by a share of 1e-6; and where nothing but numbers differs, which may be draws or times, a further run has
    to show the same ones to settle it. Empty where the run was given parameters, or can't be read. Of the further runs
    those count that ran the same cells.
    """
    if notebook.format != "ipynb" or not executed:
        return ()
    saved, fresh, *others = (_shown(path) for path in (Path(notebook.path), *executed))
    if (
        saved is None
        or fresh is None
        or len(saved.texts) != len(notebook.cells)
        or len(fresh.texts) != len(saved.texts)
    ):
        return ()
    known = [other.texts for other in others if other is not None and other.sources == fresh.sources]
    found = []
    for cell, was, now in zip(notebook.cells, saved.texts, fresh.texts, strict=True):
        if not was or now is None or _tells_time(cell):
            continue
        apart = _first_apart(was, now)
        if apart is None or any(_first_apart(now, other[cell.index] or []) is not None for other in known):
            continue
        pairs = zip_longest(was, now, fillvalue="")
        settled = bool(known) or any(_words(one) != _words(other) for one, other in pairs)
        found.append(ShownOtherwise(cell.index, _quoted(apart[0]), _quoted(apart[1]), settled))
    return tuple(found)


class _Shown(Struct, frozen=True):
    """The code cells of a notebook, and the lines that each shows besides plots; None for one that failed."""

    sources: list[str]
    texts: list[list[str] | None]


def _shown(path: Path) -> _Shown | None:
    """What the cells of a notebook show; None where that can't be told."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        codes = [cell for cell in cells if cell["cell_type"] == "code"]
        if any(INJECTED_TAG in cell.get("metadata", {}).get("tags", ()) for cell in codes):
            return None
        return _Shown(["".join(cell["source"]) for cell in codes], [_lines(cell["outputs"]) for cell in codes])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _lines(outputs: list[dict[str, Any]]) -> list[str] | None:
    lines: list[str] = []
    for output in outputs:
        data = output.get("data") or {}
        if output["output_type"] == "error":
            return None
        if output.get("name") != "stderr" and all(kind.startswith("text/") for kind in data):
            lines += _plain("".join(output.get("text") or data.get("text/plain") or ""))
    return lines


def _plain(text: str) -> Iterator[str]:
    """The lines of a text as they stand in the end, without colours, addresses in memory and spaces at the end."""
    for line in COLOURS.sub("", text).split("\n"):
        left = _ADDRESS.sub("0x", line.rstrip().rpartition("\r")[2])
        if left.strip():
            yield left


def _tells_time(cell: Cell) -> bool:
    if cell.fault is not None or any(magic.name in TIMED for magic in cell.magics):
        return True
    return any(
        isinstance(node, ast.Call) and (getattr(node.func, "attr", None) or getattr(node.func, "id", "")) in CLOCKS
        for node in nodes_below(syntax_tree(cell.code))
    )


def _first_apart(one: Sequence[str], other: Sequence[str]) -> tuple[str, str] | None:
    return next((pair for pair in zip_longest(one, other, fillvalue="") if not _is_same(*pair)), None)


def _is_same(one: str, other: str) -> bool:
    """Whether two lines show the same, their numbers as near as two machines compute them."""
    if one == other:
        return True
    parts = _NUMBER.split(one), _NUMBER.split(other)
    if len(parts[0]) != len(parts[1]):
        return False
    return all(
        math.isclose(float(a), float(b), rel_tol=SAME) if at % 2 else a.split() == b.split()
        for at, (a, b) in enumerate(zip(*parts, strict=True))
    )


def _words(line: str) -> list[str]:
    """What stands in a line besides numbers."""
    return _NUMBER.sub(" ", line).split()


def _quoted(line: str) -> str:
    bare = redact_text(line.strip())
    return bare if len(bare) <= LONGEST else f"{bare[: LONGEST - 1]}…"
