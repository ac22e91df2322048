"""The record of promotions: lines that are added under the package's lock, and read as they were written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from nbprod.errors import NbprodError
from nbprod.model.promotion import Gate, Promotion
from nbprod.model.run import Version
from nbprod.versions import hand_edits, promote, promotions, refuse, rollback

Export = Callable[..., Version]
GATE = Gate("proof", "passed", "proven", numbers={"rows": 3})


def a_promotion(version: int, before: int | None = None, why: str | None = None) -> Promotion:
    return Promotion("promote", "champion", version, before, "2026-01-02T03:04:05Z", "Ada", why, gates=(GATE,))


@pytest.fixture
def two(export: Export, fitted: Export, tmp_path: Path) -> Path:
    for number in (1, 2):
        export(f"x = {number}\n")
        fitted(number)
    return tmp_path


def test_each_move_is_a_line_and_the_lines_before_it_stay_as_they_are(two: Path) -> None:
    path = two / "churn/promotions.jsonl"
    promote(two, "churn", 1, promotion=a_promotion(1))
    first = path.read_bytes()
    promote(two, "churn", 2, promotion=a_promotion(2, 1, why="über"))
    rollback(two, "churn", promotion=Promotion("rollback", "champion", 0, None, "2026-01-03T00:00:00Z", "Ada"))

    assert path.read_bytes().startswith(first)
    assert [(each.action, each.version, each.before) for each in promotions(two, "churn")] == [
        ("promote", 1, None),
        ("promote", 2, 1),
        ("rollback", 1, 2),
    ]
    assert promotions(two, "churn")[1] == a_promotion(2, 1, why="über")


def test_the_record_belongs_to_no_version(two: Path) -> None:
    refuse(two, "churn", a_promotion(2))
    assert hand_edits(two, "churn", 1) == hand_edits(two, "churn", 2) == ()


def test_a_package_without_a_record_has_no_promotions(two: Path) -> None:
    assert promotions(two, "churn") == ()


def test_a_line_that_was_cut_off_is_not_continued(two: Path) -> None:
    path = two / "churn/promotions.jsonl"
    refuse(two, "churn", a_promotion(1))
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    refuse(two, "churn", a_promotion(2))
    assert [each.version for each in promotions(two, "churn")] == [1, 2]


@pytest.mark.parametrize("line", ["<<<<<<< ours", "[]", '{"action": "promote"}', '{"action": "praise"}'])
def test_a_line_that_is_no_record_is_named_by_its_number(line: str, two: Path) -> None:
    refuse(two, "churn", a_promotion(1))
    with (two / "churn/promotions.jsonl").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(NbprodError, match="damaged") as caught:
        promotions(two, "churn")
    assert (caught.value.code, caught.value.where and caught.value.where.line) == ("damaged-ledger", 2)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_nothing_is_written_through_a_link(two: Path) -> None:
    other = two / "other.txt"
    other.write_text("mine")
    (two / "churn/promotions.jsonl").symlink_to(other)
    with pytest.raises(NbprodError, match="it is a link"):
        refuse(two, "churn", a_promotion(1))
    assert other.read_text() == "mine"
