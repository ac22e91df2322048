"""An analyser that is given versions of a notebook one after the other says what a fresh analysis says."""

from __future__ import annotations

import ast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nbprod.analysis import Analysis, analyse
from nbprod.analysis.incremental import Analyser
from nbprod.notebook import read_text
from tests.analysis.programs import programs


def notebook_of(cells: list[str]):
    """A notebook of these cells."""
    return read_text("".join(f"# %%\n{cell}\n\n" for cell in cells), "nb.py")


def told(analysis: Analysis) -> tuple[object, ...]:
    """What an analysis says, facts included."""
    run = analysis.run
    facts = {name: run.data(value) for name, value in run.state.names.items()}
    return analysis.effects, analysis.edges, analysis.complete, facts, run.refusals, run.undefined, run.dropped


FIRST = ["import pandas as pd\ndf = pd.read_csv('a.csv')", "k = 1", "df['n'] = df['x'] + k", "m = df['n'].mean()"]


@pytest.mark.parametrize(
    "second",
    [
        pytest.param([*FIRST[:3], "m = df['n'].max()"], id="the last cell edited"),
        pytest.param([FIRST[0], "k = 2", *FIRST[2:]], id="a cell in the middle edited"),
        pytest.param(["import pandas as pd\ndf = pd.read_csv('b.csv')", *FIRST[1:]], id="the first cell edited"),
        pytest.param([*FIRST, "print(m)"], id="a cell added at the end"),
        pytest.param([FIRST[0], "z = 3", *FIRST[1:]], id="a cell put in between"),
        pytest.param([FIRST[0], *FIRST[2:]], id="a cell taken out"),
        pytest.param([FIRST[0], "k = (", *FIRST[2:]], id="a cell that no longer parses"),
        pytest.param([FIRST[2], *FIRST], id="a cell that stands twice"),
        pytest.param(FIRST, id="nothing edited"),
        pytest.param([], id="one empty cell left"),
    ],
)
def test_after_an_edit(second: list[str]) -> None:
    analyser = Analyser()
    analyser.analyse(notebook_of(FIRST))

    edited = notebook_of(second or [""])
    assert told(analyser.analyse(edited)) == told(analyse(edited))
    assert told(analyser.analyse(notebook_of(FIRST))) == told(analyse(notebook_of(FIRST)))


def test_cells_alike_above_an_edit_keep_what_was_noted_of_each() -> None:
    cells = [FIRST[0], "print(df.head())", "print(df.head())"]
    analyser = Analyser()
    for last in ("k = 1", "k = 2", "k = 3"):
        edited = analyser.analyse(notebook_of([*cells, last]))

    statements = edited.program.statements
    noted = [any(id(node) in edited.run.notes for node in ast.walk(each.node)) for each in statements]
    assert noted == [any(isinstance(node, ast.expr) for node in ast.walk(each.node)) for each in statements]


def test_other_columns_or_another_pandas_start_afresh() -> None:
    analyser = Analyser()
    notebook = notebook_of(FIRST)
    analyser.analyse(notebook)

    columns = {"a.csv": ["x", "y"]}
    assert told(analyser.analyse(notebook, columns)) == told(analyse(notebook, columns))
    assert told(analyser.analyse(notebook, columns, 2)) == told(analyse(notebook, columns, 2))


def test_a_cell_above_is_not_gone_through_again() -> None:
    analyser = Analyser()
    cells = ["x = 0", *(f"x = x + {number}" for number in range(40))]
    whole = analyser.analyse(notebook_of(cells)).run.work.done
    edited = analyser.analyse(notebook_of([*cells[:-1], "x = 2"]))
    events = edited.run.effects.cells

    assert (edited.run.work.done < whole, len(events)) == (True, 41)


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
@given(first=programs(), second=programs(), cut=st.integers(0, 6))
def test_any_edit(first: list[str], second: list[str], cut: int) -> None:
    analyser = Analyser()
    for cells in (first, [*first[:cut], *second[1:]], [*second[:cut], *first[cut:]], first):
        notebook = notebook_of(cells or [""])
        assert told(analyser.analyse(notebook)) == told(analyse(notebook))
        assert told(analyser.analyse(replace(notebook))) == told(analyse(notebook))
