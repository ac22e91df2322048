"""nbprod's own matcher against ast-grep itself: the same places for every rule."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ast_grep_py import SgRoot

from nbprod.analysis.roles.matching import matches
from nbprod.analysis.roles.rules import own_rules
from nbprod.analysis.roles.syntax import Tree
from nbprod.notebook import read

ROOT = Path(__file__).parents[3]
NOTEBOOKS = [*sorted((ROOT / "examples").rglob("*.ipynb")), *sorted((ROOT / "tests/cases").glob("*.py"))]


def by_nbprod(code: str) -> Counter[tuple[str, int, str]]:
    tree = Tree(code, ast.parse(code))
    return Counter((rule.id, node.lineno, tree.text(node)) for rule, node in matches(tree))


def by_ast_grep(code: str) -> Counter[tuple[str, int, str]]:
    root: Any = SgRoot(code + "\n", "python").root()
    found = ((rule.id, node) for rule in own_rules() for node in root.find_all(rule.config))
    return Counter((rule, node.range().start.line + 1, node.text()) for rule, node in found)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("a = b = df.head()\nx = y = df['a'] / 2", id="assignments to several targets"),
        pytest.param("x: int = df['a'] / 2\ndf['b']: object = df.a + 1", id="annotated assignments"),
        pytest.param("a, b\n(a, b)\n[a]\n(a)\na,", id="shown values, bare and in parentheses"),
        pytest.param("(df.head())\n(len(df))\nx = (df.a)\ndf['c'] = (df.a)", id="values in parentheses"),
        pytest.param("x = df[a], 1\nx = (df[a], 1)\nx, y = df['a'].copy(), 2", id="tuples on the right"),
        pytest.param("df['a', b > 3] = 1\ndf[df.a > 3] = 1\ndf[(1, 2)] = 3", id="several subscripts"),
        pytest.param("print('a' 'b', x)\nprint(f'{x}', y)\nprint(*x)\nprint(x for x in y)", id="strings and splats"),
        pytest.param(
            "m.compile('adam', optimizer=o, loss=l)\nm.compile(loss=l)\nm.compile(x, optimizer=o)\n"
            "m.compile(optimizer=o, metrics=p)\nm.add(Dense(3))",
            id="networks",
        ),
        pytest.param("df.insert(0, 'a', x)\ndf.insert(loc=0, column='a', value=x)\ndf.insert(0, 'a')", id="counted"),
        pytest.param("x = x / y\nx /= y\nx = (x - m) / s\nx = x - m / s\nx = z / y", id="rescaling"),
        pytest.param("np.mean(a == b)\n(a == b).mean()\nnp.sum(a != b)\nnp.mean(a == b, 0)", id="counting hits"),
        pytest.param("del df['a']\ndel x, df['b']\ndel x", id="deletions"),
        pytest.param("class A(B, TransformerMixin):\n    pass\nclass C(metaclass=M):\n    pass", id="classes"),
        pytest.param("from __future__ import annotations\nfrom a import b\nimport c", id="imports"),
        pytest.param(
            "@jit(a=df.head())\ndef f(x: int = len(y)) -> str:\n    x\n    return df.drop('a', axis=1)", id="def"
        ),
        pytest.param("df = (df\n  .dropna()\n  .rename(columns=names)\n)\ndf = df.\\\n  fillna(0)", id="over lines"),
        pytest.param("Größe = df['Größe'].fillna('ä').replace('ö', 'o')\nGröße['ü'].plot()", id="beyond ASCII"),
        pytest.param("await df.head()\nx = lambda: df.head()\n[df.head() for _ in x]", id="in other expressions"),
        pytest.param("x = -1\ndf['a'] = -df.b\ndf['a'] = not x\ndf['a'] = a and b\ndf['a'] = 1.5", id="operators"),
        pytest.param("with open(f) as g, x:\n    json.load(g)\nwhile m.fit(X):\n    m.predict(X)", id="in statements"),
    ],
)
def test_it_finds_what_ast_grep_finds(code: str) -> None:
    assert by_nbprod(code) == by_ast_grep(code)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_finds_what_ast_grep_finds_in_notebooks(path: Path) -> None:
    code = "\n".join(cell.code for cell in read(str(path)).cells if cell.fault is None)
    assert by_nbprod(code) == by_ast_grep(code)
