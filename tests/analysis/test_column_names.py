"""Names of columns that are made of their names before, or chosen by a test of them."""

from __future__ import annotations

import pytest

from nbprod.analysis import analyse
from nbprod.model.plan import FeaturePlan
from nbprod.notebook import read_text
from nbprod.plan import Choice, make_plan

HEAD = """# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")
def clean(name):
    return name.strip().lower().replace(" ", "_")
"""
TAIL = "\nmodel = LogisticRegression().fit({X}, df['churn'])\n"
COLUMNS = ("The Age", " Fare ", "Unnamed: 0", "Churn")


def plan_of(text: str, X: str) -> FeaturePlan:
    notebook = read_text(HEAD + text + TAIL.format(X=X), "nb.py")
    return make_plan(notebook, analyse(notebook, {"data.csv": COLUMNS}), Choice(suggested=True))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("df.columns = df.columns.str.strip().str.lower().str.replace(' ', '_')", id="methods of str"),
        pytest.param(
            "df.columns = df.columns.str.strip(to_strip=' ').str.lower().str.replace(pat=' ', repl='_', regex=False)",
            id="arguments by name",
        ),
        pytest.param(
            r"df.columns = df.columns.str.lower().str.replace(r'^\s+|\s+$', '', regex=True).str.replace(' ', '_')",
            id="a pattern",
        ),
        pytest.param("df.columns = df.columns.map(clean)", id="a function of the notebook"),
        pytest.param("df = df.rename(columns=clean)", id="a function that renames"),
        pytest.param(
            "df = df.rename(columns=lambda c: c.strip().lower().replace(' ', '_'))", id="a lambda that renames"
        ),
        pytest.param("df.columns = [clean(c) for c in df.columns]", id="one by one"),
    ],
)
def test_names_that_are_made_of_known_names_are_known(text: str) -> None:
    plan = plan_of(text, "df[['the_age', 'fare']]")

    assert plan.refusals == ()
    assert [(each.name, each.inputs) for each in plan.features] == [("the_age", ("The Age",)), ("fare", (" Fare ",))]
    assert plan.target == "Churn"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("df.columns = df.columns.str.lower().str[:3]", id="another method"),
        pytest.param("df.columns = df.columns.str.replace('.*', 'x', regex=True)", id="names that become one"),
        pytest.param("import names\ndf.columns = df.columns.map(names.clean)", id="a function of elsewhere"),
    ],
)
def test_names_that_nobody_knows_before_are_any(text: str) -> None:
    assert {name for each in plan_of(text, "df").features for name in each.inputs} >= set(COLUMNS[:3])


@pytest.mark.parametrize(
    "test, kept",
    [
        pytest.param("~df.columns.str.contains('^Unnamed')", ("The Age", " Fare "), id="a pattern that is left out"),
        pytest.param("df.columns.str.contains('a|F')", (" Fare ", "Unnamed: 0"), id="a pattern that is kept"),
        pytest.param("df.columns.str.startswith('The')", ("The Age",), id="a beginning"),
        pytest.param("~df.columns.str.endswith('0')", ("The Age", " Fare "), id="an end"),
        pytest.param("df.columns.str.match('.*Age')", ("The Age",), id="a match"),
    ],
)
def test_columns_that_are_chosen_by_a_test_of_their_names_are_known(test: str, kept: tuple[str, ...]) -> None:
    plan = plan_of(f"df = df.rename(columns={{'Churn': 'churn'}})\nX = df.drop(columns='churn')\nX = X.loc[:, {test}]"
                   .replace("df.columns", "X.columns"), "X")  # fmt: skip

    assert plan.refusals == ()
    assert tuple(each.name for each in plan.features) == kept
    assert plan.target == "Churn"
