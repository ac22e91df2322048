"""The interval of data of a run by its schedule. Exporters copy the function: it imports what it needs itself."""

from __future__ import annotations

import inspect


def last_interval(cron: str, moment: str) -> list[str]:
    """Start and end, as ISO 8601, of the last interval of a schedule in UTC that is over at a moment; two empty texts
    where there is none.

    `cron` has five fields, or Kubeflow's six, of which the seconds are left out. An interval goes from one time of it
    to the next, as Airflow's CronDataIntervalTimetable has it: a run that the schedule starts has the interval that
    ends there, and so has one that a person starts later.
    """
    from datetime import UTC, datetime, timedelta

    def numbers(field: str, least: int, most: int, words: str = "") -> set[int]:
        known = {word: number for number, word in enumerate(words.split(), start=least)}
        found: set[int] = set()
        for part in field.lower().split(","):
            span, _, step = part.partition("/")
            ends = [known[each] if each in known else int(each) for each in span.split("-") if each != "*"]
            first, last = (ends[0], ends[-1]) if ends else (least, most)
            found.update(range(first, last + 1, int(step or 1)))
        return found

    minute, hour, day, month, weekday = cron.split()[-5:]
    minutes, hours, days = numbers(minute, 0, 59), numbers(hour, 0, 23), numbers(day, 1, 31)
    months = numbers(month, 1, 12, "jan feb mar apr may jun jul aug sep oct nov dec")
    weekdays = numbers(weekday, 0, 6, "sun mon tue wed thu fri sat")
    times = sorted(((each, other) for each in hours for other in minutes), reverse=True)
    now = datetime.fromisoformat(moment).astimezone(UTC)
    ends: list[datetime] = []
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    # In eight years there is a 29th of February, also around 2100.
    for number in range(2 * 8 * 366):
        date = midnight - timedelta(number)
        of_month, of_week = date.day in days, date.isoweekday() % 7 in weekdays
        # Where both are given, cron goes by either.
        is_due = of_month and of_week if "*" in (day, weekday) else of_month or of_week
        if date.month in months and is_due:
            due = (date.replace(hour=each, minute=other) for each, other in times)
            ends += [each for each in due if each <= now][: 2 - len(ends)]
        if len(ends) == 2:
            return [ends[1].isoformat(), ends[0].isoformat()]
    return ["", ""]


def source() -> str:
    """The text of the function, for a file that imports nothing of nbprod."""
    return inspect.getsource(last_interval)
