"""What the checklist goes by, gathered from a project on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbprod.api.facts import facts_of
from nbprod.api.gates import Case
from nbprod.api.gates.readiness import ready
from nbprod.api.packages import target_in_project
from nbprod.model.run import Version
from nbprod.readiness.facts import Facts


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a notebook in a folder whose name has a space."""
    cell = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": [], "source": "x = 1"}
    (tmp_path / "our work").mkdir()
    text = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    (tmp_path / "our work" / "a.ipynb").write_text(text)
    (tmp_path / "nbprod.toml").write_text('[pipelines.a]\nnotebook = "our work/a.ipynb"\n')
    return tmp_path


def known(path: Path | str) -> Facts:
    return facts_of(target_in_project(str(path)), str(path))


@pytest.mark.parametrize("folder", [".", "our work", ".."])
def test_places_are_told_from_the_projects_root_wherever_one_stands(
    folder: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = (project / folder).resolve()
    monkeypatch.chdir(here)
    path = project / "our work" / "a.ipynb"

    assert known(path).places == ("our work/a.ipynb",)
    if path.is_relative_to(here):
        assert known(path.relative_to(here)).places == ("our work/a.ipynb",)


@pytest.mark.parametrize(
    "file, found",
    [
        pytest.param("Dockerfile", True, id="at the root"),
        pytest.param("service/Dockerfile", True, id="in a folder"),
        pytest.param("k8s/base/service.yml", True, id="a manifest"),
        pytest.param("compose.yaml", True, id="compose"),
        pytest.param("data/columns.yaml", False, id="another YAML file"),
        pytest.param(".venv/lib/Dockerfile", False, id="in a hidden folder"),
        pytest.param("env/lib/python3.12/site-packages/x/Dockerfile", False, id="of a library"),
        pytest.param("a/b/c/d/e/Dockerfile", False, id="too deep"),
    ],
)
def test_manifests_are_those_of_the_project(file: str, found: bool, project: Path) -> None:
    (project / file).parent.mkdir(parents=True, exist_ok=True)
    (project / file).write_text("")

    assert known(project / "our work" / "a.ipynb").manifests == ((file,) if found else ())


def test_a_store_that_can_not_be_asked_leaves_the_rest_of_the_checklist(project: Path) -> None:
    (project / "nbprod.toml").write_text('tracking_uri = "http://ada:geheim@127.0.0.1:9"\n')

    found = known(project / "our work" / "a.ipynb")

    assert found.store_fault is not None
    assert "does not answer" in found.store_fault
    assert "geheim" not in found.store_fault
    assert found.runs == ()
    assert found.people is None


def test_no_version_passes_a_checklist_without_its_store(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "nbprod.toml").write_text('tracking_uri = "http://127.0.0.1:9"\n')
    monkeypatch.chdir(project)
    candidate = Version(1, "d1", "2026-01-01", "our work/a.ipynb", None, "first export", state="s1")

    gate = ready(Case(target_in_project("our work/a.ipynb"), candidate, None, lambda _: None))

    assert (gate.outcome, gate.blocks) == ("unknown", True)
    assert "does not answer" in gate.reason
