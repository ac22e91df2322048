"""Bring raw rows into the columns and dtypes that training had, or say which value of which column does not fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd

from .faults import ContractError, Fault


@dataclass(frozen=True)
class RawSchema:
    """The raw columns of training: `template` is one training row with all its dtypes.

    `kinds` says for each column what its values are: integer, number, boolean, text, category, datetime, duration or
    any. `blanks` is what stands for a missing value in a column of Python objects.
    """

    template: Any
    kinds: tuple[str, ...]
    blanks: tuple[Any, ...]

    @property
    def labels(self) -> list[Hashable]:
        return list(self.template.columns)


def raw_schema(frame: Any, template: Any) -> RawSchema:
    """The schema of the training frame; `template` is the one row of it to keep."""
    columns = [frame.iloc[:, position] for position in range(frame.shape[1])]
    return RawSchema(template, tuple(map(kind_of, columns)), tuple(map(_blank_of, columns)))


def kind_of(series: Any) -> str:
    """What the values of a column are, in the words of the contract."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if isinstance(dtype, pd.StringDtype):
        return "text"
    if pd.api.types.is_object_dtype(dtype):
        inferred = pd.api.types.infer_dtype(series, skipna=True)
        return {"string": "text", "empty": "any", "boolean": "boolean"}.get(inferred, "any")
    for kind, test in (
        ("boolean", pd.api.types.is_bool_dtype),
        ("integer", pd.api.types.is_integer_dtype),
        ("number", pd.api.types.is_float_dtype),
        ("datetime", pd.api.types.is_datetime64_any_dtype),
        ("duration", pd.api.types.is_timedelta64_dtype),
        ("text", pd.api.types.is_string_dtype),
    ):
        if test(dtype):
            return kind
    return "any"


def conform(frame: Any, schema: RawSchema, required: Iterable[Hashable]) -> Any:
    """The raw columns of training in their order and dtypes, as a new frame; other columns are left out.

    A column that is absent is filled as missing, unless it is `required`; so is one that holds what training's dtype
    does not take, where others are required and it is not, for then no feature is made of it. Whole numbers and
    booleans with missing values become what pandas makes of them (float64, object): `split_by_dtype` keeps that from
    touching other rows.
    Raises ContractError naming column and value.
    """
    found = _positions(frame.columns)
    wanted = _positions(schema.template.columns)
    at = {place: found.get(place, found.get((str(place[0]), place[1]))) for place in wanted}
    needed = set(required)
    absent = [place[0] for place in wanted if at[place] is None and place[0] in needed]
    if absent:
        raise ContractError(Fault(0, str(label), "missing", "this column is required") for label in absent)
    columns = {}
    dtypes = list(schema.template.dtypes)
    for (place, position), kind, blank in zip(wanted.items(), schema.kinds, schema.blanks):
        dtype, source = dtypes[position], at[place]
        if source is None:
            series = pd.Series([None] * len(frame), dtype=object)
        else:
            series = frame.iloc[:, source].reset_index(drop=True)
        try:
            columns[position] = _cast(series, dtype, kind, blank)
        except (TypeError, ValueError, OverflowError) as error:
            if needed and place[0] not in needed:
                columns[position] = _cast(pd.Series([None] * len(frame), dtype=object), dtype, kind, blank)
                continue
            row, told = (
                (error.row, error.message) if isinstance(error, _Misfit) else (0, f"cannot be read as {dtype}: {error}")
            )
            raise ContractError([Fault(row, str(place[0]), "type", told)]) from error
    result = pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))
    result.columns = schema.template.columns
    names = schema.template.index.names
    if names != [None]:  # the notebook uses its index by name
        result.index = frame.index.set_names(names) if frame.index.nlevels == len(names) else result.index
    return result


