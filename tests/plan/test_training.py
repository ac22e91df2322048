"""Training inside of functions and loops: the model by itself, and what is refused."""

from __future__ import annotations

import pytest

from nbprod.analysis import analyse
from nbprod.model.plan import FeaturePlan
from nbprod.notebook import read_text
from nbprod.plan import Choice, make_plan

HEAD = """# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
df = pd.read_csv("data.csv")
X = df[["a", "b"]]
y = df["y"]
# %%
"""


def plan_of(text: str) -> FeaturePlan:
    notebook = read_text(HEAD + text, "nb.py")
    return make_plan(notebook, analyse(notebook, {"data.csv": ("a", "b", "y")}), Choice(suggested=True))


TRAINED = [
    pytest.param(
        "def go(model):\n    model.fit(X, y)\nm = LogisticRegression(C=2)\ngo(m)",
        "m = LogisticRegression(C=2)\nm.fit(X, y)",
        id="an argument of a function",
    ),
    pytest.param(
        "def go(depth, trees=10):\n    return RandomForestClassifier(trees, max_depth=depth).fit(X, y)\n"
        "m = go(depth=3)",
        "m = RandomForestClassifier(10, max_depth=3)\nm.fit(X, y)",
        id="made in a function of its parameters",
    ),
    pytest.param(
        "SEED = 7\nfor C in [1, 10]:\n    m = LogisticRegression(C=C, random_state=SEED)\n    m.fit(X, y)",
        "m = LogisticRegression(C=10, random_state=SEED)\nm.fit(X, y)",
        id="made in a loop: the last one",
    ),
    pytest.param(
        "models = {'a': LogisticRegression(), 'b': RandomForestClassifier(5)}\n"
        "for name in models:\n    models[name].fit(X, y)",
        "model = RandomForestClassifier(5)\nmodel.fit(X, y)",
        id="a dict of models: the last one",
    ),
    pytest.param(
        "def go(step):\n    p = Pipeline([('scale', StandardScaler()), ('model', step)])\n    p.fit(X, y)\n"
        "    return p\nm = go(LogisticRegression(C=3))",
        "m = Pipeline([('scale', StandardScaler()), ('model', LogisticRegression(C=3))])\nm.fit(X, y)",
        id="a pipeline around a model",
    ),
    pytest.param(
        "def search(model, grid):\n    s = GridSearchCV(model, grid, cv=3)\n    return s.fit(X, y)\n"
        "m = search(LogisticRegression(), {'C': [1, 2]})",
        "m = GridSearchCV(LogisticRegression(), {'C': [1, 2]}, cv=3)\nm.fit(X, y)",
        id="a search over literals",
    ),
    pytest.param(
        "def inner(model, rows, answers):\n    model.fit(rows, answers)\n"
        "def outer(model, rows):\n    inner(model, rows * 2, y)\nm = LogisticRegression()\nouter(m, X)",
        "m = LogisticRegression()\nm.fit(rows, answers)",
        id="a function that another one calls",
    ),
]


@pytest.mark.parametrize("text, expected", TRAINED)
def test_the_model_is_written_by_itself(text: str, expected: str) -> None:
    plan = plan_of(text)
    assert plan.refusals == ()
    assert "\n".join(step.code for step in plan.model.steps) == expected


def test_what_a_function_does_before_it_trains_stands_where_it_is_called() -> None:
    plan = plan_of(
        "def go(model, rows):\n    filled = rows.fillna(0)\n    print(filled)\n    model.fit(filled, y)\n"
        "go(LogisticRegression(), X[['b', 'a']])"
    )
    assert plan.refusals == ()
    assert [step.code for step in plan.steps][-2:] == ["rows = X[['b', 'a']]", "filled = rows.fillna(0)"]
    assert (plan.matrix, plan.labels) == ("filled", "y")
    assert [feature.inputs for feature in plan.features] == [("b",), ("a",)]


REFUSED = [
    pytest.param(
        "class Trainer:\n    def go(self, model):\n        model.fit(X, y)\nTrainer().go(LogisticRegression())",
        "training-apart",
        "a method of a class",
        id="in a method",
    ),
    pytest.param(
        "for name in ['a', 'b']:\n    part = X[[name]]\n    m = LogisticRegression()\n    m.fit(part, y)",
        "training-apart",
        "features are prepared in the same block",
        id="a loop that also chooses features",
    ),
    pytest.param(
        "def go(C):\n    m = LogisticRegression(C=C)\n    m.fit(X, y)\n    return m\nm = go(C=X.shape[0])",
        "training-apart",
        "computed while the notebook runs",
        id="a parameter that depends on the data",
    ),
    pytest.param(
        "def go(m):\n    m.fit(X, y, sample_weight=df['a'])\nm = LogisticRegression()\ngo(m)",
        "training-apart",
        "further arguments",
        id="a training call with weights",
    ),
    pytest.param(
        "def go(m):\n    m.set_params(C=2)\n    m.fit(X, y)\nm = LogisticRegression()\ngo(m)",
        "training-apart",
        "changed between its construction and its training",
        id="a model that is changed",
    ),
    pytest.param(
        "from sklearn.cluster import DBSCAN\ngroups = DBSCAN()\ngroups.fit(X)",
        "DBSCAN",
        "none to a new row",
        id="a model that answers no row",
    ),
    pytest.param(
        "weights = df['a']\nm = LogisticRegression()\nm.fit(X, y, sample_weight=weights)",
        "left-behind",
        "would read df",
        id="weights that the training function has not",
    ),
]


@pytest.mark.parametrize("text, construct, reason", REFUSED)
def test_what_can_not_be_extracted_is_refused(text: str, construct: str, reason: str) -> None:
    (refusal,) = plan_of(text).refusals
    assert refusal.construct == construct
    assert reason in refusal.reason
    assert refusal.hint
