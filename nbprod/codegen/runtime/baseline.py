"""What the training rows were like, as counts: served rows are watched against it (sketch.py counts them alike).

`state/baseline.json` holds counts, edges of bins and sums, and no row:

    {"schema": 1, "rows": 891, "columns": [COLUMN, ...],
     "prediction": COLUMN or null, "predicted": "held-out", "quality": {"metric": "accuracy", "value": 0.81, ...}}

A COLUMN has `name`, `kind`, `counts`, `missing`, `other` (values of another type, or such as training did not have) and

    number  `edges`: bin i holds edges[i] <= value < edges[i + 1], the last one its upper edge too; `below` and `above`
            count what lies outside, `total` is the sum of what lies inside
    date    the same, of days since the year 1 (`date.toordinal`)
    choice  `values`, each with its count
    text    `counts` of one number: text that is there; `empty`: "" among the served rows
    any     `counts` of one number: whatever is there
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from .contract import Column, Contract
from .matrix import gaps
from .observing import MOST_CATEGORIES, MOST_NUMBERS, refused

FILE = "baseline.json"
BINS = 20
MOST_PREDICTED = 20_000
LEAST_HELD_OUT = 100
MOST_TRIES = 60
"""How often the pipeline is asked, at most, to find the rows that it cannot answer."""


def baseline(pipeline: Any, frame: Any) -> dict[str, Any]:
    """The baseline of raw training rows: each column that a record must have, and the model's own predictions.

    Predictions are those of the rows that the model was not trained on, where the notebook held out at least 100
    (`predicted` is `held-out`); else those of all rows (`all`), which the model may know by heart. They are made for
    at most 20,000 rows, evenly chosen.
    """
    contract = pipeline.contract
    rows, held_out = rows_to_predict(pipeline, frame)
    told, answered = predictions(pipeline, frame.iloc[rows])
    return {
        "schema": 1,
        "rows": len(frame),
        "columns": columns_of(contract, frame),
        "prediction": None if told is None else prediction_of(told, contract.task),
        "predicted": None if told is None else "held-out" if held_out else "all",
        "quality": None if told is None else _quality(pipeline, frame.iloc[rows[answered]], told),
    }


def columns_of(contract: Contract, frame: Any) -> list[dict[str, Any]]:
    """The counts of each column that a record must have, in the contract's order."""
    at: dict[str, int] = {}
    for position, label in enumerate(frame.columns):
        at.setdefault(str(label), position)
    return [
        _column(column, frame.iloc[:, at[column.name]])
        for column in contract.columns
        if column.required and column.name in at and column.name != contract.target
    ]


def prediction_of(answers: Any, task: str | None) -> dict[str, Any]:
    """The counts of predictions. Edges have six digits, as models that run in parallel differ in the last ones."""
    series = pd.Series(list(answers) if answers.ndim == 1 else [None] * len(answers))
    numbers = pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_bool_dtype(series.dtype)
    if numbers and task != "classification":
        return _numbers("prediction", "number", series.to_numpy(dtype="float64"), digits=6)
    if series.nunique() <= MOST_CATEGORIES and series.notna().any():
        return _choice("prediction", series, series.dropna().unique().tolist())
    return _any("prediction", series)


def metric_of(task: str | None, truth: Any, answers: Any) -> dict[str, Any]:
    """How good predictions are: the share of right classes, or the root of the mean squared error with R²."""
    if task == "classification":
        return {"metric": "accuracy", "value": float(np.mean(truth == answers)), "rows": len(truth)}
    truth, answers = np.asarray(truth, dtype="float64"), np.asarray(answers, dtype="float64")
    squares = (truth - answers) ** 2
    spread = float(np.sum((truth - truth.mean()) ** 2))
    r2 = 1 - float(squares.sum()) / spread if spread else None
    return {"metric": "rmse", "value": math.sqrt(float(squares.mean())), "r2": r2, "rows": len(truth)}


def truth_of(pipeline: Any, frame: Any) -> Any:
    """The true answers of raw rows that have a target, in the units of the predictions; None where none can be had."""
    try:
        labels = pipeline.labels(frame)
        if pipeline.features.answer is not None:
            labels = pipeline.features.answer(labels)
    except Exception:  # noqa: BLE001 - the notebook's code may make labels of whole tables alone
        return None
    truth = np.asarray(labels)
    truth = truth[:, 0] if truth.ndim == 2 and truth.shape[1] == 1 else truth
    return truth if truth.ndim == 1 and len(truth) == len(frame) else None


