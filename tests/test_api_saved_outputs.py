"""What is saved in a notebook's outputs against what a run has shown: which differences count, and which do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nbprod.api.saved_outputs import shown_otherwise
from nbprod.notebook import read
from nbprod.readiness.facts import ShownOtherwise


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text.splitlines(keepends=True)}


def result(data: dict[str, Any]) -> dict[str, Any]:
    return {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data}


def cell(outputs: list[dict[str, Any]], source: str = "f()", tags: list[str] | None = None) -> dict[str, Any]:
    metadata = {"tags": tags} if tags else {}
    return {"cell_type": "code", "source": source, "metadata": metadata, "execution_count": 1, "outputs": outputs}


def written(path: Path, *cells: dict[str, Any]) -> Path:
    document = {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    path.write_text(json.dumps(document))
    return path


ONE, OTHER = stream("891 rows\nall fine\n"), stream("890 lines\nall fine\n")


@pytest.mark.parametrize(
    "saved, fresh, told",
    [
        pytest.param([ONE], [ONE], None, id="the same"),
        pytest.param([ONE], [OTHER], ("891 rows", "890 lines"), id="another text"),
        pytest.param([], [OTHER], None, id="cleared"),
        pytest.param([ONE], [], ("891 rows", ""), id="nothing any more"),
        pytest.param([stream("a\nb\n")], [stream("a\nb\nc\n")], ("", "c"), id="a line more"),
        pytest.param([stream("0.30000000000000004\n")], [stream("0.3\n")], None, id="rounding"),
        pytest.param([stream("<A at 0x7f01>\n")], [stream("<A at 0x7f99>\n")], None, id="an address"),
        pytest.param([stream("\x1b[31mred\x1b[0m\n")], [stream("red\n")], None, id="colours"),
        pytest.param([stream("10%\r50%\rdone\n")], [stream("20%\rdone\n")], None, id="a line written over"),
        pytest.param([stream("old\n", "stderr")], [stream("new\n", "stderr")], None, id="warnings"),
        pytest.param([result({"text/plain": "yes"})], [result({"text/plain": "no"})], ("yes", "no"), id="a result"),
        pytest.param(
            [result({"text/plain": "a  1", "text/html": "<b>1</b>"})],
            [result({"text/plain": "b  2", "text/html": "<b>2</b>"})],
            ("a  1", "b  2"),
            id="a table",
        ),
        pytest.param(
            [result({"text/plain": "<Figure 1>", "image/png": "x"})],
            [result({"text/plain": "<Figure 2>", "image/png": "y"})],
            None,
            id="a plot",
        ),
        pytest.param(
            [ONE, result({"text/plain": "<Figure 1>", "image/png": "x"})],
            [OTHER, result({"text/plain": "<Figure 2>", "image/png": "y"})],
            ("891 rows", "890 lines"),
            id="text beside a plot",
        ),
        pytest.param(
            [{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}], [ONE], None, id="a saved error"
        ),
        pytest.param([stream(f"{'x' * 200}\n")], [stream("y\n")], (f"{'x' * 79}…", "y"), id="a long line"),
        pytest.param([stream("key AKIAIOSFODNN7EXAMPLE\n")], [stream("none\n")], ("key ***", "none"), id="a secret"),
    ],
)
def test_differences_of_text_count(
    tmp_path: Path, saved: list[dict[str, Any]], fresh: list[dict[str, Any]], told: tuple[str, str] | None
) -> None:
    notebook = read(str(written(tmp_path / "a.ipynb", cell(saved))))
    found = shown_otherwise(notebook, [written(tmp_path / "executed.ipynb", cell(fresh))])

    assert found == (() if told is None else (ShownOtherwise(0, *told),))


@pytest.mark.parametrize(
    "source", ["%time f()", "%%time\nf()", "print(time.time() - t0)", "print(datetime.now())", "f(", "%timeit f()"]
)
def test_a_cell_that_tells_the_time_tells_nothing_else(tmp_path: Path, source: str) -> None:
    notebook = read(str(written(tmp_path / "a.ipynb", cell([ONE], source))))

    assert shown_otherwise(notebook, [written(tmp_path / "executed.ipynb", cell([OTHER], source))]) == ()


def test_a_cell_that_shows_something_else_each_time_tells_nothing(tmp_path: Path) -> None:
    notebook = read(str(written(tmp_path / "a.ipynb", cell([ONE]), cell([ONE]))))
    newest = written(tmp_path / "newest.ipynb", cell([OTHER]), cell([OTHER]))
    older = written(tmp_path / "older.ipynb", cell([stream("7 rows\n")]), cell([OTHER]))

    assert [each.cell for each in shown_otherwise(notebook, [newest, older])] == [1]


def test_other_numbers_are_settled_where_two_runs_show_them(tmp_path: Path) -> None:
    notebook = read(str(written(tmp_path / "a.ipynb", *[cell([stream("auc 0.81\n")])] * 2)))
    newest = written(tmp_path / "newest.ipynb", cell([stream("auc 0.79\n")]), cell([stream("auc 0.79\n")]))
    older = written(tmp_path / "older.ipynb", cell([stream("auc 0.79\n")]), cell([stream("auc 0.83\n")]))

    first, second = (ShownOtherwise(cell, "auc 0.81", "auc 0.79", settled=False) for cell in (0, 1))
    assert shown_otherwise(notebook, [newest]) == (first, second)
    assert shown_otherwise(notebook, [newest, older]) == (ShownOtherwise(0, "auc 0.81", "auc 0.79"),)


def test_a_run_of_other_cells_settles_nothing(tmp_path: Path) -> None:
    notebook = read(str(written(tmp_path / "a.ipynb", cell([stream("auc 0.81\n")]))))
    newest = written(tmp_path / "newest.ipynb", cell([stream("auc 0.79\n")]))
    other = written(tmp_path / "other.ipynb", cell([stream("auc 0.79\n")], "g()"))

    assert [each.settled for each in shown_otherwise(notebook, [newest, other])] == [False]


@pytest.mark.parametrize(
    "executed",
    [
        pytest.param([cell([OTHER]), cell([OTHER])], id="other cells"),
        pytest.param([cell([], "n = 2", ["injected-parameters"]), cell([OTHER])], id="parameters were given"),
    ],
)
def test_another_run_is_not_compared(tmp_path: Path, executed: list[dict[str, Any]]) -> None:
    notebook = read(str(written(tmp_path / "a.ipynb", cell([ONE]))))

    assert shown_otherwise(notebook, [written(tmp_path / "executed.ipynb", *executed)]) == ()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": [1]}', '{"cells": [{"cell_type": "code"}]}'])
def test_what_can_not_be_read_is_not_compared(tmp_path: Path, text: str) -> None:
    notebook = read(str(written(tmp_path / "a.ipynb", cell([ONE]))))
    (tmp_path / "executed.ipynb").write_text(text)

    assert shown_otherwise(notebook, [tmp_path / "executed.ipynb", tmp_path / "none.ipynb"]) == ()
    assert shown_otherwise(notebook, []) == ()
