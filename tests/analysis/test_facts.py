"""Binding times, raw columns and digests of what reaches the model."""

from __future__ import annotations

import pytest

from nbprod.analysis import Analysis, analyse
from nbprod.analysis.values import Event, Fact, Time
from nbprod.notebook import read_text

HEAD = """import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
df = pd.read_csv('data.csv')
"""
TAIL = "\nmodel = LinearRegression()\nmodel.fit(X, df['y'])"
COLUMNS = ("a", "b", "c", "y")


def analysis_of(code: str, pandas: int = 3) -> Analysis:
    return analyse(read_text(HEAD + code + TAIL, "nb.py"), {"data.csv": COLUMNS}, pandas)


def fit_of(analysis: Analysis) -> Event:
    return [event for event in analysis.events if event.kind == "fit" and event.kindof == "predictor"][-1]


def columns_of(code: str, pandas: int = 3) -> dict[str, Fact]:
    analysis = analysis_of(code, pandas)
    return {name: analysis.run.expanded(fact) for name, fact in fit_of(analysis).columns.items()}


@pytest.mark.parametrize(
    "expression, time",
    [
        pytest.param("1 + 2", Time.CONSTANT, id="literals are constant"),
        pytest.param("['a', 'b']", Time.CONSTANT, id="lists of literals too"),
        pytest.param("df['a'].mean()", Time.LEARNED, id="a reduction is learned"),
        pytest.param("df['a'].mean() * 2", Time.LEARNED, id="what is computed of it too"),
        pytest.param("df['a'].mode()[0]", Time.LEARNED, id="a mode"),
        pytest.param("df.groupby('a')['b'].mean()", Time.LEARNED, id="a table by group"),
        pytest.param("len(df)", Time.LEARNED, id="the number of rows"),
        pytest.param("df.columns", Time.LEARNED, id="the names of the columns"),
        pytest.param("[c for c in df.columns if df[c].dtype == object]", Time.LEARNED, id="names chosen by dtype"),
        pytest.param("df['a'] / df['b']", Time.ROW, id="arithmetic on columns is row-wise"),
        pytest.param("df['a'] - df['a'].mean()", Time.ROW, id="also with something learned"),
        pytest.param("np.log1p(df['a'])", Time.ROW, id="a NumPy function of a column"),
        pytest.param("np.mean(df['a'])", Time.LEARNED, id="a NumPy reduction"),
        pytest.param("StandardScaler().fit(df[['a']]).mean_", Time.LEARNED, id="a fitted attribute"),
        pytest.param("StandardScaler().fit_transform(df[['a']])", Time.ROW, id="transformed rows"),
    ],
)
def test_binding_time(expression: str, time: Time) -> None:
    analysis = analyse(read_text(f"{HEAD}value = {expression}", "nb.py"), {"data.csv": COLUMNS})

    assert analysis.run.time(analysis.run.state.names["value"]) is time


