"""What a replay has found so far: checks that held or failed, rows that are equal, and how others are not."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import Any, Callable

Progress = Callable[[str, int, int], None]
"""Told what is being checked, how much of it is done, and of how much."""


@dataclass(frozen=True)
class Failing:
    """One way in which the package parts from the notebook, for one row.

    `stage` is `fit` (the training matrix), `serve` (raw rows whole), `context` (the row alone is another than among
    `among`), `alone` (the row alone fails), `variant` (a harmless change of the request matters), `compiled`
    (the form without pandas makes another of it) or `predict`.
    `row` is the position in raw frame number `source`, -1 where no row is meant. `raised` is the exception, if any.
    """

    stage: str
    source: int
    row: int
    name: str
    notebook: Any
    package: Any
    text: str = ""
    among: Any = None
    raised: BaseException | None = None

    @property
    def module_line(self) -> tuple[str, int] | None:
        """File name and line of the package's own code that raised, the deepest of the generated modules."""
        if self.raised is None:
            return None
        for frame in reversed(traceback.extract_tb(self.raised.__traceback__)):
            file = frame.filename.replace("\\", "/").rsplit("/", 1)[-1]
            if file in ("features.py", "train.py", "evaluate.py") and frame.lineno is not None:
                return file, frame.lineno
        return None


@dataclass
class Outcome:
    """Grows while the protocol runs. The first failing is the one that is explained."""

    checks: list[tuple[str, bool, str]] = field(default_factory=list)
    failings: list[Failing] = field(default_factory=list)
    max_error: float = 0.0
    rows: int = 0
    rows_equal: int = 0
    predictions: int = 0
    predictions_equal: int = 0
    matched_by: list[str] = field(default_factory=list)
    observed: bool = False

    def passed(self, name: str, detail: str = "") -> None:
        self.checks.append((name, True, detail))

    def failed(self, name: str, failing: Failing, detail: str = "") -> None:
        self.checks.append((name, False, detail or failing.text or failing.name))
        self.failings.append(failing)


def described(error: BaseException) -> str:
    """An exception in one line."""
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
