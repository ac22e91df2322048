"""Earlier rows without the later ones: whether what a batch gives a row hangs on what comes after it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .captured import Served
from .compare import compare
from .outcome import Failing, Outcome, Progress, described
from .subject import Subject

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
    """The first rows of a batch alone must go through; features that look at later rows are named.

    Such a feature is no fault: the notebook computes it so. But the newest rows of a batch have none of it yet.
    """
    assert whole.matrix is not None
    count = len(whole.frame)
    looking: dict[str, None] = {}
    sizes = sorted({int(share * count) for share in SHARES} - {0})
    for number, size in enumerate(sizes):
        progress("earlier rows without later ones", number, len(sizes))
        try:
            made = subject.serve(whole.frame.iloc[:size])
        except Exception as raised:  # noqa: BLE001 - the package under test may raise anything; it is reported
            text = f"the first {size} of {count} rows: {described(raised)}"
            failing = Failing("context", source, size - 1, "(row)", None, None, text, None, raised)
            outcome.failed("earlier rows without later ones", failing)
            return
        comparison = compare(whole.matrix.take(np.arange(size)), made, allowed)
        if comparison.structure:
            text = f"the first {size} of {count} rows: {comparison.structure}"
            failing = Failing("context", source, size - 1, comparison.name or "(columns)", None, None, text)
            outcome.failed("earlier rows without later ones", failing)
            return
        unequal = np.unique(comparison.first[comparison.first >= 0])
        looking.update(dict.fromkeys(names[column] for column in unequal.tolist()))
    text = f"{', '.join(looking)} needs rows that come later" if looking else "no feature needs rows that come later"
    outcome.passed("earlier rows without later ones", f"{len(sizes)} batches; {text}")
