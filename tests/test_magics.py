"""The magics in a real kernel, under nbclient and papermill."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import papermill
import pytest

from nbprod.api.current import notebook_path
from nbprod.notebook import read

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module", autouse=True)
def project_on_the_kernels_path() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        yield


def notebook(*sources: str) -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def executed(folder: Path, *sources: str, allow_errors: bool = False) -> list[list[Any]]:
    """The outputs of each cell."""
    book = notebook("%load_ext nbprod", *sources)
    client = nbclient.NotebookClient(
        book, timeout=120, allow_errors=allow_errors, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return [cell.outputs for cell in book.cells[1:]]


def text_of(outputs: list[Any]) -> str:
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> list[list[Any]]:
    """One kernel for all that does not need one of its own."""
    folder = tmp_path_factory.mktemp("magics")
    (folder / "churn.ipynb").write_text(nbformat.writes(notebook("import os", "x = 1", "print(x)")))
    return executed(
        folder,
        "%%data\nrows = [1, 2, 3]\nlen(rows)",
        "%%features --any options\nsquares = [row * row for row in rows]",
        "%%train\n%%time\nmodel = sum(squares)",
        "%%evaluate\nprint(model)\nmodel",
        "%%features\nfirst = 1\n\nfirst / 0",
        "%%capture held\n%%train\nprint('inside')\ncaptured = 5",
        "held.stdout, captured",
        "%nbprod inspect churn.ipynb --format json",
        "%nbprod",
        "%nbprod chek",
        "%nbprod inspect",
        "%nbprod inspect nowhere.ipynb",
        "_exit_code",
        "%%features\nimport asyncio\nawait asyncio.sleep(0, 'awaited')",
        "from IPython import get_ipython\nget_ipython().Completer.complete(line_buffer='%nbprod ch', cursor_pos=10)[1]",
        "%unload_ext nbprod\n%lsmagic",
        allow_errors=True,
    )


def test_a_role_cell_runs_in_the_notebooks_namespace_and_shows_its_last_value(ran: list[list[Any]]) -> None:
    assert text_of(ran[0]) == "3"
    assert text_of(ran[3]) == "14\n14"


def test_a_role_magic_stands_over_another_cell_magic(ran: list[list[Any]]) -> None:
    assert "Wall time" in text_of(ran[2])


def test_a_role_magic_stands_under_another_cell_magic(ran: list[list[Any]]) -> None:
    assert text_of(ran[6]) == "('inside\\n', 5)"


def test_an_error_in_a_role_cell_names_the_notebooks_line(ran: list[list[Any]]) -> None:
    (error,) = ran[4]
    assert error["ename"] == "ZeroDivisionError"
    assert any("line 4" in line or "----> 4" in line for line in error["traceback"])


def test_a_role_cell_may_await(ran: list[list[Any]]) -> None:
    assert text_of(ran[13]) == "'awaited'"


def test_a_verb_shows_the_commands_own_output(ran: list[list[Any]]) -> None:
    report = json.loads(text_of([output for output in ran[7] if output.get("name") != "stderr"]))
    assert [cell["index"] for cell in report["cells"]] == [0, 1, 2]


def test_without_a_verb_the_verbs_are_listed(ran: list[list[Any]]) -> None:
    assert "%nbprod explain" in text_of(ran[8])


def test_a_wrong_verb_is_told_with_the_nearest(ran: list[list[Any]]) -> None:
    assert 'did you mean "%nbprod check"?' in text_of(ran[9])


def test_a_notebook_that_cannot_be_found_is_asked_for(ran: list[list[Any]]) -> None:
    assert "Give its path: %nbprod check sales.ipynb" in text_of(ran[10])


def test_an_error_of_a_verb_is_shown_once_and_leaves_its_exit_code(ran: list[list[Any]]) -> None:
    assert text_of(ran[11]).count("there is no such file") == 1
    assert "Traceback" not in text_of(ran[11])
    assert text_of(ran[12]) == "2"


def test_verbs_complete(ran: list[list[Any]]) -> None:
    assert "check" in text_of(ran[14])


def test_unloading_takes_the_magics_away(ran: list[list[Any]]) -> None:
    assert "%%features" not in text_of(ran[15])


@pytest.mark.serial
def test_role_cells_run_under_papermill_with_a_notebook_that_nbprod_reads(tmp_path: Path) -> None:
    source = tmp_path / "in.ipynb"
    book = notebook("%load_ext nbprod", "n = 1", "%%features\nm = n + 1", "%%evaluate\nprint(m)", "%nbprod explain m")
    book.cells[1].metadata["tags"] = ["parameters"]
    source.write_text(nbformat.writes(book))
    papermill.execute_notebook(
        str(source), str(tmp_path / "out.ipynb"), {"n": 41, "PAPERMILL_INPUT_PATH": str(source)}, progress_bar=False
    )
    ran_book = nbformat.read(tmp_path / "out.ipynb", 4)
    assert text_of(ran_book.cells[4].outputs) == "42\n"
    assert "m = n + 1" in text_of(ran_book.cells[5].outputs)
    assert [cell.role for cell in read(source).cells] == [None, "parameters", "features", "evaluate", None]


@pytest.mark.serial
def test_a_raising_role_cell_stops_papermill(tmp_path: Path) -> None:
    source = tmp_path / "in.ipynb"
    source.write_text(nbformat.writes(notebook("%load_ext nbprod", "%%train\n\nraise ValueError('no rows')")))
    with pytest.raises(papermill.PapermillExecutionError, match="no rows"):
        papermill.execute_notebook(str(source), str(tmp_path / "out.ipynb"), progress_bar=False)


def test_loading_the_magics_pulls_in_nothing_heavy() -> None:
    heavy = ["mlflow", "papermill", "fastapi", "uvicorn", "sklearn", "pandas", "nbformat"]
    heavy += ["nbprod.server", "nbprod.api", "nbprod.cli", "nbprod.display", "nbprod.widgets", "ipywidgets"]
    code = f"import sys, nbprod.magics; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "namespace, environment, found",
    [
        pytest.param({}, {"JPY_SESSION_NAME": "{}/a.ipynb"}, True, id="JupyterLab tells it by the session"),
        pytest.param({"__vsc_ipynb_file__": "{}/a.ipynb"}, {}, True, id="VS Code tells it by a variable"),
        pytest.param({"PAPERMILL_INPUT_PATH": "{}/a.ipynb"}, {}, True, id="papermill tells it by a variable"),
        pytest.param({}, {"JPY_SESSION_NAME": "{}/gone.ipynb"}, False, id="a file that is gone is no answer"),
        pytest.param({}, {"JPY_SESSION_NAME": "RTC:{}/a.ipynb"}, True, id="with collaboration the name is marked"),
        pytest.param({"__vsc_ipynb_file__": "file://{}/a.ipynb"}, {}, True, id="VS Code may tell an address"),
        pytest.param(
            {}, {"JPY_SESSION_NAME": "/elsewhere/a.ipynb"}, False, id="a path of another machine is no answer"
        ),
        pytest.param({}, {"JPY_SESSION_NAME": "{}/console-1"}, False, id="a console is no notebook"),
        pytest.param({}, {}, False, id="nobody tells it"),
    ],
)
def test_the_current_notebook(
    tmp_path: Path, namespace: dict[str, str], environment: dict[str, str], found: bool
) -> None:
    (tmp_path / "a.ipynb").write_text("{}")
    (tmp_path / "console-1").write_text("")
    given = ({key: word.format(tmp_path) for key, word in table.items()} for table in (namespace, environment))
    assert notebook_path(*given) == (str(tmp_path / "a.ipynb") if found else None)
