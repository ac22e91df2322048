"""Where the packages of a notebook lie: one rule for the command line, and one for all that shows a notebook."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbprod.api.packages import package_of, target_in_project, target_of
from nbprod.versions.ledger import Entry, Ledger, ledger_bytes


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A notebook whose configuration stands in a parent folder; the current directory is the notebook's."""
    (tmp_path / "nbprod.toml").write_text('output = "packages"\n', "utf-8")
    folder = tmp_path / "notebooks" / "drafts"
    folder.mkdir(parents=True)
    (folder / "rooms.ipynb").write_text("{}", "utf-8")
    monkeypatch.chdir(folder)
    return "rooms.ipynb"


def test_the_command_line_finds_the_folder_of_the_configuration_from_within_the_project(notebook: str) -> None:
    assert target_of(notebook).root == Path("../../packages")


@pytest.mark.parametrize("is_configured", [True, False], ids=["outside the project", "no configuration"])
def test_else_the_command_line_goes_by_the_current_directory(
    notebook: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_configured: bool
) -> None:
    path = Path(notebook).resolve()
    if is_configured:
        monkeypatch.chdir(tmp_path.parent)
    else:
        (tmp_path / "nbprod.toml").unlink()
    assert target_of(str(path)).root == Path("packages" if is_configured else "pipelines")


def test_a_package_elsewhere_is_read_with_the_configuration_around_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "theirs"
    (theirs / "pipelines" / "rooms").mkdir(parents=True)
    (theirs / "nbprod.toml").write_text('[pipelines.rooms]\nowner = "ada"\n', "utf-8")
    entry = Entry(1, digest="0" * 64, when="2026-01-01T00:00:00Z", notebook="rooms.ipynb", commit=None, why="first")
    (theirs / "pipelines" / "rooms" / "versions.json").write_bytes(ledger_bytes(Ledger("rooms", (entry,))))
    monkeypatch.chdir(tmp_path)
    target = package_of("rooms", output="theirs/pipelines")
    assert (target.project.root, target.settings.owner) == (theirs, "ada")


def test_what_shows_a_notebook_goes_by_the_project_around_it(notebook: str, tmp_path: Path) -> None:
    target = target_in_project(notebook)
    assert (target.name, target.root) == ("rooms", tmp_path / "packages")
    assert target_of(notebook, output=str(target.root)) == target


def test_a_folder_that_is_given_is_the_one_that_is_meant(notebook: str) -> None:
    assert target_in_project(notebook, output="here").root == Path("here")


def test_an_absolute_folder_of_the_configuration_stands_for_itself(notebook: str, tmp_path: Path) -> None:
    (tmp_path / "nbprod.toml").write_text(f'output = "{(tmp_path / "elsewhere").as_posix()}"\n', "utf-8")
    assert target_in_project(notebook).root == tmp_path / "elsewhere"
