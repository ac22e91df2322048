"""The same rows shuffled, in batches and one at a time: nothing of a row may hang on those around it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from .captured import Served, served_whole
from .compare import Comparison, compare
from .matrix import Matrix, matrix_of
from .outcome import Failing, Outcome, Progress, described
from .parts import Twin
from .rows import MOST_ROWS, NAME, Held, beside_compiled, hold_features, is_compiled
from .sampling import SEED, Effort, stratified
from .subject import Subject

ALONE = "one row at a time"
SHARED = "batches"
"""The task of a twin that checks batches."""

TRIED = 20
"""Rows that tell how long one takes."""


@dataclass(frozen=True)
class Found:
    """What a check of batches has found: the first difference, the rows that differ, and the largest error."""

    failing: Failing | None
    wrong: list[int]
    error: float

    @property
    def is_equal(self) -> bool:
        return self.failing is None and not self.wrong


@dataclass(frozen=True)
class Contexts:
    """Rows of one raw frame as they are served as a whole, to be held against the same rows in other company."""

    subject: Subject
    whole: Served
    source: int
    allowed: Any
    names: tuple[str, ...]

    def check(self, batches: list[Any], name: str, progress: Progress) -> Found:
        """Serve each batch (positions among the rows that can be served) and compare."""
        assert self.whole.matrix is not None
        frame = self.whole.frame.iloc[self.whole.rows]
        failing: Failing | None = None
        wrong: list[int] = []
        error = 0.0
        for number, batch in enumerate(batches):
            if number % 25 == 0:
                progress(name, number, len(batches))
            raws = self.whole.rows[batch]
            try:
                made = self.subject.serve(frame.iloc[batch])
            except Exception as raised:  # noqa: BLE001 - the package under test may raise anything; it is reported
                text = described(raised)
                among = None if len(batch) == 1 else raws
                failing = failing or Failing(
                    "alone", self.source, int(raws[0]), "(row)", None, None, text, among, raised
                )
                wrong.extend(batch.tolist())
                continue
            comparison = compare(self.whole.matrix.take(batch), made, self.allowed)
            error = max(error, comparison.max_error)
            if comparison.equal:
                continue
            wrong.extend(batch[comparison.unequal[: len(batch)]].tolist())
            failing = failing or self._failing(batch, made, comparison, name)
        return Found(failing, wrong, error)

    def _failing(self, batch: Any, made: Matrix, comparison: Comparison, name: str) -> Failing:
        assert self.whole.matrix is not None
        raws = self.whole.rows[batch]
        if comparison.structure:
            text = f"{name}: {_as_contexts(comparison.structure)}"
            column = comparison.name or "(columns)"
            return Failing("context", self.source, int(raws[0]), column, None, None, text, raws)
        at = int(np.flatnonzero(comparison.unequal)[0])
        column_at = int(comparison.first[at])
        values = self.whole.matrix.value(int(batch[at]), column_at), made.value(at, column_at)
        return Failing("context", self.source, int(raws[at]), self.names[column_at], *values, name, raws)

    def check_shared(self, batches: list[Any], name: str, progress: Progress) -> Found:
        """As `check`, of which other processes take parts; of few batches of a proof in a fit its twin takes half.

        The part of a process that finds a difference, or gives no answer, is checked here once more, where it is
        explained.
        """
        if self.subject.helper is not None and len(batches) > 1:
            return self._check_by_two(self.subject.helper, batches, name, progress)
        alone = name == ALONE and not self.subject.is_in_fit and self.subject.parts is not None
        return self._check_in_parts(batches, name, progress) if alone else self.check(batches, name, progress)

    def _check_by_two(self, twin: Twin, batches: list[Any], name: str, progress: Progress) -> Found:
        theirs = batches[1::2]
        twin.begin(SHARED, self.source, [batch.tolist() for batch in theirs])
        own = self.check(batches[::2], name, _counted(progress, batches, times=2))
        return _together([own, self._told(twin.answer(), theirs, name, progress)])

    def _check_in_parts(self, batches: list[Any], name: str, progress: Progress) -> Found:
        """The first rows tell how long one takes, and so how many processes are started for the rest."""
        parts = self.subject.parts
        assert parts is not None
        began = time.monotonic()
        found = [self.check(batches[:TRIED], name, _counted(progress, batches))]
        rest = batches[TRIED:]
        count = parts.count((time.monotonic() - began) / TRIED * len(rest))
        shares = [rest[place :: count + 1] for place in range(1, count + 1)]
        started = parts.start(self.source, [[int(batch[0]) for batch in share] for share in shares])
        own = [batch for place, batch in enumerate(rest) if not 1 <= place % (count + 1) <= len(started)]
        told = _counted(progress, batches, TRIED, len(started) + 1)
        found.append(self.check(own, name, told))
        found += [self._told(part.answer(), share, name, told) for part, share in zip(started, shares)]
        return _together(found)

    def _told(self, answer: Any, batches: list[Any], name: str, progress: Progress) -> Found:
        """What another process has found, where it is that all are equal; else it is looked for here."""
        if isinstance(answer, dict) and answer.get("equal"):
            return Found(None, [], float(answer["error"]))
        return self.check(batches, name, progress)


def _together(found: list[Found]) -> Found:
    failings = [each.failing for each in found if each.failing is not None]
    return Found(
        min(failings, key=lambda each: each.row, default=None),
        [row for each in found for row in each.wrong],
        max(each.error for each in found),
    )


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
    contexts = Contexts(subject, whole, source, allowed, names)
    frame = whole.frame.iloc[whole.rows]
    shuffled = np.random.default_rng(SEED).permutation(len(frame))
    held = _held(contexts, reached, outcome)
    company = beside_compiled(subject, effort)
    left, sample = stratified(frame, held.left, effort.singles), stratified(frame, reached, company.singles)
    plans: list[tuple[str, list[Any]]] = [
        ("shuffled", [shuffled]),
        ("batches of 7", _batches(reached, 7, company.small_batches)),
        ("batches of 1000", _batches(reached, 1000, company.large_batches)),
        (ALONE, [np.array([position]) for position in np.union1d(left, sample)]),
    ]
    bad = list(held.wrong)
    for name, batches in plans:
        found = contexts.check_shared(batches, name, progress)
        outcome.max_error = max(outcome.max_error, found.error)
        if found.failing is not None:
            outcome.failed(name, found.failing)
        else:
            outcome.passed(name, f"{sum(len(batch) for batch in batches)} rows")
        bad.extend(found.wrong)
    return np.unique(np.asarray(bad, dtype=np.intp))


def _held(contexts: Contexts, reached: Any, outcome: Outcome) -> Held:
    """What the compiled form makes of rows, of which it leaves some to pandas; all of them where there is none."""
    if contexts.subject.is_in_fit:
        return Held(0, [], [])
    if not is_compiled(contexts.subject):
        return Held(0, reached.tolist(), [])
    asked = stratified(contexts.whole.frame.iloc[contexts.whole.rows], reached, MOST_ROWS)
    held = hold_features(contexts.subject, contexts.whole, contexts.source, asked, contexts.names)
    if held.failing is not None:
        outcome.failed(NAME, held.failing)
    else:
        outcome.passed(NAME, f"{held.answered} rows")
    return held


class Batches:
    """Whether batches of a raw frame are what they are as a whole; for another process, which may be asked again."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._known: dict[int, Contexts] = {}

    def __call__(self, source: int, batches: list[list[int]]) -> dict[str, Any]:
        """The batches are positions among the rows that can be served of frame number `source`."""
        if source not in self._known:
            whole = served_whole(self.subject, self.subject.captures.frames[source])
            reference = matrix_of(self.subject.captures.fit.X)
            allowed = self.subject.allowed(reference)
            self._known[source] = Contexts(self.subject, whole, source, allowed, reference.names)
        found = self._known[source].check([np.array(batch) for batch in batches], SHARED, lambda *_: None)
        return {"equal": found.is_equal, "error": found.error}


def _counted(progress: Progress, batches: list[Any], before: int = 0, times: int = 1) -> Progress:
    """Progress among all batches, of which some were checked before and others are by so many processes."""

    def tell(what: str, done: int, _total: int) -> None:
        progress(what, min(before + times * done, len(batches)), len(batches))

    return tell


def _batches(reached: Any, size: int, most: int) -> list[Any]:
    batches = [reached[start : start + size] for start in range(0, len(reached), size)]
    step = max(1, -(-len(batches) // most))
    return batches[::step]


def _as_contexts(structure: str) -> str:
    return structure.replace("in the notebook", "as a whole").replace("in the package", "in this batch")
