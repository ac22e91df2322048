"""Dates in the compiled row: read as pandas reads them, or left to the package's own code."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nbprod.codegen.runtime.observing import records_of
from nbprod.codegen.runtime.rows import OddRowError, dated, moment
from nbprod.replay.runner.compiler.dates import pattern_of
from nbprod.replay.runner.compiler.nodes import Lost
from nbprod.replay.runner.compiler.tracing import traced
from tests.replay.test_compiler import (
    HEAD,
    ROWS,
    TAIL,
    assert_rows,
    assert_rows_far_from_training,
    exported_after,
    features_of,
)

FORMATS = [
    *("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%d%m%Y"),
    *("%d-%m-%y", "%m/%d/%y", "%y%m%d", "%d/%m/%y %H:%M"),
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%Y/%m/%d %H"),
]
SEPARATORS = ["-", "/", ".", ""]
TIMES = ["", " 00:00:00", "T23:59:59", " 7:05", " 07:05", "T24:00:00", " 12:60:00", " 11", "Z", "+01:00", " 10:00:00.5"]
TEXTS = [
    f"{sign.join(parts)}{time}"
    for parts in (
        *(("2023", "01", "31"), ("2024", "2", "29"), ("2023", "02", "29"), ("31", "01", "2023"), ("1", "2", "2023")),
        *(("12", "31", "1999"), ("31", "12", "1999"), ("1650", "01", "01"), ("9999", "12", "31"), ("٢٠٢٣", "01", "31")),
        *(("31", "1", "68"), ("31", "1", "69"), ("1", "12", "00"), ("99", "12", "31"), ("31", "12", "7")),
        *((" 2023", "01", "31"), ("2023", "01", "31 "), ("23", "01", "31"), ("00", "00", "2023"), ("2023", "1")),
    )
    for sign, time in product(SEPARATORS, TIMES)
]


def read(ask: Any, text: str) -> Any:
    try:
        return ask(text)
    except (OddRowError, ValueError):
        return None


@pytest.mark.parametrize("date_format", FORMATS)
def test_a_text_of_a_format_is_read_as_pandas_reads_it_or_not_at_all(date_format: str) -> None:
    pattern = pattern_of(date_format)
    assert pattern is not None

    found = {text: made for text in TEXTS if (made := read(lambda each: dated(pattern, each), text)) is not None}

    assert found
    for text, made in found.items():
        assert pd.to_datetime(pd.Series([text]), format=date_format).iloc[0] == made, text


def test_a_field_is_read_as_pandas_reads_it_or_not_at_all() -> None:
    found = {text: made for text in TEXTS if (made := read(moment, text)) is not None}

    assert len(found) > 3
    for text, made in found.items():
        assert pd.Timestamp(text) == made, text
    for other in (None, 20230131, 1.5, True, pd.Timestamp("2023-01-31")):
        assert read(moment, other) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "date_format", [None, "mixed", "ISO8601", "%Y", "%d/%m/%y %Y", "%b %d, %Y", "%Y-%m-%d %I:%M %p", "%Y-%m-%d %Y"]
)
def test_other_formats_are_left_to_pandas(date_format: Any) -> None:
    assert pattern_of(date_format) is None


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("df['s'].dt.dayofweek * 24 + df.s.dt.hour", id="parts of it"),
        pytest.param("(df['s'] - pd.to_datetime(df['d'])).dt.days", id="the days since another"),
        pytest.param("df['s'].apply(lambda d: d.year * 12 + d.month)", id="a function of it"),
        pytest.param("pd.to_datetime(df['s']).dt.month", id="read once more"),
    ],
)
def test_a_column_that_the_notebook_reads_as_dates(
    expression: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    text = f"{HEAD}df['x'] = {expression}{TAIL}".replace('"data.csv"', '"data.csv", parse_dates=["s"]')
    name = request.node.callspec.id.replace(" ", "_")
    features, _ = exported_after(text, f"dates_{name}", tmp_path, monkeypatch, ROWS)
    raw = pd.read_csv("data.csv", parse_dates=["s"])
    features.fit_rows(raw)

    trace = traced(features)

    assert [each for each in trace.cells if isinstance(each, Lost)] == []
    module, names = features_of(trace)
    assert assert_rows(module, names, trace, features.model_input(raw), records_of(raw)) == 0
    assert_rows_far_from_training(module, names, trace, features, raw)
