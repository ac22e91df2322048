"""Which names a cell defines, updates and uses, and which cells they come from."""

from __future__ import annotations

import pytest

from nbprod.analysis import Analysis, analyse
from nbprod.notebook import read_text

IMPORTS = "import pandas as pd\nimport numpy as np\nfrom sklearn.preprocessing import StandardScaler"


def analysis_of(*cells: str) -> Analysis:
    """The analysis of a notebook with an import cell and these."""
    text = "".join(f"# %%\n{cell}\n\n" for cell in (IMPORTS, *cells))
    return analyse(read_text(text, "nb.py"))


def edges_of(*cells: str) -> set[tuple[int, int, str]]:
    """Edges between the cells given, the first being 0, one a name."""
    found = analysis_of(*cells).edges
    return {(edge.source - 1, edge.target - 1, name) for edge in found for name in edge.names}


READ = "df = pd.read_csv('data.csv')"


@pytest.mark.parametrize(
    "cells, expected",
    [
        pytest.param(
            (READ, "df['a'] = 1", "df.head()"), {(0, 1, "df"), (1, 2, "df")}, id="a column assignment is an update"
        ),
        pytest.param(
            (READ, "df.dropna(inplace=True)", "df.head()"), {(0, 1, "df"), (1, 2, "df")}, id="so is inplace=True"
        ),
        pytest.param(
            (READ, "df.dropna()", "df.head()"), {(0, 1, "df"), (0, 2, "df")}, id="a method without inplace is none"
        ),
        pytest.param((READ, "df.loc[df.a > 1, 'a'] = 0", "df.head()"), {(0, 1, "df"), (1, 2, "df")}, id="a loc write"),
        pytest.param((READ, "del df['a']", "df.head()"), {(0, 1, "df"), (1, 2, "df")}, id="a deleted column"),
        pytest.param((READ, "df.columns = ['x']", "df.head()"), {(0, 1, "df"), (1, 2, "df")}, id="new column names"),
        pytest.param(
            (READ, "b = df", "b['x'] = 1", "df.head()"),
            {(0, 1, "df"), (1, 2, "b"), (2, 3, "df")},
            id="a write through an alias reaches the other name",
        ),
        pytest.param(
            (READ, "b = df.copy()", "b['x'] = 1", "df.head()"),
            {(0, 1, "df"), (1, 2, "b"), (0, 3, "df")},
            id="a write to a copy does not",
        ),
        pytest.param(
            (
                "train = pd.read_csv('a.csv')\ntest = pd.read_csv('b.csv')",
                "for d in [train, test]:\n    d['n'] = 1",
                "test.head()",
            ),
            {(0, 1, "train"), (0, 1, "test"), (1, 2, "test")},
            id="a loop over a list of frames writes each of them",
        ),
        pytest.param(
            (READ, "both = [df]", "for d in both:\n    d['n'] = 1", "df.head()"),
            {(0, 1, "df"), (1, 2, "both"), (2, 3, "df")},
            id="also when the list has a name",
        ),
        pytest.param(
            (READ, "for d in [df]:\n    d = d.dropna()", "df.head()"),
            {(0, 1, "df"), (0, 2, "df")},
            id="rebinding the loop's own name writes nothing",
        ),
        pytest.param(
            (READ, "def prep(d):\n    d['x'] = 1", "prep(df)", "df.head()"),
            {(1, 2, "prep"), (0, 2, "df"), (2, 3, "df")},
            id="a function that changes its argument",
        ),
        pytest.param(
            (READ, "def prep(d):\n    d = d.dropna()\n    return d", "out = prep(df)", "df.head()"),
            {(1, 2, "prep"), (0, 2, "df"), (0, 3, "df")},
            id="a function that rebinds its parameter changes nothing",
        ),
        pytest.param(
            ("k = 3", "def scaled(x):\n    return x * k", "k = 4", "y = scaled(2)"),
            {(1, 3, "scaled"), (2, 3, "k")},
            id="a global is read when the function is called",
        ),
        pytest.param(
            ("z = 1", "flag = input()", "if flag:\n    z = 2", "print(z)"),
            {(1, 2, "flag"), (0, 3, "z"), (2, 3, "z")},
            id="a conditional definition may come from either cell",
        ),
        pytest.param(
            ("i = 5", "s = [i for i in range(3)]", "print(i)"), {(0, 2, "i")}, id="a comprehension's name is its own"
        ),
        pytest.param(("s = [y := 2]", "print(y)"), {(0, 1, "y")}, id="a walrus leaks"),
        pytest.param(
            ("n = 1", "n += 1", "print(n)"), {(0, 1, "n"), (1, 2, "n")}, id="augmented assignment reads and writes"
        ),
        pytest.param(
            ("names = []", "names.append('a')", "print(names)"), {(0, 1, "names"), (1, 2, "names")}, id="append"
        ),
        pytest.param(
            ("scaler = StandardScaler()", READ, "scaler.fit(df)", "scaler.transform(df)"),
            {(0, 2, "scaler"), (1, 2, "df"), (2, 3, "scaler"), (1, 3, "df")},
            id="fit updates the estimator",
        ),
        pytest.param(("x = 1", "text = f'{x}'"), {(0, 1, "x")}, id="an f-string reads"),
        pytest.param(("x = 1", "class A:\n    size = x"), {(0, 1, "x")}, id="a class body reads"),
    ],
)
def test_edges(cells: tuple[str, ...], expected: set[tuple[int, int, str]]) -> None:
    assert edges_of(*cells) == expected


