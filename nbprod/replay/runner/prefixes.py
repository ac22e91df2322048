"""Earlier rows without the later ones: whether what a batch gives a row hangs on what comes after it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .captured import Served
from .compare import compare
from .outcome import Failing, Outcome, Progress, described
from .subject import Subject

NAME = "earlier rows without later ones"
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)


def check_prefixes(
    subject: Subject,
    whole: Served,
    source: int,
    allowed: Any,
    names: tuple[str, ...],
    outcome: Outcome,
    progress: Progress,
) -> None:
    """The first rows of a batch alone must go through; features that need rows which come later are named.

    That is no fault of a feature that is made of the rows around a row: the notebook computes it so, and the newest
    rows of a batch do not have it yet. Any other feature may not hang on the rows beside it.
    """
    assert whole.matrix is not None
    count = len(whole.frame)
    looking: dict[str, None] = {}
    sizes = sorted({int(share * count) for share in SHARES} - {0})
    around = np.array(["*" in subject.around or name in subject.around for name in names])
    blind = np.where(around, np.inf, allowed)  # to what such a feature is, so that it hides no other
    for number, size in enumerate(sizes):
        progress(NAME, number, len(sizes))
        try:
            made = subject.serve(whole.frame.iloc[:size])
        except Exception as raised:  # noqa: BLE001 - the package under test may raise anything; it is reported
            text = f"the first {size} of {count} rows: {described(raised)}"
            failing = Failing("context", source, size - 1, "(row)", None, None, text, None, raised)
            outcome.failed(NAME, failing)
            return
        comparison = compare(whole.matrix.take(np.arange(size)), made, allowed)
        if comparison.structure:
            text = f"the first {size} of {count} rows: {comparison.structure}"
            failing = Failing("context", source, size - 1, comparison.name or "(columns)", None, None, text)
            outcome.failed(NAME, failing)
            return
        for found in (compare(whole.matrix.take(np.arange(size)), made, blind), comparison):
            for row in np.flatnonzero(found.unequal).tolist():
                column = int(found.first[row])
                if not around[column]:
                    before, then = whole.matrix.value(row, column), made.value(row, column)
                    text, raws = f"among the first {size} of {count} rows", whole.rows[:size]
                    outcome.failed(NAME, Failing("context", source, row, names[column], before, then, text, raws))
                    return
                looking[names[column]] = None
    text = f"{', '.join(looking)} needs rows that come later" if looking else "no feature needs rows that come later"
    outcome.passed(NAME, f"{len(sizes)} batches; {text}")
