"""Two executions side by side: the first line after which they hold different values for one row."""

from __future__ import annotations

import ast
import sys
import textwrap
from collections import Counter
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, Callable

import numpy as np
import pandas as pd

from .sourcemap import Place, SourceMap, statement_starts

LONGEST = 200  # elements of lists and dictionaries that are looked at
RELATIVE = 1e-12
ABSOLUTE = 1e-14

Key = Any
Values = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """The row that is watched: its label in the raw index, and its position in arrays of a given length."""

    label: Any
    positions: dict[int, int]
    ignored: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Moment:
    """What the variables hold of the row after a statement has run."""

    key: Key
    values: Values


def watch(
    call: Callable[[], Any],
    wanted: Callable[[CodeType], bool],
    key: Callable[[int], Key],
    row_of: Callable[[FrameType], Row | None],
) -> list[Moment]:
    """Run `call` and note, after each statement of the wanted code, what its variables hold of the row.

    `row_of` says for each call of the wanted code which row to watch there, None to look away. An exception ends the
    trace; what was noted before it is returned.
    """
    moments: list[Moment] = []
    pending: dict[int, Key] = {}
    rows: dict[int, Row] = {}

    def local(frame: FrameType, event: str, _: Any) -> Any:
        now = key(frame.f_lineno)
        before = pending.get(id(frame))
        if before is not None and (event != "line" or before != now):
            moments.append(Moment(before, _summary(frame.f_locals, rows[id(frame)])))
        pending[id(frame)] = now
        return local

    def start(frame: FrameType, event: str, _: Any) -> Any:
        if event != "call" or not wanted(frame.f_code):
            return None
        row = row_of(frame)
        if row is None:
            return None
        rows[id(frame)] = row
        pending.pop(id(frame), None)
        return local

    previous = sys.gettrace()
    sys.settrace(start)
    try:
        call()
    except Exception:  # noqa: BLE001 - a trace of code under test ends where that code raises
        return moments
    finally:
        sys.settrace(previous)
    return moments


def watch_module(
    call: Callable[[], Any], code: CodeType, row_of: Callable[[Any], Row | None], statement: Callable[[int], int]
) -> list[Moment]:
    """The moments of one function of the package, keyed by the line of its statement.

    `row_of` is asked with the function's first argument, the frame of rows.
    """

    def row(frame: FrameType) -> Row | None:
        return row_of(frame.f_locals[code.co_varnames[0]])

    return watch(call, lambda other: other is code, statement, row)


def same_row(frame: Any, values: Any) -> int:
    """Position of the first row of `frame` that has these values (a Series by column), -1 where there is none."""
    mask = np.ones(len(frame), dtype=bool)
    for place, name in enumerate(frame.columns):
        if name in values.index:
            column, value = frame.iloc[:, place].astype(object), values[name]
            mask &= (column.isna() if _is_missing(value) else column == value).to_numpy(dtype=bool)
    return int(np.flatnonzero(mask)[0]) if mask.any() else -1


def watch_source(steps: list[dict[str, Any]], namespace: dict[str, Any], row: Row) -> list[Moment]:
    """The moments of the notebook's own text, run step by step on the raw frame, keyed by cell and line."""
    moments: list[Moment] = []
    for number, step in enumerate(steps):
        text = textwrap.dedent(str(step.get("source", "")))
        name = f"<step {number}>"
        try:
            tree = ast.parse(text)
            code = compile(tree, name, "exec")
        except SyntaxError:
            continue
        starts = statement_starts(tree)
        place = (int(step["cell"]), int(step["line"]))

        def key(line: int, place: Place = place, starts: dict[int, int] = starts) -> Place:
            return place[0], place[1] + starts.get(line, line) - 1

        def run(code: CodeType = code) -> None:
            exec(code, namespace)

        def wanted(other: CodeType, name: str = name) -> bool:
            return other.co_filename == name and other.co_name == "<module>"

        moments.extend(watch(run, wanted, key, lambda _: row))
    return moments


def first_difference(reference: list[Moment], other: list[Moment]) -> Key | None:
    """The key of the first moment of `reference` after which `other` holds something else.

    Loops pass a statement several times: its n-th passage is compared with the n-th. Where `other` lacks a statement
    that made the difference, that statement is named, and not the later one where it shows.
    """
    there: dict[tuple[Key, int], Values] = {}
    count: Counter[Key] = Counter()
    for moment in other:
        there[moment.key, count[moment.key]] = moment.values
        count[moment.key] += 1
    count.clear()
    before: Values = {}
    lacking: list[tuple[Key, Values, Values]] = []
    for moment in reference:
        key = moment.key, count[moment.key]
        count[moment.key] += 1
        if key not in there:
            lacking.append((moment.key, before, moment.values))
        else:
            found = _differing(moment.values, there[key])
            if found:
                culprits = (name for name, old, new in lacking if _changed(old, new, found))
                return next(culprits, moment.key)
            lacking = []
        before = moment.values
    return None


