"""What the parts of a table are as one: how they are read and halved, their dtypes, and what is observed of all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .observing import MOST_CATEGORIES, choices, observe
from .partials import Known
from .schema import kind_of
from .sites import Values
from .state import HERE
from .tables import read_whole

SAMPLE = 20_000
"""Rows from the beginning that are kept in memory, for the schema, the template and the baseline."""
SPREAD = 20_000
"""Rows of all parts that are kept in memory, to hold what parts agree upon against rows of more than one."""
SHARE = 3
"""The first of two parts of a part has one row of so many."""

Each = Callable[[Callable[[int, Any], Any]], list[Any]]
"""What an engine gives: a function of a part's number and its frame, done for all parts; the results in their order."""


class FitError(ValueError):
    """What cannot be fitted on parts; `hint` says what can be done."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass
class Progress:
    """What is known of all rows so far.

    `starts` are the places of the parts' first rows by the parts' numbers, `share` is how many of them are looked at
    together with those of other parts, `known` the answers for the first value that
    is not known, `split` says of each part which rows are for training, and how many there are to choose from, `order`
    in which order those of all parts stand, `labels` what they are called in it, and `drawn` that it is not that of the
    parts.
    """

    dtypes: dict[Any, Any] = field(default_factory=dict)
    starts: dict[int, int] = field(default_factory=dict)
    share: float = 1.0
    values: Values = field(default_factory=dict)
    known: list[Known] = field(default_factory=list)
    split: dict[int, Any] | None = None
    order: Any = None
    labels: Any = None
    drawn: bool = False


def surveyed(each: Each, progress: Progress) -> tuple[Any, dict[str, Any], dict[int, Any]]:
    """The first rows, what is observed of all, and some rows of each part by its number (`some_of`).

    Dtypes and places of the rows of each part are known then, and how many of its rows are some.
    """
    heads = _begun(each, progress)
    rows = [count for _, count, _ in heads]
    progress.share = min(1.0, SPREAD / sum(rows))
    seen = each(_Observe(progress))
    first = pd.concat([some for _, some, _ in seen if some is not None])
    spread: dict[int, Any] = {}
    for (number, _, _), (*_, some) in zip((head for head in heads if head[1]), seen):
        spread[number // 2] = pd.concat([spread[number // 2], some]) if number // 2 in spread else some
    return first, _observed([columns for columns, _, _ in seen], sum(rows)), spread


def some_of(number: int, rows: int, share: float) -> Any:
    """Which rows of a part's half are among those that are looked at together with others: one at least, as a mask."""
    random = np.random.default_rng(number)
    kept = random.random(rows) < share
    kept[random.integers(rows)] = True
    return kept


def conformed(frame: Any, progress: Progress, number: int) -> Any:
    """A part with columns and dtypes of all rows, its rows numbered as they are among all."""
    frame = frame[list(progress.dtypes)]
    odd = {label: dtype for label, dtype in progress.dtypes.items() if frame[label].dtype != dtype}
    start = progress.starts[number]
    return (frame.astype(odd) if odd else frame.copy()).set_axis(pd.RangeIndex(start, start + len(frame)))


def sampled(each: Each, count: int) -> tuple[Any, int]:
    """So many rows, evenly chosen from all parts, in their order, and how many there are."""
    progress = Progress()
    rows = sum(rows for _, rows, _ in _begun(each, progress))
    drawn = each(_Sample(progress, min(1.0, count / rows)))
    chosen = [part for part, _ in drawn if len(part)] or [drawn[0][1]]
    return pd.concat(chosen, ignore_index=True), rows


def _begun(each: Each, progress: Progress) -> list[Any]:
    """The number, the number of rows and the first ones of each half; dtypes and places are known then."""
    heads: list[Any] = each(_head)
    rows = [count for _, count, _ in heads]
    if not sum(rows):
        raise FitError("there are no rows to fit on")
    progress.dtypes.update(_dtypes([head for _, count, head in heads if count]))
    progress.starts.update(zip((number for number, _, _ in heads), np.cumsum([0, *rows[:-1]]).tolist()))
    return heads


