"""Code that nobody should write, and code with mistakes in it: there is always an analysis, and it ends soon."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import pytest

from nbprod.analysis import Analysis, analyse
from nbprod.analysis.work import MOST, OF_NOTEBOOK, OF_STATEMENT
from nbprod.notebook import read, read_text
from tests.damage import damaged

ROOT = Path(__file__).parents[2]


def analysis_of(*cells: str) -> Analysis:
    """The analysis of these cells and a last one that is plain."""
    return analyse(read_text("".join(f"# %%\n{cell}\n\n" for cell in (*cells, "last = 1\nprint(last)")), "nb.py"))


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param("x = " + " + ".join(["1"] * 3000), id="a sum of thousands"),
        pytest.param("x = " + "(" * 300 + "1" + ")" * 300, id="parentheses"),
        pytest.param("x = a" + ".b" * 2000, id="attributes"),
        pytest.param("x = a" + ".b()" * 600, id="a chain of calls"),
        pytest.param("x = a" + "[0]" * 900, id="items of items"),
        pytest.param("x = " + "not " * 600 + "1", id="not not"),
        pytest.param("x = " + "[" * 90 + "]" * 90, id="lists in lists"),
        pytest.param("x = " + "lambda: " * 300 + "1", id="functions in functions"),
        pytest.param("\n".join("    " * i + f"if x{i}:" for i in range(90)) + "\n" + "    " * 90 + "y = 1", id="ifs"),
        pytest.param(
            "\n".join("    " * i + f"for x{i} in range(n):" for i in range(18)) + "\n" + "    " * 18 + "y = 1",
            id="loops",
        ),
        pytest.param(
            "if a == 0:\n    x = 0\n" + "\n".join(f"elif a == {i}:\n    x = {i}" for i in range(500)), id="elifs"
        ),
        pytest.param("x = [" + ",".join(map(str, range(50_000))) + "]", id="a long list"),
        pytest.param("x = {" + ",".join(f"'k{i}': {i}" for i in range(5_000)) + "}", id="a long dict"),
        pytest.param("\n".join(f"x{i} = {i}" for i in range(10_000)), id="ten thousand lines"),
        pytest.param("x = '" + "a" * 1_000_000 + "'", id="a long string"),
        pytest.param("x = 9**9**9\ny = 'a' * 10**9\nz = 1 << 10**9", id="numbers that do not fit"),
        pytest.param("x = " + "9" * 6000, id="a number of too many digits"),
        pytest.param("x = '\ud800'", id="half of a character"),
        pytest.param("a = []\na.append(a)\nb = {}\nb['b'] = b\nfor q in a:\n    q.append(1)", id="a list in itself"),
        pytest.param("a = []\nb = [a]\na.append(b)\nprint(a, b)\nc = list(a)", id="two lists in each other"),
        pytest.param("a = []\nfor i in range(200):\n    a = [a]\nprint(a)", id="lists around lists"),
        pytest.param("a = 1\n" + "a = (a, a)\n" * 100 + "print(a)", id="tuples around tuples"),
        pytest.param("a = {}\n" + "a = {'k': a}\n" * 900 + "a['k']['k'] = 1", id="dicts around dicts"),
        pytest.param("for i in range(10**12):\n    x = i", id="a long loop"),
        pytest.param("def f(n):\n    return f(n - 1) + f(n - 2) + f(n - 3)\nf(5)", id="a tree of calls"),
        pytest.param("class A(A): pass\nclass B(C): pass\nclass C(B):\n    def f(self):\n        super().f()\nC().f()",
                     id="classes that inherit from each other"),
        pytest.param("exec('exec(\"exec(1)\")')\nglobals()[1] = 2\nglobals()['x' + y] = 3", id="names made of text"),
        pytest.param("from sklearn.datasets import load_digits\nd = load_digits()\nd.images.shape, d.keys(), d['x'].y\n"
                     "d.new = d.images\nd.new.shape\nd()", id="parts of a dataset"),
        pytest.param("del q, q\nq.r = 1\nq[0] = 1\nq += 1\nq()()[0].x(*q, **q)", id="names of nothing"),
        pytest.param(
            "from sklearn.datasets import load_digits\nd = load_digits()\nd.images\nd.keys()\ndir(d.target_names[0])",
            id="what a bunch does not have",
        ),
    ],
)  # fmt: skip
def test_there_is_an_analysis(cell: str) -> None:
    analysis = analysis_of(cell)

    assert analysis.effects[-1].defines == ("last",)
    assert analysis.run.work.done < MOST


def test_calls_that_multiply_are_followed_within_the_bound() -> None:
    functions = [f"def f{i}(x):\n    return f{i + 1}(x) + f{i + 1}(x + 1)" for i in range(10)]
    analysis = analysis_of("k = 1", "\n".join([*functions, "def f10(x):\n    return x + k"]), "y = f0(1)")

    assert analysis.run.work.done < 2 * OF_STATEMENT
    assert "k" in analysis.effects[2].uses


def test_nested_loops_over_numbers_are_not_unrolled_for_good() -> None:
    loops = "for i in range(150):\n  for j in range(150):\n    for k in range(150):\n      t.append(i * j * k)"
    analysis = analysis_of("t = []", loops, "t")

    assert analysis.run.work.done < 2 * OF_STATEMENT < OF_NOTEBOOK
    assert analysis.effects[1].updates == ("t",)


def test_a_fault_names_its_line() -> None:
    notebook = read_text("# %%\nx = 1\ny = " + "not " * 600 + "1\n", "nb.py")

    fault = notebook.cells[0].fault
    assert fault is not None
    assert (fault.line, "levels deep" in fault.message) == (2, True)


def test_files_are_added_below_an_empty_table_in_two_loops() -> None:
    loop = "for name in names:\n    new = pd.read_csv(name)\n    new['c'] = 1\n    out = out.append(new)\n"
    assert analysis_of("import pandas as pd\nout = pd.DataFrame(columns=['a'])\n" + loop + loop).complete


def test_a_table_of_counts_is_joined_to_the_largest_of_them() -> None:
    function = """def common(t, feature):
    n = pd.DataFrame(t.groupby("a")[feature].value_counts())
    n["i"] = n.index
    n["count"] = n[feature]
    for k, column in enumerate(["a", feature]):
        n[column] = n.i.apply(lambda i: i[k])
    n = n.reset_index(drop=True).drop(["i"], axis=1)
    top = pd.DataFrame(n.groupby("a", as_index=False)["count"].max())
    top = top.merge(n, on=["a", "count"])
    return t.merge(top, left_on="a", right_on="a", how="left")
"""
    reading = "import pandas as pd\nt = pd.read_csv('t.csv')"
    assert analysis_of(reading, function, "t = common(t, 'b')\nt = common(t, 'c')").complete


def mutants(source: list[str], seed: int) -> list[str]:
    """The cells, some of them damaged."""
    chance = random.Random(seed)
    return [damaged(cell, chance) if chance.random() < 0.5 else cell for cell in source]


@pytest.mark.parametrize("example", sorted(path.name for path in islice((ROOT / "tests/cases").glob("*.py"), 8)))
def test_mutants_of_real_cells(example: str) -> None:
    source = [cell.source for cell in read(str(ROOT / "tests/cases" / example)).cells]
    for seed in range(12):
        analysis_of(*mutants(source, seed))
