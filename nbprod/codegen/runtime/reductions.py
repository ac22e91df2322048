"""What is learned of all rows from parts of them: partial results that merge, and the methods that ask for them.

While a learned value is computed on a part, pandas' reductions and the fits of scikit-learn's encoders and scalers go
through `Asking`: what is known of all rows is handed back, and the first thing that is not known ends the computation
with a partial result. Merged over all parts it is known, and the computation goes on from there in the next round.
Counts, extremes, categories and order statistics are exact; sums are added up by `math.fsum`, and moments are merged by
the formulas of Chan et al. (1983) and Pebay (2008), so a mean or a variance may differ from one over all rows in its
last digits.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import joblib
import numpy as np
import pandas as pd
from pandas.core.groupby import DataFrameGroupBy, SeriesGroupBy
from sklearn import preprocessing
from sklearn.impute import SimpleImputer

MOST_DISTINCT = 1 << 16
"""So many values of a part are handed over with their counts; of more the order statistics are found by digits."""
DIGIT, DIGITS = 16, 4
"""Bits that a round finds of an order statistic, and rounds for the 64 of a number."""

Partials = Sequence[Any]


class Refused(BaseException):
    """What cannot be learned from parts; a BaseException, so that a notebook's own `except` does not take it."""


class Asked(BaseException):
    """The first thing that is not known: what was asked, the partial result, and a digest of what it was asked of."""

    def __init__(self, kind: str, options: Any, partial: Any, digest: str) -> None:
        self.kind, self.options, self.partial, self.digest = kind, options, partial, digest


@dataclass(frozen=True)
class Known:
    """What came of one question: the answer, `again` with what to ask instead, or `here`: it is not about the rows."""

    kind: str
    answer: Any = None
    again: Any = None
    here: bool = False


class Asking:
    """Answers the questions of one computation in their order, as far as they are known."""

    def __init__(self, known: Sequence[Known]) -> None:
        self._known, self._at, self._busy = known, 0, False

    def instead_of(self, plain: Any, made: Callable[..., Any]) -> Callable[..., Any]:
        """`made`, within which `plain` is what it was: a partial result is made by pandas' own means."""

        @functools.wraps(plain)
        def method(*words: Any, **options: Any) -> Any:
            if self._busy:
                return plain(*words, **options)
            self._busy = True
            try:
                return made(*words, **options)
            finally:
                self._busy = False

        return method

    def __call__(self, kind: str, frame: Any, options: Any = None, own: Callable[[], Any] | None = None) -> Any:
        """The answer of all rows to a question about the rows of `frame`; `own` computes it where it is not of them."""
        at, self._at = self._at, self._at + 1
        known = self._known[at] if at < len(self._known) else None
        if known is not None and known.kind != kind:
            raise Refused(f"it asks for {known.kind} on some parts of the rows and for {kind} on others")
        if known is not None and known.here and own is not None:
            return own()
        if known is not None and known.again is None:
            return known.answer
        options = options if known is None else known.again
        raise Asked(kind, options, PARTIALS[kind](frame, options), joblib.hash(frame))


def merged(kind: str, options: Any, partials: Partials, digests: Sequence[str]) -> Known:
    """What is known once all parts have been asked. Raises Refused."""
    if len(set(digests)) == 1 and len(digests) > 1:
        return Known(kind, here=True)
    made = MERGES[kind](options, partials)
    return made if isinstance(made, Known) else Known(kind, made)


# Columns of numbers: count, sum, extremes and central moments, by column.


def _moments(frame: Any, _options: Any) -> dict[str, Any]:
    """By column: the number of values, their sum, least and greatest, mean, and sums of powers of the deviations."""
    return {"labels": list(frame.columns), "columns": [_moments_of(frame.iloc[:, at]) for at in range(frame.shape[1])]}


