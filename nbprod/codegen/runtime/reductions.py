"""The methods of pandas that ask for what is learned of all rows, in the place of those that look at the rows at hand.

While a learned value is computed on a part, pandas' reductions and the fits of scikit-learn's encoders and scalers go
through `Asking`: what is known of all rows is handed back, and the first thing that is not known ends the computation
with a partial result. Merged over all parts it is known, and the computation goes on from there in the next round.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionDtype
from pandas.core.groupby import DataFrameGroupBy, SeriesGroupBy
from sklearn import preprocessing

from .asking import Asking, Refused, hold_to_doubles, is_short, standing_in
from .merged_fits import fit_then_transform, of_estimators
from .partials import interpolated, middle, mode, nunique, skew, value_counts, variance


@contextmanager
def asked(ask: Asking) -> Iterator[None]:
    """Within, pandas' reductions and the fits that merge go through `ask`."""
    with ExitStack() as stack:
        stack.enter_context(standing_in(preprocessing.LabelEncoder, {"fit_transform": fit_then_transform}))
        for owner, name, made in (*_of_pandas(ask), *_of_groups(ask), *of_estimators(ask)):
            plain = getattr(owner, name)
            method = ask.instead_of(plain, made)
            stack.enter_context(
                standing_in(owner, {name: _as_class(plain, method) if isinstance(plain, type) else method})
            )
        yield


def _as_class(plain: Any, method: Callable[..., Any]) -> Any:
    """A class in the place of `plain` whose instances `method` makes; pandas takes it from itself as well."""

    class Standing(type):
        def __call__(cls, *words: Any, **options: Any) -> Any:
            return method(*words, **options)

        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, plain)

        def __getattr__(cls, name: str) -> Any:
            return getattr(plain, name)

    return Standing(plain.__name__, (), {"__doc__": plain.__doc__})


def _of_pandas(ask: Asking) -> Iterator[tuple[Any, str, Any]]:
    numbers: dict[str, Callable[..., Any]] = {
        "count": lambda found: found["count"].astype("int64"),
        "sum": _sums,
        "mean": lambda found: found["mean"].astype("float64"),
        "min": lambda found: found["min"],
        "max": lambda found: found["max"],
        "var": lambda found, ddof=1: variance(found, ddof),
        "std": lambda found, ddof=1: variance(found, ddof) ** 0.5,
        "skew": skew,
    }
    for owner in (pd.Series, pd.DataFrame):
        for name, finish in numbers.items():
            yield owner, name, _reduction(ask, getattr(owner, name), finish)
        yield owner, "median", _median(ask, owner.median)
        yield owner, "quantile", _quantile(ask, owner.quantile)
    yield pd.Series, "mode", _of_counts(ask, pd.Series.mode, mode)
    yield pd.DataFrame, "mode", _refusing("DataFrame.mode")
    yield pd.Series, "value_counts", _of_counts(ask, pd.Series.value_counts, functools.partial(_value_counts, ask))
    yield pd.Series, "unique", _of_counts(ask, pd.Series.unique, functools.partial(_unique, ask))
    yield pd.Series, "nunique", _of_counts(ask, pd.Series.nunique, nunique)
    yield pd, "Categorical", _categorical(ask, pd.Categorical)


def _sums(moments: Any) -> Any:
    """Raises Refused where a sum of whole numbers is beyond 64 bits, where pandas' own goes round."""
    if any(isinstance(each, int) and not -(2**63) <= each < 2**63 for each in moments["sum"]):
        raise Refused("a sum of whole numbers is beyond 64 bits")
    return moments["sum"]


def _reduction(ask: Asking, plain: Any, finish: Callable[..., Any]) -> Any:
    def reduction(self: Any, axis: Any = 0, skipna: bool = True, numeric_only: bool = False, **options: Any) -> Any:
        if axis in (1, "columns"):
            return plain(self, axis=axis, skipna=skipna, numeric_only=numeric_only, **options)
        _hold_to_columns(self, axis)
        if plain.__name__ not in ("count", "max", "min"):
            hold_to_doubles(self)
        given = {name: value for name, value in options.items() if value is not None}
        if not skipna or given.keys() - {"ddof", "out", "dtype"} or isinstance(self.index, pd.MultiIndex):
            raise Refused(f"{plain.__name__} is asked with options that do not merge")
        frame = _numbers(self, numeric_only)

        def own() -> Any:
            return plain(frame if isinstance(self, pd.DataFrame) else self, **given)

        found = ask("moments", frame, None, _handed(own))
        if isinstance(found, _Handed):
            return found.value
        made = finish(found, **{name: given[name] for name in given.keys() & {"ddof"}})
        return _squeezed(self, frame, made.infer_objects().rename(None))

    return reduction


