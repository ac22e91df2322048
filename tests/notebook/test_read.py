"""Reading notebooks of every format, and what is said of those that cannot be read."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nbprod.errors import NbprodError
from nbprod.model.notebook import MarkedBy, Role
from nbprod.notebook import read, read_text
from nbprod.notebook.read import SIZE_LIMIT

ROOT = Path(__file__).parent.parent.parent


def code(source: Any, **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None, **more}


def markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def ipynb(*cells: Any, metadata: dict[str, Any] | None = None, **more: Any) -> str:
    return json.dumps({"cells": list(cells), "metadata": metadata or {}, "nbformat": 4, "nbformat_minor": 5, **more})


def test_a_notebook_of_format_4() -> None:
    text = ipynb(
        markdown("# Churn\n\n## Load the <b>rows</b>"),
        code(["import pandas as pd\n", "%matplotlib inline"], id="abc", execution_count=3),
        markdown("no heading here"),
        code("df.x = 1", metadata={"tags": ["features", "slow"]}),
        metadata={"kernelspec": {"name": "py312", "language": "python"}},
    )
    notebook = read_text(text, "churn.ipynb")
    assert (notebook.format, notebook.kernel, notebook.language, notebook.nbformat) == (
        "ipynb",
        "py312",
        "python",
        (4, 5),
    )
    first, second = notebook.cells
    assert (first.index, first.id, first.position, first.execution_count) == (0, "abc", 1, 3)
    assert first.source == "import pandas as pd\n%matplotlib inline"
    assert first.code == "import pandas as pd\n"
    assert (first.heading, second.heading) == ("Load the rows", "Load the rows")
    assert (second.role, second.marked_by, second.tags) == (Role.FEATURES, MarkedBy.TAG, ("features", "slow"))


def test_outputs_are_kept_as_text_and_cut() -> None:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": ["token ", "abc\n"]},
        {"output_type": "execute_result", "data": {"text/plain": "42", "image/png": "…"}},
        {"output_type": "error", "traceback": ["boom"]},
        {"output_type": "stream", "name": "stdout", "text": "x" * 1_000_000},
    ]
    (cell,) = read_text(ipynb(code("f()", outputs=outputs)), "a.ipynb").cells
    assert cell.outputs_text.startswith("token abc\n\n42\nboom\nxxx")
    assert len(cell.outputs_text) < 11_000


def test_a_notebook_of_format_3_is_upgraded_in_memory() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Load"]},
        {"cell_type": "code", "input": ["x = 1\n", "y = 2"], "prompt_number": 7, "language": "python", "outputs": []},
    ]
    document = {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": cells}]}
    notebook = read_text(json.dumps(document), "old.ipynb")
    (cell,) = notebook.cells
    assert notebook.nbformat == (3, 0)
    assert (cell.source, cell.execution_count, cell.heading) == ("x = 1\ny = 2", 7, "Load")


def test_cells_without_ids_get_lasting_ones() -> None:
    before = read_text(ipynb(code("a"), code("b"), code("a")), "a.ipynb").cells
    after = read_text(ipynb(code("new"), code("a"), code("b"), code("a")), "a.ipynb").cells
    assert len({cell.id for cell in before}) == 3
    assert [cell.id for cell in after[1:]] == [cell.id for cell in before]


def test_ids_that_stand_twice_are_told_apart() -> None:
    cells = read_text(ipynb(code("a", id="x"), code("b", id="x")), "a.ipynb").cells
    assert cells[0].id == "x"
    assert cells[1].id != "x"


def test_a_fault_in_one_cell_leaves_the_others_as_they_are() -> None:
    faulty, sound = read_text(ipynb(code("print 'a'"), code("%time x = 1")), "a.ipynb").cells
    assert faulty.fault is not None
    assert (sound.fault, sound.code) == (None, "x = 1")


def test_a_cell_in_another_language_is_masked_as_a_whole() -> None:
    (cell,) = read_text(ipynb(code("SELECT 1", metadata={"vscode": {"languageId": "sql"}})), "a.ipynb").cells
    assert (cell.code, cell.fault, cell.magics[0].name) == ("", None, "sql")


PERCENT = """\
# ---
# jupyter:
#   kernelspec:
#     name: py311
# ---

