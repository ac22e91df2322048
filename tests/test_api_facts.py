"""What the checklist goes by, gathered from a project on disk."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nbprod.api import facts as facts_module
from nbprod.api.facts import facts_of
from nbprod.api.gates import Case
from nbprod.api.gates.readiness import ready
from nbprod.api.packages import target_in_project
from nbprod.api.proving import EXECUTED, RUNS
from nbprod.model.run import RunSummary, Version
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


def shows(text: str) -> str:
    """A notebook whose one cell shows a text."""
    output = {"output_type": "stream", "name": "stdout", "text": text}
    cell = {"cell_type": "code", "execution_count": 1, "id": "a", "metadata": {}, "outputs": [output], "source": "f()"}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.mark.parametrize(
    "first, shown",
    [
        pytest.param({}, ("before", "by hand"), id="by hand"),
        pytest.param({"nbprod.ci": "a CI service"}, None, id="by a CI service"),
        pytest.param({"nbprod.retrain": "true"}, None, id="trained again"),
    ],
)
def test_outputs_are_held_to_the_first_run_by_hand(
    first: dict[str, str], shown: tuple[str, str] | None, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project / "our work" / "a.ipynb"
    path.write_text(shows("before"))
    same = {"nbprod.notebook_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    now = datetime(2026, 1, 2, tzinfo=UTC)
    runs = []
    for name, tags, text in (("r1", first, "by hand"), ("r2", {"nbprod.retrain": "true"}, "of other data")):
        folder = project / RUNS / name
        folder.mkdir(parents=True)
        (folder / EXECUTED).write_text(shows(text))
        runs.insert(
            0, RunSummary(name, "a", "a", "FINISHED", now, now, {}, {"auc": 0.5}, {**same, **tags}, "http://away")
        )
    monkeypatch.setattr(facts_module, "_stored", lambda _: (tuple(runs), {}, None))

    found = known(path)

    assert [(each.saved, each.fresh) for each in found.shown_otherwise] == ([] if shown is None else [shown])
    assert (None if found.as_saved is None else found.as_saved.run_id) == (None if shown is None else "r1")
    assert (found.finished is not None, dict(found.metrics)) == (True, {"auc": 0.5})


@pytest.mark.parametrize(
    "of_ci, by_hand, other",
    [
        pytest.param([("a.csv", "1")], [("/other/a.csv", "1")], False, id="the same contents elsewhere"),
        pytest.param([("a.csv", "2")], [("a.csv", "1")], True, id="other contents"),
        pytest.param([("a.csv", "1")], None, None, id="no record of the run by hand"),
        pytest.param(None, [("a.csv", "1")], None, id="no run by CI"),
    ],
)
def test_whether_ci_has_read_other_data_than_a_run_by_hand(
    of_ci: list[tuple[str, str]] | None,
    by_hand: list[tuple[str, str]] | None,
    other: bool | None,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, now = project / "our work" / "a.ipynb", datetime(2026, 1, 1, tzinfo=UTC)
    same = {"nbprod.notebook_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    runs = []
    for name, files, tags in (("ci", of_ci, {"nbprod.ci": "CI"}), ("hand", by_hand, {})):
        folder = project / name
        folder.mkdir()
        if files is not None:
            (folder / "inputs.json").write_text(json.dumps([{"path": at, "sha256": sha} for at, sha in files]))
        if files is not None or name == "hand":
            runs.append(RunSummary(name, "a", "a", "FINISHED", now, now, {}, {}, {**same, **tags}, str(folder)))
    monkeypatch.setattr(facts_module, "_stored", lambda _: (tuple(runs), {}, None))

    assert known(path).ci_read_other_data is other