def _quality(pipeline: Any, frame: Any, answers: Any) -> dict[str, Any] | None:
    if pipeline.features.together or pipeline.contract.target is None or answers.ndim != 1 or not len(frame):
        return None
    truth = truth_of(pipeline, frame)
    known = None if truth is None else ~np.asarray(pd.isna(truth))
    if truth is None or known is None:
        return None
    known &= ~np.asarray(pd.isna(answers))
    if not known.any():
        return None
    try:
        made = metric_of(pipeline.contract.task, truth[known], answers[known])
    except (TypeError, ValueError):  # labels that are no numbers
        return None
    return {key: _short(each) if isinstance(each, float) else each for key, each in made.items()}


def rows_to_predict(pipeline: Any, frame: Any) -> tuple[Any, bool]:
    """The positions of the rows to predict, and whether the model has seen none of them.

    Where training dropped rows, those that are outside of what the trained ones have are taken for such, and are among
    the rows to predict in the share that they have of all.
    """
    trained = getattr(pipeline.features, "trained_", None)
    if pipeline.features.together:
        return np.arange(min(len(frame), MOST_PREDICTED)), False
    if trained is not None and len(frame) == pipeline.contract.rows:
        apart = np.setdiff1d(np.arange(len(frame)), trained)
        dropped = _outside_of(frame, trained)[apart] if pipeline.contract.dropped else np.zeros(len(apart), dtype=bool)
        held_out, gone = apart[~dropped], apart[dropped]
        if len(held_out) >= LEAST_HELD_OUT:
            some = _spread(gone, round(len(gone) * len(held_out) / (len(trained) + len(held_out))))
            return _spread(np.sort(np.concatenate([held_out, some])), MOST_PREDICTED), True
    return _spread(np.arange(len(frame)), MOST_PREDICTED), False


def _outside_of(frame: Any, trained: Any) -> Any:
    """Which rows have a gap, a number or a choice that none of the trained rows has in that column."""
    outside = np.zeros(len(frame), dtype=bool)
    for position in range(frame.shape[1]):
        series = frame.iloc[:, position]
        known, missing = series.iloc[trained], series.isna().to_numpy()
        if not missing[trained].any():
            outside |= missing
        if pd.api.types.is_bool_dtype(series.dtype) or not known.notna().any():
            continue
        if pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_datetime64_any_dtype(series.dtype):
            outside |= ((series < known.min()) | (series > known.max())).fillna(False).to_numpy(dtype=bool)
        elif isinstance(series.dtype, pd.CategoricalDtype) or 2 * known.nunique() <= MOST_NUMBERS:
            outside |= ~series.isin(known.dropna().unique()).to_numpy() & ~missing
    return outside


def _spread(rows: Any, most: int) -> Any:
    """At most so many of the rows, evenly chosen."""
    return rows[np.linspace(0, len(rows) - 1, num=min(len(rows), most), dtype=int)] if len(rows) and most else rows[:0]


def _given(pipeline: Any, frame: Any) -> Any:
    """The predictions for raw rows, None where the contract lets none be given."""
    contract, answers = pipeline.contract, np.asarray(pipeline.predict(frame))
    if contract.unsure is None or not len(frame):
        return answers
    withheld = contract.withheld(contract.doubts(pipeline.predict_proba(frame).tolist()))
    if withheld:
        answers = answers.astype(object)
        answers[withheld] = None
    return answers


