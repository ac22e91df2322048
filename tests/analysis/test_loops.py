"""Loops over known elements: round by round where the rounds differ, the rest as one where they are alike."""

from __future__ import annotations

import pytest

from nbprod.analysis import Analysis, analyse
from nbprod.analysis.work import OF_IDLE_LOOP
from nbprod.notebook import read_text

HEAD = """import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor
df = pd.read_csv('data.csv')
"""
PADDING = "".join(f"    print('padding', {number} + 1, i)\n" for number in range(14))
"""So many expressions that two rounds are more than is spent on numbers that lead to nothing of their own."""

MADE = [f"x{number}" for number in range(8)]


def analysis_of(*cells: str) -> Analysis:
    text = HEAD + "".join(f"# %%\n{cell}\n" for cell in cells)
    return analyse(read_text(text, "nb.py"), {"data.csv": ("a", "b", "y")})


@pytest.mark.parametrize(
    "loop",
    [
        pytest.param("for i in range(8):\n{}    df[f'x{{i}}'] = df['a'] + i", id="a column set by number"),
        pytest.param("for i in range(8):\n{}    df.loc[:, f'x{{i}}'] = i", id="a column set by .loc"),
        pytest.param(
            "for i in range(8):\n{}    df = df.assign(**{{f'x{{i}}': df['a']}})", id="another table each time"
        ),
        pytest.param(
            "names = df.columns\nfor i in range(8):\n{}    df['x' + str(i)] = df[names[i % 2]]", id="by place"
        ),
        pytest.param(
            "names = []\nfor i in range(8):\n{}    names.append(f'x{{i}}')\nfor n in names:\n    df[n] = df['a']",
            id="a list of names",
        ),
        pytest.param("for i, n in enumerate('x0 x1 x2 x3 x4 x5 x6 x7'.split()):\n{}    df[n] = i", id="names counted"),
        pytest.param(
            "def add(t, i):\n    t[f'x{{i}}'] = t['a']\nfor i in range(8):\n{}    add(df, i)", id="in a function"
        ),
    ],
)
def test_each_round_counts_where_its_number_chooses_a_column(loop: str) -> None:
    analysis = analysis_of(loop.format(PADDING), "made = [c for c in df.columns if c.startswith('x')]", "made")

    table = analysis.run.obj(analysis.run.state.names["df"])
    assert [name for name in table.columns if name.startswith("x")] == MADE


@pytest.mark.parametrize(
    "around",
    [
        pytest.param("for path in glob.glob('*'):\n", id="a loop over what is not known"),
        pytest.param("for path in glob.glob('*'):\n    df = pd.read_csv('data.csv')\n", id="a table read each time"),
        pytest.param("while path:\n", id="a while loop"),
        pytest.param("for path in range(100):\n    losses.append(path)\n", id="a training loop"),
    ],
)
def test_inner_rounds_that_choose_columns_count_in_any_outer_loop(around: str) -> None:
    inner = "    for i in range(8):\n        df[f'x{i}'] = df['a'] * i\n"
    analysis = analysis_of("import glob\npath, losses = input(), []", around + inner)

    table = analysis.run.obj(analysis.run.state.names["df"])
    assert [name for name in table.columns if name.startswith("x")] == MADE
    assert table.rest is None


@pytest.mark.parametrize(
    "choice, expected",
    [
        pytest.param("models[i]", "DecisionTreeRegressor", id="by place in a list"),
        pytest.param("{0: models[0], 1: models[1]}[i]", "DecisionTreeRegressor", id="by key in a dict"),
        pytest.param("(models[0], models[1])[i]", "DecisionTreeRegressor", id="by place in a tuple"),
    ],
)
def test_each_round_counts_where_its_number_chooses_a_model(choice: str, expected: str) -> None:
    models = "models = [LinearRegression(), LinearRegression(), DecisionTreeRegressor()][1:]"
    loop = f"for i in range(2):\n{PADDING}    model = {choice}\n    model.fit(df[['a']], df['y'])"
    analysis = analysis_of(models, loop)

    fits = [event.name.rpartition(".")[2] for event in analysis.events if event.kind == "fit"]
    assert fits == ["LinearRegression", expected]


@pytest.mark.parametrize(
    "loop",
    [
        pytest.param("for i in range(150):\n{}    losses.append(step(i))", id="a training loop"),
        pytest.param("for i in [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]:\n{}    losses.append(i)", id="values of a parameter"),
        pytest.param("for i in range(90):\n    for j in range(90):\n    {}        losses.append(i * j)", id="nested"),
        pytest.param(
            "for i in range(90):\n{}    model = DecisionTreeRegressor(max_depth=i)\n    model.fit(df[['a']], df['y'])",
            id="tries of a model",
        ),
    ],
)
def test_rounds_that_are_alike_are_taken_as_one(loop: str) -> None:
    padded = loop.format(PADDING if "for j" not in loop else PADDING.replace("\n", "\n    ").rstrip(" "))
    analysis = analysis_of("losses = []", padded, "losses")

    a_round = analysis_of("losses = []", padded.replace("range(150)", "[1]").replace("range(90)", "[1]"))
    assert analysis.run.work.done < 5 * (a_round.run.work.done + OF_IDLE_LOOP)


def test_what_one_round_leaves_is_seen_by_the_next() -> None:
    analysis = analysis_of("total = df['a']", f"for i in range(50):\n{PADDING}    total = total + df['b'] * i")

    assert analysis.run.data(analysis.run.state.names["total"]).inputs == {"a", "b"}
