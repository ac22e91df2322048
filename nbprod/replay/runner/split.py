"""The rows that trained and those held out, by the time or the group of each: whether they are split as was meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from .held_out import trained_and_held_out
from .side_by_side import NO_ROWS, opened
from .subject import Captures


def split_of(request: Mapping[str, Any], captures: Captures) -> dict[str, Any]:
    """How many rows trained and were held out, and by the raw column `column` (None for a split by chance) what of it.

    By time the `latest` of those that trained, the `earliest` of those held out, and how many of the latter are not
    `later`; by group how many are `shared`. In place of what can't be told there is a `reason`.
    """
    subject = opened(request, request["version"], captures)
    trained, held_out = trained_and_held_out(subject)
    if held_out is None:
        return {"reason": NO_ROWS}
    if trained is None or not len(trained):
        return {"reason": "the rows that the model was trained on are not found among the raw ones"}
    told = {"trained": len(trained), "held_out": len(held_out)}
    column, kind = request["column"], request["kind"]
    if kind == "random":
        return told
    if column not in subject.raw.columns:
        return {"reason": f"the raw rows have no column {column!r}"}
    values = subject.raw[column]
    if kind == "group":
        groups = [set(values.iloc[at].dropna().unique().tolist()) for at in (trained, held_out)]
        return {**told, "shared": len(groups[0] & groups[1]), "groups": len(groups[1])}
    times = _in_order(values)
    before, after = times.iloc[trained].dropna(), times.iloc[held_out].dropna()
    if not len(before) or not len(after):
        return {"reason": f"{column!r} says of no row when it came to be"}
    late = int(np.count_nonzero(after.to_numpy() <= before.max()))
    return {**told, "latest": str(before.max()), "earliest": str(after.min()), "not later": late}


def _in_order(values: Any) -> Any:
    """Values that are ordered as their times are: numbers and times as they are, texts as times."""
    if pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values
    return pd.to_datetime(values, errors="coerce", utc=True, format="mixed")
