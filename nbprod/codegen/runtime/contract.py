"""What the pipeline takes and gives: raw columns with their dtypes, ranges and categories, and the features made.

Records are validated without pandas, which only dates and durations take; tables are looked at in observing.py.
"""

from __future__ import annotations

import importlib
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from .faults import ContractError, Fault

__all__ = ["Column", "Contract", "ContractError", "Fault"]

_JSON_TYPES = {
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "text": "string",
    "datetime": "string",
    "duration": "string",
}
TEXT = (str,)
_ORDINARY: dict[str, tuple[type, ...]] = {"integer": (int,), "number": (float, int), "boolean": (bool,), "text": TEXT}
ABSENT = object()
LARGEST = sys.float_info.max
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
    `stated` names what is declared of it in the place of what training saw: `min`, `max`, `categories`; and
    `on_missing` and `on_unseen` say whether to `flag` or to `reject` there, whatever the policy is.
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
    stated: tuple[str, ...] = ()
    on_missing: str | None = None
    on_unseen: str | None = None


@dataclass(frozen=True)
class Contract:
    """The static part (contract.json, written at export) and the observed part (state/schema.json, written by fit).

    `policy` says what happens to a row outside of what training saw: `flag` predicts and marks it, `reject` refuses
    it, `default` answers with `default`. `strict` makes unknown fields an error. `serves` is `rows`, or `batch` where
    features are made of the rows around a row: then a value may be missing, and rows without the neighbours that they
    need get no answer. `unsure` is a range of the model's probabilities (of the second of two classes, of the likeliest
    of more): answers within it are marked, or where `when_unsure` is `abstain` not given.
    """

    name: str = "pipeline"
    digest: str = ""
    target: str | None = None
    policy: str = "flag"
    open: bool = False
    strict: bool = False
    serves: str = "rows"
    default: Any = None
    unsure: tuple[float, float] | None = None
    when_unsure: str = "flag"
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
        stated = dict(static.get("stated") or {})
        columns = [_as_stated(column, stated.get(column.name)) for column in columns]
        features = observed.get("features") or [{"name": name} for name in static.get("features", ())]
        classes = observed.get("classes")
        settings = ("name", "digest", "policy", "open", "strict", "serves", "default", "when_unsure")
        return cls(
            unsure=tuple(static["unsure"]) if static.get("unsure") else None,
            **{key: static[key] for key in settings if key in static},
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

    def column(self, name: str) -> Column | None:
        """The raw column of a name, None where training had none."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    def validate(self, records: Sequence[Any], most: int | None = None) -> list[Fault]:
        """Every fault of every record, by row and field; see `Fault` for its kinds. Takes what JSON can say.

        Behind `most` errors no further record is looked at.
        """
        faults: list[Fault] = []
        known, ordinary = self._ordinary
        seen = errors = 0
        for row, record in enumerate(records):
            if most is not None and len(faults) > seen:
                errors += sum(fault.severity == "error" for fault in faults[seen:])
                seen = len(faults)
                if errors >= most:
                    break
            if not isinstance(record, dict):
                faults.append(Fault(row, "", "type", f"a record is an object of fields, not {_show(record)}"))
                continue
            for name, column, types, low, high, choices in ordinary:
                value = record.get(name, ABSENT)
                if (
                    type(value) in types
                    and (low is None or low <= value <= high)
                    and (choices is None or value in choices)
                    and (types is not TEXT or value.isascii())
                ):
                    continue
                if value is ABSENT:
                    faults.append(Fault(row, name, "missing", "this field is required"))
                else:
                    faults.extend(self.faults_of(row, column, value))
            if not known.issuperset(record):
                severity = "error" if self.strict else "flag"
                faults.extend(
                    Fault(row, name, "extra", "the pipeline does not know this field", severity)
                    for name in record
                    if name not in known
                )
        return faults

    @cached_property
    def _ordinary(self) -> tuple[frozenset[str], list[tuple[Any, ...]]]:
        """The names of all columns, and of those that are needed what tells a value in which nothing can be wrong."""
        needed = [column for column in self.columns if column.required]  # no feature is made of the others
        return frozenset(column.name for column in self.columns), [
            (
                column.name,
                column,
                # a number without a range may be no number
                () if column.min is None and column.kind in ("integer", "number") else _ORDINARY.get(column.kind, ()),
                column.min,
                column.max,
                None if column.categories is None else frozenset(column.categories),
            )
            for column in needed
        ]

    def defaulted(self, faults: Sequence[Fault]) -> list[int]:
        """The rows that get the stated answer, being outside of what training saw."""
        if self.policy != "default":
            return []
        return sorted({fault.row for fault in faults if fault.kind in ("null", "range", "unseen", "history")})

    def doubts(self, chances: Sequence[Sequence[float]]) -> list[Fault]:
        """Flags for the rows whose probabilities lie in the range that counts as unsure."""
        assert self.unsure is not None, "asked only where a range is stated"
        low, high = self.unsure
        scores = ((row, each[1] if len(each) == 2 else max(each)) for row, each in enumerate(chances))
        return [
            Fault(row, "", "unsure", f"the model is not sure: {score:.3f} lies in {low} to {high}", "flag")
            for row, score in scores
            if low <= score <= high
        ]

    def withheld(self, faults: Sequence[Fault]) -> list[int]:
        """The rows that get no answer, the model being unsure of them."""
        if self.when_unsure != "abstain":
            return []
        return [fault.row for fault in faults if fault.kind == "unsure"]

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

    def to_json(self) -> dict[str, Any]:
        """The contract as JSON, as `/contract` shows it."""
        columns = [
            {**vars(column), "categories": _as_list(column.categories), "stated": list(column.stated)}
            for column in self.columns
        ]
        features = [{"name": name, "dtype": dtype} for name, dtype in self.features]
        return {
            **{each.name: getattr(self, each.name) for each in fields(self)},
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

    def pandera(self) -> Any:
        """The same as a schema of pandera; see pandera_schema.py. Raises ImportError where that is not installed."""
        return importlib.import_module(".pandera_schema", __package__).schema_of(self)

    def faults_of(self, row: int, column: Column, value: Any) -> list[Fault]:
        """What is wrong with a value of a row's field, as JSON can say it."""
        severity = self.severity_of(column.on_missing if value is None else column.on_unseen)
        if value is None:
            if column.required and column.on_missing == "reject" and column.nullable:
                return [Fault(row, column.name, "null", "a missing value is declared to be refused", severity)]
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
            seen = "as is declared" if {"min", "max"} & set(column.stated) else "which training saw"
            message = f"{_show(value)} is outside of {_show(column.min)} to {_show(column.max)}, {seen}"
            return [Fault(row, column.name, "range", message, severity)]
        if column.categories is not None and value not in column.categories:
            seen = "is none of those declared" if "categories" in column.stated else "does not occur in training"
            return [Fault(row, column.name, "unseen", f"{_show(value)} {seen}", severity)]
        return []

    def severity_of(self, declared: str | None) -> str:
        """How a value is taken that training did not see: as it is `declared` of its column, else by the policy."""
        return "error" if (declared or self.policy) == "reject" else "flag"


def _as_stated(column: Column, stated: dict[str, Any] | None) -> Column:
    """The column with what is declared of it in the place of what training saw. A range is one of numbers."""
    if not stated:
        return column
    told: dict[str, Any] = {key: value for key, value in stated.items() if key in ("on_missing", "on_unseen")}
    if "categories" in stated:
        told["categories"] = tuple(stated["categories"])
    if column.kind in ("integer", "number") and ("min" in stated or "max" in stated):
        seen = (-LARGEST if column.min is None else column.min, LARGEST if column.max is None else column.max)
        told["min"], told["max"] = stated.get("min", seen[0]), stated.get("max", seen[1])
    return replace(column, **told, stated=tuple(key for key in stated if key in told))


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
            right = _can("Timestamp", value)
        if right and kind == "duration":
            right = _can("Timedelta", value)
    else:
        right, said = not isinstance(value, (dict, list)), "a single value"
    if right and isinstance(value, str) and not _is_unicode(value):
        right, said = False, "valid Unicode"
    return None if right else f"{_show(value)} is not {said}"


def _is_finite(value: Any, kind: str) -> bool:
    """Whether a number has a place among 64-bit floats, or integers."""
    try:
        return math.isfinite(float(value)) and (kind == "number" or -(2**63) <= value < 2**64)
    except OverflowError:
        return False


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _can(kind: str, value: Any) -> bool:
    pandas = importlib.import_module("pandas")
    try:
        return getattr(pandas, kind)(value) is not pandas.NaT
    except (ValueError, TypeError, OverflowError):
        return False


def _in_range(column: Column, value: Any) -> bool:
    if column.kind in ("datetime", "duration"):
        read = getattr(importlib.import_module("pandas"), "Timestamp" if column.kind == "datetime" else "Timedelta")
        try:
            return bool(read(column.min) <= read(value) <= read(column.max))
        except TypeError:  # with and without a time zone: the cast to training's dtype says so
            return True
    return bool(column.min <= value <= column.max)


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