def halves(frame: Any) -> list[Any]:
    """A part as two of different lengths, so that what hangs on the rows at hand differs between them; none of none."""
    at = max(1, len(frame) // SHARE)
    return [half for half in (frame.iloc[:at], frame.iloc[at:]) if len(half)]


def code() -> str:
    """The digest of this version's code, which has to be the same wherever parts are fitted."""
    return str(json.loads((HERE / "contract.json").read_text(encoding="utf-8")).get("digest", ""))


def reading() -> dict[str, Any]:
    """How the notebook reads its rows."""
    return dict(json.loads((HERE / "contract.json").read_text(encoding="utf-8")).get("read", {}))


def read_part(part: Any, name: str, read: Mapping[str, Any]) -> Any:
    """All rows of a part (a path or an open file), as the notebook reads its own."""
    return read_whole(part, Path(name), dict(read))


def on_this_machine(parts: Sequence[Path]) -> Each:
    """The engine of one process: a part after the other, so that one at a time is in memory."""
    read = reading()

    def each(function: Callable[[int, Any], Any]) -> list[Any]:
        made = []
        for at, part in enumerate(parts):
            made += asked_of(function, at, read_part(part, part.name, read))
        return made

    return each


def asked_of(function: Callable[[int, Any], Any], at: int, frame: Any) -> list[Any]:
    """What a function gives for the halves of a part of this number; its `of_part` sees that they are of one part."""
    numbered = [(2 * at + half, rows) for half, rows in enumerate(halves(frame))]
    of_part = getattr(function, "of_part", None)
    if of_part is not None and numbered:
        return list(of_part(numbered, frame))
    return [function(number, rows) for number, rows in numbered]


def _head(number: int, frame: Any) -> tuple[int, int, Any]:
    """A part's number, how many rows it has, and some of them: among those is a value of each column that has one."""
    present = frame.notna().to_numpy()
    return number, len(frame), frame.iloc[sorted({0, *present.argmax(axis=0).tolist()})]


def _dtypes(heads: Sequence[Any]) -> dict[Any, Any]:
    """The dtypes that a table of all rows has, by column; a column without a value has that of the others."""
    labels = heads[0].columns
    for head in heads:
        for one, other in ((labels, head.columns), (head.columns, labels)):
            for label in one.difference(other, sort=False):
                raise FitError(f"a part has no column {label}, which another one has")
        if not head.columns.is_unique:
            raise FitError("a part has two columns of the same name")
    return {label: _dtype_of(label, [head[label] for head in heads]) for label in labels}


def _dtype_of(label: Any, columns: Sequence[Any]) -> Any:
    some = [column for column in columns if column.notna().any()] or columns[:1]
    dtypes = list(dict.fromkeys(column.dtype for column in some))
    if len(dtypes) == 1 and dtypes[0] == np.dtype(bool):
        # beside a part without a value these are truths among missing ones
        return np.dtype(bool if len(some) == len(columns) else object)
    if len(dtypes) == 1 and all(column.dtype.kind not in "iu" for column in some):
        return dtypes[0]
    if all(dtype.kind in "iuf" for dtype in dtypes):
        # a part without a value has floats, which whole numbers become among missing ones
        return pd.concat([column.iloc[:1] for column in columns if column.dtype.kind in "iuf"]).dtype
    if {pd.api.types.infer_dtype(column, skipna=True) for column in some} == {"boolean"}:
        return np.dtype(object)
    raise FitError(
        f"{label} is {' in some parts and '.join(map(str, dtypes))} in others", "write the parts alike, as Parquet"
    )


@dataclass(frozen=True)
class _Observe:
    """What a part has: kind, extremes and few values of each column; its rows among the first; some of its rows."""

    progress: Progress

    def __call__(self, number: int, frame: Any) -> tuple[Any, Any, Any]:
        frame = conformed(frame, self.progress, number)
        seen = observe(frame)
        kinds = [kind_of(frame.iloc[:, at]) for at in range(frame.shape[1])]
        columns = [
            (column, int(frame.iloc[:, at].isna().sum()), choices_of(frame.iloc[:, at], kind))
            for at, (column, kind) in enumerate(zip(seen["columns"], kinds))
        ]
        left = SAMPLE - self.progress.starts[number]
        some = frame[some_of(number, len(frame), self.progress.share)]
        return columns, frame.iloc[:left] if left > 0 else None, some


def choices_of(series: Any, kind: str) -> Any:
    """Distinct values, where they are few, and the categories of a category."""
    if kind == "category":
        return series.cat.categories.tolist()
    values = series.dropna().unique() if kind in ("text", "boolean", "integer") else None
    return None if values is None or len(values) > MOST_CATEGORIES else values.tolist()


def _observed(parts: Sequence[Any], rows: int) -> dict[str, Any]:
    columns = []
    for each in zip(*parts):
        first = dict(each[0][0])
        missing = sum(count for _, count, _ in each)
        kinds = [column["kind"] for column, count, _ in each if column["kind"] != "any"]
        first["kind"] = kinds[0] if kinds else first["kind"]
        first["nullable"], first["missing"] = missing > 0, missing / rows
        for name, pick in (("min", min), ("max", max)):
            found = [column[name] for column, _, _ in each if column[name] is not None]
            first[name] = pick(found) if found else None
        values = [value for _, _, some in each for value in some or ()]
        is_free = any(some is None and column["kind"] == first["kind"] for column, _, some in each)
        first["categories"] = None if is_free else choices(list(dict.fromkeys(values)), first["kind"], rows)
        columns.append(first)
    return {"rows": rows, "columns": columns}


@dataclass(frozen=True)
class _Sample:
    """Rows of a part by their share, in their order; and its first row, where no part gives one."""

    progress: Progress
    share: float

    def __call__(self, number: int, frame: Any) -> Any:
        frame = conformed(frame, self.progress, number)
        kept = np.random.default_rng(number).random(len(frame)) < self.share
        return frame[kept], frame.head(1)
