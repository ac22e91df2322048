"""Counts of the rows that were served, in the bins of the baseline: some microseconds a row, without pandas.

sketch = Sketch(read_baseline(folder))      # folder of a version; None where it has no baseline
sketch.add(record, answer)                  # one served row, as JSON says it
told = sketch.counts()                      # a dict for JSON, in the form of the baseline (see baseline.py)
Sketch.resumed(told)                        # goes on counting
merge(told, others)                         # of two processes
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

FILE = "baseline.json"
NOTHING: Any = object()
"""No answer: the row was not answered."""

# A tally of numbers is [below, bin 1, ..., bin k, above, missing, other, total]; one of choices and others is
# [place 1, ..., place k, missing, other].
ABOVE, MISSING, OTHER, TOTAL = -4, -3, -2, -1
_ADDED = ("counts", "missing", "other", "below", "above", "total", "empty")


def read_baseline(folder: str | Path) -> dict[str, Any] | None:
    """The baseline of a version's folder; None where it was fitted without one."""
    path = Path(folder, "state", FILE)
    if not path.is_file():
        return None
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


class Sketch:
    """The served rows as counts. `add` never raises, whatever a record holds; several threads need a lock."""

    def __init__(self, baseline: Mapping[str, Any]) -> None:
        """An empty sketch with the bins of `baseline`, which may be the `counts()` of another sketch."""
        self.rows = 0
        self._form = [_emptied(column) for column in baseline["columns"]]
        prediction = baseline.get("prediction")
        self._answer = None if prediction is None else _emptied(prediction)
        self._tallies = [_tally(column) for column in self._form]
        self._answer_tally = [] if self._answer is None else _tally(self._answer)
        both = list(zip(self._form, self._tallies))
        self._numbers = [_number_plan(column, tally) for column, tally in both if column["kind"] == "number"]
        self._choices = [_choice_plan(column, tally) for column, tally in both if column["kind"] == "choice"]
        self._others = [(column["name"], column, tally) for column, tally in both if column["kind"] not in _FAST]
        self._places = _places(self._answer) if self._answer is not None and self._answer["kind"] == "choice" else None

    @classmethod
    def resumed(cls, counts: Mapping[str, Any]) -> Sketch:
        """The sketch that gave these counts."""
        sketch = cls(counts)
        sketch.rows = counts["rows"]
        for column, tally in zip(counts["columns"], sketch._tallies):
            tally[:] = _tally(column)
        if counts.get("prediction") is not None:
            sketch._answer_tally[:] = _tally(counts["prediction"])
        return sketch

    def add(self, record: Mapping[str, Any], answer: Any = NOTHING) -> None:
        """Count one row: the record as JSON says it, and the answer (None counts as missing)."""
        self.rows += 1
        get = record.get
        for name, low, high, starts, tally in self._numbers:
            value = get(name)
            if (type(value) is float or type(value) is int) and low <= value <= high:
                tally[bisect_right(starts, value)] += 1
                tally[-1] += value
            else:
                _odd_number(value, low, tally)
        for name, places, tally in self._choices:
            value = get(name)
            try:
                tally[places[value]] += 1
            except (KeyError, TypeError):
                tally[-2 if value is None or (type(value) is float and value != value) else -1] += 1
        for name, column, tally in self._others:
            _count(get(name), column, tally)
        if answer is not NOTHING and self._answer is not None:
            if self._places is not None:
                _choose(answer, self._places, self._answer_tally)
            else:
                _count(answer, self._answer, self._answer_tally)

    def counts(self) -> dict[str, Any]:
        """What was counted, in the form of the baseline: `schema`, `rows`, `columns`, `prediction`."""
        answer = None if self._answer is None else _told(self._answer, self._answer_tally)
        columns = [_told(column, tally) for column, tally in zip(self._form, self._tallies)]
        return {"schema": 1, "rows": self.rows, "columns": columns, "prediction": answer}