def misfits(frame: Any, schema: RawSchema) -> list[Fault]:
    """Every value that `conform` does not take, by row and field; a column that is absent is none."""
    found = _positions(frame.columns)
    faults = []
    for (place, position), kind, blank in zip(_positions(schema.template.columns).items(), schema.kinds, schema.blanks):
        source = found.get(place, found.get((str(place[0]), place[1])))
        if source is None:
            continue
        dtype = schema.template.dtypes.iloc[position]
        series = frame.iloc[:, source].reset_index(drop=True)
        if _misfit(series, dtype, kind, blank) is None:
            continue
        told: dict[Any, str | None] = {}
        missing = series.isna().to_numpy()
        for row, item in enumerate(series.astype(object).tolist()):
            if missing[row]:
                continue
            key = (type(item), item if isinstance(item, Hashable) else repr(item))
            if key not in told:
                told[key] = _misfit(pd.Series([item], dtype=object), dtype, kind, blank)
            message = told[key]
            if message is not None:
                faults.append(Fault(row, str(place[0]), "type", message))
    return sorted(faults, key=lambda fault: fault.row)


def with_numbers(frame: Any, schema: RawSchema, typing: dict[str, Any]) -> Any:
    """The frame, in which text that says a number or a truth is one, where training had such in its column.

    pandas reads a column of csv as text when one value of it is no number, whatever the others are. `typing` are the
    options that it was read with.
    """
    found = _positions(frame.columns)
    columns = {}
    for place, kind in zip(_positions(schema.template.columns), schema.kinds):
        source = found.get(place, found.get((str(place[0]), place[1])))
        if source is None or kind not in ("integer", "number", "boolean"):
            continue
        series = frame.iloc[:, source]
        if pd.api.types.is_object_dtype(series.dtype) or isinstance(series.dtype, pd.StringDtype):
            columns[source] = _said(series.astype(object), kind, typing)
    if not columns:
        return frame
    made = pd.concat([columns.get(at, frame.iloc[:, at]) for at in range(frame.shape[1])], axis=1)
    made.columns = frame.columns
    return made


def _said(series: Any, kind: str, typing: dict[str, Any]) -> Any:
    """Values of a column of Python objects, in which text is what it says."""
    if kind == "boolean":
        said = {"true": True, "false": False}
        return series.map(lambda item: said.get(item.lower(), item) if _is_text(item) else item)
    texts = series.map(lambda item: item if _is_text(item) else None).astype(object)
    if typing.get("thousands"):
        texts = texts.map(lambda item: item and item.replace(typing["thousands"], ""))
    if typing.get("decimal", ".") != ".":
        texts = texts.map(lambda item: item and item.replace(typing["decimal"], "."))
    numbers = pd.to_numeric(texts, errors="coerce")
    is_number = numbers.notna().to_numpy()
    items = [
        (int(number) if float(number).is_integer() and abs(number) < 2**53 else float(number)) if yes else item
        for item, number, yes in zip(series.tolist(), numbers.tolist(), is_number.tolist())
    ]
    return pd.Series(items, index=series.index, dtype=object)


def _is_text(item: Any) -> bool:
    return isinstance(item, str)


def _misfit(series: Any, dtype: Any, kind: str, blank: Any) -> str | None:
    """What `conform` says of values that it does not take in a column."""
    try:
        _cast(series, dtype, kind, blank)
    except _Misfit as error:
        return error.message
    except (TypeError, ValueError, OverflowError) as error:
        return f"cannot be read as {dtype}: {error}"
    return None


def with_values(frame: Any, row: Any) -> Any:
    """The frame, in which the columns of `row` (a frame of one row) have its values in each row, and its dtypes."""
    for label in row.columns:
        values = row[label].iloc[np.zeros(len(frame), dtype=int)]
        frame.isetitem(frame.columns.get_loc(label), values.set_axis(frame.index))
    return frame


def split_by_dtype(frame: Any, schema: RawSchema) -> list[tuple[Any, Any]]:
    """Groups of rows (positions and frame) whose dtypes do not depend on the other rows of the request.

    A missing value turns a column of whole numbers into floats, for all rows; text made of them ("3.0" for "3") would
    then change too. So rows with a value that training's dtype cannot hold are served apart from those without.
    """
    masks = []
    for position, (own, dtype) in enumerate(zip(frame.dtypes, schema.template.dtypes)):
        if own != dtype:
            masks.append((position, _unfit(frame.iloc[:, position], dtype)))
    everything = np.arange(len(frame))
    if not masks or len(frame) == 1:
        return [(everything, frame)]
    patterns, group = np.unique(np.column_stack([mask for _, mask in masks]), axis=0, return_inverse=True)
    if len(patterns) == 1:
        return [(everything, frame)]
    groups = []
    for number, pattern in enumerate(patterns):
        rows = np.flatnonzero(group.ravel() == number)
        part = frame.iloc[rows]
        fitting = {position: part.iloc[:, position] for position in range(part.shape[1])}
        for (position, _), unfit in zip(masks, pattern):
            if not unfit:
                fitting[position] = fitting[position].astype(schema.template.dtypes.iloc[position])
        part = pd.DataFrame(fitting, index=part.index)
        part.columns = frame.columns
        groups.append((rows, part if schema.template.index.names != [None] else part.reset_index(drop=True)))
    return groups