def predictions(pipeline: Any, frame: Any, tries: int = MOST_TRIES) -> tuple[Any, Any]:
    """The predictions for the rows that the pipeline answers, and the positions of these rows; None where it does none.

    Rows that it cannot take, as training may have dropped some, are found by halves, with so many tries at most. An
    answer that is withheld where the model is not sure is None.
    """
    bad = {fault.row for fault in refused(pipeline.contract, frame)}
    rows = np.array([row for row in range(len(frame)) if row not in bad], dtype=int)
    waiting, made = [rows], []
    while waiting and tries:
        part = waiting.pop()
        if not len(part):
            continue
        tries -= 1
        try:
            made.append((part, _given(pipeline, frame.iloc[part])))
        except Exception:  # noqa: BLE001 - the notebook's code may raise anything for a row that it never served
            if len(part) > 1 and not pipeline.features.together:
                waiting += [part[: len(part) // 2], part[len(part) // 2 :]]
    if not made:
        return None, rows[:0]
    made.sort(key=lambda each: int(each[0][0]))
    answers, answered = np.concatenate([each for _, each in made]), np.concatenate([part for part, _ in made])
    there = ~gaps(answers).any(axis=1) if pipeline.features.together else np.ones(len(answered), dtype=bool)
    return answers[there], answered[there]


def _column(column: Column, series: Any) -> dict[str, Any]:
    name, kind = column.name, column.kind
    if kind in ("integer", "number"):
        return _numbers(name, "number", series.astype("float64").to_numpy(dtype="float64", na_value=np.nan))
    if kind == "datetime":
        days = [math.nan if gone else value.toordinal() for value, gone in zip(series, series.isna())]
        return _numbers(name, "date", np.array(days, dtype="float64"))
    if kind == "boolean":
        return _choice(name, series, [False, True])
    if kind == "category" and len(series.cat.categories) <= MOST_CATEGORIES:
        return _choice(name, series.astype(object), series.cat.categories.tolist())
    if kind == "text":
        if column.categories is not None:
            return _choice(name, series, list(column.categories))
        empty = int((series.fillna("x") == "").sum())
        there = int(series.notna().sum()) - empty
        return {**_any(name, series), "kind": "text", "counts": [there], "empty": empty}
    return _any(name, series)


def _any(name: str, series: Any) -> dict[str, Any]:
    missing = int(series.isna().sum())
    return {"name": name, "kind": "any", "counts": [len(series) - missing], "missing": missing, "other": 0}


def _choice(name: str, series: Any, values: list[Any]) -> dict[str, Any]:
    """Each value with its count, sorted by what it looks like, so that the same rows give the same file."""
    plain = {_plain(value): 0 for value in values}
    found = series.dropna().value_counts()
    for value, count in zip(found.index.tolist(), found.tolist()):
        plain[_plain(value)] = plain.get(_plain(value), 0) + int(count)
    ordered = sorted(plain, key=lambda value: (isinstance(value, str), value))
    return {
        "name": name,
        "kind": "choice",
        "values": ordered,
        "counts": [plain[value] for value in ordered],
        "missing": int(series.isna().sum()),
        "other": 0,
    }


def _numbers(name: str, kind: str, values: Any, digits: int | None = None) -> dict[str, Any]:
    """Bins at the quantiles. A value of many rows has a bin of its own, and so has each of a few values."""
    missing = int(np.isnan(values).sum())
    inside = np.sort(values[np.isfinite(values)])
    if not len(inside):
        return {"name": name, "kind": "any", "counts": [len(values) - missing], "missing": missing, "other": 0}
    starts, high = _starts(inside), float(inside[-1])
    if digits is not None:
        starts = np.unique([_short(each) for each in starts.tolist()])
        starts[0], high = min(starts[0], inside[0]), max(_short(high), high)
        starts[0], high = _outward(float(starts[0]), down=True), _outward(high, down=False)
    places = np.clip(np.searchsorted(starts, inside, side="right") - 1, 0, len(starts) - 1)
    total = math.fsum(inside.tolist())
    made = {
        "name": name,
        "kind": kind,
        "edges": [_whole(each) for each in [*starts.tolist(), high]],
        "counts": np.bincount(places, minlength=len(starts)).tolist(),
        "below": int(np.isneginf(values).sum()),
        "above": int(np.isposinf(values).sum()),
        "missing": missing,
        "other": 0,
    }
    return {**made, "total": _short(total) if digits is not None else _whole(total)}


def _starts(inside: Any) -> Any:
    """Where the bins of sorted values begin."""
    distinct, often = np.unique(inside, return_counts=True)
    if len(distinct) <= BINS:
        return distinct
    quantiles = inside[(np.arange(1, BINS) * len(inside)) // BINS]
    heavy = np.flatnonzero(often * BINS >= len(inside))
    behind = heavy[heavy + 1 < len(distinct)] + 1
    return np.unique(np.concatenate([distinct[:1], quantiles, distinct[heavy], distinct[behind]]))


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _outward(value: float, *, down: bool) -> float:
    """A bound of six digits that the value lies within."""
    step = abs(value) * 1e-6
    return _short(value - step if down else value + step)


def _whole(value: float) -> Any:
    return int(value) if value == value // 1 and abs(value) < 2**53 else value


def _plain(value: Any) -> Any:
    """A value as JSON can say it."""
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, (bool, int, float, str)) else str(value)