def merge(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """The counts of two sketches together. Raises ValueError where their bins are not the same."""
    if len(first["columns"]) != len(second["columns"]) or (first["prediction"] is None) != (
        second["prediction"] is None
    ):
        raise ValueError("the counts are of two baselines: their columns differ")
    pairs = zip(first["columns"], second["columns"])
    answers = first["prediction"], second["prediction"]
    return {
        "schema": 1,
        "rows": first["rows"] + second["rows"],
        "columns": [_added(left, right) for left, right in pairs],
        "prediction": None if answers[0] is None else _added(*answers),
    }


_FAST = ("number", "choice")


def _emptied(column: Mapping[str, Any]) -> dict[str, Any]:
    """A column of the baseline with nothing counted."""
    empty = {key: 0 for key in _ADDED if key in column and key != "counts"}
    return {**column, **empty, "counts": [0] * len(column["counts"])}


def _tally(column: Mapping[str, Any]) -> list[Any]:
    missing, other = column["missing"], column["other"]
    if "edges" in column:
        return [column["below"], *column["counts"], column["above"], missing, other, column["total"] or 0]
    return [*column["counts"], *([column["empty"]] if "empty" in column else []), missing, other]


def _told(column: Mapping[str, Any], tally: list[Any]) -> dict[str, Any]:
    size = len(column["counts"])
    if "edges" in column:
        below, counts, (above, missing, other, total) = tally[0], tally[1 : 1 + size], tally[1 + size :]
        return {**column, "below": below, "counts": counts, "above": above, "missing": missing, "other": other} | {
            "total": total if -1.7e308 < total < 1.7e308 else None
        }
    told = {**column, "counts": tally[:size], "missing": tally[-2], "other": tally[-1]}
    return {**told, "empty": tally[size]} if "empty" in column else told


def _number_plan(column: Mapping[str, Any], tally: list[Any]) -> tuple[Any, ...]:
    *starts, high = column["edges"]
    return column["name"], starts[0], high, starts, tally


def _choice_plan(column: Mapping[str, Any], tally: list[Any]) -> tuple[Any, ...]:
    return column["name"], _places(column), tally


def _places(column: Mapping[str, Any]) -> dict[Any, int]:
    return {value: place for place, value in enumerate(column["values"])}


def _choose(value: Any, places: Mapping[Any, int], tally: list[Any]) -> None:
    try:
        tally[places[value]] += 1
    except (KeyError, TypeError):
        tally[-2 if value is None or (type(value) is float and value != value) else -1] += 1


def _odd_number(value: Any, low: Any, tally: list[Any]) -> None:
    """A value of a column of numbers that is none, or lies outside of what training had."""
    if value is None or (type(value) is float and value != value):
        tally[MISSING] += 1
    elif type(value) is not float and type(value) is not int:
        tally[OTHER] += 1
    elif value < low:
        tally[0] += 1
        tally[TOTAL] += _finite(value)
    else:
        tally[ABOVE] += 1
        tally[TOTAL] += _finite(value)


def _finite(value: Any) -> float:
    return float(value) if -1e300 < value < 1e300 else 0.0


def _count(value: Any, column: Mapping[str, Any], tally: list[Any]) -> None:
    kind = column["kind"]
    if kind == "date":
        value = _day(value)
    if kind in ("date", "number"):
        starts, high = column["edges"][:-1], column["edges"][-1]
        if (type(value) is float or type(value) is int) and starts[0] <= value <= high:
            tally[bisect_right(starts, value)] += 1
            tally[TOTAL] += value
        else:
            _odd_number(value, starts[0], tally)
    elif value is None or (type(value) is float and value != value):
        tally[-2] += 1
    elif kind == "any":
        tally[0] += 1
    elif type(value) is not str:
        tally[-1] += 1
    else:
        tally[0 if value else 1] += 1


def _day(value: Any) -> Any:
    """The day of a date as JSON says it, such as 2024-05-01T12:00:00; anything else as it is, if it is no number."""
    if type(value) is str:
        try:
            return date.fromisoformat(value[:10]).toordinal()
        except ValueError:
            return value
    return value if value is None or (type(value) is float and value != value) else str(value)


def _added(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    for key in ("name", "kind", "edges", "values"):
        if first.get(key) != second.get(key):
            raise ValueError(f"the counts are of two baselines: {key} of {first['name']!r} differs")
    sums = {key: _sum(first[key], second[key]) for key in _ADDED if key in first and key != "counts"}
    return {**first, **sums, "counts": [left + right for left, right in zip(first["counts"], second["counts"])]}


def _sum(first: Any, second: Any) -> Any:
    return None if first is None or second is None else first + second
