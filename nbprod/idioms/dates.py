"""Dates in text without a format: the format is learned from the training rows.

Notebook: df["day"] = pd.to_datetime(df["day"])
Fit:      find the format as pandas does, from the first value; keep it
Serve:    parse with that format, so that 01/02/2020 means the same alone as in the table
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom

if TYPE_CHECKING:
    import pandas as pd

IDIOMS = (Idiom("to_datetime", "to_datetime"),)


def to_datetime(learned: Any, name: str, values: Any, **options: Any) -> Any:
    """`pd.to_datetime` with the format that the training rows have."""

    def inferred() -> str | None:
        present = values.dropna() if hasattr(values, "dropna") else pd.Series(values).dropna()
        first = present.iloc[0] if len(present) else None
        if not isinstance(first, str):
            return None
        return pd.tseries.api.guess_datetime_format(first, dayfirst=bool(options.get("dayfirst", False)))

    date_format = learned(name, inferred)
    return pd.to_datetime(values, **options) if date_format is None else pd.to_datetime(values, format=date_format, **options)
