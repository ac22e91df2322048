"""A failed run in the words of the notebook: the cell, the line, what was raised, where the partial notebook lies."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import Protocol

from nbprod.errors import NbprodError, Where, from_system
from nbprod.model.notebook import Notebook
from nbprod.notebook.outputs import COLOURS

QUOTED = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception): \S")
"""The last line of a traceback."""


class Failure(Protocol):
    """What the engine knows of a failure."""

    kind: str
    source: str
    name: str
    value: str
    traceback: str


def cell_failed(notebook: Notebook, index: int | None, failure: Failure, executed: Path) -> NbprodError:
    """The error of the code cell `index` (None: the cell of parameters that papermill added)."""
    line = failing_line(failure.source, failure.traceback)
    shown = f"cell {index}" if index is not None else "the cell of parameters"
    where = Where(notebook.path)
    if index is not None and index < len(notebook.cells):
        where = Where(notebook.path, index, notebook.cells[index].id, line)
    kept = f"the notebook up to there is kept in {executed}"
    match failure.kind:
        case "dead":
            return NbprodError(
                f"the kernel died in {shown}",
                code="kernel-died",
                where=where,
                hint=f"it may have run out of memory, or called os._exit; {kept}",
            )
        case "timeout" | "hung":
            return NbprodError(
                f"{shown} ran {failure.value}", code="cell-timeout", where=where, hint=f"allow more time; {kept}"
            )
        case _:
            return NbprodError(
                f"{shown} raised {': '.join(filter(None, (failure.name, _told(failure.value))))}",
                code="cell-failed",
                where=where,
                hint=f"{_advice(failure.name, failure.value)}{kept}",
            )


def _told(value: str) -> str:
    """What an exception says: its first line, and the exception that it quotes at its end, as cross-validation does."""
    lines = [line.strip() for line in value.strip().splitlines() if line.strip()]
    if len(lines) < 2 or not QUOTED.match(lines[-1]):
        return lines[0] if lines else ""
    name, _, why = lines[-1].partition(": ")
    return f"{lines[0]} ({name.rpartition('.')[2]}: {why})"


def is_exit(failure: Failure) -> bool:
    """`sys.exit()` and `exit(0)` end a notebook without a fault."""
    return failure.kind == "cell" and failure.name == "SystemExit" and failure.value in ("", "0", "None")


def kernel_did_not_start(notebook: Notebook, kernel: str, reason: str) -> NbprodError:
    """The error of a kernel that gave no answer before the first cell."""
    first = (reason.strip().splitlines() or ["no reason given"])[0]
    return NbprodError(
        f"the kernel {kernel!r} did not start: {first}",
        code="kernel-start",
        where=Where(notebook.path),
        hint="start it by hand to see why: jupyter console --kernel " + kernel,
    )


def capture_failed(notebook: Notebook, fault: str) -> NbprodError:
    """The error of a kernel in which copies could not be kept or written."""
    if f"[Errno {errno.ENOSPC}]" in fault:
        return from_system(OSError(errno.ENOSPC, ""), notebook.path)
    return NbprodError(
        f"the capture in the kernel failed: {fault or 'the kernel gave no answer'}",
        code="capture-failed",
        where=Where(notebook.path),
        hint="the kernel needs CPython 3.9 or later with IPython, numpy and pandas",
    )


def failing_line(source: str, traceback: str) -> int | None:
    """The line of the cell where the exception left it, 1-based as the author sees the cell.

    IPython 8 and later write `Cell In[3], line 2`, before it `<ipython-input-3-…> in <module>` and an arrow;
    a cell under a magic like `%%time` shows as `<timed exec>`. Leading blank lines are not counted by IPython.
    """
    text = COLOURS.sub("", traceback)
    leading = len(source) - len(source.lstrip("\n \t"))
    skipped = source[:leading].count("\n")
    timed = re.search(r"<timed exec>(?:, line |:)(\d+)", text) if source.lstrip().startswith("%%") else None
    if timed:
        return int(timed.group(1)) + skipped + 1
    found = re.search(r"(?:Cell |Input )In ?\[\d+\], line (\d+)", text) or re.search(
        r"(?:<ipython-input-|In \[\d+\], in <)[\s\S]*?-+> ?(\d+) ", text
    )
    return int(found.group(1)) + skipped if found else None


def _advice(name: str, value: str) -> str:
    match name:
        case "ModuleNotFoundError":
            module = re.search(r"No module named '([^']+)'", value)
            return f"install {module.group(1) if module else 'it'} in the kernel's environment; "
        case "FileNotFoundError":
            return "a notebook runs in its own folder, and paths are relative to it; "
        case "UsageError":
            return "the kernel lacks a magic that the notebook uses; "
        case _:
            return ""
