"""Tables in terminals of any width."""

from __future__ import annotations

import pytest

from nbprod.cli.table import table

HEAD = ("cell", "role", "begins with", "why")
ROWS = [("0", "features", "x" * 70, "because " * 12), ("12", "[data 99%]", "df = read()", "it reads")]


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_short_columns_are_whole_and_no_line_is_too_long(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = table(HEAD, ROWS, right=("cell",), clipped=("begins with", "why")).splitlines()

    assert shown[0].split()[:2] == ["cell", "role"]
    assert shown[2].split()[:2] == ["0", "features"]
    assert "[data 99%]" in shown[3]
    assert max(map(len, shown)) <= max(80, columns)
