"""Tables in terminals of any width."""

from __future__ import annotations

import click
import pytest
from rich.cells import cell_len

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


STYLED = [
    pytest.param(("3", "32m" * 30), ("green", "red"), id="text that its own styling contains"),
    pytest.param(("1", "日本語" * 20), (None, "blue"), id="wide characters"),
    pytest.param(("2", "one two three " * 9), ("red", None), id="words"),
]


@pytest.mark.parametrize("row, colours", STYLED)
def test_every_line_of_a_cell_has_its_style_and_width(
    row: tuple[str, str], colours: tuple[str | None, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    styled = [click.style(cell, fg=colour) if colour else cell for cell, colour in zip(row, colours, strict=True)]
    with click.Context(click.Command("any"), color=True):
        head, rule, *lines = table(("cell", "text"), [styled], right=("cell",)).splitlines()

    assert click.unstyle(head).split() == ["cell", "text"]
    assert cell_len(rule) <= 80
    assert "".join(click.unstyle(line)[7:] for line in lines).replace(" ", "") == row[1].replace(" ", "")
    assert all(cell_len(click.unstyle(line)) <= 80 for line in lines)
    assert [line.count("\x1b[0m") for line in lines] == [
        sum(colour is not None for colour in colours),
        *[int(colours[1] is not None)] * (len(lines) - 1),
    ]
    assert len(lines) > 1
