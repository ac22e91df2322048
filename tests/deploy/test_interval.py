"""The interval of data that belongs to a time of a schedule."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from nbprod.deploy.interval import last_interval, source
from nbprod.model.cadence import NAMED


@pytest.mark.parametrize(
    "cron, moment, start, end",
    [
        pytest.param(NAMED["weekly"], "2026-11-30T03:00:00Z", "2026-11-23T03:00", "2026-11-30T03:00", id="on time"),
        pytest.param(NAMED["weekly"], "2026-11-30T02:59:59Z", "2026-11-16T03:00", "2026-11-23T03:00", id="just before"),
        pytest.param(NAMED["weekly"], "2026-12-02T12:00:00Z", "2026-11-23T03:00", "2026-11-30T03:00", id="later"),
        pytest.param(NAMED["hourly"], "2026-01-01T00:30:00Z", "2025-12-31T23:00", "2026-01-01T00:00", id="hourly"),
        pytest.param(NAMED["daily"], "2026-03-01T03:00:00Z", "2026-02-28T03:00", "2026-03-01T03:00", id="daily"),
        pytest.param(NAMED["monthly"], "2026-03-31T09:00:00Z", "2026-02-01T03:00", "2026-03-01T03:00", id="monthly"),
        pytest.param("0 0 3 * * 1", "2026-11-30T03:00:00Z", "2026-11-23T03:00", "2026-11-30T03:00", id="six fields"),
        pytest.param("*/20 6-8 * * *", "2026-05-05T06:05:00Z", "2026-05-04T08:40", "2026-05-05T06:00", id="steps"),
        pytest.param("5,35 9 * * *", "2026-05-05T09:35:00Z", "2026-05-05T09:05", "2026-05-05T09:35", id="a list"),
        pytest.param("0 0 * * mon-fri", "2026-11-29T10:00:00Z", "2026-11-26T00:00", "2026-11-27T00:00", id="words"),
        pytest.param("0 0 15 * sun", "2026-11-16T10:00:00Z", "2026-11-08T00:00", "2026-11-15T00:00", id="either day"),
        pytest.param("0 0 * feb 1", "2026-06-01T00:00:00Z", "2026-02-16T00:00", "2026-02-23T00:00", id="a month"),
        pytest.param("0 0 29 2 *", "2026-06-01T00:00:00Z", "2020-02-29T00:00", "2024-02-29T00:00", id="leap years"),
        pytest.param("0 0 29 2 *", "2104-03-01T00:00:00Z", "2096-02-29T00:00", "2104-02-29T00:00", id="around 2100"),
        pytest.param("0 3 * * *", "2026-05-05T04:00:00+02:00", "2026-05-03T03:00", "2026-05-04T03:00", id="a zone"),
    ],
)
def test_an_interval_ends_at_the_last_time_of_the_schedule(cron: str, moment: str, start: str, end: str) -> None:
    assert last_interval(cron, moment) == [f"{start}:00+00:00", f"{end}:00+00:00"]


def test_a_schedule_without_a_time_has_no_interval() -> None:
    assert last_interval("0 0 30 2 *", "2026-06-01T00:00:00Z") == ["", ""]


def test_the_function_stands_alone() -> None:
    space: dict[str, Any] = {}
    exec(source(), space)

    assert space["last_interval"]("0 * * * *", "2026-06-01T00:00:00Z")[1] == datetime(2026, 6, 1).isoformat() + "+00:00"