def first_moved(moments: list[Moment]) -> Key | None:
    """The key of the first moment at which the watched row stands elsewhere among as many rows as before."""
    before: dict[str, Any] = {}
    for moment in moments:
        now = {name: values["#place"] for name, values in moment.values.items() if "#place" in values}
        for place in now.values():
            known = [old for old in before.values() if old[1] == place[1]]
            if known and place not in known:
                return moment.key
        before = now
    return None


def _summary(variables: Any, row: Row) -> Values:
    """What each variable holds of the row; whole values for what has no rows, such as a learned median."""
    found: Values = {}
    for name, value in list(variables.items()):
        if name.startswith("__") or name in row.ignored:
            continue
        summary = _of(value, row)
        if summary is not None:
            found[name] = summary
    return found


def _of(value: Any, row: Row) -> dict[str, Any] | None:
    if isinstance(value, pd.DataFrame):
        return _of_frame(value, row)
    if isinstance(value, pd.Series):
        if value.name is not None and str(value.name) in row.ignored:
            return None
        place = value.index.get_indexer([row.label])[0] if value.index.is_unique else -1
        if place >= 0:
            return {"#kind": "row", "": value.iat[place]}
        return _whole({str(key): item for key, item in value.items()}) if len(value) <= LONGEST else None
    if isinstance(value, np.ndarray):
        if value.ndim in (1, 2) and len(value) in row.positions:
            cells = np.atleast_1d(value[row.positions[len(value)]])
            return {"#kind": "row", **{str(n): item for n, item in enumerate(cells)}}
        return _whole({str(n): item for n, item in enumerate(value.ravel())}) if value.size <= LONGEST else None
    if _is_plain(value):
        return _whole({"": value})
    if isinstance(value, (list, tuple)) and len(value) <= LONGEST and all(_is_plain(item) for item in value):
        return _whole({str(n): item for n, item in enumerate(value)})
    if isinstance(value, dict) and len(value) <= LONGEST and all(_is_plain(item) for item in value.values()):
        return _whole({str(key): item for key, item in value.items()})
    return None


def _of_frame(frame: Any, row: Row) -> dict[str, Any] | None:
    if not frame.index.is_unique:
        return None
    place = int(frame.index.get_indexer([row.label])[0])
    if place < 0:
        return {"#kind": "row", "#present": False}
    names = [str(name) for name in frame.columns]
    cells = {name: frame.iat[place, n] for n, name in enumerate(names) if name not in row.ignored}
    return {"#kind": "row", "#present": True, "#place": (place, len(frame)), **cells}


def _whole(items: dict[str, Any]) -> dict[str, Any]:
    return {"#kind": "whole", **items}


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str, np.generic))


def _differing(a: Values, b: Values) -> list[tuple[str, str]]:
    """(variable, column) pairs that both know and that differ; a column that only one has differs too."""
    found: list[tuple[str, str]] = []
    for name, left in a.items():
        if name in b:
            right = b[name]
            if left["#kind"] != right["#kind"] or (left.get("#present"), right.get("#present")) == (False, False):
                continue
            columns = [column for column in {**left, **right} if column != "#place"]
            found.extend(
                (name, column)
                for column in columns
                if (column in left) != (column in right) or not _equal(left.get(column), right.get(column))
            )
    return found


def _changed(before: Values, after: Values, where: list[tuple[str, str]]) -> bool:
    return any(
        name in after and not _equal(before.get(name, {}).get(column), after[name].get(column))
        for name, column in where
    )


def _equal(a: Any, b: Any) -> bool:
    if a is b:
        return True
    missing_a, missing_b = _is_missing(a), _is_missing(b)
    if missing_a or missing_b:
        return missing_a and missing_b
    if isinstance(a, (int, float, np.number)) and isinstance(b, (int, float, np.number)):
        distance = abs(float(a) - float(b))
        return a == b or distance <= max(RELATIVE * max(abs(float(a)), abs(float(b))), ABSOLUTE)
    try:
        return bool(a == b)
    except (TypeError, ValueError):
        return repr(a) == repr(b)


def _is_missing(value: Any) -> bool:
    try:
        return bool(pd.isna(value))
    except (TypeError, ValueError):
        return False


def source_namespace(module: Any, names: list[str], frame: Any) -> dict[str, Any]:
    """The globals in which the notebook's own text runs: the module's imports and helpers, and the raw frame."""
    return {**vars(module), **dict.fromkeys(names, frame), "__name__": "notebook"}


def map_keys(moments: list[Moment], source_map: SourceMap) -> list[Moment]:
    """Moments keyed by module line, keyed by cell and line instead."""
    return [Moment(source_map.place(moment.key) or (-1, -1), moment.values) for moment in moments]
