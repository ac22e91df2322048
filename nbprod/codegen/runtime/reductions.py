"""The methods of pandas that ask for what is learned of all rows, in the place of those that look at the rows at hand.

While a learned value is computed on a part, pandas' reductions and the fits of scikit-learn's encoders and scalers go
through `Asking`: what is known of all rows is handed back, and the first thing that is not known ends the computation
with a partial result. Merged over all parts it is known, and the computation goes on from there in the next round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import pandas as pd
from pandas.core.groupby import DataFrameGroupBy, SeriesGroupBy
from sklearn import preprocessing

from .asking import Asking, Refused, standing_in
from .merged_fits import fit_then_transform, of_estimators
from .partials import interpolated, middle, mode, nunique, skew, value_counts, variance


@contextmanager
def asked(ask: Asking) -> Iterator[None]:
    """Within, pandas' reductions and the fits that merge go through `ask`."""
    with ExitStack() as stack:
        stack.enter_context(standing_in(preprocessing.LabelEncoder, {"fit_transform": fit_then_transform}))
        for owner, name, made in (*_of_pandas(ask), *_of_groups(ask), *of_estimators(ask)):
            stack.enter_context(standing_in(owner, {name: ask.instead_of(getattr(owner, name), made)}))
        yield


def _of_pandas(ask: Asking) -> Iterator[tuple[Any, str, Any]]:
    numbers: dict[str, Callable[..., Any]] = {
        "count": lambda found: found["count"].astype("int64"),
        "sum": lambda found: found["sum"],
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
    yield pd.Series, "value_counts", _of_counts(ask, pd.Series.value_counts, value_counts)
    yield pd.Series, "unique", _of_counts(ask, pd.Series.unique, lambda counts: counts.index.to_numpy())
    yield pd.Series, "nunique", _of_counts(ask, pd.Series.nunique, nunique)
    yield pd, "Categorical", _categorical(ask, pd.Categorical)


def _reduction(ask: Asking, plain: Any, finish: Callable[..., Any]) -> Any:
    def reduction(self: Any, axis: Any = 0, skipna: bool = True, numeric_only: bool = False, **options: Any) -> Any:
        if axis in (1, "columns"):
            return plain(self, axis=axis, skipna=skipna, numeric_only=numeric_only, **options)
        given = {name: value for name, value in options.items() if value is not None}
        if not skipna or given.keys() - {"ddof", "out", "dtype"} or isinstance(self.index, pd.MultiIndex):
            raise Refused(f"{plain.__name__} is asked with options that do not merge")
        frame = _numbers(self, numeric_only)

        def own() -> Any:
            return plain(self) if plain.__name__ == "count" else plain(self, **given)

        found = ask("moments", frame, None, _handed(own))
        if isinstance(found, _Handed):
            return found.value
        made = finish(found, **{name: given[name] for name in given.keys() & {"ddof"}})
        return _squeezed(self, made.infer_objects().rename(None))

    return reduction


def _median(ask: Asking, plain: Any) -> Any:
    def median(self: Any, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Any:
        if axis in (1, "columns"):
            return plain(self, axis=axis, skipna=skipna, numeric_only=numeric_only)
        frame = _numbers(self, numeric_only)
        found = ask("order", frame, {"q": [0.5]}, _handed(lambda: plain(self, numeric_only=numeric_only)))
        if isinstance(found, _Handed):
            return found.value
        made = [middle(*each) for (each,) in found]
        return _squeezed(self, pd.Series(made, index=frame.columns, dtype="float64"))

    return median


def _quantile(ask: Asking, plain: Any) -> Any:
    def quantile(self: Any, q: Any = 0.5, *words: Any, **options: Any) -> Any:
        numeric_only = bool(options.pop("numeric_only", False))
        if words or options.pop("interpolation", "linear") != "linear" or options.keys() - {"axis"}:
            raise Refused("a quantile is asked for that is not interpolated linearly")
        frame = _numbers(self, numeric_only)
        shares = [float(each) for each in (q if isinstance(q, (list, tuple, np.ndarray)) else [q])]
        found = ask("order", frame, {"q": shares}, _handed(lambda: plain(self, q)))
        if isinstance(found, _Handed):
            return found.value
        table = pd.DataFrame(
            {at: [interpolated(*each) for each in column] for at, column in enumerate(found)}, index=shares
        )
        table.columns = frame.columns
        if isinstance(q, (list, tuple, np.ndarray)):
            return table.iloc[:, 0].rename(self.name) if isinstance(self, pd.Series) else table
        made = table.iloc[0]
        return _squeezed(self, made if isinstance(self, pd.Series) else made.rename(q))

    return quantile


def _of_counts(ask: Asking, plain: Any, finish: Callable[..., Any]) -> Any:
    def reduction(self: Any, *words: Any, **options: Any) -> Any:
        found = ask("counts", self.to_frame(), None, _handed(lambda: plain(self, *words, **options)))
        return found.value if isinstance(found, _Handed) else finish(found[0].rename(self.name), *words, **options)

    return reduction


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
        return plain(values, categories=plain(found[0].index).categories, ordered=ordered)

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
        asked_for = {"parts": list(parts), "sort": self.sort}
        found = ask("groups", _Grouped(self.obj, Plain(self)), asked_for, _handed(lambda: plain(self)))
        if isinstance(found, _Handed):
            return found.value
        return found["sum"] / found["count"] if len(parts) > 1 else found[plain.__name__]

    return reduction


class _Grouped:
    """Rows with the partial results of their groups, which are not part of what tells them from others."""

    def __init__(self, rows: Any, plain: Any) -> None:
        self._rows, self._plain = rows, plain

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)

    def __reduce__(self) -> Any:
        return (type(self), (self._rows, None))


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


def _numbers(data: Any, numeric_only: bool) -> Any:
    """The columns of which numbers are asked. Raises Refused where there are others."""
    frame = data.to_frame() if isinstance(data, pd.Series) else data
    frame = frame.select_dtypes(["number", "bool"]) if numeric_only else frame
    odd = [str(label) for label, dtype in zip(frame.columns, frame.dtypes) if dtype.kind not in "iufb"]
    if odd:
        raise Refused(f"numbers are asked of {', '.join(odd)}, which holds others")
    return frame


def _squeezed(data: Any, made: Any) -> Any:
    if isinstance(data, pd.Series):
        value = made.iloc[0]
        return np.float64(value) if isinstance(value, float) else value
    return made.rename_axis(data.columns.name)