def _moments_of(column: Any) -> tuple[Any, ...]:
    present = column.dropna()
    values = present.to_numpy(dtype="float64")
    count = len(values)
    if not count:
        return (0, 0, None, None, 0.0, 0.0, 0.0)
    whole = present.dtype.kind in "iub"
    total = int(present.sum()) if whole else float(values.sum())
    mean = total / count
    off = values - mean
    square = off * off
    lowest, highest = (each.item() if hasattr(each, "item") else each for each in (present.min(), present.max()))
    return (count, total, lowest, highest, mean, float(square.sum()), float((square * off).sum()))


def _merge_moments(_options: Any, partials: Partials) -> Any:
    labels = partials[0]["labels"]
    columns = [_merged_moments([each["columns"][at] for each in partials]) for at in range(len(labels))]
    return pd.DataFrame(
        columns, index=pd.Index(labels), columns=["count", "sum", "min", "max", "mean", "m2", "m3"], dtype=object
    )


def _merged_moments(parts: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    parts = [part for part in parts if part[0]]
    if not parts:
        return (0, 0, None, None, math.nan, math.nan, math.nan)
    count, totals = sum(part[0] for part in parts), [part[1] for part in parts]
    total = sum(totals) if all(isinstance(each, int) for each in totals) else math.fsum(totals)
    mean = total / count
    off = [part[4] - mean for part in parts]
    # the deviations of a part from the mean of all, by the binomial theorem
    m2 = math.fsum(part[5] + part[0] * d * d for part, d in zip(parts, off))
    m3 = math.fsum(part[6] + 3 * d * part[5] + part[0] * d**3 for part, d in zip(parts, off))
    return (count, total, min(part[2] for part in parts), max(part[3] for part in parts), mean, m2, m3)


def _variance(moments: Any, ddof: int) -> Any:
    count = moments["count"].astype("float64")
    return (moments["m2"].astype("float64") / (count - ddof)).where(count > ddof)


def _skew(moments: Any) -> Any:
    """The bias-corrected skewness of pandas (`nanops.nanskew`)."""
    count, m2, m3 = (moments[name].astype("float64") for name in ("count", "m2", "m3"))
    made = (count * (count - 1) ** 0.5 / (count - 2)) * (m3 / m2**1.5)
    return made.where(m2 != 0, 0.0).where(count >= 3)


# Values with their counts, in the order in which they first appear.


def _counts(frame: Any, _options: Any) -> list[Any]:
    return [frame.iloc[:, at].value_counts(sort=False, dropna=False) for at in range(frame.shape[1])]


def _merge_counts(_options: Any, partials: Partials) -> list[Any]:
    columns = []
    for parts in zip(*partials):
        whole = pd.concat([part for part in parts if len(part)] or list(parts[:1]))
        columns.append(whole.groupby(level=0, sort=False, dropna=False, observed=True).sum())
    return columns


# Order statistics of columns of numbers, exactly.


def _order(frame: Any, options: Any) -> list[Any]:
    digits = (options or {}).get("digits")
    made = []
    for at in range(frame.shape[1]):
        values = frame.iloc[:, at].dropna().to_numpy(dtype="float64")
        if digits is None:
            distinct, counts = np.unique(values, return_counts=True)
            few = len(distinct) <= MOST_DISTINCT
            made.append((len(values), distinct if few else None, counts if few else None))
        else:
            made.append((len(values), *_histograms(_ordered_bits(values), digits[at])))
    return made


def _histograms(bits: Any, prefixes: Sequence[tuple[int, int]]) -> tuple[Any, None]:
    """For each prefix (how many digits it has, and they) how many values go on from it with which digit."""
    found = {}
    for known, prefix in prefixes:
        shift = 64 - DIGIT * (known + 1)
        within = bits if not known else bits[bits >> np.uint64(64 - DIGIT * known) == np.uint64(prefix)]
        digit = (within >> np.uint64(shift)) & np.uint64((1 << DIGIT) - 1)
        found[known, prefix] = np.bincount(digit.astype("int64"), minlength=1 << DIGIT)
    return found, None


def _merge_order(options: Any, partials: Partials) -> Any:
    """The order statistics for the shares `q`: by column (lower, upper, weight of the upper one)."""
    shares = options["q"]
    columns = list(zip(*partials))
    digits = options.get("digits")
    if digits is None and all(part[1] is not None for parts in columns for part in parts):
        return [_from_counts(parts, shares) for parts in columns]
    found = options.get("found") or [{} for _ in columns]
    ranks = [sorted({rank for q in shares for rank in _ranks(sum(p[0] for p in parts), q)[:2]}) for parts in columns]
    if digits is None:
        digits = [[(0, 0)] if wanted else [] for wanted in ranks]
        state = [{rank: (0, 0, rank) for rank in wanted} for wanted in ranks]
        return Known("order", again={"q": shares, "digits": digits, "found": state})
    for state, parts in zip(found, columns):
        for rank, (known, prefix, left) in state.items():
            histogram = np.sum([part[1][known, prefix] for part in parts], axis=0)
            before = np.cumsum(histogram)
            digit = int(np.searchsorted(before, left, side="right"))
            state[rank] = (known + 1, (prefix << DIGIT) | digit, left - int(before[digit] - histogram[digit]))
    if any(known < DIGITS for state in found for known, _, _ in state.values()):
        digits = [sorted({(known, prefix) for known, prefix, _ in state.values()}) for state in found]
        return Known("order", again={"q": shares, "digits": digits, "found": found})
    made = []
    for state, parts in zip(found, columns):
        total = sum(part[0] for part in parts)
        values = {rank: _from_bits(prefix) for rank, (_, prefix, _) in state.items()}
        made.append([_between(total, q, values.get) for q in shares])
    return made


def _from_counts(parts: Sequence[Any], shares: Sequence[float]) -> list[Any]:
    values = np.concatenate([part[1] for part in parts])
    counts = np.concatenate([part[2] for part in parts])
    order = np.argsort(values, kind="stable")
    values, ends = values[order], np.cumsum(counts[order])
    total = int(ends[-1]) if len(ends) else 0
    return [_between(total, q, lambda rank: values[np.searchsorted(ends, rank, side="right")]) for q in shares]


def _ranks(count: int, q: float) -> tuple[int, ...]:
    if not count:
        return ()
    at = (count - 1) * q
    return math.floor(at), min(math.floor(at) + 1, count - 1)


def _between(count: int, q: float, value: Callable[[int], Any]) -> tuple[Any, Any, float]:
    if not count:
        return (math.nan, math.nan, 0.0)
    lower, upper = _ranks(count, q)
    return float(value(lower)), float(value(upper)), (count - 1) * q - lower


def _ordered_bits(values: Any) -> Any:
    """Floats as unsigned integers in the same order."""
    bits = (values + 0.0).view("uint64")  # -0.0 and 0.0 are one value
    return np.where(bits >> np.uint64(63) == 1, ~bits, bits | np.uint64(1 << 63))


def _from_bits(bits: int) -> float:
    whole = bits ^ (1 << 63) if bits >> 63 else ~bits & ((1 << 64) - 1)
    return float(np.array([whole], dtype="uint64").view("float64")[0])


def interpolated(lower: float, upper: float, weight: float) -> float:
    """Linear interpolation in NumPy's own rounding (`numpy.lib._function_base_impl._lerp`)."""
    gap = upper - lower
    return upper - gap * (1 - weight) if weight >= 0.5 else lower + gap * weight


# Tables by group.


def _groups(parts: Any, options: Any) -> Any:
    return {name: getattr(parts, name)() for name in options["parts"]}


def _merge_groups(options: Any, partials: Partials) -> Any:
    made = {}
    for name in options["parts"]:
        tables = [part[name] for part in partials]
        whole = pd.concat([table for table in tables if len(table)] or tables[:1])
        levels = list(range(whole.index.nlevels))
        together = {"count": "sum", "size": "sum", "sum": "sum", "min": "min", "max": "max"}[name]
        made[name] = getattr(whole.groupby(level=levels, sort=options["sort"], dropna=False), together)()
        made[name].index.names = tables[0].index.names
    return made


PARTIALS: Mapping[str, Callable[[Any, Any], Any]] = {
    "moments": _moments, "counts": _counts, "order": _order, "groups": _groups,
}  # fmt: skip
MERGES: Mapping[str, Callable[[Any, Partials], Any]] = {
    "moments": _merge_moments, "counts": _merge_counts, "order": _merge_order, "groups": _merge_groups,
}  # fmt: skip


@contextmanager
def asked(ask: Asking) -> Iterator[None]:
    """Within, pandas' reductions and the fits that merge go through `ask`."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(preprocessing.LabelEncoder, "fit_transform", _fit_then_transform))
        for owner, name, made in (*_of_pandas(ask), *_of_groups(ask), *_of_estimators(ask)):
            stack.enter_context(mock.patch.object(owner, name, ask.instead_of(getattr(owner, name), made)))
        yield


def _of_pandas(ask: Asking) -> Iterator[tuple[Any, str, Any]]:
    numbers: dict[str, Callable[..., Any]] = {
        "count": lambda found: found["count"].astype("int64"),
        "sum": lambda found: found["sum"],
        "mean": lambda found: found["mean"].astype("float64"),
        "min": lambda found: found["min"],
        "max": lambda found: found["max"],
        "var": lambda found, ddof=1: _variance(found, ddof),
        "std": lambda found, ddof=1: _variance(found, ddof) ** 0.5,
        "skew": _skew,
    }
    for owner in (pd.Series, pd.DataFrame):
        for name, finish in numbers.items():
            yield owner, name, _reduction(ask, getattr(owner, name), finish)
        yield owner, "median", _median(ask, owner.median)
        yield owner, "quantile", _quantile(ask, owner.quantile)
    yield pd.Series, "mode", _of_counts(ask, pd.Series.mode, _mode)
    yield pd.DataFrame, "mode", _refusing("DataFrame.mode")
    yield pd.Series, "value_counts", _of_counts(ask, pd.Series.value_counts, _value_counts)
    yield pd.Series, "unique", _of_counts(ask, pd.Series.unique, lambda counts: counts.index.to_numpy())
    yield pd.Series, "nunique", _of_counts(ask, pd.Series.nunique, _nunique)
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
        # NumPy takes the mean of the two in the middle
        made = [low if not weight else (low + high) / 2 for ((low, high, weight),) in found]
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


def _mode(counts: Any, dropna: bool = True) -> Any:
    counts = counts[counts.index.notna()] if dropna else counts
    often = counts.index[counts == counts.max()] if len(counts) else counts.index
    return pd.Series(often.sort_values(), name=counts.name).reset_index(drop=True)


def _value_counts(
    counts: Any, normalize: bool = False, sort: bool = True, ascending: bool = False, dropna: bool = True
) -> Any:
    counts = counts[counts.index.notna()] if dropna else counts
    if sort:
        counts = counts.sort_values(ascending=ascending, kind="stable")
    name = "proportion" if normalize else "count"
    made = (counts / counts.sum() if normalize else counts).rename(name)
    return made.rename_axis(counts.name)


def _nunique(counts: Any, dropna: bool = True) -> int:
    return int(counts.index.notna().sum()) if dropna else len(counts)


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


def _of_estimators(ask: Asking) -> Iterator[tuple[Any, str, Any]]:
    for owner, fitted in (
        (preprocessing.StandardScaler, _standard),
        (preprocessing.MinMaxScaler, _extremes),
        (preprocessing.MaxAbsScaler, _extremes),
        (preprocessing.LabelEncoder, _labels),
        (preprocessing.OrdinalEncoder, _categories),
        (preprocessing.OneHotEncoder, _categories),
        (SimpleImputer, _imputer),
    ):
        yield owner, "fit", _fit(ask, owner.fit, fitted)


def _fit(ask: Asking, plain: Any, fitted: Callable[..., Any]) -> Any:
    def fit(self: Any, X: Any, _y: Any = None, sample_weight: Any = None) -> Any:
        if sample_weight is not None:
            raise Refused("it is fitted with weights")
        if hasattr(X, "tocsr"):
            raise Refused(f"a {type(self).__name__} is fitted on a sparse matrix")
        frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(X)
        fitted(ask, plain, self, frame, lambda rows: rows if isinstance(X, pd.DataFrame) else rows.to_numpy())
        return self

    return fit


def _fit_then_transform(encoder: Any, y: Any) -> Any:
    return encoder.fit(y).transform(y)


def _standard(ask: Asking, plain: Any, scaler: Any, frame: Any, as_given: Any) -> None:
    found = ask("moments", frame)
    count, mean = found["count"].to_numpy(dtype="int64"), found["mean"].to_numpy(dtype="float64")
    plain(scaler, as_given(pd.DataFrame([mean, mean], columns=frame.columns)))
    variance = _variance(found, 0).to_numpy()
    scaler.n_samples_seen_ = count if len(set(count.tolist())) > 1 else count[0]
    if scaler.with_mean or scaler.with_std:
        scaler.mean_ = mean
    if scaler.with_std:
        scaler.var_ = variance
        # scikit-learn's rule for a column that is constant but for rounding (`_is_constant_feature`)
        least = np.finfo(np.float64).eps
        constant = variance <= count * least * variance + (count * mean * least) ** 2
        scaler.scale_ = np.where(constant, 1.0, np.sqrt(variance))


def _extremes(ask: Asking, plain: Any, scaler: Any, frame: Any, as_given: Any) -> None:
    found = ask("moments", frame)
    rows = pd.DataFrame([found["min"].to_list(), found["max"].to_list()], columns=frame.columns)
    plain(scaler, as_given(rows.astype("float64")))
    scaler.n_samples_seen_ = int(found["count"].max())


def _labels(ask: Asking, plain: Any, encoder: Any, frame: Any, _as_given: Any) -> None:
    (counts,) = ask("counts", frame)
    plain(encoder, counts.index.to_series(index=range(len(counts)), name=frame.columns[0]))


def _categories(ask: Asking, plain: Any, encoder: Any, frame: Any, as_given: Any) -> None:
    if getattr(encoder, "min_frequency", None) is not None or getattr(encoder, "max_categories", None) is not None:
        raise Refused(f"a {type(encoder).__name__} puts rare categories together")
    columns = ask("counts", frame)
    longest = max((len(counts) for counts in columns), default=0)
    padded = {
        at: counts.index.to_series(index=range(len(counts))).reindex(np.minimum(range(longest), len(counts) - 1)).array
        for at, counts in enumerate(columns)
    }
    rows = pd.DataFrame(padded)
    rows.columns = frame.columns
    plain(encoder, as_given(rows))


def _imputer(ask: Asking, plain: Any, imputer: Any, frame: Any, as_given: Any) -> None:
    if imputer.add_indicator or not (isinstance(imputer.missing_values, float) and math.isnan(imputer.missing_values)):
        raise Refused("a SimpleImputer marks what it fills, or fills what is not NaN")
    if imputer.strategy == "median":
        values = [
            low if not weight else (low + high) / 2 for ((low, high, weight),) in ask("order", frame, {"q": [0.5]})
        ]
    elif imputer.strategy == "mean":
        values = ask("moments", frame)["mean"].to_list()
    elif imputer.strategy == "most_frequent":
        values = [_mode(counts).iloc[0] if counts.index.notna().any() else None for counts in ask("counts", frame)]
    elif imputer.strategy == "constant":
        values = [0 if frame.dtypes.iloc[at].kind in "iuf" else "" for at in range(frame.shape[1])]
    else:
        raise Refused(f"a SimpleImputer by {imputer.strategy} does not merge")
    plain(imputer, as_given(pd.DataFrame([values], columns=frame.columns)))


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


def canonical(value: Any) -> str:
    """A value as one that can be held against others, by its content."""
    return str(joblib.hash(value))
