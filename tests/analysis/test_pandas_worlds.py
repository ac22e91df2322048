"""In-place writes and aliases under pandas 2 and pandas 3: which of them reach the frame."""

from __future__ import annotations

import json

import pytest

from nbprod.analysis import Analysis, analyse
from nbprod.findings import find
from nbprod.model.notebook import Notebook
from nbprod.notebook import read_text

SETUP = "import pandas as pd\ndf = pd.read_csv('a.csv')\nmask = df['a'] > 1\ne = df"


def notebook_of(cell: str, python: str | None = None) -> Notebook:
    """A notebook that reads a frame, runs the cell, and uses the frame."""
    cells = [
        {"cell_type": "code", "source": text, "metadata": {}, "outputs": [], "execution_count": None}
        for text in (SETUP, cell, "print(df)")
    ]
    metadata = {"language_info": {"name": "python", "version": python}} if python else {}
    return read_text(json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 4}), "nb.ipynb")


def analysis_of(cell: str, pandas: int, python: str | None = None) -> Analysis:
    """The analysis of that notebook."""
    return analyse(notebook_of(cell, python), pandas_major=pandas)


def writes(cell: str, pandas: int, python: str | None = None) -> bool:
    """Whether the cell writes `df`, and the last cell reads it from there."""
    analysis = analysis_of(cell, pandas, python)
    flows = any((edge.source, edge.target) == (1, 2) and "df" in edge.names for edge in analysis.edges)
    assert flows is ("df" in analysis.effects[1].updates)
    return flows


ONLY_UNDER_2 = [
    "df['a'].fillna(0, inplace=True)",
    "df.a.fillna(0, inplace=True)",
    "df['a'].replace(1, 2, inplace=True)",
    "df.loc[:, 'a'].fillna(0, inplace=True)",
    "s = df['a']\ns.iloc[0] = 9",
    "s = df['a']\ns.fillna(0, inplace=True)",
    "df['a'][mask] = 0",
    "df['a'].iloc[0] = 5",
    "df['a'].loc[mask] = 5",
    "for c in ['a', 'b']:\n    df[c].fillna(0, inplace=True)",
    "for c in df.columns:\n    df[c].fillna(0, inplace=True)",
    "for d in [df]:\n    d['a'].fillna(0, inplace=True)",
]
NEVER = [
    "df[mask]['a'] = 0",
    "df[['a', 'b']].fillna(0, inplace=True)",
    "X = df.drop(columns='a')\nX['b'] = 1",
    "X = df[['a', 'b']]\nX['a'] = 1",
    "X = df.copy()\nX['a'] = 1",
    "X = df.assign(n=1)\nX['a'] = 1",
    "for d in [df]:\n    d = d.dropna()",
    "def f(d):\n    d = d.drop(columns='a')\nf(df)",
    "s = df['a'].copy()\ns.iloc[0] = 9",
]
ALWAYS = [
    "e['a'] = 0",
    "for d in [df]:\n    d['n'] = 1",
    "def prep(d):\n    d.drop(columns='a', inplace=True)\nprep(df)",
    "df.a = df.a * 2",
    "df.pop('a')",
    "df.insert(0, 'n', 1)",
    "df.update(df)",
    "del df['a']",
    "df.columns = ['x', 'y']",
    "df.index = [1, 2]",
    "df.sort_values('a', inplace=True)",
    "df.eval('n = a + b', inplace=True)",
    "df.loc[mask, 'a'] = 0",
    "df['a'] += 1",
]


@pytest.mark.parametrize("cell", ONLY_UNDER_2)
def test_a_write_through_a_column_reaches_the_frame_under_pandas_2_alone(cell: str) -> None:
    assert (writes(cell, 2), writes(cell, 3)) == (True, False)


@pytest.mark.parametrize("pandas", [2, 3])
@pytest.mark.parametrize("cell", NEVER)
def test_writes_to_another_frame(cell: str, pandas: int) -> None:
    assert not writes(cell, pandas)


@pytest.mark.parametrize("pandas", [2, 3])
@pytest.mark.parametrize("cell", ALWAYS)
def test_writes_to_the_frame_itself(cell: str, pandas: int) -> None:
    assert writes(cell, pandas)


@pytest.mark.parametrize("pandas", [2, 3])
def test_what_an_in_place_method_returns(pandas: int) -> None:
    analysis = analysis_of("df = df.drop(columns='a', inplace=True)", pandas)

    assert analysis.run.state.names["df"].kind == "none"


def test_a_notebook_saved_under_an_old_python_was_written_for_pandas_2() -> None:
    cell = ONLY_UNDER_2[0]

    assert (writes(cell, 3, "3.6.4"), writes(cell, 3, "3.11.7"), writes(cell, 3)) == (True, False, False)


def test_the_plan_follows_the_pandas_that_will_run_it_all_the_same() -> None:
    facts = [analysis_of(ONLY_UNDER_2[0], 3, python) for python in ("3.6.4", "3.12.0")]

    assert len({run.run.data(run.run.state.names["df"]).digest for run in facts}) == 1


SAMPLED = "df = df.groupby('a').apply(lambda part: part.sample(10)).reset_index(drop=True)"
CENTRED = "df = df.groupby('a').apply(lambda part: part - part.mean())"


@pytest.mark.parametrize(
    "cell, pandas, is_choice", [(SAMPLED, 2, True), (SAMPLED, 3, False), (CENTRED, 2, False), (CENTRED, 3, False)]
)
def test_rows_chosen_of_each_group_are_rows_of_the_table_where_its_groups_are_whole(
    cell: str, pandas: int, is_choice: bool
) -> None:
    run = analysis_of(cell, pandas).run
    frame = run.obj(run.state.names["df"])

    assert (frame.kind == "frame" and frame.rows is not None and frame.rows.root == 0) is is_choice
    assert [refusal.construct for refusal in run.refusals] == ([] if is_choice else ["groupby.apply"])


class TestTheFinding:
    """`pandas-version` says what the other pandas makes of it."""

    @pytest.mark.parametrize("cell", ONLY_UNDER_2)
    @pytest.mark.parametrize("pandas, severity", [(2, "info"), (3, "warning")])
    def test_of_a_write_through_a_column(self, cell: str, pandas: int, severity: str) -> None:
        notebook = notebook_of(cell)
        found = [one for one in find(notebook, analyse(notebook, pandas_major=pandas)) if one.rule == "pandas-version"]

        assert [(one.severity, one.cell) for one in found] == [(severity, 1)]
        assert "no effect under pandas 3" in found[0].message

    @pytest.mark.parametrize("cell", [*NEVER, *ALWAYS])
    def test_none_of_other_writes(self, cell: str) -> None:
        notebook = notebook_of(cell)

        assert not [one for one in find(notebook, analyse(notebook)) if one.rule == "pandas-version"]

    def test_none_where_no_later_cell_uses_the_frame(self) -> None:
        notebook = read_text(f"# %%\n{SETUP}\n\n# %%\n{ONLY_UNDER_2[0]}\n", "nb.py")

        assert not find(notebook, analyse(notebook))
