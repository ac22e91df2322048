"""How often a model is trained again: a word or the five fields of cron, read and checked."""

from __future__ import annotations

import math
import re
from datetime import date, timedelta
from itertools import pairwise

NAMED = {"hourly": "0 * * * *", "daily": "0 3 * * *", "weekly": "0 3 * * 1", "monthly": "0 3 1 * *"}
"""Words for a cadence; at three in the morning, where a day says no more."""

DAY = 24 * 60
"""Minutes."""

_START, _LEAP_CYCLE = date(2024, 1, 1), 4 * 366
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
# What crontab(5) and GitHub's workflows both take: a 7 for Sunday, @weekly and L are of the one or the other.
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    ("day of the week", 0, 6, {name: number for number, name in enumerate(_DAYS)}),
)


def cron_of(cadence: str) -> str:
    """The five fields of cron for a cadence; raises ValueError that says which field is wrong.

    >>> cron_of("weekly")
    '0 3 * * 1'
    """
    if cadence in NAMED:
        return NAMED[cadence]
    fields = cadence.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"it is none of {', '.join(NAMED)}, nor the five fields of cron")
    for field, (name, least, most, words) in zip(fields, _FIELDS, strict=True):
        for part in field.split(","):
            if not _is_part(part.lower(), least, most, words):
                raise ValueError(f'"{part}" is no {name} ({least} to {most}, with * , - and /)')
    return " ".join(fields)


def longest_gap(cron: str) -> float:
    """The longest time between two of a schedule's moments, in days; infinity where it has none.

    >>> longest_gap("0 3 * * 1")
    7.0
    """
    minutes, hours, days, months, weekdays = (
        {value for part in field.split(",") for value in _values(part.lower(), least, most, words)}
        for field, (_, least, most, words) in zip(cron.split(), _FIELDS, strict=True)
    )
    any_day, any_weekday = cron.split()[2] == "*", cron.split()[4] == "*"

    def is_due(day: date) -> bool:
        # Where both are given, cron goes by either.
        of_month, of_week = day.day in days, day.isoweekday() % 7 in weekdays
        chosen = of_month and of_week if any_day or any_weekday else of_month or of_week
        return day.month in months and chosen

    times = sorted((hour * 60 + minute) / DAY for hour in hours for minute in minutes)
    due = [number for number in range(_LEAP_CYCLE) if is_due(_START + timedelta(number))]
    if not due:
        return math.inf
    within = max((later - earlier for earlier, later in pairwise(times)), default=0.0)
    between = max((later - earlier for earlier, later in pairwise(due)), default=float(_LEAP_CYCLE))
    return max(within, between - times[-1] + times[0])


def _is_part(part: str, least: int, most: int, words: dict[str, int]) -> bool:
    return bool(_values(part, least, most, words))


def _values(part: str, least: int, most: int, words: dict[str, int]) -> range:
    """The numbers that a part of a field stands for; none where it is wrong."""
    found = re.fullmatch(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?", part)
    if found is None:
        return range(0)
    every, first, last, step = found.groups()
    if step is not None and (int(step) < 1 or not (every or last)):
        return range(0)
    ends = [words.get(each, int(each) if each.isdecimal() else -1) for each in (first, last or first) if each]
    begin, end = ends or (least, most)
    return range(begin, end + 1, int(step or 1)) if least <= begin <= end <= most else range(0)
