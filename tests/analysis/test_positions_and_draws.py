"""What is given to rows by their place, and what is drawn: facts of single notebooks."""

from __future__ import annotations

import ast

import pytest

from nbprod.analysis import analyse
from nbprod.model.plan import FeaturePlan
from nbprod.notebook import read_text
from nbprod.plan import make_plan

HEAD = """# %%
import statistics
from collections import Counter
import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
df = pd.read_csv("data.csv")
# %%
"""


def plan_of(code: str) -> FeaturePlan:
    text = f'{HEAD}{code}\n# %%\nmodel = DummyClassifier().fit(df[["o"]], df["y"])\n'
    notebook = read_text(text, "notebook.py")
    return make_plan(notebook, analyse(notebook))


@pytest.mark.parametrize(
    "code",
    [
        pytest.param('df["o"] = range(len(df))', id="a range"),
        pytest.param('df["o"] = list(range(1, len(df) + 1))', id="a list of a range"),
        pytest.param('df["o"] = np.arange(df.shape[0])', id="numbers of an array"),
        pytest.param('df["o"] = pd.Series(np.arange(len(df)))', id="numbers of a series"),
        pytest.param('n = len(df)\ndf["o"] = np.linspace(0, 1, n)', id="as many numbers as rows"),
    ],
)
def test_what_is_given_by_place_is_refused(code: str) -> None:
    assert [refusal.construct for refusal in plan_of(code).refusals] == ["row-position"]


@pytest.mark.parametrize(
    "code",
    [
        pytest.param('df["o"] = np.zeros(len(df))', id="zeros for the rows at hand"),
        pytest.param('df["o"] = df["a"] / len(df)', id="a share of the number of rows"),
        pytest.param('df["id"] = range(len(df))\ndf["o"] = df["a"]', id="a place that does not reach the model"),
        pytest.param('df["o"] = df["t"].apply(lambda t: len(t.split()))', id="the length of a value"),
        pytest.param('df["o"] = df["t"].apply(lambda t: np.mean([len(w) for w in t.split()]))', id="within a value"),
        pytest.param('df["o"] = df["t"].apply(lambda t: statistics.mean([1, len(t)]))', id="within a value, plainly"),
        pytest.param('df["o"] = df.cumsum(axis=1)["a"]', id="a sum along the row"),
        pytest.param('df["o"] = df[["a", "b"]].diff(axis=1)["b"]', id="a difference along the row"),
    ],
)
def test_what_each_row_has_by_itself_is_served(code: str) -> None:
    plan = plan_of(code)
    assert plan.refusals == ()
    assert {step.status for step in plan.steps} == {"proven"}


@pytest.mark.parametrize(
    "code, sites",
    [
        pytest.param('low, high = df["a"].min(), df["a"].max()\ndf["o"] = (df["a"] - low) / high', 2, id="two at once"),
        pytest.param('c = Counter(df["t"])\ndf["o"] = df["t"].map(c)', 1, id="a count of values"),
        pytest.param('df["o"] = df["a"] - statistics.mean(df["a"])', 1, id="a mean of the standard library"),
        pytest.param('df["o"] = np.allclose(df["a"], 1) + df["a"]', 1, id="a second operand that is no axis"),
        pytest.param('df["o"] = df["a"] / np.dot(df["a"], df["b"])', 1, id="a product of two columns"),
    ],
)
def test_what_looks_over_rows_is_learned(code: str, sites: int) -> None:
    plan = plan_of(code)
    assert plan.refusals == ()
    assert sum(len(step.sites) for step in plan.steps) == sites


def test_a_drawn_number_needs_its_seed_and_the_draws_before_it() -> None:
    plan = plan_of('np.random.seed(0)\nfirst = np.random.rand()\ndf["o"] = df["a"].fillna(np.random.rand())')
    lines = {(step.cell, step.line): step.binding for step in plan.steps}
    assert {(1, 1), (1, 2), (1, 3)} <= set(lines)


TRIES = """
inertia = []
for k in range(1, 8):
    tried = KMeans(n_clusters=k)
    tried.fit(df[["a", "b"]])
    inertia.append(tried.inertia_)
"""


@pytest.mark.parametrize(
    "before, needs_the_tries",
    [
        pytest.param("", False, id="without a seed, each run draws other numbers"),
        pytest.param("np.random.seed(0)\n", True, id="with a seed, they hang on what was drawn before"),
    ],
)
def test_draws_without_a_seed_do_not_hang_on_the_draws_before(before: str, needs_the_tries: bool) -> None:
    code = f"from sklearn.cluster import KMeans\n{before}{TRIES}"
    notebook = read_text(
        f'{HEAD}{code}\n# %%\nX = df.sample(frac=1.0)\nmodel = KMeans(3).fit(X[["a"]])\n', "notebook.py"
    )
    analysis = analyse(notebook)
    rows = [event for event in analysis.events if event.kind == "fit"][-1].facts[0].rows
    assert rows is not None
    tries = next(
        s.id for s in analysis.program.statements if "KMeans(n_clusters=k)" in ast.unparse(s.node) and s.parent >= 0
    )
    assert bool(rows.fit >> tries & 1) is needs_the_tries


@pytest.mark.parametrize(
    "before, needed",
    [
        pytest.param("df.sample(3)", True, id="a sample that is shown"),
        pytest.param("df.sample(3, random_state=0)", False, id="a sample with a seed of its own"),
        pytest.param("rows = df.sample(frac=0.5)", True, id="a choice that nobody needs"),
        pytest.param("np.random.rand(3)", False, id="numbers that choose no rows"),
        pytest.param("df.sample(3)\ndf = pd.read_csv('data.csv')", False, id="of rows that were read before"),
    ],
)
def test_a_choice_of_rows_without_a_seed_hangs_on_those_since_they_were_read(before: str, needed: bool) -> None:
    code = f'{before}\nX = df.sample(frac=1.0)\nmodel = KMeans(3).fit(X[["a"]])\n'
    notebook = read_text(f"{HEAD}from sklearn.cluster import KMeans\n{code}", "notebook.py")
    analysis = analyse(notebook)
    rows = [event for event in analysis.events if event.kind == "fit"][-1].facts[0].rows
    assert rows is not None
    text = before.partition("\n")[0].replace("'", '"')
    first = next(s.id for s in analysis.program.statements if ast.unparse(s.node).replace("'", '"') == text)
    assert bool(rows.fit >> first & 1) is needed
