"""The metric told apart for the values of raw columns, on the rows held out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .measured import Measured
from .outcome import Progress
from .side_by_side import Side, interval, value_of

MOST_VALUES = 12
MISSING = "(missing)"
OTHERS = "(others)"
NO_ROWS = "none of the rows held out"


def by_slice(
    measured: Measured, side: Side, raw: Any, columns: Sequence[str], resamples: int, progress: Progress
) -> list[dict[str, Any]]:
    """For each value of each column: `n` rows, the metric's `value` and its bootstrap interval.

    Which slices there are is told by all raw rows, so that one may have no rows held out. Where there is no value, a
    `reason` stands in its place.
    """
    told = []
    for number, name in enumerate(columns):
        progress(f"measuring the slices of {name}", number, len(columns))
        if name not in raw.columns:
            told.append({"column": name, "value": None, "n": 0, "reason": "the raw rows have no such column"})
            continue
        told.extend(
            {"column": name, "value": label, **_measured(measured, side, np.flatnonzero(mask), resamples)}
            for label, mask in partition(raw[name], measured.rows[name])
        )
    return told


def _measured(measured: Measured, side: Side, at: Any, resamples: int) -> dict[str, Any]:
    if not len(at):
        return {"n": 0, "reason": NO_ROWS}
    value = value_of(lambda positions: measured(side, positions), at)
    if not math.isfinite(value):
        return {"n": len(at), "reason": f"{measured.metric} has no value on these rows"}
    return {"n": len(at), "metric": value, **interval(lambda drawn: measured(side, at[drawn]), len(at), resamples)}


def partition(every: Any, some: Any) -> Iterator[tuple[str, Any]]:
    """Label and mask over `some` rows of each slice of a column; `every` are all its values.

    Numbers and times with many values are told apart by quartiles, other values one by one, those beyond the
    `MOST_VALUES` most frequent together. What is missing is a slice of its own.
    """
    known = every[every.notna()]
    if known.nunique() > MOST_VALUES and _has_order(every):
        yield from _by_quartile(known, some)
    else:
        yield from _by_value(known, some)
    if len(known) < len(every):
        yield MISSING, np.asarray(some.isna())


def _has_order(column: Any) -> bool:
    kinds = pd.api.types
    if kinds.is_bool_dtype(column.dtype):
        return False
    return bool(kinds.is_numeric_dtype(column.dtype) or kinds.is_datetime64_any_dtype(column.dtype))


def _by_quartile(known: Any, some: Any) -> Iterator[tuple[str, Any]]:
    quantiles = [known.quantile(share) for share in (0, 0.25, 0.5, 0.75, 1)]
    least, edges = quantiles[0], sorted(set(quantiles))
    alone = least == quantiles[1]
    if alone:
        yield label_of(least), _true(some == least)
    for place, (low, high) in enumerate(zip(edges, edges[1:])):
        is_open = alone or place > 0
        text = f"above {label_of(low)}, to" if alone and place == 0 else f"{label_of(low)} to"
        yield f"{text} {label_of(high)}", _true((some > low if is_open else some >= low) & (some <= high))


def _by_value(known: Any, some: Any) -> Iterator[tuple[str, Any]]:
    texts = known.astype(object).map(label_of)
    ours = some.astype(object).map(label_of, na_action="ignore")
    counts = texts.value_counts()
    frequent = sorted(counts.index, key=lambda label: (-counts[label], label))[:MOST_VALUES]
    for label in frequent:
        yield label, _true(ours == label)
    if len(counts) > len(frequent):
        yield OTHERS, _true(ours.notna() & ~ours.isin(frequent))


def label_of(value: Any) -> str:
    """A value as a person reads it: whole numbers without a point, others with six digits at most."""
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)


def _true(mask: Any) -> Any:
    """A mask of Python's or of pandas' own kind, in which what is missing is false."""
    return np.asarray(mask.fillna(False), dtype=bool)
