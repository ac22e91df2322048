"""Which rows two tables share, told from how they were chosen."""

from __future__ import annotations

import pytest

from nbprod.analysis import analyse
from nbprod.analysis.populations import apart, overlap, reach, seen_by
from nbprod.analysis.values import Rows
from nbprod.notebook import read_text

HEAD = """
import pandas as pd
from imblearn.over_sampling import SMOTE
from sklearn.model_selection import train_test_split
df = pd.read_csv("a.csv")
other = pd.read_csv("b.csv")
"""


def rows_of(code: str) -> tuple[Rows, Rows]:
    run = analyse(read_text(HEAD + code, "nb.py")).run
    a, b = (run.data(run.state.names[name]).rows for name in "ab")
    assert a is not None
    assert b is not None
    return a, b


@pytest.mark.parametrize(
    "code, shared",
    [
        pytest.param("a, b = df, df.dropna()", True, id="a table and some of its rows"),
        pytest.param("a, b = df[['x']], df[['y']].fillna(0)", True, id="other columns of the same rows"),
        pytest.param("a, b = df, other", False, id="two files"),
        pytest.param("a, b = train_test_split(df)", False, id="two sides of a split"),
        pytest.param("a, b = df[:9], df[9:]", False, id="two slices"),
        pytest.param("a, b = df[df.x > 1], df[df.x <= 1]", False, id="two masks"),
        pytest.param("a = df.sample(9)\nb = df.drop(a.index)", False, id="a sample and the rows that are left"),
        pytest.param("both = pd.concat([df, other])\na, b = both[:len(df)], df", True, id="the first table taken back"),
        pytest.param("both = pd.concat([df, other])\na, b = both[len(df):], df", False, id="the last table taken back"),
        pytest.param("a, b = pd.concat([df, other]), df", True, id="a table of both"),
        pytest.param("a, b = train_test_split(pd.concat([df, df]))", True, id="the sides of a table below itself"),
        pytest.param("a, b = train_test_split(df.sample(9, replace=True))", True, id="the sides of a drawn table"),
        pytest.param(
            "def load(p):\n    return pd.read_csv(p)\na, b = load('a'), load('b')",
            False,
            id="two files that one call reads",
        ),
        pytest.param("a, b = [pd.read_csv('a') for n in 'xy']", True, id="one file that a loop reads again"),
        pytest.param("m = df.values\na, b = m[:9, :], m[9:, :]", False, id="two slices of an array"),
    ],
)
def test_overlap(code: str, shared: bool) -> None:
    a, b = rows_of(code)

    assert overlap(a, b) is shared
    assert overlap(b, a) is shared


@pytest.mark.parametrize(
    "code, reached",
    [
        pytest.param("a = df[df.x > 1]\n_, b = train_test_split(df)", True, id="a mask before a split"),
        pytest.param("a, b = train_test_split(df)\na = a[a.x > 1]", False, id="a mask on one side of a split"),
        pytest.param("a, b = df[df.x > 1], df[df.x <= 1]", False, id="two masks"),
    ],
)
def test_reach(code: str, reached: bool) -> None:
    assert reach(*rows_of(code)) is reached


@pytest.mark.parametrize(
    "code, told",
    [
        pytest.param("a, b = train_test_split(df)", True, id="the sides of a split"),
        pytest.param("a, b = df[:9], df[9:]", True, id="two slices"),
        pytest.param("a, b = df, other", True, id="two files"),
        pytest.param(
            "_, a = train_test_split(df, random_state=0)\n_, b = train_test_split(df, random_state=1)",
            False,
            id="what two random splits put aside",
        ),
        pytest.param("a = df[:9]\n_, b = train_test_split(df)", False, id="the first rows, and a split of all"),
        pytest.param(
            "_, a = train_test_split(df)\nmore, _ = SMOTE().fit_resample(df, df['y'])\n_, b = train_test_split(more)",
            False,
            id="rows, and copies of them",
        ),
    ],
)
def test_apart(code: str, told: bool) -> None:
    a, b = rows_of(code)

    assert apart(a, b) is told
    assert apart(b, a) is told


ONE = "one, test = train_test_split(df)\n"


@pytest.mark.parametrize(
    "code, seen",
    [
        pytest.param("a, b = df, df.dropna()", True, id="some of the rows"),
        pytest.param("a, b = train_test_split(df)", False, id="the other side of a split"),
        pytest.param(
            ONE + "a, _ = SMOTE().fit_resample(one, one['y'])\nb, _ = SMOTE(k_neighbors=3).fit_resample(one, one['y'])",
            True,
            id="one side, twice made more of",
        ),
        pytest.param(ONE + "a, _ = SMOTE().fit_resample(one, one['y'])\nb = one[one.x > 1]", True, id="what it was of"),
        pytest.param(ONE + "a, _ = SMOTE().fit_resample(one, one['y'])\nb = test", False, id="the side left alone"),
        pytest.param(
            ONE + "a, _ = SMOTE().fit_resample(one, one['y'])\nb, _ = SMOTE().fit_resample(test, test['y'])",
            False,
            id="each side made more of",
        ),
        pytest.param(
            "more, _ = SMOTE().fit_resample(df, df['y'])\na, b = train_test_split(more)",
            False,
            id="sides of a table made more of before",
        ),
        pytest.param(
            ONE + "more, _ = SMOTE().fit_resample(one, one['y'])\na, b = train_test_split(more)",
            False,
            id="sides of a side made more of before",
        ),
    ],
)
def test_seen_by(code: str, seen: bool) -> None:
    assert seen_by(*rows_of(code)) is seen
