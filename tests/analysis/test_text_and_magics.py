"""Dataflow through names in text, magics, shell lines, star imports and code made of text."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbprod.analysis import Analysis, analyse
from nbprod.notebook import read_text

IMPORTS = "import pandas as pd\nimport numpy as np"
FRAME = "a = pd.read_csv('a.csv')"


def analysis_of(cells: tuple[str, ...], path: str = "nb.py") -> Analysis:
    """The analysis of a notebook with an import cell and these."""
    return analyse(read_text("".join(f"# %%\n{cell}\n\n" for cell in (IMPORTS, *cells)), path))


def flow(cells: tuple[str, ...], path: str = "nb.py") -> set[str]:
    """Edges as `0->1 name`, the first cell given being 0."""
    return {
        f"{edge.source - 1}->{edge.target - 1} {name}" for edge in analysis_of(cells, path).edges for name in edge.names
    }


@pytest.mark.parametrize(
    "cells, expected",
    [
        pytest.param((FRAME, "low = 3", "a.query('x > @low')"), {"0->2 a", "1->2 low"}, id="a query"),
        pytest.param((FRAME, "low = 3", "b = a.eval('x + @low')"), {"0->2 a", "1->2 low"}, id="an eval"),
        pytest.param((FRAME, "x = 3", "a.query('x > 1')"), {"0->2 a"}, id="a column of a query is no name"),
        pytest.param(("x = 1", "t = f'{x:>{x}}'"), {"0->1 x"}, id="an f-string"),
        pytest.param(("x = 1", "globals()['x'] = 2", "x"), {"1->2 x"}, id="a global bound by its name"),
        pytest.param(("x = 1", "y = globals()['x']"), {"0->1 x"}, id="a global read by its name"),
        pytest.param(("x = 1", "y = eval('x + 1')"), {"0->1 x"}, id="an expression in text"),
        pytest.param(("x = 1", "exec('y = x')", "y"), {"0->1 x", "1->2 y"}, id="statements in text"),
        pytest.param(("d = {}", "exec('d[1] = 2')", "d"), {"0->1 d", "1->2 d"}, id="a write in text"),
    ],
)
def test_names_in_text(cells: tuple[str, ...], expected: set[str]) -> None:
    assert flow(cells) == expected


@pytest.mark.parametrize(
    "cells, expected",
    [
        pytest.param(("x = !ls", "print(x)"), {"0->1 x"}, id="the lines of a command"),
        pytest.param(("folder = 'in'", "!ls {folder}"), {"0->1 folder"}, id="a value put into a command"),
        pytest.param(("folder = 'in'", "!ls $folder"), {"0->1 folder"}, id="also with a dollar"),
        pytest.param(("p = ['in']", "x = !ls {p[0]}", "x"), {"0->1 p", "1->2 x"}, id="an expression put in"),
        pytest.param(("n = 1", "!echo $HOME ${n}"), {"0->1 n"}, id="names of the shell are its own"),
        pytest.param(("n = 1", "%time m = n + 1", "m"), {"0->1 n", "1->2 m"}, id="a timed statement"),
        pytest.param(("n = 1", "%%time\nm = n + 1", "m"), {"0->1 n", "1->2 m"}, id="a timed cell"),
        pytest.param(("n = 1", "%%capture out\nprint(n)", "out"), {"0->1 n", "1->2 out"}, id="a captured cell"),
        pytest.param(("n = 1", "%store n"), {"0->1 n"}, id="a stored value"),
        pytest.param(("%store -r n", "n"), {"0->1 n"}, id="a value from the store"),
        pytest.param(("n = 1", "%%bash\necho n"), set(), id="another language"),
        pytest.param(("n = 1", "n?"), set(), id="help"),
        pytest.param(("%matplotlib inline\nn = 1", "n"), {"0->1 n"}, id="a line magic"),
    ],
)
def test_magics(cells: tuple[str, ...], expected: set[str]) -> None:
    assert flow(cells) == expected


def test_a_script_that_is_run_binds_its_names(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("import os\nlimit = 3\n\ndef clean(x):\n    return x\n", encoding="utf-8")

    assert flow(("%run other.py", "clean(limit)"), str(tmp_path / "nb.py")) == {"0->1 clean", "0->1 limit"}


def test_a_script_that_is_not_there_may_bind_anything() -> None:
    analysis = analysis_of(("%run missing.py", "clean(limit)"))

    assert not analysis.run.undefined


class TestStarImports:
    """What `from module import *` binds is read from the module's source."""

    @pytest.mark.parametrize(
        "module, name",
        [
            pytest.param("math", "sqrt", id="a builtin module"),
            pytest.param("os.path", "join", id="a declared list"),
            pytest.param("sklearn.metrics", "accuracy_score", id="a package"),
            pytest.param("numpy", "zeros", id="names that a package takes from within"),
            pytest.param("numpy", "floor", id="names that a package takes from compiled code"),
            pytest.param("matplotlib.pyplot", "plot", id="no declared list"),
        ],
    )
    def test_names_are_imports(self, module: str, name: str) -> None:
        analysis = analysis_of((f"from {module} import *", f"x = {name}"))

        assert (analysis.edges, analysis.run.undefined) == ((), [])
        assert analysis.run.state.names[name].kind == "lib"

    def test_of_a_module_beside_the_notebook(self, tmp_path: Path) -> None:
        (tmp_path / "own_names.py").write_text("__all__ = ['clean']\ndef clean(x): ...\nhidden = 1\n", encoding="utf-8")
        analysis = analysis_of(("from own_names import *", "clean(hidden)"), str(tmp_path / "nb.py"))

        assert [name for name, _, _ in analysis.run.undefined] == ["hidden"]

    @pytest.mark.parametrize(
        "more",
        [
            pytest.param("def also(name):\n    __all__.append(name)\nalso('other')\n", id="a function adds to it"),
            pytest.param("for name in ('other',):\n    __all__ += [name]\n", id="a loop adds to it"),
        ],
    )
    def test_of_a_module_whose_list_grows_where_it_is_not_written_out(self, more: str, tmp_path: Path) -> None:
        text = f"def clean(x): ...\ndef other(x): ...\n__all__ = ['clean']\n{more}"
        (tmp_path / "own_names.py").write_text(text, encoding="utf-8")
        analysis = analysis_of(("from own_names import *", "clean(other)"), str(tmp_path / "nb.py"))

        assert not analysis.run.undefined

    def test_of_a_module_that_is_not_there(self) -> None:
        analysis = analysis_of(("x = 1", "from no_such_module import *", "f(x)"))

        assert not analysis.run.undefined
        assert flow(("x = 1", "from no_such_module import *", "f(x)")) == {"0->2 x"}
