"""Dates of a row: how they are read from text, and what `.dt` makes of them.

A date is Python's `datetime` in the row's code. Times with a zone are lost. What is not in the form of a
column's dates and years that are far away are left to the package's own code: the function that reads them raises.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from .nodes import BOOLEAN, DELTA, FLOAT, INTEGER, MOMENT, TEXT, Lost, Node, derived, literal
from .tables import Column, Frame, bare, lost, standing, with_line

DIRECTIVES = {
    "Y": "year", "y": "short_year", "m": "month", "d": "day", "H": "hour", "M": "minute", "S": "second",
}  # fmt: skip
"""The parts of a format that are read, and what they are to `datetime`; `dated` makes a year of a short one."""

MIXED = "pandas finds no one format for these dates and reads each by itself: give pd.to_datetime the format"

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip

OF_MOMENTS = {
    "year": ("{0}.year", INTEGER),
    "month": ("{0}.month", INTEGER),
    "day": ("{0}.day", INTEGER),
    "hour": ("{0}.hour", INTEGER),
    "minute": ("{0}.minute", INTEGER),
    "second": ("{0}.second", INTEGER),
    "microsecond": ("{0}.microsecond", INTEGER),
    "quarter": ("({0}.month + 2) // 3", INTEGER),
    "dayofweek": ("{0}.weekday()", INTEGER),
    "dayofyear": ("{0}.timetuple().tm_yday", INTEGER),
    "days_in_month": ("days_in_month({0})", INTEGER),
    "is_month_start": ("{0}.day == 1", BOOLEAN),
    "is_month_end": ("{0}.day == days_in_month({0})", BOOLEAN),
    "is_quarter_start": ("{0}.day == 1 and {0}.month % 3 == 1", BOOLEAN),
    "is_quarter_end": ("{0}.month % 3 == 0 and {0}.day == days_in_month({0})", BOOLEAN),
    "is_year_start": ("{0}.month == 1 and {0}.day == 1", BOOLEAN),
    "is_year_end": ("{0}.month == 12 and {0}.day == 31", BOOLEAN),
}
OF_DELTAS = {"days": ("{0}.days", INTEGER), "seconds": ("{0}.seconds", INTEGER)}
SAME = {"weekday": "dayofweek", "day_of_week": "dayofweek", "day_of_year": "dayofyear", "daysinmonth": "days_in_month"}
"""Other names of the same."""


class Dates:
    """`.dt` of a column."""

    def __init__(self, column: Column) -> None:
        self.column = column

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.column.shadow.dt, name)
        value = self.column.value
        if callable(found):
            return lambda *args, **options: self._call(name, found(*bare(args), **bare(options)), args, options)
        if isinstance(value, Lost):
            return standing(found, value)
        known = {MOMENT: OF_MOMENTS, DELTA: OF_DELTAS}.get(value.kind, {}).get(SAME.get(name, name))
        return standing(found, with_line(lost(f".dt.{name}") if known is None else derived(*known, value)))

    def _call(self, name: str, shadow: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        value = self.column.value
        if isinstance(value, Lost) and not isinstance(shadow, pd.DataFrame):
            return standing(shadow, value)
        if isinstance(value, Node) and not args and not options:
            if name in ("day_name", "month_name") and value.kind == MOMENT:
                place, names = ("weekday()", DAYS) if name == "day_name" else ("month", MONTHS)
                return standing(shadow, with_line(derived(f"{{NAMES}}[{{0}}.{place}]", TEXT, value, NAMES=names)))
            if name == "normalize" and value.kind == MOMENT:
                return standing(shadow, with_line(derived("midnight({0})", MOMENT, value)))
            if name == "total_seconds" and value.kind == DELTA:
                return standing(shadow, with_line(derived("{0}.total_seconds()", FLOAT, value)))
            if name == "isocalendar" and value.kind == MOMENT:
                parts = (derived(f"{{0}}.isocalendar()[{at}]", INTEGER, value) for at in range(3))
                return Frame(shadow, [with_line(each) for each in parts])
        if name == "strftime" and len(args) == 1 and not options and isinstance(value, Node) and _is_plain(args[0]):
            return standing(shadow, with_line(derived(f"{{0}}.strftime({literal(args[0])})", TEXT, value)))
        return standing(shadow, what=f".dt.{name}()")


def _is_plain(date_format: Any) -> bool:
    """Whether a format has numbers alone, which are the same wherever it is used."""
    return isinstance(date_format, str) and set(re.findall("%(.)", date_format)) <= {*DIRECTIVES, "j", "%"}


def read(arg: Any, shadow: Any, date_format: Any) -> Any:
    """`pd.to_datetime(arg, format=date_format)`, which made `shadow`."""
    value = arg.value if isinstance(arg, Column) else lost("pd.to_datetime of a table")
    if isinstance(value, Lost) or value.kind == MOMENT:
        return standing(shadow, value)
    if value.kind != TEXT or not isinstance(getattr(shadow, "dtype", None), np.dtype):
        return standing(shadow, lost(f"pd.to_datetime of {value.kind} values"))
    pattern = pattern_of(date_format)
    if date_format == "mixed":
        return standing(shadow, lost(MIXED))
    if pattern is None:
        return standing(shadow, lost(f"pd.to_datetime with the format {date_format!r}"))
    return standing(shadow, with_line(derived("dated({FORMAT}, {0})", MOMENT, value, FORMAT=pattern)))


def pattern_of(date_format: Any) -> re.Pattern[str] | None:
    """What a text of this format looks like, each number under the name that `datetime` has for it; None for others.

    A number of one digit is pandas' as well, where something stands between the numbers and the year is not the first.
    """
    if not isinstance(date_format, str):
        return None
    parts = re.split("%(.)", date_format)
    named = parts[1::2]
    years = [each for each in named if each in ("Y", "y")]
    is_whole = len(years) == 1 and {"m", "d"} <= set(named) <= set(DIRECTIVES)
    if not is_whole or len(set(named)) < len(named):
        return None
    is_apart = all(parts[2:-1:2]) and not any(character.isdigit() for each in parts[::2] for character in each)
    short = r"\d\d?" if is_apart and named[0] not in years else r"\d\d"
    texts = [re.escape(parts[0])]
    for name, after in zip(named, parts[2::2]):
        digits = {"Y": r"\d{4}", "y": r"\d\d"}.get(name, short)
        texts += [f"(?P<{DIRECTIVES[name]}>{digits})", re.escape(after)]
    return re.compile("".join(texts), re.ASCII)
