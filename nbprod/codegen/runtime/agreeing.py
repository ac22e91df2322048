"""Whether a table made of rows together is what the tables made of some of them each are, put together.

Only then is what the code does row by row, so that what is learned of it merges. Where the order is known in which the
rows stand, they are held against each other one by one, decimals to 1e-12; else as a bag of rows, to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import numpy as np
import pandas as pd

CLOSE = 1e-12


class Agreement(IntEnum):
    """How far a table is that of its pieces: not at all, the same rows, the same rows in the same order."""

    NO = 0
    ROWS = 1
    ORDER = 2


def agreement(pieces: Sequence[Any], whole: Any, order: slice | None, times: int = 1) -> Agreement:
    """Whether the frame `whole` has each row of the frames `pieces` so many times.

    `order` is how the raw rows of `whole` follow from those of the pieces, one piece below the other, where it is told.
    """
    if any(not piece.columns.equals(whole.columns) for piece in pieces):
        return Agreement.NO
    if sum(map(len, pieces)) * times != len(whole):
        return Agreement.NO
    some = [_numbered(piece) for piece in pieces if len(piece)]
    if not some:
        return Agreement.ORDER
    apart, whole = pd.concat(some, ignore_index=True), _numbered(whole)
    if order is not None:
        expected = apart.take(np.arange(len(apart))[order])
        if all(_is_same(expected.iloc[:, at], whole.iloc[:, at]) for at in range(whole.shape[1])):
            return Agreement.ORDER
    hashes = _hashes(pd.concat([apart, whole], ignore_index=True))
    (one, ones), (other, others) = (
        np.unique(each, return_counts=True) for each in (hashes[: len(apart)], hashes[len(apart) :])
    )
    return Agreement(int(np.array_equal(one, other) and np.array_equal(ones * times, others)))


def is_within(some: Any, whole: Any) -> bool:
    """Whether each row of a frame is one of another, as many times at most."""
    if not some.columns.equals(whole.columns):
        return False
    if not len(some):
        return True
    hashes = _hashes(pd.concat([_numbered(some), _numbered(whole)], ignore_index=True))
    (one, ones), (other, others) = (
        np.unique(each, return_counts=True) for each in (hashes[: len(some)], hashes[len(some) :])
    )
    if not np.isin(one, other).all():
        return False
    return bool((ones <= others[np.searchsorted(other, one)]).all())


def _numbered(frame: Any) -> Any:
    return frame.set_axis(range(frame.shape[1]), axis=1).reset_index(drop=True)


def _is_same(one: Any, other: Any) -> bool:
    kinds = {one.dtype.kind, other.dtype.kind}
    if kinds <= set("iu"):
        return bool((one.to_numpy() == other.to_numpy()).all())
    if kinds <= set("iuf") and isinstance(one.dtype, np.dtype) and isinstance(other.dtype, np.dtype):
        left, right = (each.to_numpy(dtype="float64") for each in (one, other))
        return bool(np.isclose(left, right, rtol=CLOSE, atol=0, equal_nan=True).all())
    hashes = _hash(pd.concat([one, other], ignore_index=True))
    return bool((hashes[: len(one)] == hashes[len(one) :]).all())


def _hashes(frame: Any) -> Any:
    """A number for each row by its values."""
    total = np.zeros(len(frame), dtype="uint64")
    for at in range(frame.shape[1]):
        total = total * np.uint64(1000003) + _hash(frame.iloc[:, at])
    return total


def _hash(column: Any) -> Any:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f":
        column = column + 0.0  # -0.0 and 0.0 are one value
    try:
        return pd.util.hash_pandas_object(column, index=False).to_numpy()
    except TypeError:  # values that have no hash, as lists
        return pd.util.hash_pandas_object(column.astype(str), index=False).to_numpy()
