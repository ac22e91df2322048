"""Which raw column is taken for the target."""

from __future__ import annotations

import pytest

from nbprod.analysis import analyse
from nbprod.model.plan import FeaturePlan
from nbprod.notebook import read_text
from nbprod.plan import make_plan

HEAD = """# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")
"""
UNNAMED = (
    "numbers = df.select_dtypes(include='number')\n"
    "whole = pd.concat([numbers.iloc[:, 0:2], numbers.iloc[:, 2]], axis=1)\n"
)
SPLIT = "a, b, c, d = train_test_split(X, y, random_state=0)\nm = LinearRegression().fit(a, c)\nm.predict(b)"


def plan_of(code: str) -> FeaturePlan:
    notebook = read_text(f"{HEAD}{code}", "nb.py")
    return make_plan(notebook, analyse(notebook, {"data.csv": ("age", "fare", "price")}))


@pytest.mark.parametrize(
    "code, target",
    [
        pytest.param(f"X = df[['age']]\ny = df['price']\n{SPLIT}", "price", id="a column by its name"),
        pytest.param(f"{UNNAMED}X = whole.iloc[:, 0:2]\ny = whole['price']\n{SPLIT}", "price", id="behind a split"),
        pytest.param(f"{UNNAMED}X = whole.iloc[:, 0:2]\ny = whole.price.values\n{SPLIT}", "price", id="its values"),
        pytest.param(
            f"{UNNAMED}m = LinearRegression()\nm.fit(whole.iloc[:, 0:2], whole[['price']])", "price", id="in the call"
        ),
        pytest.param(
            f"{UNNAMED}X, y = whole.iloc[:, 0:2], whole['price'].copy()\n{SPLIT}", "price", id="bound together"
        ),
        pytest.param(f"{UNNAMED}y = whole.pop('price')\nX = whole.iloc[:, 0:2]\n{SPLIT}", "price", id="taken out"),
        pytest.param(
            "def prepared(table):\n    table = pd.DataFrame.copy(table)\n"
            "    return pd.get_dummies(table, columns=['age', 'price'], drop_first=True)\n"
            f"df = prepared(df)\nX = df.drop(columns=['price_9'])\ny = df['price_9']\n{SPLIT}",
            "price",
            id="a dummy of it, behind a copy by the class",
        ),
        pytest.param(f"X = df[['age']]\ny = df['price'] + df['fare']\n{SPLIT}", None, id="made of two"),
        pytest.param(
            f"df['price'] = df['price'] / df['fare']\nX = df[['fare', 'age']]\ny = df['price']\n{SPLIT}",
            "price",
            id="made of two, called by one that no feature is made of",
        ),
        pytest.param(
            f"df['old'] = df['price'] * 2\ndf['price'] = df['price'] / df['fare']\nX = df[['old', 'fare']]\n"
            f"y = df['price']\n{SPLIT}",
            None,
            id="made of two, called by one that a feature is made of",
        ),
        pytest.param(
            f"def marked(name):\n    for each in df['age'].unique():\n        df[str(each)] = df[name] == each\n"
            f"marked('age')\nX = df[['fare']]\ny = df['price']\n{SPLIT}",
            "price",
            id="behind columns that are written by names nobody knows",
        ),
        pytest.param(f"{UNNAMED}X = whole.iloc[:, 0:2]\ny = whole['cost']\n{SPLIT}", None, id="no raw column"),
    ],
)
def test_the_target_is_what_labels_are_made_of_or_called_by(code: str, target: str | None) -> None:
    plan = plan_of(code)

    assert plan.target == target
    assert target is None or target not in plan.inputs