@pytest.mark.parametrize(
    "code, inputs",
    [
        pytest.param("X = df[['a', 'b']]", {"a": {"a"}, "b": {"b"}}, id="columns as they are"),
        pytest.param("X = df.drop('y', axis=1)", {"a": {"a"}, "b": {"b"}, "c": {"c"}}, id="all but the target"),
        pytest.param("df['n'] = df['a'] + df['b']\nX = df[['n']]", {"n": {"a", "b"}}, id="a sum needs both"),
        pytest.param(
            "df['n'] = df['a'].fillna(df['b'].mean())\nX = df[['n']]", {"n": {"a"}}, id="a learned value needs none"
        ),
        pytest.param(
            "for c in ['a', 'b']:\n    df[c] = df[c] * 2\nX = df[['a', 'b']]",
            {"a": {"a"}, "b": {"b"}},
            id="a loop over names",
        ),
        pytest.param(
            "def f(r):\n    return r['a'] + r['c']\ndf['n'] = df.apply(f, axis=1)\nX = df[['n']]",
            {"n": {"a", "c"}},
            id="a function of a row needs the columns it reads",
        ),
        pytest.param(
            "def f(r):\n    if r['a'] > 1:\n        return 'x'\n    return 'y'\n"
            "df['n'] = df.apply(f, axis=1)\nX = df[['n']]",
            {"n": {"a"}},
            id="also those that only decide what it returns",
        ),
        pytest.param(
            "def f(r):\n    for c in ['a', 'b']:\n        if r[c] == 'T':\n            return c\n"
            "df['n'] = df.apply(f, axis=1)\nX = df[['n']]",
            {"n": {"a", "b"}},
            id="in a loop over names as well",
        ),
        pytest.param(
            "def f(r):\n    try:\n        int(r.a)\n        return 1\n    except ValueError:\n        return 0\n"
            "df['n'] = df.apply(f, axis=1)\nX = df[['n']]",
            {"n": {"a"}},
            id="and those that may make it raise",
        ),
        pytest.param("X = df.iloc[:, 0:2]", {"a": {"a"}, "b": {"b"}}, id="columns by position"),
        pytest.param(
            "X = pd.concat([df[['a']], df[['c']]], axis=1)", {"a": {"a"}, "c": {"c"}}, id="frames side by side"
        ),
        pytest.param(
            "for i in range(len(df)):\n    if df.loc[i, 'a'] > 1:\n        df.loc[i, 'n'] = m[df.loc[i, 'b']]\n"
            "X = df[['n']]",
            {"n": {"a", "b"}},
            id="a cell that a loop writes for each row",
        ),
        pytest.param(
            "for i, row in df.iterrows():\n    v = row['a'] * 2\n    df.at[i, 'c'] = v\nX = df[['c']]",
            {"c": {"a", "c"}},
            id="by the label that goes with the row",
        ),
        pytest.param("d = df['a'].reset_index()\nX = d[['a']]", {"a": {"a"}}, id="a column beside its numbers"),
        pytest.param(
            "d = (df['a'] + df['b']).to_frame()\nX = d[['c']]", {"c": {"a", "b"}}, id="a column of a name nobody knows"
        ),
        pytest.param(
            "n = df.select_dtypes('number')\nt = df[df.select_dtypes('object').columns]\n"
            "t['a'] = t['b'] * 2\nX = pd.concat([n, t], axis=1)[['a', 'b']]",
            {"a": {"a", "b"}, "b": {"b"}},
            id="a name that either of two frames may have",
        ),
    ],
)
def test_raw_columns_of_each_feature(code: str, inputs: dict[str, set[str]]) -> None:
    assert {name: set(fact.inputs) for name, fact in columns_of(code).items()} == inputs


def test_what_a_row_is_compared_with_is_learned() -> None:
    f = "def f(v):\n    return 1 if v > m else 0\n"
    g = "def g(v):\n    if v > m:\n        return 1\n    return 0\n"
    code = f"m = df['b'].mean()\n{f}{g}"
    made = columns_of(code + "df['f'] = df['a'].apply(f)\ndf['g'] = df['a'].apply(g)\nX = df[['f', 'g']]")

    assert [(set(fact.inputs), set(fact.learns)) for fact in made.values()] == [({"a"}, {"b"})] * 2


SAME = [
    pytest.param("df['n'] = df['a'] * 2", "df['n'] = df.a * 2", id="an attribute for an item"),
    pytest.param("df['n'] = df['a'] * 2", "temp = df['a'] * 2\ndf['n'] = temp", id="a temporary name"),
    pytest.param(
        "for c in ['a']:\n    df['n'] = df[c] * 2", "df['n'] = df['a'] * 2", id="a loop over one name and none"
    ),
    pytest.param(
        "def twice(s):\n    return s * 2\ndf['n'] = twice(df['a'])", "df['n'] = df['a'] * 2", id="a helper and its body"
    ),
    pytest.param(
        "df['n'] = df['a'].fillna(df['a'].median())",
        "m = df['a'].median()\ndf['n'] = df['a'].fillna(m)",
        id="a hoisted statistic",
    ),
    pytest.param("df['n'] = df['a'] * 2", "df['junk'] = df['b']\ndf['n'] = df['a'] * 2", id="another column beside it"),
]
DIFFERENT = [
    pytest.param(
        "df['n'] = df['a'].fillna(df['a'].median())", "df['n'] = df['a'].fillna(df['a'].mean())", id="mean for median"
    ),
    pytest.param("df['n'] = df['a'] * 2", "df['n'] = df['b'] * 2", id="another column"),
    pytest.param("df['n'] = df['a'] - df['b']", "df['n'] = df['b'] - df['a']", id="operands exchanged"),
    pytest.param("df['n'] = np.log(df['a'])", "df['n'] = np.log1p(df['a'])", id="log1p for log"),
    pytest.param("df['n'] = df['a'].clip(0, 1)", "df['n'] = df['a'].clip(0, 2)", id="another bound"),
    pytest.param("df['n'] = df['a'].clip(lower=0)", "df['n'] = df['a'].clip(upper=0)", id="another keyword"),
    pytest.param("df['n'] = df['a'].map({'x': 1})", "df['n'] = df['a'].map({'x': 2})", id="another mapping"),
    pytest.param("df['n'] = pd.cut(df['a'], [0, 1, 2])", "df['n'] = pd.cut(df['a'], [0, 1, 3])", id="another edge"),
    pytest.param(
        "df['n'] = df['a'].apply(lambda v: v + 1)", "df['n'] = df['a'].apply(lambda v: v + 2)", id="another lambda"
    ),
    pytest.param("df['n'] = df['a']\ndf['n'] = df['n'] * 2", "df['n'] = df['a']", id="a step left out"),
]


