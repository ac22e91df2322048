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
        "if True:\n    pd.set_option('mode.copy_on_write', True)\n    m = LogisticRegression()\n    m.fit(X, y)\n"
        "    print(m.score(X, y))\nprint('done')",
        "if True:\n    pd.set_option('mode.copy_on_write', True)\n    m = LogisticRegression()\n    m.fit(X, y)",
        id="a block that evaluates too: what comes before the training, and the training",
    ),
    pytest.param(
        "if len(X) > 3:\n    m = RandomForestClassifier()\n    m.fit(X, y)\n    print(m.score(X, y))\n"
        "else:\n    m = LogisticRegression()\n    m.fit(X, y)",
        "if len(X) > 3:\n    m = RandomForestClassifier()\n    m.fit(X, y)\n"
        "else:\n    m = LogisticRegression()\n    m.fit(X, y)",
        id="a branch for each of two models: both",
    ),
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
        "for k in range(99):\n    part = X * 2\n    m = RandomForestClassifier(k + 1)\n    m.fit(part, y)",
        "*_, k = range(99)\nm = RandomForestClassifier(k + 1)\nm.fit(part, y)",
        id="made in a loop that prepares too: the setting of the last round",
    ),
    pytest.param(
        "depths = list(range(99))\nfor k, depth in enumerate(depths):\n    part = X * 2\n"
        "    m = RandomForestClassifier(max_depth=depth)\n    m.fit(part, y)",
        "*_, (k, depth) = enumerate(depths)\nm = RandomForestClassifier(max_depth=depth)\nm.fit(part, y)",
        id="made in a loop that prepares too: one of its names",
    ),
    pytest.param(
        "few = [c for c in X if X[c].nunique() < 9]\nif few:\n    part = X[few]\n    m = LogisticRegression()\n"
        "    m.fit(part, y)",
        "m = LogisticRegression()\nm.fit(part, y)",
        id="made under a condition on what is learned",
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


AS_IT_STANDS = [
    pytest.param(
        "w = (y == 0).mean()\nfor m in [LogisticRegression(), RandomForestClassifier(class_weight={0: 1, 1: w})]:\n"
        "    m.fit(X, y)",
        "w = (y == 0).mean()\nm = RandomForestClassifier(class_weight={0: 1, 1: w})\nm.fit(X, y)",
        (),
        id="a weight of the labels",
    ),
    pytest.param(
        "s = GridSearchCV(LogisticRegression(), {'C': [1, 2]})\ns.fit(X, y)\nfound = s.best_params_\n"
        "def go(model):\n    model.fit(X, y)\nm = LogisticRegression(**found)\ngo(m)",
        "s = GridSearchCV(LogisticRegression(), {'C': [1, 2]})\ns.fit(X, y)\nfound = s.best_params_\n"
        "m = LogisticRegression(**found)\nm.fit(X, y)",
        (),
        id="settings that a search found",
    ),
    pytest.param(
        "def go(model, rows, answers, known):\n    print(known)\n    model.fit(rows, answers, sample_weight=known)\n"
        "m = LogisticRegression()\ngo(m, X, y, df['a'])",
        "m = LogisticRegression()\ngo(m, X, y, df['a'])",
        ("df",),
        id="a function with weights",
    ),
    pytest.param(
        "def go(m):\n    m.fit(X, y, sample_weight=df['a'])\nm = LogisticRegression()\ngo(m)",
        "m = LogisticRegression()\nm.fit(X, y, sample_weight=df['a'])",
        ("df",),
        id="weights of the raw rows",
    ),
    pytest.param(
        "def go(C):\n    m = LogisticRegression(C=C)\n    m.fit(X, y)\n    return m\nm = go(C=X.shape[0])",
        "def go(C):\n    m = LogisticRegression(C=C)\n    m.fit(X, y)\n    return m\nm = go(C=X.shape[0])",
        (),
        id="a function that reads what it trains on",
    ),
    pytest.param(
        "def go(m, rows, answers):\n    m.set_params(C=2)\n    m.fit(rows, answers)\nm = LogisticRegression()\n"
        "go(m, X * 2, y)",
        "m = LogisticRegression()\ngo(m, X, y)",
        (),
        id="a model that a function changes",
    ),
    pytest.param(
        "best, m = 0, None\nfor one in [LogisticRegression(), RandomForestClassifier(5)]:\n    one.fit(X, y)\n"
        "    print(one)\n    score = one.score(X, y)\n    if score > best:\n        best, m = score, one\nm.predict(X)",
        "best, m = 0, None\nfor one in [LogisticRegression(), RandomForestClassifier(5)]:\n    one.fit(X, y)\n"
        "    score = one.score(X, y)\n    if score > best:\n        best, m = score, one",
        (),
        id="the best of several",
    ),
    pytest.param(
        "best, m = 0, None\nfor seed in range(9):\n    part = X.sample(frac=0.5, random_state=seed)\n"
        "    of_part = y[part.index]\n    one = LogisticRegression()\n    one.fit(part, of_part)\n"
        "    score = one.score(X, y)\n    if score > best:\n        best, m = score, one\nm.predict(X)",
        "best, m = 0, None\nfor seed in range(9):\n    part = X.sample(frac=0.5, random_state=seed)\n"
        "    of_part = y[part.index]\n    one = LogisticRegression()\n    one.fit(part, of_part)\n"
        "    score = one.score(X, y)\n    if score > best:\n        best, m = score, one",
        ("X", "y"),
        id="the best of several on rows of their own",
    ),
    pytest.param(
        "best, m = 0, None\nfor one in [LogisticRegression(), RandomForestClassifier(5)]:\n    one.fit(X, y)\n"
        "    score = one.score(X, y)\n    if score > best:\n        best, m = score, one\none.predict(X)",
        "one = RandomForestClassifier(5)\none.fit(X, y)",
        (),
        id="the last of several, though the best is kept",
    ),
    pytest.param(
        "share = (y == 'no').mean()\ny = y.map({'no': 0, 'yes': 1})\nfor m in [LogisticRegression(C=share)]:\n"
        "    m.fit(X, y)",
        "m = LogisticRegression(C=share)\nm.fit(X, y)",
        ("share",),
        id="a share of the labels as they were before",
    ),
]


ROUNDS = "for k in [0.1, 1, 10]:\n    m = LogisticRegression(C=k)\n    m.fit(X, y)\n"

LEFT_EARLY = [
    pytest.param(
        f"{ROUNDS}    if m.score(X, y) > 0.9:\n        break\nm.predict(X)",
        f"{ROUNDS}    if m.score(X, y) > 0.9:\n        break",
        id="a score that is enough",
    ),
    pytest.param(
        f"scores = []\n{ROUNDS}    p = m.predict(X)\n    scores.append((p == y).mean())\n    print(k)\n"
        "    if len(scores) > 1 and scores[-1] < scores[-2]:\n        break\nm.predict(X)",
        f"scores = []\n{ROUNDS}    p = m.predict(X)\n    scores.append((p == y).mean())\n"
        "    if len(scores) > 1 and scores[-1] < scores[-2]:\n        break",
        id="scores that get worse, without what is shown",
    ),
    pytest.param(
        "k = 0.1\nwhile True:\n    m = LogisticRegression(C=k)\n    m.fit(X, y)\n    if m.score(X, y) > 0.9:\n"
        "        break\n    k = k * 2\nm.predict(X)",
        "k = 0.1\nwhile True:\n    m = LogisticRegression(C=k)\n    m.fit(X, y)\n    if m.score(X, y) > 0.9:\n"
        "        break\n    k = k * 2",
        id="as often as it takes",
    ),
    pytest.param(
        "k, s = 0.1, 0\nwhile s < 0.9:\n    m = LogisticRegression(C=k)\n    m.fit(X, y)\n    s = m.score(X, y)\n"
        "    k = k * 2\nm.predict(X)",
        "k, s = 0.1, 0\nwhile s < 0.9:\n    m = LogisticRegression(C=k)\n    m.fit(X, y)\n    s = m.score(X, y)\n"
        "    k = k * 2",
        id="as long as a score is too low",
    ),
    pytest.param(
        "last = 0\nfor k in [0.1, 1, 10]:\n    if last > 0.9:\n        continue\n    m = LogisticRegression(C=k)\n"
        "    m.fit(X, y)\n    last = m.score(X, y)\nm.predict(X)",
        "last = 0\nfor k in [0.1, 1, 10]:\n    if last > 0.9:\n        continue\n    m = LogisticRegression(C=k)\n"
        "    m.fit(X, y)\n    last = m.score(X, y)",
        id="rounds that do not train",
    ),
    pytest.param(
        "last = 0\nfor k in [0.1, 1, 10]:\n    if last < 0.9:\n        m = LogisticRegression(C=k)\n"
        "        m.fit(X, y)\n        last = m.score(X, y)\nm.predict(X)",
        "last = 0\nfor k in [0.1, 1, 10]:\n    if last < 0.9:\n        m = LogisticRegression(C=k)\n"
        "        m.fit(X, y)\n        last = m.score(X, y)",
        id="rounds that train by a condition",
    ),
    pytest.param(
        "best, stale, m = 0, 0, None\nfor k in [0.1, 1, 10]:\n    one = LogisticRegression(C=k)\n    one.fit(X, y)\n"
        "    s = one.score(X, y)\n    if s > best:\n        best, m, stale = s, one, 0\n    else:\n        stale += 1\n"
        "    if stale > 1:\n        break\nm.predict(X)",
        "best, stale, m = 0, 0, None\nfor k in [0.1, 1, 10]:\n    one = LogisticRegression(C=k)\n    one.fit(X, y)\n"
        "    s = one.score(X, y)\n    if s > best:\n        best, m, stale = s, one, 0\n    else:\n        stale += 1\n"
        "    if stale > 1:\n        break",
        id="the best of several, until none is better",
    ),
    pytest.param(
        f"{ROUNDS}    if k == 1:\n        break\nm.predict(X)",
        f"{ROUNDS}    if k == 1:\n        break",
        id="by a setting",
    ),
    pytest.param(f"{ROUNDS}    break\nm.predict(X)", f"{ROUNDS}    break", id="behind the first round"),
    pytest.param(
        "k = 0\nwhile k < 3:\n    k += 1\n    m = LogisticRegression(C=k)\n    m.fit(X, y)\nm.predict(X)",
        "k = 0\nwhile k < 3:\n    k += 1\n    m = LogisticRegression(C=k)\n    m.fit(X, y)",
        id="as often as a count says",
    ),
]

KNOWN = [
    pytest.param(
        "for name, m in {'a': RandomForestClassifier(), 'b': LogisticRegression()}.items():\n    if name == 'a':\n"
        "        continue\n    m.fit(X, y)",
        "m = LogisticRegression()\nm.fit(X, y)",
        id="rounds that a setting leaves out",
    ),
    pytest.param(
        f"{ROUNDS}    for v in m.predict(X):\n        if v == 1:\n            break",
        "m = LogisticRegression(C=10)\nm.fit(X, y)",
        id="another loop within it",
    ),
    pytest.param(
        f"{ROUNDS}    if m.score(X, y) > 0.9:\n        continue\n    print(k)",
        "m = LogisticRegression(C=10)\nm.fit(X, y)",
        id="what is left of a round when it has trained",
    ),
]


@pytest.mark.parametrize("text, expected", LEFT_EARLY)
def test_a_loop_that_what_it_computes_may_end_is_taken_as_it_stands(text: str, expected: str) -> None:
    plan = plan_of(text)

    assert plan.refusals == ()
    assert "\n".join(step.code for step in plan.model.steps) == expected


@pytest.mark.parametrize("text, expected", KNOWN)
def test_a_loop_whose_last_round_is_known_is_not(text: str, expected: str) -> None:
    assert "\n".join(step.code for step in plan_of(text).model.steps) == expected


@pytest.mark.parametrize("text, expected, handed", AS_IT_STANDS)
def test_training_is_written_with_what_it_computes(text: str, expected: str, handed: tuple[str, ...]) -> None:
    plan = plan_of(text)
    assert plan.refusals == ()
    assert "\n".join(step.code for step in plan.model.steps) == expected
    assert plan.handed_over == handed


REFUSED = [
    pytest.param(
        "class Trainer:\n    def go(self, model):\n        model.fit(X, y)\nTrainer().go(LogisticRegression())",
        "training-apart",
        "a method of a class",
        id="in a method",
    ),
    pytest.param(
        "for name in ['a', 'b']:\n    part = X[[name]]\n    m = LogisticRegression()\n    m.fit(part, y)\n"
        "    if m.score(part, y) > 0.5:\n        break",
        "training-apart",
        "which of its rounds is the last",
        id="a loop that also chooses features and may end early",
    ),
    pytest.param(
        "def go(X, y):\n    for name in ['a', 'b']:\n        part = X[[name]]\n        m = LogisticRegression()\n"
        "        m.fit(part, y)\n        for limit in (0.5, 0.7):\n            if m.score(part, y) > limit:\n"
        "                return m\nm = go(X, y)",
        "training-apart",
        "which of its rounds is the last",
        id="a loop in a function that another one within it may end",
    ),
    pytest.param(
        "import os\nfor k in [0.1, 1, 10]:\n    if os.path.exists('stop'):\n        break\n"
        "    m = LogisticRegression(C=k)\n    m.fit(X, y)\nm.predict(X)",
        "training-apart",
        "outside of the notebook",
        id="a loop that a file may end",
    ),
    pytest.param(
        "def go(X, y):\n    for k in [0.1, 1, 10]:\n        m = LogisticRegression(C=k)\n        m.fit(X, y)\n"
        "        if m.score(X, y) > 0.9:\n            return m\nm = go(X, y)\nm.predict(X)",
        "training-apart",
        "which of its rounds is the last",
        id="a loop in a function that may end early",
    ),
    pytest.param(
        "seed = 0\nwhile seed < 3:\n    part = X.sample(frac=0.5, random_state=seed)\n    m = LogisticRegression()\n"
        "    m.fit(part, y[part.index])\n    seed += 1",
        "training-apart",
        "which of its rounds is the last",
        id="a loop on a condition that also chooses rows",
    ),
    pytest.param(
        "for name in ['a', 'b']:\n    part = X[[name]] * 2\n    if name == 'a':\n        m = LogisticRegression()\n"
        "        m.fit(part, y)",
        "training-apart",
        "in which of its rounds it is trained",
        id="a condition in a loop that also chooses features",
    ),
    pytest.param(
        "import os\nif os.path.exists('new'):\n    part = X * 2\n    m = LogisticRegression()\n    m.fit(part, y)",
        "training-apart",
        "a condition on what lies outside",
        id="a condition on what lies outside",
    ),
    pytest.param(
        "try:\n    open('new')\nexcept OSError:\n    part = X * 2\n    m = LogisticRegression()\n    m.fit(part, y)",
        "training-apart",
        "features are prepared in the same block",
        id="what is done where something fails",
    ),
    pytest.param(
        "one, two = LogisticRegression(), LogisticRegression()\nfor m, name in [(one, 'a'), (two, 'b')]:\n"
        "    part = X[[name]]\n    m.fit(part, y)\none.predict(X[['a']])",
        "training-apart",
        "a later round of the same loop",
        id="the first of several on features of its own",
    ),
    pytest.param(
        "best, m = 0, None\nfor seed in range(9):\n    part = X.sample(frac=0.5, random_state=seed)\n"
        "    part = (part - part.mean()) / part.std()\n    one = LogisticRegression()\n"
        "    one.fit(part, y[part.index])\n"
        "    if one.score(part, y[part.index]) > best:\n        best, m = one.score(part, y[part.index]), one\n"
        "m.predict(X)",
        "training-apart",
        "the best of several rounds",
        id="the best of several on features that each learns",
    ),
    pytest.param(
        "best, m = 0, None\nfor seed in range(9):\n    part = X.sample(frac=0.5, random_state=seed)\n"
        "    one = LogisticRegression()\n    one.fit(part, y[part.index])\n    score = one.score(X, y)\n"
        "    if score > best:\n        best, m = score, one\nm.predict(X)",
        "training-apart",
        "has no name",
        id="the best of several on labels without a name",
    ),
    pytest.param(
        "from sklearn.cluster import DBSCAN\ngroups = DBSCAN()\ngroups.fit(X)",
        "DBSCAN",
        "none to a new row",
        id="a model that answers no row",
    ),
    pytest.param(
        "best, m = 0, None\nfor name in ['a', 'b']:\n    one = LogisticRegression()\n    part = X[[name]]\n"
        "    one.fit(part, y)\n    if one.score(part, y) > best:\n        m = one\nm.predict(X[['a']])",
        "training-apart",
        "trained on different features",
        id="the best of several on different features",
    ),
    pytest.param(
        "best, m = 0, None\nfor one, part in [(LogisticRegression(), X), (RandomForestClassifier(5), X * 2)]:\n"
        "    one.fit(part, y)\n    if one.score(part, y) > best:\n        m = one\nm.predict(X)",
        "training-apart",
        "trained on different features",
        id="the best of several on features that a loop brings along",
    ),
    pytest.param(
        "for k in range(99):\n    part = X * 2\n    k = k + len(part)\n    m = RandomForestClassifier(k)\n"
        "    m.fit(part, y)",
        "training-apart",
        "computed in the same place",
        id="a loop that prepares and computes a setting",
    ),
    pytest.param(
        "def go(rows):\n    m = LogisticRegression(C=len(rows))\n    rows = rows * 2\n    m.fit(rows, y)\n"
        "    return m\nm = go(X)",
        "training-apart",
        "computed in the same place",
        id="a function that prepares and computes a setting",
    ),
]


@pytest.mark.parametrize("text, construct, reason", REFUSED)
def test_what_can_not_be_extracted_is_refused(text: str, construct: str, reason: str) -> None:
    (refusal,) = plan_of(text).refusals
    assert refusal.construct == construct
    assert reason in refusal.reason
    assert refusal.hint
