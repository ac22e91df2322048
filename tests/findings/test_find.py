"""Findings: what each rule reports, and what it leaves alone."""

from __future__ import annotations

import pytest

from nbprod.analysis import analyse
from nbprod.findings import find
from nbprod.model.finding import Finding
from nbprod.notebook import read_text

HEAD = """# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
df = pd.read_csv('data.csv')
"""
SPLIT = "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)\n"
MODEL = "# %%\nmodel = LogisticRegression()\nmodel.fit(X_train, y_train)\nmodel.score(X_test, y_test)\n"
XY = "X = df[['a', 'b']]\ny = df['y']\n"


def findings_of(text: str) -> list[Finding]:
    notebook = read_text(text, "nb.py")
    return list(find(notebook, analyse(notebook, {"data.csv": ("a", "b", "y")})))


def rules_of(text: str) -> set[str]:
    return {finding.rule for finding in findings_of(text)}


@pytest.mark.parametrize(
    "code, leaks",
    [
        pytest.param("df['a'] = df['a'].fillna(df['a'].median())\n" + XY + SPLIT, True, id="a median before the split"),
        pytest.param(
            "X = StandardScaler().fit_transform(df[['a', 'b']])\ny = df['y']\n" + SPLIT,
            True,
            id="a scaler before the split",
        ),
        pytest.param("df['a'] = df['a'].fillna(0)\n" + XY + SPLIT, False, id="a literal before the split"),
        pytest.param("df['a'] = np.log1p(df['a'])\n" + XY + SPLIT, False, id="a row-wise step before the split"),
        pytest.param(
            XY
            + SPLIT
            + "m = X_train['a'].median()\nX_train['a'] = X_train['a'].fillna(m)\nX_test['a'] = X_test['a'].fillna(m)\n",
            False,
            id="a median of the training rows",
        ),
        pytest.param("print(df['a'].mean())\n" + XY + SPLIT, False, id="a statistic that is only shown"),
        pytest.param(
            "df['junk'] = df['a'] - df['a'].mean()\n" + XY + SPLIT, False, id="a column that does not reach the model"
        ),
    ],
)
def test_preprocessing_leakage(code: str, leaks: bool) -> None:
    found = rules_of(HEAD + "# %%\n" + code + MODEL)

    assert ("preprocessing-leakage" in found) is leaks


def test_leakage_points_at_the_training_call_and_names_the_cause() -> None:
    code = "# %%\ndf['a'] = df['a'].fillna(df['a'].median())\n" + XY + SPLIT
    finding = next(f for f in findings_of(HEAD + code + MODEL) if f.rule == "preprocessing-leakage")

    assert (finding.cell, finding.line) == (2, 2)
    assert [(related.cell, related.line) for related in finding.related] == [(1, 1)]


@pytest.mark.parametrize(
    "fill, diverges",
    [
        pytest.param("X_train['a'].median()", False, id="the training rows' median"),
        pytest.param("X_test['a'].median()", True, id="the test rows' own median"),
    ],
)
def test_divergent_test_path(fill: str, diverges: bool) -> None:
    prepare = (
        f"m = {fill}\nX_train['a'] = X_train['a'].fillna(X_train['a'].median())\nX_test['a'] = X_test['a'].fillna(m)\n"
    )

    assert ("divergent-test-path" in rules_of(HEAD + "# %%\n" + XY + SPLIT + prepare + MODEL)) is diverges


BOTH_FILES = """# %%
new = pd.read_csv('new.csv')
# %%
df['a'] = np.log1p(df['a'])
df['b'] = df['b'].clip(0, 9)
scaler = StandardScaler()
X = pd.DataFrame(scaler.fit_transform(df[['a', 'b']]), columns=['a', 'b'])
model = LogisticRegression(random_state=0).fit(X, df['y'])
# %%
{}
N = pd.DataFrame(scaler.transform(new[['a', 'b']]), columns=['a', 'b'])
model.predict(N)
"""


