import subprocess
from pathlib import Path

import pytest

from nbprod.versions import git_state


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "trunk")
    git(tmp_path, "config", "user.name", "A")
    git(tmp_path, "config", "user.email", "a@example.org")
    return tmp_path


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path) -> str:
    (folder / "nb.ipynb").write_text("one\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return git(folder, "rev-parse", "HEAD")


def test_a_clean_tree_has_a_commit_and_no_diff(repository: Path) -> None:
    head = commit(repository)
    state = git_state(repository)
    assert state is not None
    assert (state.commit, state.branch, state.dirty, state.diff) == (head, "trunk", False, "")


def test_a_changed_file_makes_it_dirty_and_is_in_the_diff(repository: Path) -> None:
    commit(repository)
    (repository / "nb.ipynb").write_text("two\n")
    state = git_state(repository / "nb.ipynb")
    assert state is not None
    assert state.dirty
    assert "-one\n+two" in state.diff


def test_an_untracked_file_makes_it_dirty_and_an_ignored_one_does_not(repository: Path) -> None:
    (repository / ".gitignore").write_text("ignored\n")
    commit(repository)
    (repository / "ignored").write_text("")
    assert not git_state(repository).dirty
    (repository / "new.txt").write_text("")
    assert git_state(repository).dirty


def test_before_the_first_commit_there_is_none(repository: Path) -> None:
    (repository / "a").write_text("")
    state = git_state(repository)
    assert state is not None
    assert (state.commit, state.branch, state.dirty, state.diff) == (None, "trunk", True, "")


def test_a_detached_head_has_no_branch(repository: Path) -> None:
    head = commit(repository)
    git(repository, "checkout", "-q", head)
    assert git_state(repository).branch is None


def test_outside_of_a_repository_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert git_state(tmp_path) is None
    assert git_state(tmp_path / "not" / "there") is None


def test_without_git_there_is_nothing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(repository)
    monkeypatch.setenv("PATH", "/nonexistent")
    assert git_state(repository) is None


def test_a_hook_of_another_repository_does_not_answer_for_this_one(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = commit(repository)
    monkeypatch.setenv("GIT_DIR", str(tmp_path_factory.mktemp("other")))
    assert git_state(repository).commit == head