MODEL = "from keras.models import Sequential\nfrom keras.layers import Dense\nmodel = Sequential()\nmodel.add(Dense(3))"
SESSION = "import tensorflow as tf\nsess = tf.Session()"
VECTORIZER = """\
from sklearn.feature_extraction.text import CountVectorizer
class Stemmed(CountVectorizer):
    def build_analyzer(self):
        return lambda text: stem(text)"""
COUNTED = """\
from hyperopt import fmin
tries = 0
def loss(p):
    global tries, best
    tries += 1
    best = p"""
NET = """\
import torch
net = torch.nn.Linear(1, 2)
optimizer = torch.optim.Adam(net.parameters())"""
LEARNED = "t = pd.DataFrame()\nt['x'] = [1, 2, 3]\nk = len(t)"


@pytest.mark.parametrize(
    "cells, expected",
    [
        pytest.param(
            (MODEL, "model.summary()", "model.fit(1, 2)"), {(0, 1, "model"), (0, 2, "model")}, id="a model is looked at"
        ),
        pytest.param(
            (MODEL, "layer = model.get_layer('a').output", "model.fit(1, 2)"),
            {(0, 1, "model"), (0, 2, "model")},
            id="a layer is taken out of a model",
        ),
        pytest.param(
            (MODEL, "model.load_weights('w.h5')", "model.fit(1, 2)"),
            {(0, 1, "model"), (1, 2, "model")},
            id="weights are loaded",
        ),
        pytest.param(
            (SESSION, "sess.run(step, {x: rows})", "sess.run(loss)"),
            {(0, 1, "sess"), (1, 2, "sess")},
            id="what a session runs may assign its variables",
        ),
        pytest.param(
            ("stem = len\n" + VECTORIZER, "v = Stemmed()", "v.fit_transform(['a'])"),
            {(0, 1, "Stemmed"), (1, 2, "v"), (0, 2, "stem")},
            id="a library's method calls the method that replaces one of its own",
        ),
        pytest.param(
            (COUNTED, "found = fmin(loss, 3)", "print(tries, best)"),
            {(0, 1, "loss"), (0, 1, "tries"), (1, 2, "tries"), (1, 2, "best")},
            id="a function that is handed over binds a global",
        ),
        pytest.param(
            (LEARNED, "t = t.iloc[k:, :]", "t.drop(columns='x', inplace=True)", "t"),
            {(0, 1, "t"), (0, 1, "k"), (1, 2, "t"), (2, 3, "t")},
            id="rows and columns of a table that no file holds are a table",
        ),
        pytest.param(
            ("t = pd.DataFrame(columns=open('names').read())", "for c in t.columns[1:]:\n    t[c] = 1", "t"),
            {(0, 1, "t"), (1, 2, "t")},
            id="a table whose columns nobody knows may have some",
        ),
        pytest.param(
            ("a = np.zeros((2, 2))", "a[0, :][1] = 1", "a"),
            {(0, 1, "a"), (1, 2, "a")},
            id="a part of an array is a view",
        ),
        pytest.param(
            ("a = np.zeros(3)", "a[a > 0][0] = 1", "a"),
            {(0, 1, "a"), (0, 2, "a")},
            id="but what a mask chose is a copy",
        ),
        pytest.param(
            ("a = max(open('a'), key=len)", "a[0] = 1", "a"),
            {(0, 1, "a"), (1, 2, "a")},
            id="an item of what nobody knows",
        ),
        pytest.param(
            (NET, "optimizer.step()", "net(1)", "optimizer"),
            {(0, 1, "optimizer"), (1, 2, "net"), (1, 3, "optimizer")},
            id="an optimizer's step changes the parameters that it was given",
        ),
        pytest.param(
            (NET, "net.eval()", "optimizer.step()"),
            {(0, 1, "net"), (0, 2, "optimizer")},
            id="a change of the network is none of its optimizer",
        ),
        pytest.param(
            (NET, "for name, p in net.named_parameters():\n    p.requires_grad = False", "net(1)"),
            {(0, 1, "net"), (1, 2, "net")},
            id="parameters are parts of their network",
        ),
        pytest.param(
            ("import copy\na = [[1]]", "b = copy.deepcopy(a)", "b[0].append(2)", "a"),
            {(0, 1, "a"), (1, 2, "b"), (0, 3, "a")},
            id="parts of a deep copy are its own",
        ),
        pytest.param(
            ("import copy\na = [[1]]", "b = copy.copy(a)", "b[0].append(2)", "a"),
            {(0, 1, "a"), (1, 2, "b"), (2, 3, "a")},
            id="parts of a flat copy are not",
        ),
        pytest.param(
            (
                "seen = []",
                "class Timer:\n  def __enter__(self):\n    return seen\n  def __exit__(self, *e):\n    print(k)",
                "k = 1",
                "with Timer() as t:\n    t.append(1)",
                "seen",
            ),
            {(1, 3, "Timer"), (0, 3, "seen"), (2, 3, "k"), (3, 4, "seen")},
            id="a manager is entered and left",
        ),
        pytest.param(
            (
                "from torch import nn\nwidth = 2",
                "class Net(nn.Module):\n    def forward(self, x):\n        return x * width\nnet = Net()",
                "y = net(1)",
            ),
            {(0, 2, "width"), (1, 2, "net")},
            id="a module that is called runs forward",
        ),
        pytest.param(
            ("import folium\nm = folium.Map()", "m.add_child(1)", "m"),
            {(0, 1, "m"), (1, 2, "m")},
            id="something is added to a map",
        ),
        pytest.param(
            ("a = np.zeros(3)", "a.sort()", "a"), {(0, 1, "a"), (1, 2, "a")}, id="an array is sorted in place"
        ),
        pytest.param(
            (READ, "for c in set(df.a):\n    df.insert(0, c, 0)", "df"),
            {(0, 1, "df"), (1, 2, "df")},
            id="a column whose name nobody knows is inserted",
        ),
        pytest.param(
            ("a = max(open('a'))", "a.drop('x', inplace=True)", "a"),
            {(0, 1, "a"), (1, 2, "a")},
            id="what nobody knows is changed in place",
        ),
        pytest.param(("1", "u['x'] = 1", "u.head()"), {(1, 2, "u")}, id="an item of what is bound elsewhere"),
        pytest.param(
            ("from torch.utils import data", "for data in open('a'):\n    break", "print(data)"),
            {(1, 2, "data")},
            id="a name that was imported and is bound by a loop",
        ),
        pytest.param(
            ("v = 1", "n = 0\nfor e in range(150):\n    n += 1\n    if n % 50 == 0:\n        print(v)"),
            {(0, 1, "v")},
            id="a loop counts further than it is unrolled",
        ),
        pytest.param(
            (
                "v = 1",
                "def pairs(x):\n    for i in range(9):\n        yield i, x",
                "n = 0\nfor a, b in pairs(2):\n    n += 1\n    if n == 8:\n        print(v)",
            ),
            {(0, 2, "v"), (1, 2, "pairs")},
            id="a generator yields more than it says once",
        ),
    ],
)
def test_edges_of_what_is_hard_to_see(cells: tuple[str, ...], expected: set[tuple[int, int, str]]) -> None:
    assert edges_of(*cells) == expected


