"""Magics masked: plain Python on the same lines, and what is left alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbprod.notebook.masking import mask

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    "source, code, names",
    [
        pytest.param("%matplotlib inline\nx = 1", "\nx = 1", ["matplotlib"], id="a line magic becomes an empty line"),
        pytest.param("!ls -l\nx = 1", "\nx = 1", ["!"], id="a shell line becomes an empty line"),
        pytest.param(
            "!pip install a \\\n  b\nx = 1", "\n\nx = 1", ["!"], id="a shell line over a backslash becomes empty lines"
        ),
        pytest.param(
            "if new:\n    !pip install a\nx = 1", "if new:\n    pass\nx = 1", ["!"], id="in a block it becomes pass"
        ),
        pytest.param("files = !ls", "files = None", ["!"], id="a shell assignment defines its name"),
        pytest.param("a, b = !ls", "a, b = None", ["!"], id="a shell assignment to several names defines them"),
        pytest.param("here = %pwd", "here = None", ["pwd"], id="a magic assignment defines its name"),
        pytest.param("%time x = f(1)", "x = f(1)", ["time"], id="a timed statement stays"),
        pytest.param(
            "for i in a:\n    %time x = f(i)",
            "for i in a:\n    x = f(i)",
            ["time"],
            id="a timed statement in a block stays",
        ),
        pytest.param("x = %time f(1)", "x =       f(1)", ["time"], id="a timed value stays, in its column"),
        pytest.param("%timeit -n 10 -r3 f(x)", "f(x)", ["timeit"], id="a timed expression stays without options"),
        pytest.param("%timeit x = f()", "", ["timeit"], id="timeit keeps no name, so its assignment goes"),
        pytest.param("%prun -l 5 x = f()", "x = f()", ["prun"], id="a profiled statement stays"),
        pytest.param("%time", "", ["time"], id="a magic with nothing to run goes"),
        pytest.param("%%time\nx = f()\ny = x", "\nx = f()\ny = x", ["time"], id="the body of %%time stays"),
        pytest.param("%%timeit -n 3\nf(x)", "\nf(x)", ["timeit"], id="the body of %%timeit stays"),
        pytest.param("%%capture out\nx = 1", "out = None\nx = 1", ["capture"], id="%%capture defines its name"),
        pytest.param(
            "%%capture\n%%time\n!ls\nx = 1", "\n\n\nx = 1", ["capture", "time", "!"], id="cell magics stack over a body"
        ),
        pytest.param("%%features\nx = 1", "\nx = 1", ["features"], id="a role magic keeps its body"),
        pytest.param("%%train --fast\nx = 1", "\nx = 1", ["train"], id="a role magic may have options"),
        pytest.param("%%bash\nls\nif [ x ]; then", "\n\n", ["bash"], id="the body in another language goes"),
        pytest.param(
            "%%bash --out files\nls", "files = None\n", ["bash"], id="what a script's output goes to is defined"
        ),
        pytest.param("%%writefile a.py\nx = 1", "\n", ["writefile"], id="a written file's text goes"),
        pytest.param("%%html\n<b>x</b>", "\n", ["html"], id="HTML goes"),
        pytest.param("#@title Load\n%%time\nx = 1", "#@title Load\n\nx = 1", ["time"], id="a comment may stand above"),
        pytest.param("df.head?\nx = 1", "\nx = 1", ["?"], id="a help line goes"),
        pytest.param("??df\nx = 1", "\nx = 1", ["?"], id="a help line with leading marks goes"),
        pytest.param("%time?", "", ["?"], id="help on a magic goes"),
        pytest.param("%store -r a b", "a = b = None", ["store"], id="restored names are defined"),
        pytest.param("  x = 1\n  !ls", "x = 1\n", ["!"], id="an indented cell is dedented"),
        pytest.param(
            " def f():\n    return 1\nf()", "def f():\n   return 1\nf()", [], id="the first line's own indent goes"
        ),
        pytest.param(">>> x = 1\n>>> y = x", "x = 1\ny = x", [], id="pasted prompts are taken off"),
        pytest.param("x = 1\r\n!ls\r\ny = 2", "x = 1\n\ny = 2", ["!"], id="line endings become plain"),
    ],
)
def test_masks(source: str, code: str, names: list[str]) -> None:
    masked = mask(source)
    assert masked.code == code
    assert masked.fault is None
    assert [magic.name for magic in masked.magics] == names


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("x = a\\\n%b", id="a modulo on its own line"),
        pytest.param("x = (a\n  % b)", id="a modulo within brackets"),
        pytest.param("s = '''\n%time x\n!ls\n'''", id="magics in a string"),
        pytest.param("# %time x = 1\n# !ls", id="magics in comments"),
        pytest.param("x = y != z", id="an inequality"),
        pytest.param("print('what?')", id="a question mark in a string"),
        pytest.param("x = [\n    1,\n    2\n]", id="indented lines of a list"),
        pytest.param("await f()", id="a top-level await"),
        pytest.param("", id="nothing"),
    ],
)
def test_leaves_alone(source: str) -> None:
    masked = mask(source)
    assert (masked.code, masked.magics, masked.fault) == (source, (), None)


@pytest.mark.parametrize(
    "source, message, line",
    [
        pytest.param(
            "x = 1\nprint 'a'", "this is Python 2: `print x` is `print(x)` in Python 3", 2, id="Python 2's print"
        ),
        pytest.param(
            "try:\n  f()\nexcept A, e:\n  g()", "this is Python 2: write `except (A, B) as e:`", 3, id="and except"
        ),
        pytest.param("x = (1,\ny = 2", "'(' was never closed", 1, id="an open bracket"),
        pytest.param(
            "<<<<<<< local\nx = 1\n=======\nx = 2\n>>>>>>> remote", "merge-conflict markers", 1, id="a conflict"
        ),
        pytest.param("x = 1\ny = '\0'", "a null byte", 2, id="a null byte"),
        pytest.param("x = 1\ny = '\ud800'", "no valid text", 2, id="half a character"),
        pytest.param("-" * 20_000 + "1", "nested too deeply", 1, id="endless nesting"),
        pytest.param("%time x = 1\ny = = 2", "invalid syntax", 2, id="a fault beside a magic"),
    ],
)
def test_says_why_a_cell_does_not_parse(source: str, message: str, line: int) -> None:
    fault = mask(source).fault
    assert fault is not None
    assert message in fault.message
    assert fault.line == line


def test_a_magic_is_recorded_with_its_place_text_and_names() -> None:
    (magic,) = mask("x = 1\n\nfiles = !ls \\\n  -l").magics
    assert (magic.line, magic.text, magic.assigns, magic.is_cell) == (3, "files = !ls \\\n  -l", ("files",), False)


STATEMENTS = st.sampled_from(
    [
        "x = 1",
        "if x:\n    y = 2",
        "!ls",
        "%matplotlib inline",
        "%time x = f(1)",
        "z = !ls",
        "x.head?",
        "",
        "# note",
        "f(\n  x)",
    ]
)


@given(st.lists(STATEMENTS, max_size=12))
def test_every_plain_statement_keeps_its_line_and_column(parts: list[str]) -> None:
    masked = mask("\n".join(parts))
    assert masked.fault is None
    assert masked.code.count("\n") == "\n".join(parts).count("\n")
    at, expected = 1, []
    for part in parts:
        if part[:1] not in ("!", "%", "z", "#", "") and not part.endswith("?"):
            expected += [(node.lineno + at - 1, node.col_offset, ast.dump(node)) for node in ast.parse(part).body]
        at += part.count("\n") + 1
    body = ast.parse(masked.code).body
    assert set(expected) <= {(node.lineno, node.col_offset, ast.dump(node)) for node in body}


def test_masking_does_not_import_ipython() -> None:
    code = "import sys; from nbprod.notebook.masking import mask; mask('%time x = 1'); print('IPython' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"


def test_the_mask_finds_what_ipython_itself_transforms() -> None:
    """Every line that IPython's own manager would change is one that the mask records."""
    from IPython.core.inputtransformer2 import TransformerManager

    for source in ("%cd x", "!ls", "a = !ls", "a = %pwd", "x?", "?x", "%%bash\nls", "!!ls", "/f 1 2", ",f a b"):
        assert TransformerManager().transform_cell(source).rstrip() != source
        assert mask(source).magics, source