@pytest.mark.parametrize(
    "prepare, cause",
    [
        pytest.param("new['a'] = np.log1p(new['a'])\nnew['b'] = new['b'].clip(0, 9)", None, id="as in training"),
        pytest.param("new['a'] = np.log(new['a'])\nnew['b'] = new['b'].clip(0, 9)", (3, 1), id="another function"),
        pytest.param("new['a'] = np.log1p(new['a'])\nnew['b'] = new['b'].clip(0, 8)", (3, 2), id="another bound"),
        pytest.param("new['b'] = new['b'].clip(0, 9)", (2, 1), id="a step that was forgotten"),
    ],
)
def test_rows_of_another_file_take_the_way_of_the_training_rows(prepare: str, cause: tuple[int, int] | None) -> None:
    head = (
        HEAD + "from sklearn.linear_model import LogisticRegression\nfrom sklearn.preprocessing import StandardScaler\n"
    )
    found = [each for each in findings_of(head + BOTH_FILES.format(prepare)) if each.rule == "divergent-test-path"]

    assert [(related.cell, related.line) for each in found for related in each.related] == (
        [] if cause is None else [cause]
    )
    assert bool(found) is (cause is not None)


OTHER_FILE = """# %%
new = pd.read_csv('new.csv')
# %%
{}
# %%
model = LogisticRegression(random_state=0).fit(df[['a', 'b']], df['y'])
model.predict(new[['a', 'b']])
"""
OWN = "def prepared(d):\n    d['a'] = d['a'].fillna(d['a'].median())\n    return d\n"


@pytest.mark.parametrize(
    "prepare, causes",
    [
        pytest.param(
            "df['a'] = df['a'].fillna(df['a'].median())\nnew['a'] = new['a'].fillna(new['a'].median())",
            [(2, 2)],
            id="its own median",
        ),
        pytest.param(
            "m = df['a'].median()\ndf['a'] = df['a'].fillna(m)\nnew['a'] = new['a'].fillna(m)",
            [],
            id="training's median",
        ),
        pytest.param("for d in [df, new]:\n    d['a'] = d['a'].fillna(d['a'].mean())", [(2, 2)], id="in a loop"),
        pytest.param("for d in [df, new]:\n    d['a'] = d['a'].fillna(0)", [], id="a constant in a loop"),
        pytest.param(OWN + "df, new = prepared(df), prepared(new)", [(2, 2)], id="by a function"),
        pytest.param(
            "for d in [df, new]:\n    d['b'] = d.groupby('a')['b'].transform('mean')",
            [(2, 2)],
            id="means of its own groups",
        ),
        pytest.param(
            "for d in [df, new]:\n    d['a'] = pd.qcut(d['a'], 4, labels=False)", [(2, 2)], id="quantiles of its own"
        ),
        pytest.param(
            "for d in [df, new]:\n    d['a'] = d['a'].factorize()[0]", [(2, 2)], id="numbers of its own values"
        ),
        pytest.param(
            "for d in [df, new]:\n    d['a'] = d['a'].astype('category').cat.codes", [(2, 2)], id="codes of its own"
        ),
        pytest.param("for d in [df, new]:\n    d['a'] = d['a'].ffill()", [], id="the value of the row before"),
        pytest.param("for d in [df, new]:\n    d['a'] = d['a'].map({1: 2}).astype(float)", [], id="a table of its own"),
    ],
)
def test_rows_of_another_file_learn_nothing_from_themselves(prepare: str, causes: list[tuple[int, int]]) -> None:
    head = HEAD + "from sklearn.linear_model import LogisticRegression\n"
    found = [each for each in findings_of(head + OTHER_FILE.format(prepare)) if each.rule == "divergent-test-path"]

    assert [(related.cell, related.line) for each in found for related in each.related] == causes
    assert all("not from the training rows" in each.message for each in found)
    assert bool(found) is bool(causes)


@pytest.mark.parametrize(
    "text, rule",
    [
        pytest.param("# %%\nprint(total)\n# %%\ntotal = 1\n", "undefined-name", id="a name that is defined later"),
        pytest.param("# %%\nprint(total)\n", "undefined-name", id="a name that nothing defines"),
        pytest.param("# %%\nx = 1\n# %%\nprint(x\n", "syntax-error", id="a cell that does not parse"),
    ],
)
def test_notebook_health(text: str, rule: str) -> None:
    assert rules_of(text) == {rule}


def test_a_healthy_notebook_has_no_findings() -> None:
    assert rules_of(HEAD + "# %%\n" + XY + SPLIT + MODEL) == set()
