"""The example projects of `nbprod demo`: copied, made a project, edited."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbprod.api.demo import apply_edit, copy_example, examples
from nbprod.config import find_project
from nbprod.errors import NbprodError
from nbprod.notebook import read

NAMES = sorted(examples())


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_both_examples_are_there() -> None:
    assert NAMES == ["housing", "titanic"]


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_is_a_project_of_its_own_with_its_data(name: str) -> None:
    example = copy_example(name, "here")

    project = find_project(example.folder / example.notebook)
    assert project.root == Path("here").resolve()
    assert project.config.pipelines[example.name].notebook == example.notebook
    assert list((example.folder / "data").iterdir())
    assert (example.folder / example.notebook).read_bytes() == (examples()[name] / example.notebook).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_edit_changes_one_cell_and_the_record_lacks_the_target(name: str) -> None:
    example = copy_example(name, "here")
    path = example.folder / example.notebook
    before = [cell.source for cell in read(path).cells]

    changed = apply_edit(example)

    after = [cell.source for cell in read(path).cells]
    assert [index for index, (old, new) in enumerate(zip(before, after, strict=True)) if old != new] == [changed]
    assert example.edit.new in after[changed]
    assert json.loads(path.read_text())["nbformat"] == 4
    assert example.record


def test_each_call_without_a_folder_takes_a_new_one() -> None:
    places = [copy_example("titanic", None).folder.as_posix() for _ in range(3)]

    assert places == ["nbprod-demo/titanic", "nbprod-demo/titanic-2", "nbprod-demo/titanic-3"]


def test_a_folder_that_holds_something_is_left_alone(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "work.txt").write_text("mine")

    with pytest.raises(NbprodError, match="holds something already"):
        copy_example("titanic", "mine")

    assert [path.name for path in (folder / "mine").iterdir()] == ["work.txt"]


def test_an_unknown_example_names_those_that_there_are() -> None:
    with pytest.raises(NbprodError) as raised:
        copy_example("iris", None)

    assert raised.value.hint == "there are: housing, titanic"
