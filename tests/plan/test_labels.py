"""What labels need of a table that the features come from as well."""

from __future__ import annotations

import pytest

from nbprod.analysis import analyse
from nbprod.notebook import read_text
from nbprod.plan import make_plan

HEAD = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")
"""
COLUMNS = {"data.csv": ("a", "b", "y")}

FOR_ALL = [
    pytest.param("df['y'] = df['y'].map({0: 1})", id="a column is set"),
    pytest.param("df.loc[:, 'y'] = df['y'] * 2", id="a column is set by loc"),
    pytest.param("df.loc[df['y'] > 2, 'y'] = 2", id="some of a column is set"),
    pytest.param("df.y = df.y * 2", id="an attribute is set"),
    pytest.param("df.insert(0, 'z', df['y'] * 2)\ndf['y'] = df['z']", id="a column is inserted"),
    pytest.param("df['y'] *= 2", id="in place"),
    pytest.param("z = df['y'] * 2\ndf['y'] = z", id="by a name"),
    pytest.param("for c in ['y']:\n    df[c] = df[c] * 2", id="in a loop"),
    pytest.param("other = df\nother['y'] = other['y'] * 2", id="by another name"),
    pytest.param("def double(t):\n    t['y'] = t['y'] * 2\ndouble(df)", id="in a function"),
]
APART = [
    pytest.param("z = df['y'] * 2\nz[z > 3] = 3\ndf2 = df\ny = z", "y", id="a series of its own"),
    pytest.param("z = df[['y']]\nz['y'] = z['y'] * 2\ny = z['y']", "y", id="a table of labels alone"),
]


@pytest.mark.parametrize("text", FOR_ALL)
def test_what_is_written_into_the_table_is_written_for_all_rows(text: str) -> None:
    code = f"{HEAD}{text}\nX = df[['a', 'b']]\ny = df['y']\nLogisticRegression().fit(X, y)"
    plan = make_plan(notebook := read_text(code, "nb.py"), analyse(notebook, COLUMNS))

    assert plan.refusals == ()
    assert plan.target == "y"
    assert [step.code for step in plan.steps if step.guard] == ["y = df['y']"]


@pytest.mark.parametrize("text, labels", APART)
def test_what_is_the_labels_own_is_made_for_labelled_rows(text: str, labels: str) -> None:
    code = f"{HEAD}{text}\nX = df[['a', 'b']]\nLogisticRegression().fit(X, {labels})"
    plan = make_plan(notebook := read_text(code, "nb.py"), analyse(notebook, COLUMNS))

    assert plan.refusals == ()
    assert {step.guard for step in plan.steps if "y" in step.code} == {"labelled"}


def test_labels_of_rows_that_are_chosen_in_a_statement_over_several_lines() -> None:
    choice = "part = df[['y', 'a',\n           'b']][df['y'].notnull()]\n"
    code = f"{HEAD}{choice}LogisticRegression().fit(part[['a', 'b']], part['y'])"
    plan = make_plan(notebook := read_text(code, "nb.py"), analyse(notebook, COLUMNS))

    assert [step.otherwise for step in plan.steps] == ["part = df[['y', 'a',\n           'b']]"]
