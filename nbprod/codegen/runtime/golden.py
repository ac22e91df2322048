"""Golden rows: raw rows with the features and predictions that the fitted pipeline gave, to hold it to ever after."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import codec

MOST_ROWS = 50
# Batch and single-row linear algebra differ in the last bits; a wrong feature differs in the first.
RELATIVE = 1e-9
ABSOLUTE = 1e-12


def write_golden(pipeline: Any, frame: Any, folder: str | Path) -> Path:
    """Choose up to 50 rows of `frame` and write them with their features and predictions to `folder/golden.json`."""
    rows = frame.iloc[:MOST_ROWS] if pipeline.features.together else choose(frame)
    try:
        predictions = pipeline.predict(rows)
    except Exception:  # noqa: BLE001 - training may have dropped rows that the model cannot take
        rows = rows[[_is_answered(pipeline, rows.iloc[[row]]) for row in range(len(rows))]]
        predictions = pipeline.predict(rows)
    golden = {
        "digest": pipeline.digest,
        "features": pipeline.transform(rows),
        "predictions": predictions,
        "rows": rows,
    }
    return codec.dump(golden, folder, "golden", inline=2**30)


def read_golden(folder: str | Path) -> dict[str, Any] | None:
    """The golden rows of a version's `tests` folder, or None."""
    return codec.load(folder, "golden") if Path(folder, "golden.json").exists() else None


def choose(frame: Any, most: int = MOST_ROWS) -> Any:
    """Rows in which each category, each gap and each column's extremes occur as far as `most` rows can show them."""
    covered: set[Hashable] = set()
    chosen: list[int] = []
    marks = [list(_marks(frame.iloc[:, position])) for position in range(frame.shape[1])]
    for row in range(len(frame)):
        new = {(column, mark[row]) for column, mark in enumerate(marks) if mark[row] is not None} - covered
        if new and len(chosen) < most:
            chosen.append(row)
            covered |= new
    spread = np.linspace(0, len(frame) - 1, num=min(most, len(frame))).astype(int).tolist()
    chosen += [row for row in dict.fromkeys(spread) if row not in set(chosen)][: most - len(chosen)]
    return frame.iloc[sorted(chosen)]


def differences(pipeline: Any, golden: dict[str, Any]) -> Iterator[str]:
    """What the pipeline now answers otherwise: whole, shuffled, in batches and row by row; nothing if all is well.

    Text, whole numbers, booleans and categories must be equal; floats within 1e-9 of their size. Where features are
    made of the rows around a row, the rows are asked about all at once only.
    """
    rows, features, predictions = golden["rows"], golden["features"], np.asarray(golden["predictions"])
    size = len(rows)
    ways: dict[str, list[Any]] = {"all at once": [np.arange(size)]}
    if not pipeline.features.together:
        ways |= {
            "shuffled": [np.random.default_rng(0).permutation(size)],
            "in batches of 7": list(np.array_split(np.arange(size), range(7, size, 7))),
            "one by one": list(np.arange(size).reshape(-1, 1)),
        }
    for way, batches in ways.items():
        for batch in batches:
            part = rows.iloc[batch]
            yield from _unequal_features(pipeline.transform(part), features.iloc[batch], way)
            unequal = ~close(pipeline.predict(part), predictions[batch])
            for row in np.flatnonzero(unequal.reshape(len(batch), -1).any(axis=1)):
                yield f"{way}: row {part.index[row]!r}: the prediction differs"


def _unequal_features(now: Any, then: Any, way: str) -> Iterator[str]:
    if list(now.columns) != list(then.columns):
        yield f"{way}: the features are {list(now.columns)}, not {list(then.columns)}"
        return
    for position, name in enumerate(then.columns):
        unequal = ~close(now.iloc[:, position], then.iloc[:, position])
        for row in np.flatnonzero(unequal):
            yield (
                f"{way}: row {then.index[row]!r}: {name} is {now.iloc[row, position]!r}, "
                f"not {then.iloc[row, position]!r}"
            )


def close(now: Any, then: Any) -> Any:
    """Elementwise: equal, both missing, or floats that are close."""
    left, right = np.asarray(now), np.asarray(then)
    if left.dtype.kind == "f" and right.dtype.kind == "f":
        return np.isclose(left, right, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    left, right = left.astype(object), right.astype(object)
    both_missing = pd.isna(left) & pd.isna(right)
    return both_missing | np.array(left == right, dtype=object).astype(bool)


def _is_answered(pipeline: Any, row: Any) -> bool:
    try:
        pipeline.predict(row)
    except Exception:  # noqa: BLE001 - whatever it is, this row shows nothing
        return False
    return True


def _marks(series: Any) -> Iterator[Hashable]:
    """What each value of a column is an example of: a gap, a category, the lowest or highest number, or nothing."""
    missing = series.isna().to_numpy()
    numeric = pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_bool_dtype(series.dtype)
    few = series.nunique() <= 20 if not any(isinstance(item, (list, dict)) for item in series.head(100)) else False
    lowest, highest = (series.min(), series.max()) if numeric else (None, None)
    for gone, value in zip(missing, series):
        if gone:
            yield "missing"
        elif few:
            yield str(value)
        else:
            yield {True: "extreme"}.get(bool(numeric and value in (lowest, highest)))
