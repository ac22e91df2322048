"""A proof that goes on beside its fit, which holds the compiled form to what it has saved before."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from .rows import most_rows
from .subject import Subject

POLL = 0.01  # seconds


@dataclass(frozen=True)
class HeldInFit:
    """Rows and rows at the edges on which the fit has held the compiled form against the package's own code."""

    rows: int
    edges: int


def await_state(subject: Subject) -> None:
    """Wait for what the fit learns. Where nothing is compiled, it holds nothing to all rows, and says so there."""
    state, starter = subject.folder / "state", os.getppid()
    while not state.exists():
        if os.getppid() != starter:
            raise InterruptedError("who started this is gone")
        time.sleep(POLL)
    fitted = json.loads((state / "fitted.json").read_text(encoding="utf-8"))
    subject.is_in_fit = bool(fitted.get("one_row", {"written": True})["written"])


def held_in_fit(subject: Subject, ended: Path) -> HeldInFit | None:
    """Wait for the end of the fit, whose sign is the file `ended`, and serve with the compiled form that it has kept.

    Gives what the fit has held that against; None where there is none, or where rows were left out, so that the proof
    has to look.
    """
    while not ended.exists():
        time.sleep(POLL)
    subject.is_in_fit = False
    fitted, _ = subject.pipeline_module.checked(subject.folder)
    told = fitted["one_row"]
    if not told["written"]:
        return None
    subject.served.take_rows(fitted)
    whole = sum(min(len(frame), most_rows(subject.served.rows)) for frame in subject.captures.frames)
    return HeldInFit(whole, told["edges"]) if told["rows"] == told["of_rows"] == whole else None