def frame_of(records: Sequence[dict[str, Any]], schema: RawSchema, required: Iterable[Hashable]) -> Any:
    """Records as a frame of Python objects with the fields that training knows; missing required ones are an error."""
    names = {str(label) for label in required}
    faults = [
        Fault(row, name, "missing", "this field is required")
        for row, record in enumerate(records)
        for name in sorted(names.difference(record))
    ]
    if faults:
        raise ContractError(faults)
    columns = {
        label: pd.Series([record.get(str(label)) for record in records], dtype=object)
        for label in schema.labels
        if any(str(label) in record for record in records)
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(len(records)))


class _Misfit(ValueError):
    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row
        self.message = message


def _positions(columns: Any) -> dict[tuple[Hashable, int], int]:
    """Each column's label, with a number for labels that occur more than once, and its position."""
    seen: Counter[Hashable] = Counter()
    positions = {}
    for position, label in enumerate(columns):
        positions[label, seen[label]] = position
        seen[label] += 1
    return positions


def _blank_of(series: Any) -> Any:
    missing = series[series.isna().to_numpy()] if pd.api.types.is_object_dtype(series.dtype) else ()
    return None if len(missing) and all(item is None for item in missing) else np.nan


def _cast(series: Any, dtype: Any, kind: str, blank: Any) -> Any:
    if kind in ("integer", "number"):
        return _numbers(series, dtype)
    if kind == "boolean":
        return _booleans(series, dtype, blank)
    if kind == "text":
        return _text(series, dtype, blank)
    if kind == "category":
        return _categories(series, dtype)
    if kind == "datetime":
        return _datetimes(series, dtype)
    if pd.api.types.is_object_dtype(dtype):
        values = series.astype(object)
        return values.where(~values.isna(), blank)
    if kind == "duration":
        return pd.to_timedelta(series).astype(dtype)
    return series.astype(dtype)


def _numbers(series: Any, dtype: Any) -> Any:
    """Numbers in training's dtype where it can hold them; whole numbers beside missing ones become float64."""
    plain = isinstance(dtype, np.dtype)
    if series.dtype == dtype:
        return series
    missing = series.isna().to_numpy()
    if not (isinstance(series.dtype, np.dtype) and series.dtype.kind in "iufb"):
        values = _python_numbers(series, missing)
    else:
        values = series.to_numpy()
    if not plain:
        return pd.Series(pd.array([None if gone else value for value, gone in zip(values, missing)], dtype=dtype))
    if dtype.kind == "f":
        return pd.Series(values.astype(dtype))
    if not len(values):
        return pd.Series(values.astype(dtype))
    if values.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            whole = values.astype(dtype) if np.isfinite(values).all() else values
        return pd.Series(whole if (whole == values).all() and _within(values, dtype) else values)
    if not _within(values, dtype):
        row = next(row for row in range(len(values)) if not _within(values[row : row + 1], dtype))
        raise _Misfit(row, f"{values[row]} does not fit {dtype}")
    return pd.Series(values.astype(dtype))


def _within(values: Any, dtype: Any) -> bool:
    limits = np.iinfo(dtype)
    return bool(int(limits.min) <= values.min() and values.max() <= int(limits.max))


def _python_numbers(series: Any, missing: Any) -> Any:
    """Numbers from a column of another dtype: int64 when all are whole numbers, else float64 with NaN for missing."""
    if len(missing) and missing.all():  # such as a column that is absent
        return np.full(len(missing), np.nan)
    items = series.astype(object).tolist()
    for row, item in enumerate(items):
        if not missing[row] and not isinstance(item, (Number, np.bool_)):
            raise _Misfit(row, f"{_show(item)} is not a number")
        if isinstance(item, complex):
            raise _Misfit(row, f"{_show(item)} is not a real number")
    if not missing.any() and all(isinstance(item, (int, np.integer, np.bool_)) for item in items):
        try:
            return np.array([int(item) for item in items], dtype="int64")
        except OverflowError as error:
            row = next(row for row, item in enumerate(items) if not -(2**63) <= item < 2**63)
            raise _Misfit(row, f"{_show(items[row])} does not fit 64 bits") from error
    values = np.full(len(items), np.nan)
    for row, item in enumerate(items):
        if not missing[row]:
            try:
                values[row] = float(item)
            except OverflowError as error:
                raise _Misfit(row, f"{_show(item)} is too large for a number of 64 bits") from error
    return values


