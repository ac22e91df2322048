"""Statements are rewritten again only where what they hang on has changed, and come out as if they were new."""

from __future__ import annotations

import pytest

from nbprod.analysis.incremental import Analyser
from nbprod.model.plan import FeaturePlan
from nbprod.notebook import read_text
from nbprod.plan import make_plan, steps
from nbprod.plan.remembered import Memory
from nbprod.plan.rewriting import Rewriter

SCHEMAS = {"rows.csv": ("a", "b", "c", "y"), "other.csv": ("a", "b", "c")}
CELLS = {
    "imports": "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LinearRegression",
    "read": "df = pd.read_csv('rows.csv')",
    "read more": "extra = pd.read_csv('other.csv')",
    "both": "tables = [df, extra]\nfor t in tables:\n    t['b'] = t['b'] * 2",
    "helper": "def scaled(column):\n    return column / 10",
    "factor": "factor = 2",
    "fill": "df['a'] = df['a'].fillna(df['a'].mean())",
    "fill again": "df['a'] = df['a'].fillna(df['a'].mean()) * factor",
    "plain": "# the logarithm\ndf['b'] = np.log1p(df['b'])  # of what is there",
    "call": "df['c'] = scaled(df['c'])",
    "named": "top = df['c'].max()\ndf['c'] = df['c'] / top",
    "mapped": "df['c'] = df['c'].map(scaled)",
    "more": "df['d'] = df['a'] * 3",
    "less": "df = df.drop(columns=['d'])",
    "X": "X = df[['a', 'b', 'c']]",
    "y": "y = df['y']",
    "train": "model = LinearRegression().fit(X, y)",
}


def plan_of(cells: dict[str, str], analyser: Analyser) -> FeaturePlan:
    notebook = read_text("".join(f"# %%\n{cell}\n\n" for cell in cells.values()), "nb.py")
    return make_plan(notebook, analyser.analyse(notebook, SCHEMAS))


@pytest.fixture
def fresh(monkeypatch):
    """The plan of cells that nothing is remembered of."""

    def make(cells: dict[str, str]) -> FeaturePlan:
        with monkeypatch.context() as patch:
            patch.setattr(steps, "_memory", Memory(0))
            return plan_of(cells, Analyser())

    return make


def put_before(cells: dict[str, str], place: str, code: str) -> dict[str, str]:
    at = list(cells).index(place)
    rows = list(cells.items())
    return dict([*rows[:at], ("new", code), *rows[at:]])


EDITS = {
    "nothing": CELLS,
    "another place that learns the same, above": CELLS | {"factor": "factor = df['a'].mean()"},
    "a place less above": {name: code for name, code in CELLS.items() if name != "fill"},
    "a plain name learns": CELLS | {"factor": "factor = df['b'].std()"},
    "a helper that learns": CELLS | {"helper": "def scaled(column):\n    return column / column.max()"},
    "a function of the name of a module": CELLS | {"helper": CELLS["helper"] + "\ndef np(x):\n    return x"},
    "a cell more above": put_before(CELLS, "fill", "other = 3"),
    "a line more in the cell": CELLS | {"plain": "note = 1\n" + CELLS["plain"]},
    "another comment above": CELLS | {"plain": CELLS["plain"].replace("the logarithm", "what else")},
    "another comment behind": CELLS | {"plain": CELLS["plain"].replace("of what", "of all that")},
    "rows left out": put_before(CELLS, "fill", "df = df[df['a'] > 0]"),
    "a list of tables": CELLS
    | {"plain": "other = pd.read_csv('other.csv')\nfor t in [df, other]:\n    t['b'] = np.log1p(t['b'])"},
    "rows of a split": CELLS
    | {
        "y": "from sklearn.model_selection import train_test_split\n"
        "X, X_test, y, y_test = train_test_split(X, df['y'], random_state=0)"
    },
    "another table read": CELLS | {"read": "df = pd.read_csv('other.csv')\ndf['y'] = df['a']"},
    "the other table served": CELLS | {"X": "X = extra[['a', 'b', 'c']]", "y": "y = extra['a']"},
    "a column needed that was not": put_before(CELLS, "less", "df['a'] = df['a'] + df['d']"),
    "a column that labels alone need": CELLS | {"y": "y = df['y'] - df['b'].mean()"},
    "labels of a feature": CELLS | {"X": "X = df[['a', 'c']]"},
}


@pytest.mark.parametrize("edited", EDITS.values(), ids=EDITS.keys())
def test_a_plan_after_an_edit_and_back_is_a_new_one(edited, fresh) -> None:
    analyser = Analyser()
    assert plan_of(CELLS, analyser) == fresh(CELLS)
    assert plan_of(edited, analyser) == fresh(edited)
    assert plan_of(CELLS, analyser) == fresh(CELLS)


CALLS = [CELLS["call"], CELLS["mapped"], CELLS["less"]]


@pytest.mark.parametrize(
    "edited, anew",
    [
        pytest.param(CELLS, CALLS, id="nothing: calls hang on functions, dropped columns on what is made"),
        pytest.param(CELLS | {"y": "y = df['y'] * 2"}, [*CALLS, "y = df['y'] * 2"], id="the end"),
        pytest.param(
            CELLS | {"fill": "df['a'] = df['a'].fillna(0)"},
            ["df['a'] = df['a'].fillna(0)", CELLS["fill again"], *CALLS],
            id="a learned place less: the next one takes its name",
        ),
    ],
)
def test_what_is_rewritten_anew(edited, anew, monkeypatch) -> None:
    analyser = Analyser()
    plan_of(CELLS, analyser)
    seen = []
    rewrite = Rewriter.statement

    def noted(self, statement, *, fitting=False):
        seen.append(self.sources[statement.cell].text.splitlines()[statement.line - 1])
        return rewrite(self, statement, fitting=fitting)

    monkeypatch.setattr(Rewriter, "statement", noted)
    plan_of(edited, analyser)
    assert [line for line in seen if line.startswith(("df[", "df = df", "top =", "y ="))] == anew


def test_the_last_statements_are_remembered(monkeypatch) -> None:
    monkeypatch.setattr(steps, "_memory", memory := Memory(3))
    plan_of(CELLS, Analyser())
    assert len(memory._kept) == 3