@pytest.mark.parametrize(
    "write, reaches",
    [
        pytest.param("df['a'].ix[df['a'] > 1] = 1", True, id="a column by ix"),
        pytest.param("df.loc[0]['a'] = 1", True, id="an item of a row"),
        pytest.param("df.values[0][1] = 1", True, id="the values"),
        pytest.param("df['a'].cat.set_categories(['x'], inplace=True)", True, id="an accessor in place"),
        pytest.param("df[df['a'] > 1]['b'] = 1", False, id="a column of what a mask chose"),
        pytest.param("df[['a', 'b']]['a'] = 1", False, id="a column of some columns"),
    ],
)
@pytest.mark.parametrize("pandas", [2, 3])
def test_writes_to_a_part_of_a_table_reach_it_before_pandas_3(write: str, reaches: bool, pandas: int) -> None:
    text = "".join(f"# %%\n{cell}\n\n" for cell in ("import pandas as pd\n" + READ, write, "df.head()"))
    edges = {(edge.source, edge.target) for edge in analyse(read_text(text, "nb.py"), pandas_major=pandas).edges}
    assert ((1, 2) in edges) == (reaches and pandas == 2)


@pytest.mark.parametrize(
    "cell, defines, updates, uses",
    [
        pytest.param("x = df['a'].mean()", {"x"}, set(), {"df"}, id="a plain definition"),
        pytest.param("df['a'] = 0", set(), {"df"}, {"df"}, id="an update"),
        pytest.param("df = df.dropna()", {"df"}, set(), {"df"}, id="a rebinding reads first"),
        pytest.param("x = 1\ny = x", {"x", "y"}, set(), set(), id="a name of the cell's own is no use"),
        pytest.param("for c in ['a', 'b']:\n    df[c] = df[c].fillna(0)", {"c"}, {"df"}, {"df"}, id="a loop"),
    ],
)
def test_effects_of_a_cell(cell: str, defines: set[str], updates: set[str], uses: set[str]) -> None:
    effects = analysis_of(READ, cell).effects[2]

    assert (set(effects.defines), set(effects.updates), set(effects.uses)) == (defines, updates, uses)


def test_a_cell_with_a_syntax_fault_leaves_the_others() -> None:
    analysis = analysis_of(READ, "df.head(", "df.tail()")

    assert [edge.names for edge in analysis.edges] == [("df",)]


@pytest.mark.parametrize(
    "cells, name, expected",
    [
        pytest.param(
            (READ, "df['a'] = 1\ndf['b'] = 2\nprint(df)", "x = df['a'].sum()"),
            "x",
            {1: [1], 2: [1], 3: [1]},
            id="only the column that counts",
        ),
        pytest.param((READ, "a = 1\nb = 2", "c = b + 1"), "c", {2: [2], 3: [1]}, id="only the names that count"),
        pytest.param(
            ("t = 0\nfor i in range(3):\n    t += i\n    print(i)",), "t", {1: [1, 2, 3]}, id="inside of a loop as well"
        ),
    ],
)
def test_slices(cells: tuple[str, ...], name: str, expected: dict[int, list[int]]) -> None:
    assert analysis_of(*cells).slice_of(name) == expected
