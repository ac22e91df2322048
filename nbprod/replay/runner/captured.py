"""Each matrix that the notebook gave its model, found again among what the package makes of the raw rows."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np

from .compare import coded_columns, compare, largest, structural_fault
from .matching import Match, match_rows
from .matrix import Matrix, matrix_of
from .outcome import Progress
from .subject import Call, Subject

BISECTIONS = 1000
NOISE = 1e-3  # of a column's largest value: more than this is another value, and no error of computation


@dataclass
class Block:
    """A captured matrix, found again among the raw rows; `equal` turns false row by row where a check fails.

    `within` is how far its rows may be from those of serving because `fit_transform` gave them; 0 for rounding alone.
    """

    call: Call
    matrix: Matrix
    source: int
    match: Match | None
    equal: Any
    within: float = 0.0


@dataclass
class Served:
    """What the package makes of one raw frame as a whole; `rows` are the positions it could make anything of."""

    frame: Any
    matrix: Matrix | None
    rows: Any
    fault: BaseException | None


def blocks_of(
    subject: Subject,
    served: dict[int, Served],
    allowed: Any,
    progress: Progress,
    reference: Matrix,
    own: Matrix | None,
) -> list[Block]:
    """Each distinct captured matrix with the raw frame that explains most of its rows.

    `own` stands in place of `reference`, the training matrix, where serving has to give something else for its rows.
    """
    blocks: list[Block] = []
    calls = [subject.captures.fit, *subject.captures.predicts]
    for number, call in enumerate(calls):
        progress("serving the captured rows", number, len(calls))
        if call.X is None:
            continue
        matrix = matrix_of(call.X)
        matrix = own if own is not None and is_same(matrix, reference) else matrix
        if any(is_same(matrix, block.matrix) for block in blocks):
            continue
        best, within = _best_match(subject, served, call, matrix, allowed, bool(number)), 0.0
        if number and own is not None and not (best is not None and best[1].comparison.equal):
            more = _set_aside(reference, own)
            near = _best_match(subject, served, call, matrix, allowed + more, True)
            if near is not None and near[1].comparison.equal:
                best, within = near, float(more.max())
        equal = np.zeros(matrix.rows, dtype=bool) if best is None else ~best[1].comparison.unequal[: matrix.rows]
        if best is not None and best[1].comparison.structure:
            equal = np.zeros(matrix.rows, dtype=bool)
        blocks.append(Block(call, matrix, best[0] if best else 0, best[1] if best else None, equal, within))
    return blocks


def _best_match(
    subject: Subject, served: dict[int, Served], call: Call, matrix: Matrix, allowed: Any, predicted: bool
) -> tuple[int, Match] | None:
    """The raw frame whose rows explain most of a captured matrix, by number, and how."""
    labels = matrix.index if matrix.index is not None else label_index(call)
    best: tuple[int, Match] | None = None
    least: tuple[bool, int] | None = None
    for source in range(len(subject.captures.frames)):
        whole = _serve_whole(subject, served, source)
        if whole.matrix is None:
            continue
        match = match_rows(matrix, whole.matrix, whole.frame.index[whole.rows], labels, allowed)
        unequal = int(match.comparison.unequal.sum())
        # Where none explains all of predicted rows, a row of the frame with just these labels is shown.
        rank = predicted and unequal > 0 and (labels is None or not whole.frame.index.equals(labels)), unequal
        if least is None or rank < least:
            best, least = (source, match), rank
        if match.comparison.equal:
            break
    return best


def _set_aside(reference: Matrix, own: Matrix) -> Any:
    """What each column of rows that were set aside may differ by, where they come from `fit_transform` on all rows.

    Such rows have other values than serving can give, as the training rows have: `reference` by `fit_transform`, `own`
    by `transform`. Twice the largest distance in the column is allowed, where that is an error of computation and no
    other value: a thousandth of the column's largest value at most. Any other column keeps its bound.
    """
    apart = np.zeros(reference.width)
    if structural_fault(reference, own, strict=False) is not None or reference.sparse is not None:
        return apart
    for place, (a, b) in enumerate(coded_columns(reference, own)):
        if reference.columns[place].kind.startswith("float"):
            distance = np.abs(a - b)
            apart[place] = 2 * distance[np.isfinite(distance)].max(initial=0.0)
    return np.where(apart <= largest(reference) * NOISE, apart, 0.0)


def label_index(call: Call) -> Any:
    """An array has no index; the labels that go with it may be a Series that has."""
    return (
        getattr(call.y, "index", None) if call.y is not None and not callable(getattr(call.y, "index", None)) else None
    )


def is_same(a: Matrix, b: Matrix) -> bool:
    """Whether two captured matrices have the same labels and, to the bit, the same values."""
    if a.rows != b.rows or a.names != b.names or (a.index is None) != (b.index is None):
        return False
    if a.index is not None and not a.index.equals(b.index):
        return False
    return compare(a, b, np.zeros(a.width)).equal


def _serve_whole(subject: Subject, served: dict[int, Served], source: int) -> Served:
    if source not in served:
        served[source] = served_whole(subject, subject.captures.frames[source])
    return served[source]


def served_whole(subject: Subject, frame: Any) -> Served:
    """The frame as one request; rows that the package can't take (training may have dropped them) are left out."""
    everything = np.arange(len(frame))
    try:
        matrix = subject.serve(frame)
    except Exception as error:  # noqa: BLE001 - the package under test may raise anything; it is reported
        if subject.together:  # fewer rows are another batch
            return Served(frame, None, everything[:0], error)
        good = _servable(subject, frame, _have_reached(subject, frame))
        try:
            return Served(frame, subject.serve(frame.iloc[good]) if len(good) else None, good, error)
        except Exception as again:  # noqa: BLE001 - as above
            return Served(frame, None, everything[:0], again)
    if matrix.rows != len(frame):
        fault = RuntimeError(f"{len(frame)} rows in, {matrix.rows} rows out")
        return Served(frame, None, everything[:0], fault)
    return Served(frame, matrix, everything, None)


