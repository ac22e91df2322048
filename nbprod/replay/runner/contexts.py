"""The same rows shuffled, in batches and one at a time: nothing of a row may hang on those around it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from .captured import Served, served_whole
from .compare import compare, tolerance
from .matrix import matrix_of
from .outcome import Failing, Outcome, Progress, described
from .sampling import SEED, Effort, stratified
from .subject import Subject

ALONE = "one row at a time"
TRIED = 20
"""Rows that tell how long one takes."""


def check_contexts(
    subject: Subject,
    whole: Served,
    source: int,
    reached: Any,
    allowed: Any,
    names: tuple[str, ...],
    effort: Effort,
    outcome: Outcome,
    progress: Progress,
) -> Any:
    """The same rows shuffled, in batches and alone must be what they are as a whole; returns rows that are not."""
    assert whole.matrix is not None
    frame = whole.frame.iloc[whole.rows]
    count = len(frame)
    shuffled = np.random.default_rng(SEED).permutation(count)
    singles = stratified(frame, reached, effort.singles)
    plans: list[tuple[str, list[Any]]] = [
        ("shuffled", [shuffled]),
        ("batches of 7", _batches(reached, 7, effort.small_batches)),
        ("batches of 1000", _batches(reached, 1000, effort.large_batches)),
        (ALONE, [np.array([position]) for position in singles]),
    ]
    bad: list[int] = []
    for name, batches in plans:
        check = _check_alone if name == ALONE else _check_batches
        failing, wrong, error = check(subject, frame, whole, source, batches, allowed, names, name, progress)
        outcome.max_error = max(outcome.max_error, error)
        if failing is not None:
            outcome.failed(name, failing)
        else:
            outcome.passed(name, f"{sum(len(batch) for batch in batches)} rows")
        bad.extend(wrong)
    return np.unique(np.asarray(bad, dtype=np.intp))


def serve_alone(subject: Subject, source: int, positions: list[int]) -> dict[str, Any]:
    """Whether rows of a raw frame, served one at a time, are what they are as a whole; for another process."""
    whole = served_whole(subject, subject.captures.frames[source])
    assert whole.matrix is not None
    reference = matrix_of(subject.captures.fit.X)
    batches = [np.array([position]) for position in positions]
    frame = whole.frame.iloc[whole.rows]
    failing, wrong, error = _check_batches(
        subject, frame, whole, source, batches, tolerance(reference), reference.names, ALONE, lambda *_: None
    )
    return {"equal": failing is None and not wrong, "error": error}


def _check_alone(
    subject: Subject,
    frame: Any,
    whole: Served,
    source: int,
    batches: list[Any],
    allowed: Any,
    names: tuple[str, ...],
    name: str,
    progress: Progress,
) -> tuple[Failing | None, list[int], float]:
    """As `_check_batches`; the first rows tell how long it takes, and other processes take parts of the rest.

    The part of a process that finds a difference, or gives no answer, is checked here once more, where it is explained.
    """
    began = time.monotonic()
    found = [
        _check_batches(
            subject, frame, whole, source, batches[:TRIED], allowed, names, name, _counted(progress, batches)
        )
    ]
    rest = batches[TRIED:]
    seconds = (time.monotonic() - began) / TRIED * len(rest)
    count = subject.helpers.count(seconds) if subject.helpers is not None else 0
    parts = [rest[part :: count + 1] for part in range(count + 1)]
    told = _counted(progress, batches, TRIED, count + 1)
    others = [[int(batch[0]) for batch in part] for part in parts[1:]]
    helpers = subject.helpers.start(source, others) if subject.helpers is not None else []
    found.append(_check_batches(subject, frame, whole, source, parts[0], allowed, names, name, told))
    for helper, part in zip(helpers, parts[1:]):
        answer = helper.answer()
        if answer is not None and answer["equal"]:
            found.append((None, [], float(answer["error"])))
        else:
            found.append(_check_batches(subject, frame, whole, source, part, allowed, names, name, told))
    failing = min((each for each, _, _ in found if each is not None), key=lambda each: each.row, default=None)
    return failing, [row for _, wrong, _ in found for row in wrong], max(error for _, _, error in found)


def _counted(progress: Progress, batches: list[Any], before: int = 0, times: int = 1) -> Progress:
    """Progress among all batches, of which some were checked before and others are by so many processes."""

    def tell(what: str, done: int, _total: int) -> None:
        progress(what, min(before + times * done, len(batches)), len(batches))

    return tell


def _batches(reached: Any, size: int, most: int) -> list[Any]:
    batches = [reached[start : start + size] for start in range(0, len(reached), size)]
    step = max(1, -(-len(batches) // most))
    return batches[::step]


def _check_batches(
    subject: Subject,
    frame: Any,
    whole: Served,
    source: int,
    batches: list[Any],
    allowed: Any,
    names: tuple[str, ...],
    name: str,
    progress: Progress,
) -> tuple[Failing | None, list[int], float]:
    assert whole.matrix is not None
    failing: Failing | None = None
    wrong: list[int] = []
    error = 0.0
    for number, batch in enumerate(batches):
        if number % 25 == 0:
            progress(name, number, len(batches))
        raws = whole.rows[batch]
        alone = len(batch) == 1
        try:
            made = subject.serve(frame.iloc[batch])
        except Exception as raised:  # noqa: BLE001 - the package under test may raise anything; it is reported
            text = described(raised)
            among = None if alone else raws
            failing = failing or Failing("alone", source, int(raws[0]), "(row)", None, None, text, among, raised)
            wrong.extend(batch.tolist())
            continue
        comparison = compare(whole.matrix.take(batch), made, allowed)
        error = max(error, comparison.max_error)
        if comparison.equal:
            continue
        wrong.extend(batch[comparison.unequal[: len(batch)]].tolist())
        at = int(np.flatnonzero(comparison.unequal)[0])
        column = int(comparison.first[at])
        if failing is None and comparison.structure:
            text = f"{name}: {_as_contexts(comparison.structure)}"
            failing = Failing("context", source, int(raws[0]), comparison.name or "(columns)", None, None, text, raws)
        elif failing is None:
            before, then = whole.matrix.value(int(batch[at]), column), made.value(at, column)
            failing = Failing("context", source, int(raws[at]), names[column], before, then, name, raws)
    return failing, wrong, error


def _as_contexts(structure: str) -> str:
    return structure.replace("in the notebook", "as a whole").replace("in the package", "in this batch")
