"""Whether two matrices are equal row by row, and by how much they differ where they are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .matrix import EXACT_INTEGERS, UNTOLD, Matrix

NUMBERS = frozenset({"bool", "int", "float", "float32", "float16"})
CELLS_AT_ONCE = 20_000_000
SLACK = 8.0  # units of rounding error that a sum over a handful of terms can collect


@dataclass(frozen=True)
class Comparison:
    """`unequal[row]`; `first[row]` is the first column that differs, -1 where none does.

    `structure` says in words how the matrices differ as a whole (columns, order, kinds), and `column` which
    column that is about; then no row is equal.
    """

    unequal: Any
    first: Any
    max_error: float
    structure: str = ""
    column: int = -1
    name: str = ""

    @property
    def equal(self) -> bool:
        return not self.structure and not bool(self.unequal.any())


def tolerance(reference: Matrix) -> Any:
    """What each column's floats may differ by: eight units in the last place of the column's largest value.

    Batch and single-row arithmetic round differently after cancellation; the error then is of the size of the
    operands, which the column's largest value stands for, and not of the row's own small result.
    """
    allowed = SLACK * float(np.finfo(np.float64).eps) * largest(reference)
    for place, column in enumerate(reference.columns):
        if column.kind in ("float32", "float16"):
            allowed[place] *= float(np.finfo(np.float32).eps) / float(np.finfo(np.float64).eps)
    return allowed


def widened(allowed: Any, reference: Matrix, shares: Mapping[str, float]) -> Any:
    """What each column may differ by, and the named ones by a share of their largest value where that is more."""
    if not shares:
        return allowed
    declared = np.array([shares.get(str(name), 0.0) for name in reference.names])
    return np.maximum(allowed, declared * largest(reference))


def largest(matrix: Matrix) -> Any:
    """The largest finite absolute value of each column of floats, 0 for others; of a sparse matrix that of all."""
    if matrix.sparse is not None:
        data = abs(matrix.sparse.data)
        return np.full(matrix.width, data[np.isfinite(data)].max(initial=0.0), dtype=float)
    found = np.zeros(matrix.width)
    for place, column in enumerate(matrix.columns):
        if column.kind.startswith("float"):
            finite = column.values[~column.missing & np.isfinite(column.values)]
            found[place] = np.abs(finite).max(initial=0.0)
    return found


def compare(reference: Matrix, other: Matrix, allowed: Any, *, strict: bool = True) -> Comparison:
    """Row `i` of `other` against row `i` of `reference`. `strict` wants the same kinds of columns, not just values."""
    fault = structural_fault(reference, other, strict=strict)
    if fault is not None:
        text, column, name = fault
        everything = np.ones(max(reference.rows, 1), dtype=bool)
        return Comparison(everything, np.full(len(everything), max(column, 0)), 0.0, text, column, name)
    unequal = np.zeros(reference.rows, dtype=bool)
    first = np.full(reference.rows, -1, dtype=np.intp)
    error = 0.0
    step = max(1, CELLS_AT_ONCE // max(1, reference.width))
    for start in range(0, reference.rows, step):
        block = np.arange(start, min(start + step, reference.rows))
        whole = len(block) == reference.rows
        left = reference if whole else reference.take(block)
        right = other if whole else other.take(block)
        for place, (a, b) in enumerate(coded_columns(left, right)):
            differs, largest = _differences(a, b, allowed[place])
            error = max(error, largest)
            rows = block[differs]
            fresh = rows[first[rows] < 0]
            first[fresh] = place
            unequal[rows] = True
    return Comparison(unequal, first, error)


def structural_fault(reference: Matrix, other: Matrix, *, strict: bool) -> tuple[str, int, str] | None:
    """How the two differ before any value is looked at: (what, column, its name), None when they don't."""
    if strict and reference.container != other.container:
        return f"a {reference.container} in the notebook, a {other.container} in the package", -1, ""
    if reference.named and other.named and reference.names != other.names:
        return _name_fault(reference.names, other.names)
    if reference.width != other.width:
        return f"{reference.width} columns in the notebook, {other.width} in the package", -1, ""
    if reference.rows != other.rows:
        return f"{reference.rows} rows in the notebook, {other.rows} in the package", -1, ""
    if reference.rows == 0 or reference.sparse is not None or other.sparse is not None:
        return None
    for place in range(reference.width):
        a, b = reference.columns[place].kind, other.columns[place].kind
        if a != b and UNTOLD not in (a, b) and (strict or not (a in NUMBERS and b in NUMBERS)):
            return f"{a} in the notebook, {b} in the package", place, reference.names[place]
    return None


def _name_fault(wanted: tuple[str, ...], got: tuple[str, ...]) -> tuple[str, int, str]:
    for place, name in enumerate(wanted):
        if wanted.count(name) > got.count(name):
            return "a column of the notebook's matrix is missing in the package's", place, name
    for name in got:
        if got.count(name) > wanted.count(name):
            return "a column of the package's matrix is not in the notebook's", -1, name
    place = next(place for place, name in enumerate(wanted) if got[place] != name)
    return f"columns in another order: {got[place]!r} stands in the place of {wanted[place]!r}", place, wanted[place]


def coded_columns(left: Matrix, right: Matrix) -> list[tuple[Any, Any]]:
    """Pairs of float64 arrays that are equal where the columns' values are; NaN stands for missing."""
    a, b = left.dense_columns(), right.dense_columns()
    return [_coded(a[place], b[place]) for place in range(len(a))]


def _coded(a: Any, b: Any) -> tuple[Any, Any]:
    if a.values.dtype == np.float64 and b.values.dtype == np.float64:
        left, right = a.values, b.values
    else:
        codes, _ = pd.factorize(np.concatenate([_hashable(a), _hashable(b)]))
        left, right = codes[: len(a.values)].astype(np.float64), codes[len(a.values) :].astype(np.float64)
    return np.where(a.missing, np.nan, left), np.where(b.missing, np.nan, right)


def _hashable(column: Any) -> Any:
    """Objects that equal values share: whole floats as integers, unhashable things by what they print."""
    made = np.empty(len(column.values), dtype=object)
    for place, value in enumerate(column.values):
        if isinstance(value, (float, np.floating)) and value == value and -EXACT_INTEGERS < value < EXACT_INTEGERS:
            number = float(value)
            made[place] = int(number) if number.is_integer() else number
        elif isinstance(value, (list, dict, set, np.ndarray)):
            made[place] = repr(value)
        else:
            made[place] = None if column.missing[place] else value
    return made


def _differences(a: Any, b: Any, allowed: float) -> tuple[Any, float]:
    """Which elements differ, and the largest finite difference of all, tolerated ones included."""
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    if same.all():
        return ~same, 0.0
    with np.errstate(invalid="ignore"):
        distance = np.abs(a - b)
    finite = distance[~same & np.isfinite(distance)]
    return ~(same | (distance <= allowed)), float(finite.max()) if len(finite) else 0.0