@pytest.mark.parametrize("one, other", SAME)
def test_the_digest_does_not_see(one: str, other: str) -> None:
    assert digest(one) == digest(other)


@pytest.mark.parametrize("one, other", DIFFERENT)
def test_the_digest_sees(one: str, other: str) -> None:
    assert digest(one) != digest(other)


def digest(code: str) -> str:
    return columns_of(code + "\nX = df[['n']]")["n"].digest


@pytest.mark.parametrize("pandas, reaches", [(2, True), (3, False)])
def test_an_in_place_fill_through_a_column_reaches_the_frame_under_pandas_2_only(pandas: int, reaches: bool) -> None:
    plain = columns_of("X = df[['a']]", pandas)["a"]
    filled = columns_of("df['a'].fillna(0, inplace=True)\nX = df[['a']]", pandas)["a"]

    assert (filled.digest != plain.digest) is reaches


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("df['n'] = df['a'].shift(1)", id="a lag"),
        pytest.param("df['n'] = df['a'].rolling(3).mean()", id="a moving mean"),
        pytest.param("df['n'] = df['a'].ffill()", id="filling from the row before"),
        pytest.param("df['n'] = df['a'].cumsum()", id="a running sum"),
        pytest.param("df['n'] = df.index", id="the position of a row"),
        pytest.param(
            "df['n'] = df['a'].reset_index()['index']", id="the numbers that reset_index puts beside a column"
        ),
        pytest.param("df['n'] = df.groupby('b').cumcount()", id="a count within a group"),
        pytest.param("m = 0\nfor i, r in df.iterrows():\n    m = m + r['a']\ndf['n'] = m", id="a loop over rows"),
        pytest.param(
            "df['n'] = 0\nfor i in range(1, len(df)):\n    df.loc[i, 'n'] = df.loc[i - 1, 'a']",
            id="cells that are written from the row before",
        ),
        pytest.param(
            "df['n'] = df['a']\nfor i in range(1, len(df)):\n    df.loc[i, 'n'] = df.loc[i, 'b']",
            id="cells of all rows but the first",
        ),
        pytest.param(
            "df['n'] = df['a']\nfor i in range(len(df)):\n    df.loc[i, 'n'] = df['n'].mean()",
            id="cells that are written from a column half written",
        ),
        pytest.param(
            "df['n'] = df['a']\nt = 0\nfor i in df.index:\n    t = t + df.loc[i, 'a']\n    df.loc[i, 'n'] = t",
            id="cells that are written from what rows before left",
        ),
        pytest.param(
            "df = df[df['a'] > 1]\ndf['n'] = df['a']\nfor i in range(len(df)):\n    df.loc[i, 'n'] = df['b'].iloc[i]",
            id="cells at labels that are not the places",
        ),
        pytest.param(
            "df['n'] = df['a']\nfor i in range(len(df)):\n    df.loc[i, 'n'] = i", id="cells that get the number"
        ),
        pytest.param(
            "df['n'] = 0\nfor i in range(len(df)):\n    df.loc[df['b'] == df.loc[i, 'b'], 'n'] = df.loc[i, 'a']",
            id="cells of other rows",
        ),
        pytest.param(
            "df['n'] = 0\nfor a, b in zip(df['a'], df['b']):\n    df.loc[a, 'n'] = b",
            id="cells at labels that are values",
        ),
        pytest.param(
            "df['n'] = 0\nfor i, v in enumerate(df['a'], 1):\n    df.loc[i, 'n'] = v", id="cells of the next row"
        ),
        pytest.param(
            "from sklearn.model_selection import cross_val_predict\n"
            "df['n'] = cross_val_predict(LinearRegression(), df[['a']], df['y'])",
            id="answers of models that were trained on other rows",
        ),
        pytest.param("df['n'] = df['a'].apply(lambda v: v - df['a'].mean())", id="learning inside of a row function"),
        pytest.param("df['n'] = np.random.normal(size=len(df))", id="a random number for each row"),
        pytest.param("rng = np.random.default_rng(0)\ndf['n'] = rng.normal(0, 1, len(df))", id="also from a generator"),
        pytest.param(
            "df['n'] = df['a'].apply(lambda v: np.random.rand())", id="a random number drawn in a row function"
        ),
        pytest.param(
            "from sklearn.cluster import KMeans\ndf['n'] = KMeans(2).fit(df[['a']]).labels_",
            id="labels of the rows that were fitted",
        ),
    ],
)
def test_what_no_single_row_can_be_served_through_is_refused(code: str) -> None:
    assert columns_of(code + "\nX = df[['n']]")["n"].refused


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("df['junk'] = df['a'].shift(1)\nX = df[['b']]", id="a lag that does not reach the model"),
        pytest.param("df['n'] = df['a'] - df['a'].mean()\nX = df[['n']]", id="a centred column"),
        pytest.param(
            "m = df['a'].mean()\ndf['n'] = df['a'].apply(lambda v: v - m)\nX = df[['n']]",
            id="a statistic that is captured",
        ),
        pytest.param(
            "for c in ['a', 'b']:\n    df[c] = df[c].fillna(df[c].mode()[0])\nX = df[['a', 'b']]",
            id="a loop over columns",
        ),
        pytest.param(
            "df['n'] = 'x'\nfor i in df.index:\n    if df.at[i, 'a'] > df.at[i, 'b']:\n        df.at[i, 'n'] = 'y'\n"
            "X = df[['n']]",
            id="a loop that writes cells of the row it reads",
        ),
        pytest.param(
            "df['n'] = 0\nfor i in range(df.shape[0]):\n    df.iloc[i, 3] = df.iloc[i, 0] * 2\nX = df[['a']]",
            id="by places",
        ),
        pytest.param(
            "df['n'] = 0\nfor i, v in enumerate(df['a']):\n    df.loc[i, 'n'] = v * 2\nX = df[['n']]", id="counted"
        ),
        pytest.param(
            "n = np.zeros(len(df))\nfor i in range(len(df)):\n    n[i] = df['a'][i]\ndf['n'] = n\nX = df[['n']]",
            id="cells of an array",
        ),
        pytest.param("X = df[['a', 'b']].to_numpy()[:50, :]", id="the first rows of an array, with all columns"),
        pytest.param("for i in range(len(df)):\n    print(df['a'][i])\nX = df[['a']]", id="a loop that only looks"),
    ],
)
def test_what_can_be_served_is_not_refused(code: str) -> None:
    assert not any(fact.refused for fact in columns_of(code).values())


