"""Dates and the times between them as values of a row: arithmetic, and constants."""

from __future__ import annotations

import datetime

import pandas as pd

from .nodes import DELTA, FLOAT, MOMENT, Lost, Node, Value, derived


def arithmetic_of_dates(name: str, left: Node, right: Node) -> Value:
    """`left OP right` where one of the two is a date or the time between two."""
    kinds = left.kind, right.kind
    made = {
        ("sub", MOMENT, MOMENT): DELTA,
        ("sub", MOMENT, DELTA): MOMENT,
        ("add", MOMENT, DELTA): MOMENT,
        ("add", DELTA, MOMENT): MOMENT,
        ("add", DELTA, DELTA): DELTA,
        ("sub", DELTA, DELTA): DELTA,
        ("truediv", DELTA, DELTA): FLOAT,
    }.get((name, *kinds))
    if made is None:
        return Lost(f"{name} of {kinds[0]} and {kinds[1]} values")
    sign = {"sub": "-", "add": "+", "truediv": "/"}[name]
    return derived(f"{{0}} {sign} {{1}}", made, left, right)


def constant_date(value: datetime.datetime | datetime.timedelta) -> Node | None:
    """A date or a time between two that is the same in every row; None where Python has not the like."""
    if isinstance(value, datetime.timedelta):
        whole = value.to_pytimedelta() if isinstance(value, pd.Timedelta) else value
        return Node("{DELTA}", DELTA, constants={"DELTA": whole}) if whole == value else None
    if value.tzinfo is not None or value is pd.NaT:
        return None
    whole_date = value.to_pydatetime(warn=False) if isinstance(value, pd.Timestamp) else value
    return Node("{DATE}", MOMENT, constants={"DATE": whole_date}) if whole_date == value else None