def _booleans(series: Any, dtype: Any, blank: Any) -> Any:
    """Booleans; beside missing values a column of plain booleans becomes one of objects, as pandas does it."""
    missing = series.isna().to_numpy()
    items = series.astype(object).tolist()
    for row, item in enumerate(items):
        if not missing[row] and not (isinstance(item, (bool, np.bool_)) or _is_bit(item)):
            raise _Misfit(row, f"{_show(item)} is neither true nor false")
    values = [blank if gone else bool(item) for item, gone in zip(items, missing)]
    if not isinstance(dtype, np.dtype):
        return pd.Series(pd.array([None if gone else value for value, gone in zip(values, missing)], dtype=dtype))
    return pd.Series(values, dtype=object if missing.any() else dtype)


def _is_bit(item: Any) -> bool:
    return isinstance(item, (int, float, np.integer, np.floating, Decimal)) and item in (0, 1)


def _text(series: Any, dtype: Any, blank: Any) -> Any:
    if series.dtype == dtype and isinstance(dtype, pd.StringDtype):
        return series
    items = series.astype(object).tolist()
    missing = series.isna().to_numpy()
    for row, item in enumerate(items):
        if not missing[row] and not isinstance(item, str):
            raise _Misfit(row, f"{_show(item)} is not text, which this column was in training")
    if pd.api.types.is_object_dtype(dtype):
        return pd.Series([blank if gone else item for item, gone in zip(items, missing)], dtype=object)
    return pd.Series([None if gone else item for item, gone in zip(items, missing)], dtype=dtype)


def _categories(series: Any, dtype: Any) -> Any:
    """Training's categories; values outside of them are missing, as `astype` of the same dtype makes them."""
    items = series.astype(object)
    text = pd.api.types.infer_dtype(dtype.categories, skipna=True) == "string"
    for row, (item, gone) in enumerate(zip(items.tolist(), items.isna().tolist())):
        if not gone and len(dtype.categories) and isinstance(item, str) != text:
            raise _Misfit(row, f"{_show(item)} is not {'text' if text else 'a value'} such as {dtype.categories[0]!r}")
    return pd.Series(items.where(items.isin(dtype.categories.tolist()), None).astype(dtype))


def _datetimes(series: Any, dtype: Any) -> Any:
    if series.dtype == dtype:
        return series
    zone = getattr(dtype, "tz", None)
    items = series.astype(object).tolist()
    values = []
    for row, item in enumerate(items):
        if isinstance(item, (Number, np.bool_)) and not pd.isna(item):
            raise _Misfit(row, f"{_show(item)} is not a date; send it as text such as 2024-05-01T12:00:00")
        try:
            value = pd.NaT if item is None or item is pd.NA else pd.Timestamp(item)
        except (TypeError, ValueError) as error:
            raise _Misfit(row, f"{_show(item)} is not a date") from error
        if value is not pd.NaT and (value.tzinfo is None) != (zone is None):
            raise _Misfit(row, f"{_show(item)} must {'have a' if zone else 'not have a'} time zone, as in training")
        values.append(value if zone is None or value is pd.NaT else value.tz_convert(zone))
    return pd.Series(pd.DatetimeIndex(values, tz=zone).astype(dtype))


def _unfit(series: Any, dtype: Any) -> Any:
    """Which values of a widened column training's dtype cannot hold."""
    missing = series.isna().to_numpy()
    if isinstance(dtype, np.dtype) and dtype.kind in "iu" and series.dtype.kind == "f":
        values = series.to_numpy()
        limits = np.iinfo(dtype)
        with np.errstate(invalid="ignore"):
            return missing | (values != np.floor(values)) | (values < limits.min) | (values > limits.max)
    return missing


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
