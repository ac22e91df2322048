"""How often a model is trained again: a word or the five fields of cron, read and checked."""

from __future__ import annotations

import re

NAMED = {"hourly": "0 * * * *", "daily": "0 3 * * *", "weekly": "0 3 * * 1", "monthly": "0 3 1 * *"}
"""Words for a cadence; at three in the morning, where a day says no more."""

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


def _is_part(part: str, least: int, most: int, words: dict[str, int]) -> bool:
    found = re.fullmatch(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?", part)
    if found is None:
        return False
    every, first, last, step = found.groups()
    if step is not None and (int(step) < 1 or not (every or last)):
        return False
    if every:
        return True
    ends = [words.get(each, int(each) if each.isdecimal() else -1) for each in (first, last or first)]
    return least <= ends[0] <= ends[1] <= most
