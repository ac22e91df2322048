"""Whether two values are the same to the bit: what a training is given, and what an estimator is made of."""

from __future__ import annotations

import copyreg
import datetime
import decimal
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Same = Callable[[Any, Any], bool]
EXACT: frozenset[type] = frozenset({str, int, bool, bytes, type(None), type(...)})
SPARSE = {"csr": ("data", "indices", "indptr"), "csc": ("data", "indices", "indptr"), "coo": ("data", "row", "col")}
_NEW_OBJECT = vars(copyreg)["__newobj__"]  # how an object that is its attributes says it is made again


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are of one type with the same content, to the bit; False for what can't be looked into.

    Zeros have their signs, and any NaN is as good as another. An object of scikit-learn is its attributes, with what
    it has learned.
    """
    if type(one) is not type(other):
        return False
    known = _BY_TYPE.get(type(one))
    if known is None:
        known = next((same for kind, same in _BY_BASE if isinstance(one, kind)), _same_object)
    return known(one, other)


def is_looked_into(value: Any) -> bool:
    """Whether `is_same` knows what a value holds, so that another answer of it tells of another value."""
    return type(value) in _BY_TYPE or callable(value) or any(isinstance(value, kind) for kind, _ in _BY_BASE)


def _equal(one: Any, other: Any) -> bool:
    return bool(one == other)


def _same_float(one: float, other: float) -> bool:
    return _same_array(np.float64(one), np.float64(other))


def _same_complex(one: complex, other: complex) -> bool:
    return _same_array(np.complex128(one), np.complex128(other))


def _same_items(one: Any, other: Any) -> bool:
    return len(one) == len(other) and all(map(is_same, one, other))


def _same_dict(one: dict[Any, Any], other: dict[Any, Any]) -> bool:
    return _same_items(list(one), list(other)) and _same_items(list(one.values()), list(other.values()))


def _same_slice(one: slice, other: slice) -> bool:
    return all(is_same(getattr(one, part), getattr(other, part)) for part in ("start", "stop", "step"))


def _same_set(one: Any, other: Any) -> bool:
    first, second = ({(type(item), item) for item in items} for items in (one, other))
    return first == second and all(kind in EXACT for kind, _ in first)


def _same_time(one: Any, other: Any) -> bool:
    plain = one.replace(tzinfo=None) == other.replace(tzinfo=None)
    return bool(plain and one.tzinfo == other.tzinfo and one.fold == other.fold)


def _same_moment(one: Any, other: Any) -> bool:
    """Timestamps and time differences of pandas."""
    is_equal = _same_array(one.asm8, other.asm8)
    return is_equal and getattr(one, "tzinfo", None) == getattr(other, "tzinfo", None)


def _same_period(one: Any, other: Any) -> bool:
    return bool(one.freq == other.freq and one.ordinal == other.ordinal)


def _same_interval(one: Any, other: Any) -> bool:
    return bool(one.closed == other.closed) and is_same(one.left, other.left) and is_same(one.right, other.right)


def _same_array(one: Any, other: Any) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.dtype.names is not None:
        return all(_same_array(one[name], other[name]) for name in one.dtype.names)
    kind = one.dtype.kind
    if kind == "O":
        return _same_items(one.ravel().tolist(), other.ravel().tolist())
    if kind == "c":
        return _same_array(one.real, other.real) and _same_array(one.imag, other.imag)
    if kind == "f":
        equal = (one == other) & (np.signbit(one) == np.signbit(other))
        return bool(np.all(equal | (np.isnan(one) & np.isnan(other))))
    if kind in "mM":
        return _same_array(one.view("i8"), other.view("i8"))
    return kind in "biuSU" and bool(np.all(one == other))


def _same_series(one: Any, other: Any) -> bool:
    return is_same(one.name, other.name) and _same_index(one.index, other.index) and _same_column(one, other)


def _same_frame(one: Any, other: Any) -> bool:
    """Column by column, so that names that stand twice are told apart."""
    if not (_same_index(one.columns, other.columns) and _same_index(one.index, other.index)):
        return False
    return all(_same_column(one.iloc[:, at], other.iloc[:, at]) for at in range(one.shape[1]))


def _same_index(one: Any, other: Any) -> bool:
    if type(one) is not type(other) or not _same_items(list(one.names), list(other.names)):
        return False
    if isinstance(one, pd.MultiIndex):
        return all(_same_index(one.get_level_values(n), other.get_level_values(n)) for n in range(one.nlevels))
    return bool(one.equals(other)) if isinstance(one, pd.RangeIndex) else _same_column(one, other)


def _same_column(one: Any, other: Any) -> bool:
    """The values of two Series or indexes, whatever their dtype."""
    dtype = one.dtype
    if dtype != other.dtype or len(one) != len(other):
        return False
    if isinstance(dtype, np.dtype):
        return _same_array(one.to_numpy(), other.to_numpy())
    first, second = one.array, other.array
    if isinstance(dtype, pd.CategoricalDtype):
        is_equal = dtype.ordered == other.dtype.ordered and _same_index(dtype.categories, other.dtype.categories)
        return is_equal and _same_array(np.asarray(first.codes), np.asarray(second.codes))
    if isinstance(dtype, (pd.DatetimeTZDtype, pd.PeriodDtype)):
        return _same_array(first.asi8, second.asi8)
    if isinstance(dtype, pd.IntervalDtype):
        return _same_index(first.left, second.left) and _same_index(first.right, second.right)
    if isinstance(dtype, pd.SparseDtype):
        parts = [(each.sp_values, each.sp_index.to_int_index().indices) for each in (first, second)]
        return is_same(first.fill_value, second.fill_value) and all(map(_same_array, *parts))
    if isinstance(dtype, pd.StringDtype) or str(dtype).endswith("[pyarrow]"):
        return _same_array(np.asarray(first, dtype=object), np.asarray(second, dtype=object))
    kind = getattr(dtype, "numpy_dtype", None)
    if kind is None:
        return False
    values = [each.to_numpy(dtype=kind, na_value=kind.type(0)) for each in (first, second)]
    return _same_array(first.isna(), second.isna()) and _same_array(*values)


def _same_object(one: Any, other: Any) -> bool:
    """Sparse matrices, objects of scikit-learn, and what is one and the same function or class."""
    library = type(one).__module__.partition(".")[0]
    if library == "scipy" and getattr(one, "format", None) in SPARSE:
        is_alike = one.format == other.format and one.shape == other.shape
        return is_alike and all(_same_array(getattr(one, p), getattr(other, p)) for p in SPARSE[one.format])
    if library == "sklearn":
        first, second = attributes(one), attributes(other)
        return first is not None and second is not None and _same_dict(first, second)
    return callable(one) and one is other


def attributes(value: Any) -> dict[str, Any] | None:
    """What an object keeps of itself, where it is its attributes and nothing else; None for any other."""
    made_by, arguments, state, *items = (*value.__reduce_ex__(2), None, None, None)[:5]
    if made_by is not _NEW_OBJECT or arguments != (type(value),) or items != [None, None]:
        return None
    if state is None:
        return {}
    return state if isinstance(state, dict) else None


_BY_TYPE: dict[type, Same] = {
    **dict.fromkeys((*EXACT, range, datetime.date, datetime.timedelta), _equal),
    float: _same_float,
    complex: _same_complex,
    decimal.Decimal: lambda one, other: one.as_tuple() == other.as_tuple(),
    datetime.datetime: _same_time,
    datetime.time: _same_time,
    list: _same_items,
    tuple: _same_items,
    dict: _same_dict,
    set: _same_set,
    frozenset: _same_set,
    slice: _same_slice,
    np.ndarray: _same_array,
    pd.Series: _same_series,
    pd.DataFrame: _same_frame,
    pd.Timestamp: _same_moment,
    pd.Timedelta: _same_moment,
    pd.Period: _same_period,
    pd.Interval: _same_interval,
    **dict.fromkeys((type(pd.NA), type(pd.NaT)), lambda one, other: one is other),
}
_BY_BASE: tuple[tuple[type, Same], ...] = (
    (np.generic, _same_array),
    (np.dtype, _equal),
    (pd.Index, _same_index),
    (pd.api.extensions.ExtensionArray, lambda one, other: _same_column(pd.Series(one), pd.Series(other))),
)