@pytest.mark.parametrize("pandas, inputs", [(2, {"a", "b"}), (3, {"a"})])
def test_cells_written_through_a_column_reach_the_frame_under_pandas_2_only(pandas: int, inputs: set[str]) -> None:
    loop = "for i in range(len(df)):\n    if df['a'][i] == 0:\n        df['a'][i] = df['b'][i]\nX = df[['a']]"

    written = columns_of(loop, pandas)["a"]

    assert written.inputs == inputs
    assert not written.refused


def test_test_rows_that_get_what_was_learned_of_the_training_rows_have_the_same_digest() -> None:
    code = """
train, test = train_test_split(df, random_state=0)
m = train['a'].median()
train['a'] = train['a'].fillna(m)
test['a'] = test['a'].fillna({})
"""
    digests = []
    for fill in ("m", "test['a'].median()"):
        analysis = analyse(read_text(HEAD + code.format(fill), "nb.py"), {"data.csv": COLUMNS})
        run = analysis.run
        digests.append([run.obj(run.state.names[name]).columns["a"].digest for name in ("train", "test")])

    assert digests[0][0] == digests[0][1]
    assert digests[1][0] != digests[1][1]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("pd.Timestamp.now().year", id="the clock of pandas"),
        pytest.param("datetime.datetime.now().year", id="the clock of the standard library"),
        pytest.param("np.random.randint(10)", id="one random number"),
        pytest.param("json.load(open('m.json'))['k']", id="a file"),
    ],
)
def test_what_comes_from_outside_is_learned(value: str) -> None:
    code = f"import datetime, json\nk = {value}\ndf['n'] = df['a'] - k\nX = df[['n']]"
    analysis = analysis_of(code)

    assert analysis.run.time(analysis.run.state.names["k"]) is Time.LEARNED
    assert not fit_of(analysis).columns["n"].refused


def test_code_made_of_text_clouds_the_whole_notebook() -> None:
    analysis = analysis_of("exec('df[\"n\"] = 1')\nX = df[['a']]")

    assert [refusal.construct for refusal in analysis.run.refusals] == ["exec"]
    assert analysis.run.clouded


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("if df['a'].mean() > 1:\n    df = df.drop(columns='b')", id="dropped by what is learned"),
        pytest.param(
            "for c in df.columns:\n    if df[c].nunique() == 1:\n        df = df.drop(c, axis=1)", id="in a loop"
        ),
        pytest.param("try:\n    df = df.drop(columns='b')\nexcept KeyError:\n    pass", id="dropped if it is there"),
    ],
)
def test_a_column_that_may_be_dropped_is_needed(code: str) -> None:
    assert set(columns_of(f"{code}\nX = df.drop(columns='y')")) == {"a", "b", "c"}
