"""What the pipeline takes and gives: raw columns with their dtypes, ranges and categories, and the features made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .schema import ContractError, Fault, kind_of

__all__ = ["Column", "Contract", "ContractError", "Fault", "observe", "records_of"]

# A column of few distinct values is taken for a choice among them (see `_categories`).
MOST_CATEGORIES = 200
MOST_NUMBERS = 20
_JSON_TYPES = {
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "text": "string",
    "datetime": "string",
    "duration": "string",
}
_SAID = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "text": "text",
    "datetime": "a date as text, such as 2024-05-01T12:00:00",
    "duration": "a duration as text, such as 1 days 02:00:00",
}


@dataclass(frozen=True)
class Column:
    """One raw column: whether a record must have it, and what training saw in it.

    `filled` marks a column of which training had every value, and whose missing values the notebook's code fills.
    """

    name: str
    required: bool = True
    dtype: str = "object"
    kind: str = "any"
    nullable: bool = True
    filled: bool = False
    min: Any = None
    max: Any = None
    categories: tuple[Any, ...] | None = None
    missing: float = 0.0


@dataclass(frozen=True)
class Contract:
    """The static part (contract.json, written at export) and the observed part (state/schema.json, written by fit).

    `policy` says what happens to a row outside of what training saw: `flag` predicts and marks it, `reject` refuses
    it, `default` answers with `default`. `strict` makes unknown fields an error. `serves` is `rows`, or `batch` where
    features are made of the rows around a row: then a value may be missing, and rows without the neighbours that they
    need get no answer.
    """

    name: str = "pipeline"
    digest: str = ""
    target: str | None = None
    policy: str = "flag"
    open: bool = False
    strict: bool = False
    serves: str = "rows"
    default: Any = None
    columns: tuple[Column, ...] = ()
    features: tuple[tuple[str, str], ...] = ()
    dropped: tuple[dict[str, Any], ...] = ()
    lookups: tuple[dict[str, Any], ...] = ()
    rows: int = 0
    task: str | None = None
    classes: tuple[Any, ...] | None = None
    read: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_parts(cls, static: dict[str, Any], observed: dict[str, Any]) -> Contract:
        """Merge the two parts; columns stand in training's order once it is known."""
        required = {str(column["name"]): bool(column.get("required", True)) for column in static.get("columns", ())}
        target = static.get("target")
        # An open pipeline uses whatever columns there are: all that training saw are then required.
        others = bool(static.get("open", False)) or not required
        batch = {"nullable": True} if static.get("serves") == "batch" else {}
        columns = [
            Column(
                **{
                    key: seen[key]
                    for key in ("dtype", "kind", "nullable", "filled", "min", "max", "missing")
                    if key in seen
                }
                | batch,
                name=name,
                required=required.get(name, others and name != target),
                categories=None if seen.get("categories") is None else tuple(seen["categories"]),
            )
            for seen in observed.get("columns", ())
            for name in [str(seen["name"])]
        ]
        known = {column.name for column in columns}
        columns += [Column(name, needed) for name, needed in required.items() if name not in known]
        features = observed.get("features") or [{"name": name} for name in static.get("features", ())]
        classes = observed.get("classes")
        stated = ("name", "digest", "policy", "open", "strict", "serves", "default")
        return cls(
            **{key: static[key] for key in stated if key in static},
            target=target,
            columns=tuple(columns),
            features=tuple((str(feature["name"]), str(feature.get("dtype", ""))) for feature in features),
            dropped=tuple(static.get("dropped", ())),
            lookups=tuple(
                {**table, "without_partner": observed.get("lookups", {}).get(table["name"])}
                for table in static.get("lookups", ())
            ),
            rows=int(observed.get("rows", 0)),
            task=observed.get("task"),
            classes=None if classes is None else tuple(classes),
            read=dict(static.get("read") or {}),
        )

    @classmethod
    def read_from(cls, folder: str | Path) -> Contract:
        """The contract of a version folder; without state its observed part is empty."""
        parts = []
        for path in (Path(folder, "contract.json"), Path(folder, "state", "schema.json")):
            parts.append(json.loads(path.read_text(encoding="utf-8")) if path.exists() else {})
        return cls.from_parts(*parts)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.required)

    def validate(self, records: Sequence[Any]) -> list[Fault]:
        """Every fault of every record, by row and field; see `Fault` for its kinds. Takes what JSON can say."""
        fields = {column.name: column for column in self.columns}
        faults: list[Fault] = []
        for row, record in enumerate(records):
            if not isinstance(record, dict):
                faults.append(Fault(row, "", "type", f"a record is an object of fields, not {_show(record)}"))
                continue
            for name, column in fields.items():
                if not column.required:
                    continue  # no feature is made of it
                if name not in record:
                    faults.append(Fault(row, name, "missing", "this field is required"))
                else:
                    faults.extend(self._faults_of(row, column, record[name]))
            unknown = [name for name in record if name not in fields]
            severity = "error" if self.strict else "flag"
            faults.extend(
                Fault(row, name, "extra", "the pipeline does not know this field", severity) for name in unknown
            )
        return faults

    def check(self, frame: Any) -> list[Fault]:
        """What in a frame of raw rows lies outside of what training saw: missing values, ranges and categories."""
        faults: list[Fault] = []
        for column, series in self._required_of(frame):
            missing = series.isna().to_numpy()
            suspect = missing.copy() if column.filled or not column.nullable else np.zeros(len(frame), dtype=bool)
            if column.categories is not None:
                suspect |= ~series.isin(list(column.categories)).to_numpy() & ~missing
            if column.min is not None and pd.api.types.is_numeric_dtype(series.dtype):
                suspect |= ((series < column.min) | (series > column.max)).fillna(False).to_numpy(dtype=bool)
            elif column.min is not None:
                suspect |= ~missing
            for row in np.flatnonzero(suspect).tolist():
                value = None if missing[row] else _to_json(series.iloc[row])
                faults.extend(self._faults_of(row, column, value))
        return sorted(faults, key=lambda fault: fault.row)

    def alone(self, without_partner: dict[str, list[int]]) -> list[Fault]:
        """Faults for the rows that have no row in a lookup table where each training row had one, by its name."""
        severity = "error" if self.policy == "reject" else "flag"
        return [
            Fault(
                row,
                ", ".join(table["keys"] or ()),
                "unseen",
                f"the lookup table {table['name']!r} has no row for it",
                severity,
            )
            for table in self.lookups
            if not table["without_partner"]
            for row in sorted(without_partner.get(table["name"], ()))
        ]

    def without_neighbours(self, rows: Sequence[int]) -> list[Fault]:
        """Faults for the rows of a batch whose features need rows that it does not have."""
        severity = "error" if self.policy == "reject" else "flag"
        message = "its features need rows that this batch does not have"
        return [Fault(row, "", "history", message, severity) for row in rows]

    def refused(self, frame: Any) -> list[Fault]:
        """The missing values in a frame of raw rows that the notebook's code does not handle: no prediction is made."""
        faults = [
            fault
            for column, series in self._required_of(frame)
            if not column.nullable
            for row in np.flatnonzero(series.isna().to_numpy()).tolist()
            for fault in self._faults_of(row, column, None)
        ]
        return sorted(faults, key=lambda fault: fault.row)

    def to_json(self) -> dict[str, Any]:
        """The contract as JSON, as `/contract` shows it."""
        columns = [{**vars(column), "categories": _as_list(column.categories)} for column in self.columns]
        features = [{"name": name, "dtype": dtype} for name, dtype in self.features]
        return {
            **vars(self),
            "columns": columns,
            "features": features,
            "dropped": list(self.dropped),
            "lookups": list(self.lookups),
            "classes": _as_list(self.classes),
        }

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of one record: what is refused; ranges and categories stand in the descriptions."""
        asked = [column for column in self.columns if column.required or column.name != self.target]
        properties = {column.name: _property(column) for column in asked}
        return {
            "type": "object",
            "properties": properties,
            "required": [column.name for column in self.columns if column.required],
            "additionalProperties": not self.strict,
        }

    def _required_of(self, frame: Any) -> list[tuple[Column, Any]]:
        """The columns that a row must have, with their values in a frame; those that it lacks are left out."""
        at: dict[str, int] = {}
        for position, label in enumerate(frame.columns):
            at.setdefault(str(label), position)
        return [
            (column, frame.iloc[:, at[column.name]]) for column in self.columns if column.required and column.name in at
        ]

    def _faults_of(self, row: int, column: Column, value: Any) -> list[Fault]:
        severity = "error" if self.policy == "reject" else "flag"
        if value is None:
            if not column.required or (column.nullable and not column.filled):
                return []
            message = "training has no missing value in this column"
            if column.filled:
                return [Fault(row, column.name, "null", f"{message}; the notebook's code fills it", severity)]
            return [Fault(row, column.name, "null", f"{message}, and the notebook's code fills none")]
        wrong = _wrong_type(column, value)
        if wrong:
            return [Fault(row, column.name, "type", wrong)]
        if column.min is not None and not _in_range(column, value):
            message = f"{_show(value)} is outside of {_show(column.min)} to {_show(column.max)}, which training saw"
            return [Fault(row, column.name, "range", message, severity)]
        if column.categories is not None and value not in column.categories:
            return [Fault(row, column.name, "unseen", f"{_show(value)} does not occur in training", severity)]
        return []


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
        [None if gone else _to_json(value) for value, gone in zip(frame.iloc[:, at].astype(object), missing)]
        for at in range(frame.shape[1])
        for missing in [frame.iloc[:, at].isna()]
    ]
    names = [str(label) for label in frame.columns]
    return [dict(zip(names, values)) for values in zip(*columns)]


def _range(series: Any, kind: str) -> tuple[Any, Any]:
    present = series.dropna()
    if kind not in ("integer", "number", "datetime", "duration") or not len(present):
        return None, None
    if kind == "number":
        present = present[np.isfinite(present.to_numpy(dtype="float64"))]
        if not len(present):
            return None, None
    return _to_json(present.min()), _to_json(present.max())


def _categories(series: Any, kind: str) -> list[Any] | None:
    """The distinct values, sorted, where a column is a choice among few; None where it is free."""
    if kind == "category":
        values = series.cat.categories.tolist()
    elif kind in ("text", "boolean", "integer"):
        values = series.dropna().unique().tolist()
        most = MOST_CATEGORIES if kind == "text" else MOST_NUMBERS
        # Twenty values among twenty-five rows are names, not a choice.
        if len(values) > most or (len(values) > MOST_NUMBERS and 2 * len(values) > len(series)):
            return None
    else:
        return None
    if len(values) > MOST_CATEGORIES:
        return None
    values = [_to_json(value) for value in values]
    return sorted(values, key=lambda value: (isinstance(value, str), value if isinstance(value, str) else float(value)))


def _wrong_type(column: Column, value: Any) -> str | None:
    """What is wrong with a JSON value's type, or None."""
    kind = column.kind
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "category":
        text = any(isinstance(item, str) for item in column.categories or ())
        right = (isinstance(value, str) if text else isinstance(value, (int, float))) or column.categories is None
        said = "text" if text else "a number"
    elif kind in ("integer", "number"):
        right = number and (kind == "number" or value == value // 1) and _is_finite(value, kind)
        said = _SAID[kind]
    elif kind in _JSON_TYPES:
        right = isinstance(value, bool) if kind == "boolean" else isinstance(value, str)
        said = _SAID[kind]
        if right and kind == "datetime":
            right = _can(pd.Timestamp, value)
        if right and kind == "duration":
            right = _can(pd.Timedelta, value)
    else:
        right, said = not isinstance(value, (dict, list)), "a single value"
    if right and isinstance(value, str) and not _is_unicode(value):
        right, said = False, "valid Unicode"
    return None if right else f"{_show(value)} is not {said}"


def _is_finite(value: Any, kind: str) -> bool:
    """Whether a number has a place among 64-bit floats, or integers."""
    try:
        return bool(np.isfinite(float(value))) and (kind == "number" or -(2**63) <= value < 2**64)
    except OverflowError:
        return False


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _can(read: Any, value: Any) -> bool:
    try:
        return read(value) is not pd.NaT
    except (ValueError, TypeError, OverflowError):
        return False


def _in_range(column: Column, value: Any) -> bool:
    if column.kind in ("datetime", "duration"):
        read = pd.Timestamp if column.kind == "datetime" else pd.Timedelta
        try:
            return bool(read(column.min) <= read(value) <= read(column.max))
        except TypeError:  # with and without a time zone: the cast to training's dtype says so
            return True
    return bool(column.min <= value <= column.max)


def _to_json(value: Any) -> Any:
    """A value of a column as JSON can say it."""
    if isinstance(value, (pd.Timestamp, pd.Timedelta)):
        return str(value) if isinstance(value, pd.Timedelta) else value.isoformat()
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def _as_list(values: tuple[Any, ...] | None) -> list[Any] | None:
    return None if values is None else list(values)


def _property(column: Column) -> dict[str, Any]:
    if column.kind == "category":
        text = any(isinstance(item, str) for item in column.categories or ())
        kind: str | None = "string" if text else None
    else:
        kind = _JSON_TYPES.get(column.kind)
    schema: dict[str, Any] = {}
    if kind is not None:
        schema["type"] = [kind, "null"] if column.nullable or not column.required else kind
    if column.kind == "datetime":
        schema["description"] = "ISO 8601 date and time"
    if column.min is not None:
        schema["description"] = f"training saw {column.min} to {column.max}"
    if column.categories:
        schema["description"] = f"training saw {', '.join(map(str, column.categories[:20]))}"
        schema["examples"] = list(column.categories[:3])
    elif column.min is not None:
        schema["examples"] = [column.min]
    return schema


def _show(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
