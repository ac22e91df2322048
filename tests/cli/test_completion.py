"""Shell completion: verbs, options, notebooks and packages."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from nbprod.cli.app import VERBS, app


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("churn.ipynb", "other.py", "notes.md", "deep/inside.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    for name in ("churn", "titanic"):
        (tmp_path / "pipelines" / name).mkdir(parents=True)
        (tmp_path / "pipelines" / name / "versions.json").write_text("{}")


@pytest.mark.parametrize(
    "words, incomplete, found",
    [
        pytest.param([], "ver", ["verify", "versions"], id="a-verb"),
        pytest.param([], "", list(VERBS), id="all-verbs"),
        pytest.param(["inspect"], "ch", ["churn.ipynb"], id="a-notebook"),
        pytest.param(["inspect"], "", ["churn.ipynb", "deep/", "other.py", "pipelines/"], id="notebooks-and-folders"),
        pytest.param(["inspect"], "deep/", ["deep/inside.ipynb"], id="a-notebook-in-a-folder"),
        pytest.param(["check"], "gone/", [], id="a-folder-that-is-not-there"),
        pytest.param(["versions"], "", ["churn", "titanic"], id="packages"),
        pytest.param(["versions", "churn"], "pro", ["promote"], id="an-action"),
        pytest.param(["tag"], "--cl", ["--clear"], id="an-option"),
        pytest.param(["inspect", "--format"], "s", ["sarif"], id="a-format"),
    ],
)
def test_what_is_offered(words: list[str], incomplete: str, found: list[str]) -> None:
    completion = ShellComplete(app, {}, "nbprod", "_NBPROD_COMPLETE")

    assert [each.value for each in completion.get_completions(words, incomplete)] == found
