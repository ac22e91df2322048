"""Dates in text without a format: the format is learned from the training rows.

Notebook: df["day"] = pd.to_datetime(df["day"])
Fit:      parse as the notebook does; keep the format that pandas finds in the first value
Serve:    parse with that format, so that 01/02/2020 means the same alone as in the table; where pandas finds no format
          it reads each value by itself, and so does serving
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom

if TYPE_CHECKING:
    import pandas as pd

IDIOMS = (Idiom("to_datetime", "to_datetime"),)


def to_datetime(learned: Any, name: str, arg: Any, **options: Any) -> Any:
    """`pd.to_datetime` with the format that the training rows have."""

    def found() -> dict[str, Any]:
        dates = pd.to_datetime(arg, **options)
        date_format = None if options.get("format") else format_of_first(arg, bool(options.get("dayfirst", False)))
        return {"format": date_format, "dtype": getattr(dates, "dtype", None)}

    learnt = learned(name, found)
    if learned.fitting:
        return pd.to_datetime(arg, **options)
    if learnt["format"] is not None:
        options = {**options, "format": learnt["format"]}
    return dates_of_dtype(pd.to_datetime(arg, **options), learnt["dtype"])


def format_of_first(values: Any, dayfirst: bool) -> str | None:
    """The format that pandas takes from the first text; "mixed" where it finds none, None where nothing is text."""
    if isinstance(values, (str, pd.DataFrame)) or not hasattr(values, "__iter__"):
        return None
    for value in values:
        if isinstance(value, str):
            if value not in ("", "now", "today", "NaT", "nat", "NaN", "nan", "NA", "<NA>", "N/A", "None"):
                return pd.tseries.api.guess_datetime_format(value, dayfirst=dayfirst) or "mixed"
        elif not pd.isna(value):
            return None
    return None


def dates_of_dtype(dates: Any, dtype: Any) -> Any:
    """Dates with the resolution and time zone that they have in training."""
    if dtype is None or not hasattr(dates, "dtype") or dates.dtype == dtype:
        return dates
    zone = getattr(dtype, "tz", None)
    if zone is not None and getattr(dates.dtype, "tz", None) is None:
        dates = dates.dt.tz_localize(zone) if isinstance(dates, pd.Series) else dates.tz_localize(zone)
    return dates.astype(dtype)
