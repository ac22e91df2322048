"""What a model is given, in one form: columns of numbers, text or categories, whatever object carried them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

EXACT_INTEGERS = 2**53  # above, float64 no longer tells neighbouring integers apart
UNTOLD = "untold"  # the kind of a column of objects that are all missing


@dataclass(frozen=True)
class Column:
    """One column: `kind` is `bool`, `int`, `float`, `float32`, `datetime`, `category` or `text`.

    `values` are float64 where every value of the kind fits into one, else objects; `missing` marks the absent ones.
    """

    kind: str
    values: Any
    missing: Any


@dataclass(frozen=True)
class Matrix:
    """Rows of columns. `named`: the names are the author's. `sparse` holds a CSR matrix instead of columns."""

    container: str
    names: tuple[str, ...]
    named: bool
    columns: tuple[Column, ...]
    index: Any
    rows: int
    sparse: Any = None

    def take(self, positions: Any) -> Matrix:
        """The rows at these positions, in this order."""
        at = np.asarray(positions, dtype=np.intp)
        columns = tuple(Column(c.kind, c.values[at], c.missing[at]) for c in self.columns)
        index = None if self.index is None else self.index.take(at)
        sparse = None if self.sparse is None else self.sparse[at]
        return Matrix(self.container, self.names, self.named, columns, index, len(at), sparse)

    def dense_columns(self) -> tuple[Column, ...]:
        """The columns also of a sparse matrix; ask for few rows at a time."""
        if self.sparse is None:
            return self.columns
        values = self.sparse.toarray()
        return tuple(_column(values[:, place]) for place in range(values.shape[1]))

    def value(self, row: int, column: int) -> Any:
        """One element, None where it is missing."""
        found = self.take([row]).dense_columns()[column] if self.sparse is not None else self.columns[column]
        at = 0 if self.sparse is not None else row
        if found.missing[at]:
            return None
        value = found.values[at]
        return int(value) if found.kind == "int" else bool(value) if found.kind == "bool" else plain(value)

    @property
    def width(self) -> int:
        return len(self.names)


def matrix_of(value: Any) -> Matrix:
    """The matrix in a DataFrame, Series, array, sparse matrix or list. Raises TypeError for anything else."""
    if isinstance(value, pd.DataFrame):
        columns = tuple(_column(value.iloc[:, place]) for place in range(value.shape[1]))
        names = tuple(str(name) for name in value.columns)
        return Matrix("DataFrame", names, True, columns, value.index, len(value))
    if isinstance(value, pd.Series):
        named = value.name is not None
        return Matrix(
            "Series", (str(value.name) if named else "x0",), named, (_column(value),), value.index, len(value)
        )
    if hasattr(value, "tocsr") and hasattr(value, "shape"):
        names = tuple(f"x{place}" for place in range(value.shape[1]))
        return Matrix("sparse", names, False, (), None, int(value.shape[0]), value.tocsr())
    if isinstance(value, (np.ndarray, list, tuple, pd.Index, pd.api.extensions.ExtensionArray)):
        array = np.asarray(value)
        if array.ndim == 1:
            return Matrix("ndarray", ("x0",), False, (_column(array),), None, len(array))
        if array.ndim == 2:
            columns = tuple(_column(array[:, place]) for place in range(array.shape[1]))
            return Matrix("ndarray", tuple(f"x{n}" for n in range(len(columns))), False, columns, None, len(array))
    raise TypeError(f"a {type(value).__module__}.{type(value).__qualname__} is no matrix that can be compared")


def _column(series: Any) -> Column:
    """A column as values and missing marks; integers too large for float64 and datetimes stay objects.

    Numbers that stand in an array of objects are numbers: `.values` of a frame with several dtypes makes such arrays.
    Objects that are all missing do not tell their kind.
    """
    if series.dtype == object:
        if len(series) and bool(pd.isna(pd.Series(series)).all()):
            return _objects(UNTOLD, series)
        inferred = pd.Series(series).infer_objects()
        series = inferred if isinstance(inferred.dtype, np.dtype) and inferred.dtype.kind in "fiub" else series
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _objects("category", series)
    if isinstance(dtype, pd.SparseDtype):
        return _column(np.asarray(series))
    if isinstance(dtype, np.dtype):
        if dtype.kind in "fiub":
            return _numbers(dtype, np.asarray(series))
        return _objects("datetime" if dtype.kind in "mM" else "text", series)
    inner = getattr(dtype, "numpy_dtype", None)
    if isinstance(inner, np.dtype) and inner.kind in "fiub":
        missing = np.asarray(pd.isna(series))
        values = pd.Series(series).to_numpy(dtype=inner, na_value=inner.type(0))
        column = _numbers(inner, values)
        return Column(column.kind, column.values, missing | column.missing)
    return _objects("datetime" if isinstance(dtype, (pd.DatetimeTZDtype, pd.PeriodDtype)) else "text", series)


def _numbers(dtype: Any, values: Any) -> Column:
    if dtype.kind == "f":
        kind = "float" if dtype.itemsize >= 8 else f"float{8 * dtype.itemsize}"
        return Column(kind, values.astype(np.float64), np.isnan(values))
    missing = np.zeros(len(values), dtype=bool)
    if dtype.kind == "b":
        return Column("bool", values.astype(np.float64), missing)
    if len(values) and max(abs(int(values.max())), abs(int(values.min()))) > EXACT_INTEGERS:
        return Column("int", values.astype(object), missing)
    return Column("int", values.astype(np.float64), missing)


def _objects(kind: str, series: Any) -> Column:
    values = np.asarray(pd.Series(series).astype(object), dtype=object)
    return Column(kind, values, np.asarray(pd.isna(pd.Series(values, dtype=object)), dtype=bool))


def with_whole_numbers(matrix: Matrix, trained: Matrix) -> Matrix:
    """The matrix, with the columns that only rows with gaps turn into floats as the whole numbers that they are.

    A column that is of whole numbers in training is one of floats in a batch with a row that training dropped: such a
    column has gaps (an array has them in any of its columns), and whole numbers in all other rows.
    """
    if matrix.width != trained.width or matrix.sparse is not None or trained.sparse is not None:
        return matrix
    anywhere = matrix.container == "ndarray" and any(bool(each.missing.any()) for each in matrix.columns)
    columns = tuple(
        Column("int", column.values, column.missing)
        if own.kind == "int"
        and column.kind == "float"
        and (anywhere or bool(column.missing.any()))
        and _are_whole(column.values[~column.missing])
        else column
        for column, own in zip(matrix.columns, trained.columns)
    )
    return replace(matrix, columns=columns)


def _are_whole(values: Any) -> bool:
    return bool((np.isfinite(values) & (np.floor(values) == values)).all())


def plain(value: Any) -> Any:
    """A value as JSON can say it; what JSON can't say as text."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else None if value != value else str(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    try:
        missing = bool(pd.isna(value))
    except (TypeError, ValueError):
        missing = False
    return None if missing else str(value)


def record(frame: Any, position: int) -> dict[str, Any]:
    """One raw row as a JSON object."""
    return {str(name): plain(frame.iloc[position, place]) for place, name in enumerate(frame.columns)}