def _median(ask: Asking, plain: Any) -> Any:
    def median(self: Any, axis: Any = 0, skipna: bool = True, numeric_only: bool = False, **options: Any) -> Any:
        if axis in (1, "columns"):
            return plain(self, axis=axis, skipna=skipna, numeric_only=numeric_only, **options)
        _hold_to_columns(self, axis)
        if not skipna or any(value is not None for value in options.values()):
            raise Refused("median is asked with options that do not merge")
        frame = _numbers(self, numeric_only)
        found = ask("order", frame, {"q": [0.5]}, _handed(lambda: plain(self, numeric_only=numeric_only)))
        if isinstance(found, _Handed):
            return found.value
        made = [middle(*each) for (each,) in found]
        return _squeezed(self, frame, pd.Series(made, index=frame.columns, dtype="float64"))

    return median


def _quantile(ask: Asking, plain: Any) -> Any:
    def quantile(self: Any, q: Any = 0.5, *words: Any, **options: Any) -> Any:
        axis, numeric_only = options.pop("axis", 0), bool(options.pop("numeric_only", False))
        if words or options.pop("interpolation", "linear") != "linear" or options or axis in (1, "columns"):
            raise Refused("a quantile is asked for that is not interpolated linearly by column")
        _hold_to_columns(self, axis)
        hold_to_doubles(self)
        frame = _numbers(self, numeric_only)
        shares = [float(each) for each in (q if isinstance(q, (list, tuple, np.ndarray)) else [q])]
        found = ask(
            "order", frame, {"q": shares}, _handed(lambda: plain(self if isinstance(self, pd.Series) else frame, q))
        )
        if isinstance(found, _Handed):
            return found.value
        table = pd.DataFrame(
            {at: [interpolated(*each) for each in column] for at, column in enumerate(found)}, index=shares
        )
        table.columns = frame.columns
        if isinstance(q, (list, tuple, np.ndarray)):
            return table.iloc[:, 0].rename(self.name) if isinstance(self, pd.Series) else table
        made = table.iloc[0]
        return _squeezed(self, frame, made if isinstance(self, pd.Series) else made.rename(q))

    return quantile


def _of_counts(ask: Asking, plain: Any, finish: Callable[..., Any]) -> Any:
    def reduction(self: Any, *words: Any, **options: Any) -> Any:
        found = ask("counts", self.to_frame(), None, _handed(lambda: plain(self, *words, **options)))
        return found.value if isinstance(found, _Handed) else finish(found[0].rename(self.name), *words, **options)

    return reduction


def _unique(ask: Asking, counts: Any) -> Any:
    if len(counts) > 1:
        ask.hold_to_order("what unique() gives")
    return counts.index.array if isinstance(counts.index.dtype, ExtensionDtype) else counts.index.to_numpy()


def _value_counts(ask: Asking, counts: Any, *words: Any, **options: Any) -> Any:
    made = value_counts(counts, *words, **options)
    is_sorted = options.get("sort", words[1] if len(words) > 1 else True)
    has_ties = not is_sorted or bool(made.duplicated().any())
    if has_ties and isinstance(made.index.dtype, pd.CategoricalDtype):
        raise Refused("which of the equally frequent categories comes first is not told by counts")
    if len(made) > 1 and has_ties:
        ask.hold_to_order("which of the equally frequent comes first in value_counts()")
    return made


def _categorical(ask: Asking, plain: Any) -> Any:
    def categorical(values: Any, categories: Any = None, ordered: Any = None, dtype: Any = None, **options: Any) -> Any:
        fixed = (
            categories is not None or dtype is not None or isinstance(getattr(values, "dtype", 0), pd.CategoricalDtype)
        )
        if fixed or not isinstance(values, (pd.Series, pd.Index, np.ndarray)):
            return plain(values, categories=categories, ordered=ordered, dtype=dtype, **options)
        column = pd.Series(values)
        found = ask("counts", column.to_frame(), None, _handed(lambda: plain(values, ordered=ordered)))
        if isinstance(found, _Handed):
            return found.value
        known = plain(found[0].index).categories
        if not known.is_monotonic_increasing:
            ask.hold_to_order("the order of categories that have none")
        return plain(values, categories=known, ordered=ordered)

    return categorical


