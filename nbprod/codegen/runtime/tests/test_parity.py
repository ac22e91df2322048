"""The fitted pipeline still answers its golden rows: all at once, shuffled, in batches and one by one."""

from __future__ import annotations

from typing import Any


def test_golden_rows_belong_to_this_code(pipeline: Any, golden: Any) -> None:
    assert golden["digest"] == pipeline.digest


def test_golden_rows_are_answered_as_when_fitted(package: Any, pipeline: Any, golden: Any) -> None:
    assert list(package("golden").differences(pipeline, golden)) == []


def test_no_rows_in_gives_no_rows_out(pipeline: Any, golden: Any) -> None:
    none = golden["rows"].iloc[:0]
    assert pipeline.transform(none).shape == (0, golden["features"].shape[1])
    assert len(pipeline.predict(none)) == 0


def test_other_columns_and_their_order_change_nothing(pipeline: Any, golden: Any) -> None:
    rows = golden["rows"]
    moved = rows[rows.columns[::-1]].assign(a_column_that_nobody_knows="x")
    assert pipeline.transform(moved).equals(pipeline.transform(rows))


def test_transform_changes_neither_its_input_nor_what_is_learned(pipeline: Any, golden: Any) -> None:
    before = golden["rows"].copy()
    first = pipeline.transform(golden["rows"])
    assert golden["rows"].equals(before)
    assert pipeline.transform(golden["rows"]).equals(first)
