"""Steps that only training rows go through: known to look at one row at a time by their text, or not."""

from __future__ import annotations

import ast

import pytest

from nbprod.codegen.runtime.row_wise import across_rows

ROW_WISE = [
    pytest.param("df = df.dropna(subset=['a'])", id="rows with gaps"),
    pytest.param("df = df[df['a'] < 3]", id="rows by a comparison"),
    pytest.param("df = df.drop(df[df['a'] > 4000].index)", id="rows by the labels of some"),
    pytest.param("df = df.query('a < 3 and `b c` != \"x\" and d > @least')", id="rows by a query"),
    pytest.param("df = df.loc[df['a'] < 3, 'a':'c']", id="columns by their names"),
    pytest.param("y = Y[:, 0]", id="a column by its number"),
    pytest.param("X_train, X_test = split(X, test_size=0.2, random_state=0)", id="a split"),
]
ACROSS = [
    pytest.param("X_train = X_train.iloc[:300]", "X_train.iloc[:300]", id="rows by iloc"),
    pytest.param("X_train = X_train.iloc[keep]", "X_train.iloc[keep]", id="rows by iloc and a name"),
    pytest.param("df = df[:500]", "df[:500]", id="the first rows"),
    pytest.param("df = df[-500:]", "df[-500:]", id="the last rows"),
    pytest.param("df = df[::2]", "df[::2]", id="every other row"),
    pytest.param("df = df.loc[:300]", "df.loc[:300]", id="rows up to a label"),
    pytest.param("df = df.loc[:300, 'a']", "df.loc[:300, 'a']", id="rows up to a label, and a column"),
    pytest.param("first = y[0]", "y[0]", id="one row"),
    pytest.param("last = y[-1]", "y[-1]", id="the last row"),
    pytest.param("df = df.query('a < a.mean()')", "df.query('a < a.mean()')", id="a query with a reduction"),
    pytest.param("df = df.query('index < 500')", "df.query('index < 500')", id="a query of the rows' numbers"),
    pytest.param("df = df.query(text)", "df.query(text)", id="a query that is not known"),
    pytest.param("df = df.query('a <')", "df.query('a <')", id="a query that does not parse"),
    pytest.param("df = df.head(500)", "df.head(500)", id="another method"),
    pytest.param("df = df[df['a'] < len(df)]", "len(df)", id="how many rows there are"),
]


@pytest.mark.parametrize("code", ROW_WISE)
def test_what_looks_at_one_row_is_known(code: str) -> None:
    assert not list(across_rows({"code": code}, frozenset({"split"})))


@pytest.mark.parametrize("code, told", ACROSS)
def test_what_may_look_at_others_is_told(code: str, told: str) -> None:
    assert told in [ast.unparse(each) for each in across_rows({"code": code}, frozenset({"split"}))]