# %% [markdown]
# ## Load

# %% tags=["data"]
import pandas as pd
df = pd.read_csv("a.csv")


# %% Clean it up
#| nbprod: features
df = df.dropna()

# %% {"tags": ["train"]}
# %%time
model.fit(df)
# %% [markdown] tags=["features"]
# done
"""


def test_a_percent_script() -> None:
    notebook = read_text(PERCENT, "a.py")
    assert (notebook.format, notebook.kernel) == ("percent", "py311")
    load, clean, train = notebook.cells
    assert (load.role, load.source) == (Role.DATA, 'import pandas as pd\ndf = pd.read_csv("a.csv")')
    assert (load.file_line, load.heading, load.position) == (11, "Load", 1)
    assert (clean.role, clean.marked_by, clean.file_line) == (Role.FEATURES, MarkedBy.COMMENT, 16)
    assert (train.role, train.source) == (Role.TRAIN, "# %%time\nmodel.fit(df)")


@pytest.mark.parametrize(
    "text, sources, lines",
    [
        pytest.param("x = 1\n\ny = 2\n", ["x = 1\n\ny = 2"], [1], id="a plain script is one cell"),
        pytest.param(
            "x = 1\n# %%\ny = 2\n", ["x = 1", "y = 2"], [1, 3], id="what stands above the first mark is a cell"
        ),
        pytest.param(
            "# Databricks notebook source\nx = 1\n\n# COMMAND ----------\n\n# MAGIC %md\n# MAGIC # T\n\n"
            "# COMMAND ----------\n\ny = 2\n",
            ["x = 1", "y = 2"],
            [2, 11],
            id="a Databricks script",
        ),
        pytest.param(
            "#!/usr/bin/env python\n# In[1]:\n\n\nx = 1\n\n\n# In[ ]:\n\n\ny = 2\n",
            ["#!/usr/bin/env python", "x = 1", "y = 2"],
            [1, 5, 11],
            id="a script that nbconvert wrote",
        ),
        pytest.param("# %%\r\nx = 1\r\ny = 2\r\n", ["x = 1\r\ny = 2"], [2], id="Windows line endings"),
        pytest.param("#%%\nx = 1\n#%%\n", ["x = 1", ""], [2, 4], id="an empty cell counts"),
    ],
)
def test_scripts(text: str, sources: list[str], lines: list[int]) -> None:
    cells = read_text(text, "a.py").cells
    assert [cell.source for cell in cells] == sources
    assert [cell.file_line for cell in cells] == lines


CONFLICT = '{\n "cells": [\n<<<<<<< HEAD\n  {}\n=======\n  []\n>>>>>>> other\n ]\n}'


@pytest.mark.parametrize(
    "name, content, error, says",
    [
        pytest.param("a.ipynb", b'{"a": 1}', "not-a-notebook", "no list of cells", id="JSON without cells"),
        pytest.param("a.ipynb", b"[1]", "not-a-notebook", "holds a JSON list", id="JSON that is no object"),
        pytest.param("a.txt", b"hello", "not-a-notebook", "this is not a notebook", id="some other file"),
        pytest.param("a.ipynb", b'{"cells": [{"cell_type": "co', "truncated-json", "line 1, column", id="cut-off JSON"),
        pytest.param("a.ipynb", b'{"cells": [\n 1 2]}', "invalid-json", "line 2, column 4", id="broken JSON"),
        pytest.param("a.ipynb", CONFLICT.encode(), "merge-conflict", "the first on line 3", id="a conflict in JSON"),
        pytest.param(
            "a.py",
            b"x = 1\n<<<<<<< HEAD\ny = 1\n=======\ny = 2\n>>>>>>> other\n",
            "merge-conflict",
            "the first on line 2",
            id="a conflict in a script",
        ),
        pytest.param("a.ipynb", ipynb(markdown("hi")).encode(), "no-code-cells", "no code cells", id="text alone"),
        pytest.param("a.py", b"", "no-code-cells", "no code cells", id="an empty script"),
        pytest.param("a.ipynb", b"", "empty-file", "empty", id="an empty file"),
        pytest.param("a.ipynb", ipynb(code("x")).encode("utf-16"), "wrong-encoding", "UTF-16", id="UTF-16"),
        pytest.param("a.ipynb", ipynb(code("x")).encode()[:-1] + b'"\xe9"}', "wrong-encoding", "0xe9", id="Latin-1"),
        pytest.param("a.py", b"# coding: klingon\nx = 1", "wrong-encoding", "klingon", id="an unknown encoding"),
        pytest.param("a.ipynb", b"\0" * 512, "null-bytes", "null bytes, the first on line 1", id="a file of zeros"),
        pytest.param("a.ipynb", b"[" * 200_000, "nested-json", "nested too deeply", id="endless nesting"),
        pytest.param("a.ipynb", ipynb("no cell").encode(), "malformed-cell", "cell 1 of the file", id="a cell of text"),
        pytest.param("a.ipynb", ipynb(code(None)).encode(), "malformed-cell", "no source text", id="no source"),
        pytest.param(
            "a.ipynb",
            ipynb(code("x"), metadata={"kernelspec": {"language": "R", "name": "ir"}}).encode(),
            "not-python",
            "written in R",
            id="another language",
        ),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str, content: bytes, error: str, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(NbprodError) as caught:
        read(path)
    assert caught.value.code == error
    assert says in caught.value.message
    assert caught.value.where is not None
    assert caught.value.where.path == str(path)


def test_a_missing_file_is_told_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "churn.ipynb").write_text("{}")
    with pytest.raises(NbprodError, match="there is no such file") as caught:
        read(tmp_path / "chrun.ipynb")
    assert caught.value.hint == f"did you mean {tmp_path / 'churn.ipynb'}?"


def test_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(NbprodError, match="this is a folder"):
        read(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.ipynb")
    with pytest.raises(NbprodError, match="not a regular file"):
        read(tmp_path / "a.ipynb")


def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    with path.open("wb") as stream:
        stream.truncate(SIZE_LIMIT + 1)
    with pytest.raises(NbprodError, match="200 MB, and nbprod reads no more"):
        read(path)


@pytest.mark.parametrize("char", ["\n", "\x1b", "\x7f", "\u202e", "\udce9"])
def test_a_name_that_cannot_be_shown_is_refused(tmp_path: Path, char: str) -> None:
    with pytest.raises(NbprodError, match="cannot be shown") as caught:
        read(f"{tmp_path}/a{char}[31m.ipynb")
    assert caught.value.where is not None
    assert char not in caught.value.where.path


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\ufeff" + ipynb(code("x = 1")), id="a byte-order mark"),
        pytest.param('{"cells": [], "cells": ' + json.dumps([code("x = 1")]) + "}", id="a key that stands twice"),
        pytest.param(ipynb(code("x = 1", metadata="none", outputs="none", id=7)), id="fields of the wrong type"),
        pytest.param(
            ipynb(
                code("x = 1"), metadata={"kernelspec": {"language": "plaintext"}, "language_info": {"name": "python"}}
            ),
            id="an editor's placeholder for the language",
        ),
    ],
)
def test_odd_files_that_are_read_all_the_same(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(text, "utf-8")
    assert [cell.source for cell in read(path).cells] == ["x = 1"]


def test_a_newer_format_is_read_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        notebook = read_text(ipynb(code("x = 1"), nbformat=5), "a.ipynb")
    assert notebook.nbformat == (5, 5)
    assert "newer than nbprod knows" in caplog.text


def test_a_script_in_its_declared_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes("# -*- coding: latin-1 -*-\nname = 'é'\n".encode("latin-1"))
    assert read(tmp_path / "a.py").cells[0].source.endswith("name = 'é'")


def test_reading_imports_no_notebook_library() -> None:
    heavy = ["nbformat", "IPython", "jsonschema", "pandas", "ast_grep_py"]
    program = (
        f"import sys; from nbprod.notebook import read_text; read_text({ipynb(code('%time x = 1'))!r}, 'a.ipynb');"
    )
    program += f"print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_it_agrees_with_nbformat_on_the_examples() -> None:
    import nbformat

    for path in sorted((ROOT / "examples").glob("*/*.ipynb")):
        theirs = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
        assert [cell.source for cell in read(path).cells] == [cell.source for cell in theirs]
