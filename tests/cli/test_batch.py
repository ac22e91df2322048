"""Which notebooks are meant, and that one that fails leaves the others alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nbprod.cli.batch import each_of, notebooks_in
from nbprod.errors import NbprodError, Where

TREE = {
    "a.ipynb": "",
    "b.py": "# %%\nx = 1\n",
    "module.py": "x = 1\n",
    "notes.md": "",
    "deep/c.ipynb": "",
    ".ipynb_checkpoints/a-checkpoint.ipynb": "",
    "node_modules/d.ipynb": "",
    "env/pyvenv.cfg": "",
    "env/e.ipynb": "",
    "pipelines/a/versions.json": "{}",
    "pipelines/a/v0001/f.ipynb": "",
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    "arguments, found",
    [
        pytest.param(["a.ipynb"], ["a.ipynb"], id="a-file"),
        pytest.param(["module.py"], ["module.py"], id="a-plain-script-when-it-is-named"),
        pytest.param(["."], ["a.ipynb", "b.py", "deep/c.ipynb"], id="a-folder-without-what-is-no-notebook"),
        pytest.param(["*.ipynb"], ["a.ipynb"], id="a-glob"),
        pytest.param(["deep/**/*.ipynb"], ["deep/c.ipynb"], id="a-glob-over-folders"),
        pytest.param(["deep", "a.ipynb", "deep/c.ipynb"], ["deep/c.ipynb", "a.ipynb"], id="each-once-in-order"),
        pytest.param(["gone.ipynb", "a.ipynb"], ["gone.ipynb", "a.ipynb"], id="a-missing-file-is-left-to-fail-alone"),
    ],
)
def test_arguments_stand_for_notebooks(arguments: list[str], found: list[str]) -> None:
    assert list(notebooks_in(arguments)) == found


@pytest.mark.usefixtures("tree")
def test_a_folder_leaves_out_what_is_excluded() -> None:
    assert list(notebooks_in(["."], ["deep/*", "b.py"])) == ["a.ipynb"]


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("argument", ["node_modules/*.txt", "env/lib*"])
def test_a_glob_that_matches_nothing_is_an_error(argument: str) -> None:
    with pytest.raises(NbprodError, match="no notebook matches"):
        notebooks_in([argument])


def work(path: str) -> str:
    match Path(path).stem:
        case "bad":
            raise NbprodError("not good", code="bad", where=Where(path), hint="mend it")
        case "broken":
            raise ZeroDivisionError("oh")
        case "killed":
            os._exit(9)
        case stem:
            return stem.upper()


def test_the_outcomes_come_in_order_and_a_failure_stays_alone() -> None:
    outcomes = list(each_of(work, ["a", "bad", "broken", "b"]))

    assert [outcome.value for outcome in outcomes] == ["A", None, None, "B"]
    assert [outcome.error and outcome.error.code for outcome in outcomes] == [None, "bad", "internal", None]
    assert outcomes[1].error is not None
    assert (str(outcomes[1].error.where), outcomes[1].error.hint) == ("bad", "mend it")


def test_a_killed_worker_is_told_as_such() -> None:
    outcomes = list(each_of(work, ["killed", "killed"]))

    assert [outcome.error and outcome.error.code for outcome in outcomes] == ["killed", "killed"]


def test_a_fault_on_a_single_notebook_reaches_the_edge_with_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        list(each_of(work, ["broken"]))
