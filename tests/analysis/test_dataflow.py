"""Which names a cell defines, updates and uses, and which cells they come from."""

from __future__ import annotations

import pytest

from nbprod.analysis import Analysis, analyse
from nbprod.notebook import read_text

IMPORTS = "import pandas as pd\nimport numpy as np\nfrom sklearn.preprocessing import StandardScaler"


def analysis_of(*cells: str) -> Analysis:
    """The analysis of a notebook with an import cell and these."""
    text = "".join(f"# %%\n{cell}\n\n" for cell in (IMPORTS, *cells))
    return analyse(read_text(text, "nb.py"))


def edges_of(*cells: str) -> set[tuple[int, int, str]]:
    """Edges between the cells given, the first being 0, one a name."""
    found = analysis_of(*cells).edges
    return {(edge.source - 1, edge.target - 1, name) for edge in found for name in edge.names}


READ = "df = pd.read_csv('data.csv')"


@pytest.mark.parametrize(
    "cells, expected",
    [
        pytest.param(
            (READ, "df['a'] = 1", "df.head()"), {(0, 1, "df"), (1, 2, "df")}, id="a column assignment is an update"
        ),
        pytest.param(
            (READ, "df.dropna(inplace=True)", "df.head()"), {(0, 1, "df"), (1, 2, "df")}, id="so is inplace=True"
        ),
        pytest.param(
            (READ, "df.dropna()", "df.head()"), {(0, 1, "df"), (0, 2, "df")}, id="a method without inplace is none"
        ),
        pytest.param((READ, "df.loc[df.a > 1, 'a'] = 0", "df.head()"), {(0, 1, "df"), (1, 2, "df")}, id="a loc write"),
        pytest.param((READ, "del df['a']", "df.head()"), {(0, 1, "df"), (1, 2, "df")}, id="a deleted column"),
        pytest.param((READ, "df.columns = ['x']", "df.head()"), {(0, 1, "df"), (1, 2, "df")}, id="new column names"),
        pytest.param(
            (READ, "b = df", "b['x'] = 1", "df.head()"),
            {(0, 1, "df"), (1, 2, "b"), (2, 3, "df")},
            id="a write through an alias reaches the other name",
        ),
        pytest.param(
            (READ, "b = df.copy()", "b['x'] = 1", "df.head()"),
            {(0, 1, "df"), (1, 2, "b"), (0, 3, "df")},
            id="a write to a copy does not",
        ),
        pytest.param(
            (
                "train = pd.read_csv('a.csv')\ntest = pd.read_csv('b.csv')",
                "for d in [train, test]:\n    d['n'] = 1",
                "test.head()",
            ),
            {(0, 1, "train"), (0, 1, "test"), (1, 2, "test")},
            id="a loop over a list of frames writes each of them",
        ),
        pytest.param(
            (READ, "both = [df]", "for d in both:\n    d['n'] = 1", "df.head()"),
            {(0, 1, "df"), (1, 2, "both"), (2, 3, "df")},
            id="also when the list has a name",
        ),
        pytest.param(
            (READ, "for d in [df]:\n    d = d.dropna()", "df.head()"),
            {(0, 1, "df"), (0, 2, "df")},
            id="rebinding the loop's own name writes nothing",
        ),
        pytest.param(
            (READ, "def prep(d):\n    d['x'] = 1", "prep(df)", "df.head()"),
            {(1, 2, "prep"), (0, 2, "df"), (2, 3, "df")},
            id="a function that changes its argument",
        ),
        pytest.param(
            (READ, "def prep(d):\n    d = d.dropna()\n    return d", "out = prep(df)", "df.head()"),
            {(1, 2, "prep"), (0, 2, "df"), (0, 3, "df")},
            id="a function that rebinds its parameter changes nothing",
        ),
        pytest.param(
            ("k = 3", "def scaled(x):\n    return x * k", "k = 4", "y = scaled(2)"),
            {(1, 3, "scaled"), (2, 3, "k")},
            id="a global is read when the function is called",
        ),
        pytest.param(
            ("z = 1", "flag = input()", "if flag:\n    z = 2", "print(z)"),
            {(1, 2, "flag"), (0, 3, "z"), (2, 3, "z")},
            id="a conditional definition may come from either cell",
        ),
        pytest.param(
            ("i = 5", "s = [i for i in range(3)]", "print(i)"), {(0, 2, "i")}, id="a comprehension's name is its own"
        ),
        pytest.param(("s = [y := 2]", "print(y)"), {(0, 1, "y")}, id="a walrus leaks"),
        pytest.param(
            ("n = 1", "n += 1", "print(n)"), {(0, 1, "n"), (1, 2, "n")}, id="augmented assignment reads and writes"
        ),
        pytest.param(
            ("names = []", "names.append('a')", "print(names)"), {(0, 1, "names"), (1, 2, "names")}, id="append"
        ),
        pytest.param(
            ("scaler = StandardScaler()", READ, "scaler.fit(df)", "scaler.transform(df)"),
            {(0, 2, "scaler"), (1, 2, "df"), (2, 3, "scaler"), (1, 3, "df")},
            id="fit updates the estimator",
        ),
        pytest.param(("x = 1", "text = f'{x}'"), {(0, 1, "x")}, id="an f-string reads"),
        pytest.param(("x = 1", "class A:\n    size = x"), {(0, 1, "x")}, id="a class body reads"),
    ],
)
def test_edges(cells: tuple[str, ...], expected: set[tuple[int, int, str]]) -> None:
    assert edges_of(*cells) == expected


@pytest.mark.parametrize(
    "cell, defines, updates, uses",
    [
        pytest.param("x = df['a'].mean()", {"x"}, set(), {"df"}, id="a plain definition"),
        pytest.param("df['a'] = 0", set(), {"df"}, {"df"}, id="an update"),
        pytest.param("df = df.dropna()", {"df"}, set(), {"df"}, id="a rebinding reads first"),
        pytest.param("x = 1\ny = x", {"x", "y"}, set(), set(), id="a name of the cell's own is no use"),
        pytest.param("for c in ['a', 'b']:\n    df[c] = df[c].fillna(0)", {"c"}, {"df"}, {"df"}, id="a loop"),
    ],
)
def test_effects_of_a_cell(cell: str, defines: set[str], updates: set[str], uses: set[str]) -> None:
    effects = analysis_of(READ, cell).effects[2]

    assert (set(effects.defines), set(effects.updates), set(effects.uses)) == (defines, updates, uses)


def test_a_cell_with_a_syntax_fault_leaves_the_others() -> None:
    analysis = analysis_of(READ, "df.head(", "df.tail()")

    assert [edge.names for edge in analysis.edges] == [("df",)]


@pytest.mark.parametrize(
    "cells, name, expected",
    [
        pytest.param(
            (READ, "df['a'] = 1\ndf['b'] = 2\nprint(df)", "x = df['a'].sum()"),
            "x",
            {1: [1], 2: [1], 3: [1]},
            id="only the column that counts",
        ),
        pytest.param((READ, "a = 1\nb = 2", "c = b + 1"), "c", {2: [2], 3: [1]}, id="only the names that count"),
        pytest.param(
            ("t = 0\nfor i in range(3):\n    t += i\n    print(i)",), "t", {1: [1, 2, 3]}, id="inside of a loop as well"
        ),
    ],
)
def test_slices(cells: tuple[str, ...], name: str, expected: dict[int, list[int]]) -> None:
    assert analysis_of(*cells).slice_of(name) == expected