def _of_groups(ask: Asking) -> Iterator[tuple[Any, str, Any]]:
    needs = {**{name: (name,) for name in ("count", "size", "sum", "min", "max")}, "mean": ("sum", "count")}
    for owner in (SeriesGroupBy, DataFrameGroupBy):
        for name, parts in needs.items():
            yield owner, name, _by_group(ask, getattr(owner, name), {part: getattr(owner, part) for part in parts})
        for name in (
            "median",
            "std",
            "var",
            "nunique",
            "quantile",
            "agg",
            "aggregate",
            "transform",
            "apply",
            "first",
            "last",
        ):
            yield owner, name, _refusing(f"groupby(...).{name}")


def _by_group(ask: Asking, plain: Any, parts: Mapping[str, Any]) -> Any:
    class Plain:
        """The methods of a group as they are, for a partial result."""

        def __init__(self, grouped: Any) -> None:
            for name, method in parts.items():
                setattr(self, name, lambda method=method: method(grouped))

    def reduction(self: Any, *words: Any, **options: Any) -> Any:
        if words or options:
            raise Refused(f"groupby(...).{plain.__name__} is asked with options that do not merge")
        if not self.as_index:
            raise Refused("groupby(..., as_index=False) numbers the groups of a part")
        if "sum" in parts:
            _hold_to_sums(self._obj_with_exclusions)
            hold_to_doubles(self._obj_with_exclusions)
        asked_for = {"parts": list(parts), "sort": self.sort}
        found = ask("groups", _Grouped(self, Plain(self)), asked_for, _handed(lambda: plain(self)))
        if isinstance(found, _Handed):
            return found.value
        if not self.sort:
            ask.hold_to_order("groupby(..., sort=False)")
        return found["sum"] / found["count"] if len(parts) > 1 else found[plain.__name__]

    return reduction


def _hold_to_sums(data: Any) -> None:
    """Raise Refused where texts are put together, which is a sum by the order of the rows."""
    frame = data.to_frame() if isinstance(data, pd.Series) else data
    odd = [str(label) for label, dtype in zip(frame.columns, frame.dtypes) if dtype.kind not in "iufbm"]
    if odd:
        raise Refused(f"groups are summed up of {', '.join(odd)}, which holds no numbers")


class _Grouped:
    """The partial results of groups, and the rows with their keys, which tell them from others."""

    def __init__(self, grouped: Any, plain: Any) -> None:
        self._plain, self.asked_of = plain, _rows_with_keys(grouped)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)


def _rows_with_keys(grouped: Any) -> Any:
    """The rows of groups with the keys of each beside them. Raises Refused where groups are bins of time."""
    data = grouped.obj
    frame = data.to_frame() if isinstance(data, pd.Series) else data
    grouper = grouped._grouper
    if type(grouper).__name__ != "BaseGrouper":
        raise Refused("groups are bins between the first row and the last one")
    keys = [pd.Series(each.grouping_vector).set_axis(frame.index) for each in grouper.groupings]
    made = pd.concat([frame, *keys], axis=1)
    return made.set_axis([*frame.columns, *(f"key {at}" for at in range(len(keys)))], axis=1)


class _Handed:
    """A value that is not about the rows."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _handed(own: Callable[[], Any]) -> Callable[[], _Handed]:
    return lambda: _Handed(own())


def _refusing(name: str) -> Any:
    def refuse(*_words: Any, **_options: Any) -> Any:
        raise Refused(f"{name} of all rows is no sum of what it is of parts")

    return refuse


def _hold_to_columns(data: Any, axis: Any) -> None:
    """Raise Refused where a table is reduced over all of its columns at once."""
    if axis is None and isinstance(data, pd.DataFrame):
        raise Refused("a table is reduced over rows and columns at once (axis=None)")


def _numbers(data: Any, numeric_only: bool) -> Any:
    """The columns of which numbers are asked. Raises Refused where there are others."""
    frame = data.to_frame() if isinstance(data, pd.Series) else data
    frame = frame.select_dtypes(["number", "bool"]) if numeric_only else frame
    odd = [str(label) for label, dtype in zip(frame.columns, frame.dtypes) if dtype.kind not in "iufb"]
    if odd:
        raise Refused(f"numbers are asked of {', '.join(odd)}, which holds others")
    return frame


def _squeezed(asked_of: Any, frame: Any, made: Any) -> Any:
    """What was made of each column as pandas gives it: a Series for a table, for a column a number of its precision."""
    if isinstance(asked_of, pd.Series):
        value = made.iloc[0]
        if not isinstance(value, float):
            return value
        return asked_of.dtype.type(value) if is_short(asked_of.dtype) else np.float64(value)
    if any(isinstance(dtype, ExtensionDtype) or is_short(dtype) for dtype in frame.dtypes):
        raise Refused("a table is reduced that has columns of other kinds of numbers than NumPy's own of 64 bits")
    return made.rename_axis(frame.columns.name)
