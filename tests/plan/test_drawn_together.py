"""Rows that a loop draws of a table, class by class, into a list that is put together: a matter of training alone."""

from __future__ import annotations

import pytest

from nbprod.analysis import analyse
from nbprod.model.plan import FeaturePlan
from nbprod.notebook import read_text
from nbprod.plan import make_plan

HEAD = """# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.utils import resample
df = pd.read_csv("data.csv")
"""

TAIL = """
X = df[["a"]]
y = df["y"]
m = LogisticRegression()
m.fit(X, y)
m.predict(X)
"""

LOOP = 'parts = []\nfor c in df["y"].unique():\n    sub = df[df["y"] == c]\n    '
DRAWN = "parts.append(sub.sample(20, random_state=1))\n"

TRAINED_ON = [
    pytest.param(f"{LOOP}{DRAWN}df = pd.concat(parts)", id="drawn"),
    pytest.param(
        f"{LOOP}parts.append(resample(sub, n_samples=50, random_state=1))\ndf = pd.concat(parts)", id="drawn again"
    ),
    pytest.param(
        f"{LOOP}if len(sub) > 9:\n        sub = sub.sample(9)\n    parts.append(sub)\ndf = pd.concat(parts)",
        id="some classes drawn",
    ),
    pytest.param(f"{LOOP}{DRAWN}df = pd.concat(parts, ignore_index=True).sample(frac=1)", id="and shuffled"),
    pytest.param(
        'parts = []\nfor c, sub in df.groupby("y"):\n    parts.append(sub.sample(9))\ndf = pd.concat(parts)',
        id="of groups",
    ),
    pytest.param(
        'parts = []\nfor c in [0, 1]:\n    parts.append(df[df["y"] == c].head(9))\ndf = pd.concat(parts)',
        id="of known classes",
    ),
    pytest.param(
        f"{LOOP}{DRAWN}drawn = pd.concat(parts)\nkept = df\ndf = drawn", id="a table that has a name of its own"
    ),
]

REFUSED = [
    pytest.param(
        'parts = []\nfor c in df["y"].unique():\n    sub = df[df["y"] == c].copy()\n'
        '    sub["a"] = sub["a"] - sub["a"].mean()\n    parts.append(sub)\ndf = pd.concat(parts)',
        id="values that each class changes",
    ),
    pytest.param(
        f'{LOOP}parts.append(sub.fillna(sub["a"].median()))\ndf = pd.concat(parts)', id="gaps that each class fills"
    ),
    pytest.param(
        f'{LOOP}{DRAWN}    parts.append(sub.assign(a=sub["a"] + 1))\ndf = pd.concat(parts)', id="rows that are made up"
    ),
    pytest.param(
        f'{LOOP}{DRAWN}df["a"] = df["a"] + 1\ndf = pd.concat(parts)',
        id="the table was changed since the rows were drawn",
    ),
    pytest.param(f"{LOOP}{DRAWN}del df\ndf = pd.concat(parts)", id="the table is gone, and its last class is not"),
    pytest.param(
        f'{LOOP}{DRAWN}df = pd.concat(parts, keys=["u", "v"]).reset_index()', id="the number of the class is a column"
    ),
    pytest.param(
        f'other = pd.read_csv("other.csv")\n{LOOP}{DRAWN}parts.append(other)\ndf = pd.concat(parts)',
        id="rows of another table",
    ),
    pytest.param(f"{LOOP}{DRAWN}parts.append(grown(df))\ndf = pd.concat(parts)", id="rows that nobody knows"),
    pytest.param(f"{LOOP}{DRAWN}df = pd.concat(parts, axis=k)", id="below or beside, by what nobody knows"),
]


def _plan(text: str) -> FeaturePlan:
    notebook = read_text(HEAD + text + TAIL, "nb.py")
    columns = {"data.csv": ("a", "b", "y"), "other.csv": ("a", "b", "y")}
    return make_plan(notebook, analyse(notebook, columns))


@pytest.mark.parametrize("text", TRAINED_ON)
def test_rows_drawn_class_by_class_are_for_training_alone(text: str) -> None:
    plan = _plan(text)

    assert plan.refusals == ()
    assert plan.inputs == ("a",)
    assert [step.guard for step in plan.steps if "parts" in step.code and "for " in step.code] == ["fitting"]


@pytest.mark.parametrize("text", REFUSED)
def test_rows_that_a_loop_puts_together_in_another_way_are_refused(text: str) -> None:
    assert _plan(text).refusals


def test_a_function_gives_back_the_table_that_it_was_given() -> None:
    body = f"{LOOP}{DRAWN}return pd.concat(parts)".replace("df", "table").replace("\n", "\n    ")
    plan = _plan(f"df = df[df['a'] < 1]\ndef balanced(table):\n    {body}\ndf = balanced(df)")
    code = "\n".join(step.code for step in (*plan.definitions, *plan.steps))

    assert plan.refusals == ()
    assert "return (pd.concat(parts) if learned.fitting else table)" in code
