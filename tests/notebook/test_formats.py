"""The lines of a cell: split where Python splits, whatever `str.splitlines` makes of the characters in it."""

from __future__ import annotations

import ast

import pytest

from nbprod.analysis import analyse
from nbprod.notebook import read_text
from nbprod.notebook.formats import lines_of
from nbprod.plan import make_plan

ODD = ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize(
    "text, lines",
    [
        pytest.param("", [], id="nothing"),
        pytest.param("a\nb", ["a\n", "b"], id="no end"),
        pytest.param("a\n\nb\n", ["a\n", "\n", "b\n"], id="an empty line"),
        pytest.param("a\r\nb\rc\n", ["a\r\n", "b\r", "c\n"], id="ends of other systems"),
        *(pytest.param(f"a{odd}b\nc", [f"a{odd}b\n", "c"], id=f"U+{ord(odd):04X} is no end") for odd in ODD),
    ],
)
def test_lines_end_where_python_ends_them(text: str, lines: list[str]) -> None:
    assert lines_of(text) == lines
    assert lines_of(text, keepends=False) == [line.rstrip("\r\n") for line in lines]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: f"U+{ord(odd):04X}")
def test_a_step_is_the_text_of_its_statement_behind_such_a_character(odd: str) -> None:
    text = f"""# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
df = pd.read_csv("rows.csv")
# %%
note = "one{odd}page"
df["a"] = df["a"] + 1
# %%
model = LinearRegression().fit(df[["a"]], df["y"])
"""
    notebook = read_text(text, "a.py")
    ast.parse(notebook.cells[1].source)

    plan = make_plan(notebook, analyse(notebook))

    assert [step.source for step in plan.steps if "df[" in step.source][:1] == ['df["a"] = df["a"] + 1']
