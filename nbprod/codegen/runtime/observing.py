"""The contract and tables of raw rows: what training has seen of them, and what another one has beside that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .contract import Column, Contract
from .faults import Fault
from .schema import kind_of

# A column of few distinct values is taken for a choice among them (see `_categories`).
MOST_CATEGORIES = 200
MOST_NUMBERS = 20


def observe(frame: Any) -> dict[str, Any]:
    """The observed part of the contract, from the raw training rows: dtypes, ranges, categories, share of missing."""
    columns = []
    for position, label in enumerate(frame.columns):
        series = frame.iloc[:, position]
        kind = kind_of(series)
        missing = int(series.isna().sum())
        lowest, highest = _range(series, kind)
        columns.append(
            {
                "name": str(label),
                "dtype": str(series.dtype),
                "kind": kind,
                "nullable": missing > 0,
                "filled": False,
                "min": lowest,
                "max": highest,
                "categories": _categories(series, kind),
                "missing": missing / len(frame) if len(frame) else 0.0,
            }
        )
    return {"rows": len(frame), "columns": columns}


def records_of(frame: Any) -> list[dict[str, Any]]:
    """Raw rows as records of JSON values: missing ones are null, dates are text."""
    columns = [
        [None if gone else as_json(value) for value, gone in zip(frame.iloc[:, at].astype(object), missing)]
        for at in range(frame.shape[1])
        for missing in [frame.iloc[:, at].isna()]
    ]
    names = [str(label) for label in frame.columns]
    return [dict(zip(names, values)) for values in zip(*columns)]


def outside(contract: Contract, frame: Any) -> list[Fault]:
    """What in a frame of raw rows lies outside of what training saw: missing values, ranges and categories."""
    faults: list[Fault] = []
    for column, series in _required_of(contract, frame):
        missing = series.isna().to_numpy()
        is_odd = column.filled or not column.nullable or column.on_missing is not None
        suspect = missing.copy() if is_odd else np.zeros(len(frame), dtype=bool)
        if column.categories is not None:
            suspect |= ~series.isin(list(column.categories)).to_numpy() & ~missing
        if column.min is not None and pd.api.types.is_numeric_dtype(series.dtype):
            suspect |= ((series < column.min) | (series > column.max)).fillna(False).to_numpy(dtype=bool)
        elif column.min is not None:
            suspect |= ~missing
        rows = np.flatnonzero(suspect)
        values = series.iloc[rows].astype(object).tolist()
        told: dict[Any, list[Fault]] = {}  # a value that many rows have is judged once
        for row, value in zip(rows.tolist(), values):
            value = None if missing[row] else as_json(value)
            key = (type(value), value)
            if key not in told:
                told[key] = contract.faults_of(row, column, value)
            for fault in told[key]:
                faults.append(Fault(row, fault.field, fault.kind, fault.message, fault.severity))
    return sorted(faults, key=lambda fault: fault.row)


def refused(contract: Contract, frame: Any) -> list[Fault]:
    """The missing values in a frame of raw rows that the notebook's code does not handle: no prediction is made."""
    faults = [
        fault
        for column, series in _required_of(contract, frame)
        if not column.nullable
        for row in np.flatnonzero(series.isna().to_numpy()).tolist()
        for fault in contract.faults_of(row, column, None)
    ]
    return sorted(faults, key=lambda fault: fault.row)


def _required_of(contract: Contract, frame: Any) -> list[tuple[Column, Any]]:
    """The columns that a row must have, with their values in a frame; those that it lacks are left out."""
    at: dict[str, int] = {}
    for position, label in enumerate(frame.columns):
        at.setdefault(str(label), position)
    return [
        (column, frame.iloc[:, at[column.name]]) for column in contract.columns if column.required and column.name in at
    ]


def _range(series: Any, kind: str) -> tuple[Any, Any]:
    present = series.dropna()
    if kind not in ("integer", "number", "datetime", "duration") or not len(present):
        return None, None
    if kind == "number":
        present = present[np.isfinite(present.to_numpy(dtype="float64"))]
        if not len(present):
            return None, None
    return as_json(present.min()), as_json(present.max())


def _categories(series: Any, kind: str) -> list[Any] | None:
    """The distinct values, sorted, where a column is a choice among few; None where it is free."""
    if kind == "category":
        return choices(series.cat.categories.tolist(), kind, len(series))
    if kind not in ("text", "boolean", "integer"):
        return None
    return choices(series.dropna().unique().tolist(), kind, len(series))


def choices(values: list[Any], kind: str, rows: int) -> list[Any] | None:
    """The distinct values of a column of so many rows, sorted, where they are a choice among few; else None."""
    if kind in ("text", "boolean", "integer"):
        most = MOST_CATEGORIES if kind == "text" else MOST_NUMBERS
        # Twenty values among twenty-five rows are names, not a choice.
        if len(values) > most or (len(values) > MOST_NUMBERS and 2 * len(values) > rows):
            return None
    elif kind != "category":
        return None
    if len(values) > MOST_CATEGORIES:
        return None
    values = [as_json(value) for value in values]
    return sorted(values, key=lambda value: (isinstance(value, str), value if isinstance(value, str) else float(value)))


def as_json(value: Any) -> Any:
    """A value of a column as JSON can say it."""
    if isinstance(value, (pd.Timestamp, pd.Timedelta)):
        return str(value) if isinstance(value, pd.Timedelta) else value.isoformat()
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, (bool, int, float, str)) else str(value)
