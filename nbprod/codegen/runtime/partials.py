"""Partial results of what is learned of all rows: made of a part, merged over parts, and finished as pandas gives them.

Counts, extremes, categories and order statistics are exact; sums are added up by `math.fsum`, and moments are merged by
the formulas of Chan et al. (1983) and Pebay (2008), so a mean or a variance may differ from one over all rows in its
last digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

MOST_DISTINCT = 1 << 16
"""So many values of a part are handed over with their counts; of more the order statistics are found by digits."""
DIGIT, DIGITS = 16, 4
"""Bits that a round finds of an order statistic, and rounds for the 64 of a number."""

Partials = Sequence[Any]


@dataclass(frozen=True)
class Known:
    """What came of one question: the answer, `again` with what to ask instead, or `here`: it is not about the rows.

    `in_order` says that the values of the answer stand in the order in which they first appear in all rows.
    """

    kind: str
    answer: Any = None
    again: Any = None
    here: bool = False
    in_order: bool = True


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
    with np.errstate(all="ignore"):  # beyond the greatest number there is infinity, as in pandas
        total = _whole_sum(present) if present.dtype.kind in "iub" else float(values.sum())
        mean = total / count
        off = values - mean
        square = off * off
        m2, m3 = float(square.sum()), float((square * off).sum())
    lowest, highest = (each.item() if hasattr(each, "item") else each for each in (present.min(), present.max()))
    return (count, total, lowest, highest, mean, m2, m3)


def _whole_sum(column: Any) -> int:
    """The sum of whole numbers, of any size."""
    values = column.to_numpy(dtype="uint64" if column.dtype.kind == "u" else "int64")
    half = values.dtype.type(32)
    return (int((values >> half).sum()) << 32) + int((values & values.dtype.type(0xFFFFFFFF)).sum())


def _fsum(values: Sequence[float]) -> float:
    """The sum of floats, rounded once; where it is beyond them, what IEEE 754 says of infinities."""
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):
        with np.errstate(all="ignore"):
            return float(np.sum(values))


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
    total = sum(totals) if all(isinstance(each, int) for each in totals) else _fsum(totals)
    mean = total / count
    off = [part[4] - mean for part in parts]
    # the deviations of a part from the mean of all, by the binomial theorem
    m2 = _fsum([part[5] + part[0] * d * d for part, d in zip(parts, off)])
    m3 = _fsum([part[6] + 3 * d * part[5] + part[0] * d * d * d for part, d in zip(parts, off)])
    return (count, total, min(part[2] for part in parts), max(part[3] for part in parts), mean, m2, m3)


def variance(moments: Any, ddof: int) -> Any:
    """The variance by column, from merged moments."""
    count = moments["count"].astype("float64")
    return (moments["m2"].astype("float64") / (count - ddof)).where(count > ddof)


def skew(moments: Any) -> Any:
    """The bias-corrected skewness of pandas (`nanops.nanskew`)."""
    count, m2, m3 = (moments[name].astype("float64") for name in ("count", "m2", "m3"))
    made = (count * (count - 1) ** 0.5 / (count - 2)) * (m3 / m2**1.5)
    return made.where(m2 != 0, 0.0).where(count >= 3)


# Values with their counts, in the order in which they first appear.


def _counts(frame: Any, _options: Any) -> list[Any]:
    return [_counts_of(frame.iloc[:, at]) for at in range(frame.shape[1])]


def _counts_of(column: Any) -> Any:
    counts = column.value_counts(sort=False, dropna=False)
    if isinstance(column.dtype, pd.CategoricalDtype):  # of which there are those without a value too
        counts = counts.reindex(pd.CategoricalIndex(column.unique()))
    return counts


def _merge_counts(_options: Any, partials: Partials) -> list[Any]:
    columns = []
    for parts in zip(*partials):
        whole = pd.concat([part for part in parts if len(part)] or list(parts[:1]))
        columns.append(whole.groupby(level=0, sort=False, dropna=False, observed=True).sum())
    return columns


def mode(counts: Any, dropna: bool = True) -> Any:
    """What pandas' `Series.mode` gives, from values with their counts."""
    counts = counts[counts.index.notna()] if dropna else counts
    often = counts.index[counts == counts.max()] if len(counts) else counts.index
    return pd.Series(often.sort_values(), name=counts.name).reset_index(drop=True)


def value_counts(
    counts: Any, normalize: bool = False, sort: bool = True, ascending: bool = False, dropna: bool = True
) -> Any:
    """What pandas' `Series.value_counts` gives, from values with their counts; of a category without ties only."""
    counts = counts[counts.index.notna()] if dropna else counts
    if isinstance(counts.index.dtype, pd.CategoricalDtype):
        absent = counts.index.categories.difference(counts.index, sort=False)
        counts = counts.reindex(
            counts.index.append(pd.CategoricalIndex(absent, dtype=counts.index.dtype)), fill_value=0
        )
    if sort:
        counts = counts.sort_values(ascending=ascending, kind="stable")
    name = "proportion" if normalize else "count"
    made = (counts / counts.sum() if normalize else counts).rename(name)
    return made.rename_axis(counts.name)


def nunique(counts: Any, dropna: bool = True) -> int:
    """What pandas' `Series.nunique` gives, from values with their counts."""
    return int(counts.index.notna().sum()) if dropna else len(counts)


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


def middle(lower: float, upper: float, weight: float) -> float:
    """The median, as NumPy takes it: the mean of the two in the middle."""
    return lower if not weight else (lower + upper) / 2


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
        made[name] = getattr(whole.groupby(level=levels, sort=options["sort"], dropna=False, observed=True), together)()
        made[name].index.names = tables[0].index.names
    return made


PARTIALS: Mapping[str, Callable[[Any, Any], Any]] = {
    "moments": _moments, "counts": _counts, "order": _order, "groups": _groups,
}  # fmt: skip
MERGES: Mapping[str, Callable[[Any, Partials], Any]] = {
    "moments": _merge_moments, "counts": _merge_counts, "order": _merge_order, "groups": _merge_groups,
}  # fmt: skip