def _servable(subject: Subject, frame: Any, reached: Any) -> Any:
    """Positions of the rows that do not make the package raise; `reached` are those that surely reached the model.

    Rows that training drops for what they lack or hold raise alike: those that reached the model, as far as its rows
    have labels, and those with the same gaps are tried together, then halves, the largest part first.
    """
    good: list[Any] = []
    parts = [(-len(part), int(part[0]), part) for part in _alike(frame, reached)]
    heapq.heapify(parts)
    for _ in range(BISECTIONS + len(parts)):
        if not parts:
            break
        _, _, part = heapq.heappop(parts)
        try:
            subject.serve(frame.iloc[part])
            good.append(part)
        except Exception:  # noqa: BLE001 - that it raises is what is asked
            if len(part) > 1:
                for half in np.array_split(part, 2):
                    heapq.heappush(parts, (-len(half), int(half[0]), half))
    return np.sort(np.concatenate(good)) if good else np.arange(0)


def _have_reached(subject: Subject, frame: Any) -> Any:
    """Whether each row has a label of a row that the notebook gave its model."""
    named = np.zeros(len(frame), dtype=bool)
    for call in (subject.captures.fit, *subject.captures.predicts):
        labels = getattr(call.X, "index", None)
        labels = label_index(call) if labels is None or callable(labels) else labels
        if labels is not None:
            named |= frame.index.isin(labels)
    return named


def _alike(frame: Any, reached: Any) -> list[Any]:
    """Positions of the rows by which of their columns are missing, and by whether they have reached the model."""
    gaps = np.packbits(np.column_stack([frame.isna().to_numpy(), reached]), axis=1)
    _, kinds = np.unique(gaps, axis=0, return_inverse=True)
    return [np.flatnonzero(kinds.ravel() == kind) for kind in range(int(kinds.max()) + 1)] if len(frame) else []


def rows_reached(blocks: list[Block], source: int) -> Any:
    """Raw positions that reached the model, in rows of the served matrix."""
    found = [b.match.positions[b.match.positions >= 0] for b in blocks if b.source == source and b.match is not None]
    return np.unique(np.concatenate(found)) if found else np.arange(0)


def turn_false(blocks: list[Block], source: int, bad: Any) -> None:
    """Note that the rows `bad` of a served frame are not equal after all."""
    for block in blocks:
        if block.source == source and block.match is not None:
            block.equal &= ~np.isin(block.match.positions, bad)
