"""Code as a syntax tree: its warnings are for who runs it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nbprod.notebook.parsed import syntax_tree

ROOT = Path(__file__).parent.parent.parent
KERNEL_SIDE = {"replay/runner/tracing.py", "replay/runner/sourcemap.py", "backends/kernel/points.py"}
KERNEL_SIDE |= {f"replay/runner/compiler/{name}.py" for name in ("sources", "tracing")}
KERNEL_SIDE |= {f"replay/runner/{name}.py" for name in ("rows",)}
OWN_TEXT = {"idiom.py"}
PACKAGE_SIDE = {"codegen/runtime/row_wise.py"}

WARNED_OF = r"""
import pandas as pd
t = pd.read_csv("t.csv")
t["n"] = t["a"].str.extract("(\d+)")
assert (t is 1, "always")
print(1if t.n is "x" else 0, t.query("a == '\d'"), t.eval("b = a + 1"))
%time u = t["a"].str.replace("\.", "")
"""


@pytest.mark.parametrize("verb, action", [("inspect", "error"), ("check", "always")])
def test_nothing_is_said_of_the_notebook_s_spelling(tmp_path: Path, verb: str, action: str) -> None:
    (tmp_path / "nb.py").write_text("# %%\n" + WARNED_OF, encoding="utf-8")
    command = [sys.executable, "-W", action, "-m", "nbprod", verb, "nb.py", "--format", "json"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})

    assert (ran.returncode in (0, 1), ran.stderr) == (True, "")


def test_a_warning_that_is_an_error_is_none_here() -> None:
    with pytest.warns(SyntaxWarning if sys.version_info >= (3, 12) else DeprecationWarning):
        ast.parse(r"x = '\d'")

    assert ast.unparse(syntax_tree(r"x = '\d'")) == r"x = '\\d'"


def test_notebooks_are_parsed_here_alone() -> None:
    calls = {
        str(path.relative_to(ROOT / "nbprod"))
        for path in (ROOT / "nbprod").rglob("*.py")
        if re.search(r"\bast\.parse\(", path.read_text(encoding="utf-8"))
    }

    assert calls == {"notebook/parsed.py", *KERNEL_SIDE, *OWN_TEXT, *PACKAGE_SIDE}
