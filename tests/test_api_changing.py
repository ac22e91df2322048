"""Which cell of a notebook changes a table after it was read."""

from __future__ import annotations

import nbformat
import pytest

from nbprod.api.changing import changed_elsewhere, changed_where_read
from nbprod.api.outlining import Recorded
from nbprod.api.studying import study
from nbprod.model.notebook import Notebook
from nbprod.notebook import read_text

READ = 'df = pd.read_csv("rows.csv")\n'


def notebook(*sources: str) -> Notebook:
    cells = [nbformat.v4.new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources)]
    return read_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)), "rows.ipynb")


def is_changed(cell: str) -> bool:
    return changed_where_read(notebook("import pandas as pd", cell, 'df["late"] = 1'), 1, "df", Recorded())


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param('df["x"] = 1', id="a column assigned"),
        pytest.param('df.loc[:, "x"] *= 100', id="values multiplied in place"),
        pytest.param('df.rename(columns={"a": "b"}, inplace=True)', id="columns renamed in place"),
        pytest.param('del df["x"]', id="a column deleted"),
        pytest.param('y = df.pop("y")', id="a column taken out"),
        pytest.param("df = df.dropna()", id="bound anew"),
        pytest.param("if len(df) > 3:\n    df = df.head()", id="bound anew under a condition"),
        pytest.param('for name in ["a", "b"]:\n    df[name] = df[name] + 1', id="in a loop"),
        pytest.param('def add(table):\n    table["z"] = 1\nadd(df)', id="by a function"),
        pytest.param('same = df\nsame["q"] = 1', id="by another name"),
        pytest.param('df.columns = ["a", "b"]', id="its columns named"),
    ],
)
def test_a_cell_that_reads_a_table_and_changes_it(rest: str) -> None:
    assert is_changed(READ + rest)


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(READ, id="nothing further"),
        pytest.param(READ + "df.head()", id="a look at its first rows"),
        pytest.param(READ + "df.info()\nprint(df.shape, len(df))", id="what it is printed of"),
        pytest.param(READ + 'df.drop(columns="x")', id="a method whose result nobody takes"),
        pytest.param(READ + 'copy = df.copy()\ncopy["z"] = 1', id="a copy is changed"),
        pytest.param("%matplotlib inline\n" + READ + "%time df.head()", id="magics"),
    ],
)
def test_a_cell_that_leaves_the_table_as_it_was_read(cell: str) -> None:
    assert not is_changed(cell)


def test_a_cell_that_does_not_parse_may_do_anything() -> None:
    assert is_changed(READ + "df[")


def test_another_cell_that_changes_it_is_told_wherever_it_stands() -> None:
    above = study(notebook("df = None", "import pandas as pd\n" + READ, "df.head()"))
    below = study(notebook("import pandas as pd", READ, "df.head()", 'del df["x"]'))
    assert changed_elsewhere(above, 1, "df") == 0
    assert changed_elsewhere(below, 1, "df") == 3
    assert changed_elsewhere(below, 1, "other") is None
