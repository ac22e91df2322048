"""Which raw row each captured row came from: by the index where the notebook kept it, else by value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .compare import CELLS_AT_ONCE, Comparison, coded_columns, compare, structural_fault
from .matrix import Matrix

CANDIDATES = 2000  # rows that are looked through for the nearest one when nothing fits


@dataclass(frozen=True)
class Match:
    """`positions[i]` is the raw row of captured row `i`, -1 where none was found; `by` is `index` or `value`.

    `guess` has the most similar row in place of each -1; `comparison` is with the rows that `guess` names.
    """

    by: str
    positions: Any
    guess: Any
    comparison: Comparison


def match_rows(block: Matrix, served: Matrix, raw_index: Any, block_index: Any, allowed: Any) -> Match:
    """Find the rows of `block` among `served`, whose row `i` is made from raw row `i`.

    The index decides where the captured object carries labels of the raw frame's unique index. Labels can mislead
    (a `reset_index` numbers anew), so values are tried too when the rows so found are not all equal.
    """
    by_index = _by_index(block, served, raw_index, block_index, allowed)
    if by_index is not None and by_index.comparison.equal:
        return by_index
    if structural_fault(block, served.take([0] * block.rows) if served.rows else served, strict=False) is not None:
        return by_index if by_index is not None else _nothing(block, served, allowed)
    by_value = _by_value(block, served, allowed)
    if by_index is None:
        return by_value
    fewer = by_value.comparison.unequal.sum() < by_index.comparison.unequal.sum()
    return by_value if fewer and by_value.comparison.equal else by_index


def _by_index(block: Matrix, served: Matrix, raw_index: Any, block_index: Any, allowed: Any) -> Match | None:
    if block_index is None or len(block_index) != block.rows or not raw_index.is_unique:
        return None
    positions = raw_index.get_indexer(block_index)
    if (positions < 0).any():
        return None
    return Match("index", positions, positions, compare(block, served.take(positions), allowed, strict=False))


def _nothing(block: Matrix, served: Matrix, allowed: Any) -> Match:
    positions = np.full(block.rows, -1, dtype=np.intp)
    guess = np.zeros(block.rows if served.rows else 0, dtype=np.intp)
    return Match("value", positions, guess, compare(block, served.take(guess), allowed, strict=False))


def _by_value(block: Matrix, served: Matrix, allowed: Any) -> Match:
    """Each captured row takes an equal row: the very same values first, then within tolerance.

    Rows that are still free come first; rows that training repeats (oversampling) are taken again.
    """
    if not served.rows or not block.rows:
        return _nothing(block, served, allowed)
    wanted_keys, offered_keys, dense = _keys(block, served)
    positions = np.full(block.rows, -1, dtype=np.intp)
    free: dict[bytes, list[int]] = {}
    for row in range(served.rows - 1, -1, -1):
        free.setdefault(offered_keys[row], []).append(row)
    for row in range(block.rows):
        rows = free.get(wanted_keys[row])
        if rows:
            positions[row] = rows.pop() if len(rows) > 1 else rows[0]
    guess = positions
    if (positions < 0).any() and dense is not None:
        wanted, offered = dense
        taken = np.zeros(len(offered), dtype=bool)
        taken[positions[positions >= 0]] = True
        _take_near(wanted, offered, positions, taken, allowed)
        guess = positions.copy()
        for at in np.flatnonzero(positions < 0):
            guess[at] = _nearest(wanted[at], offered, taken, allowed)
    guess = np.maximum(guess, 0)
    comparison = compare(block, served.take(guess), allowed, strict=False)
    unequal = comparison.unequal | (positions < 0)
    return Match("value", positions, guess, Comparison(unequal, comparison.first, comparison.max_error))


def _keys(block: Matrix, served: Matrix) -> tuple[list[bytes], list[bytes], tuple[Any, Any] | None]:
    """A key for each row, equal where rows are; and both matrices as float64, unless they are too wide for memory."""
    if (block.rows + served.rows) * block.width > CELLS_AT_ONCE and block.sparse is not None:
        return _sparse_keys(block.sparse), _sparse_keys(served.sparse), None
    pairs = coded_columns(block, served)
    wanted = np.column_stack([a for a, _ in pairs])
    offered = np.column_stack([b for _, b in pairs])
    return [_key(row) for row in wanted], [_key(row) for row in offered], (wanted, offered)


def _sparse_keys(rows: Any) -> list[bytes]:
    tidy = rows.copy()
    tidy.sum_duplicates()
    tidy.eliminate_zeros()
    bounds = tidy.indptr
    return [
        tidy.indices[bounds[n] : bounds[n + 1]].tobytes() + tidy.data[bounds[n] : bounds[n + 1]].tobytes()
        for n in range(tidy.shape[0])
    ]


def _key(row: Any) -> bytes:
    clean = row + 0.0  # -0.0 and 0.0 are equal and must have one key
    clean[np.isnan(clean)] = np.nan
    return bytes(clean.tobytes())


def _take_near(wanted: Any, offered: Any, positions: Any, taken: Any, allowed: Any) -> None:
    """Within tolerance: candidates come from a window in the column that has the most distinct values."""
    rows = np.flatnonzero(positions < 0)
    if not len(rows) or not offered.size:
        return
    spread = [len(np.unique(offered[:, place])) for place in range(offered.shape[1])]
    by = int(np.argmax(spread))
    order = np.argsort(offered[:, by], kind="stable")
    ordered = offered[order, by]
    for row in rows:
        value = wanted[row, by]
        if np.isnan(value):
            window = order[np.searchsorted(ordered, np.nan) :]
        else:
            low = np.searchsorted(ordered, value - allowed[by], "left")
            window = order[low : np.searchsorted(ordered, value + allowed[by], "right")]
        near = (p for p in window if not _unequal_columns(wanted[row], offered[p], allowed).any())
        again = -1
        for position in near:
            again = position
            if not taken[position]:
                taken[position] = True
                break
        positions[row] = again


def _unequal_columns(a: Any, b: Any, allowed: Any) -> Any:
    with np.errstate(invalid="ignore"):
        near = np.abs(a - b) <= allowed
    return ~((a == b) | (np.isnan(a) & np.isnan(b)) | near)


def _nearest(row: Any, offered: Any, taken: Any, allowed: Any) -> int:
    """The free row that differs in the fewest columns."""
    free = np.flatnonzero(~taken)
    if not len(free):
        free = np.arange(len(offered))
    step = max(1, len(free) // CANDIDATES)
    candidates = free[::step]
    return int(candidates[np.argmin(_unequal_columns(row, offered[candidates], allowed).sum(axis=1))])
