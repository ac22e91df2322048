"""The verb `deploy`: what is written, what stays, what is told, and that clones write the same."""

from __future__ import annotations

import json
import shutil
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from nbprod import api
from nbprod.api import deploying, deployments
from nbprod.api.deploying import is_stale
from nbprod.deploy.records import RECORD
from nbprod.errors import NbprodError
from nbprod.versions.files import replace_file
from nbprod.versions.lock import locked
from tests.deploy.packages import package

INFERENCE = "deploy/sales/kserve/inference-service.yaml"
KSERVE = "deploy/sales/kserve"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = package(tmp_path / "project", versions=2)
    monkeypatch.chdir(root)
    return root


def configure(root: Path, text: str) -> None:
    (root / "nbprod.toml").write_text(f"[pipelines.sales]\nnotebook = 'sales.ipynb'\n{text}\n")


def states(report: dict[str, Any]) -> dict[str, str]:
    return {each["path"]: each["state"] for each in report["files"]}


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_files_are_written_once_and_left_alone_from_then_on(project: Path) -> None:
    first = api.deploy("sales", "kserve")
    assert (first["version"], first["digest"], first["folder"]) == (2, "digest-2", KSERVE)
    assert states(first) == {INFERENCE: "new"}
    assert "image: sales:v2" in (project / INFERENCE).read_text()
    before = {path: path.stat().st_mtime_ns for path in (project / KSERVE).iterdir()}
    second = api.deploy("sales", "kserve")
    assert states(second) == {INFERENCE: "same"}
    assert {path: path.stat().st_mtime_ns for path in (project / KSERVE).iterdir()} == before
    assert not is_stale(second)


@pytest.mark.parametrize(
    "pandas, is_known",
    [
        pytest.param(metadata.version("pandas"), True, id="as it was fitted"),
        pytest.param("0.25.0", False, id="another version than that of the lock file"),
    ],
)
def test_what_libraries_need_in_turn_is_pinned_where_they_are_installed(
    tmp_path: Path, pandas: str, is_known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = package(tmp_path / "project", lock=f"pandas=={pandas}\n")
    monkeypatch.chdir(project)
    report = api.deploy("sales", "docker")
    constraints = project / "deploy/sales/docker/constraints.txt"
    assert constraints.exists() is is_known
    assert any("chosen at build time" in note for note in report["notes"]) is not is_known
    if is_known:
        assert f"numpy=={metadata.version('numpy')}" in constraints.read_text().splitlines()
        monkeypatch.setattr(deployments, "interpreter", lambda *_: shutil.which("false"))
        assert not is_stale(api.deploy("sales", "docker", check=True)), "what was known is kept beside the files"


def test_check_writes_nothing_and_finds_what_is_stale(project: Path) -> None:
    report = api.deploy("sales", "kserve", check=True)
    assert (states(report), is_stale(report)) == ({INFERENCE: "new"}, True)
    assert not (project / "deploy").exists()

    api.deploy("sales@1", "kserve")
    assert not is_stale(api.deploy("sales@1", "kserve", check=True))
    report = api.deploy("sales@2", "kserve", check=True)
    assert (states(report), is_stale(report)) == ({INFERENCE: "changed"}, True)
    assert "image: sales:v2" in report["files"][0]["diff"]
    assert "image: sales:v1" in (project / INFERENCE).read_text()


def test_what_a_person_changed_stays_until_the_target_asks_for_another_text_there(project: Path) -> None:
    api.deploy("sales@1", "kserve")
    mine = (project / INFERENCE).read_text().replace("image: sales:v1", "image: other:v1")
    (project / INFERENCE).write_text(mine)
    edited = api.deploy("sales@1", "kserve")
    assert (states(edited), is_stale(edited)) == ({INFERENCE: "edited"}, False)
    assert "image: other:v1" in edited["files"][0]["diff"]

    for _ in range(2):
        conflict = api.deploy("sales@2", "kserve")
        assert (states(conflict), is_stale(conflict)) == ({INFERENCE: "conflict"}, True)
        assert (project / INFERENCE).read_text() == mine
    assert is_stale(api.deploy("sales@2", "kserve", check=True))

    kept = api.deploy("sales@2", "kserve", keep=True)
    assert (states(kept), is_stale(kept, keep=True)) == ({INFERENCE: "conflict"}, False)
    again = api.deploy("sales@2", "kserve", check=True)
    assert (states(again), is_stale(again)) == ({INFERENCE: "edited"}, False)
    assert (project / INFERENCE).read_text() == mine
    assert states(api.deploy("sales@1", "kserve", check=True)) == {INFERENCE: "conflict"}, "the next change is told"


def test_what_a_person_and_the_target_changed_in_different_places_is_put_together(project: Path) -> None:
    api.deploy("sales@1", "kserve")
    (project / INFERENCE).write_text((project / INFERENCE).read_text().replace("minReplicas: 2", "minReplicas: 7"))
    before = tree(project)
    stale = api.deploy("sales@2", "kserve", check=True)
    assert (states(stale), is_stale(stale), tree(project) == before) == ({INFERENCE: "merged"}, True, True)

    record = (project / KSERVE / RECORD).read_bytes()
    assert states(api.deploy("sales@2", "kserve")) == {INFERENCE: "merged"}
    text = (project / INFERENCE).read_text()
    assert "image: sales:v2" in text
    assert "minReplicas: 7" in text
    again = api.deploy("sales@2", "kserve", check=True)
    assert (states(again), is_stale(again)) == ({INFERENCE: "edited"}, False)

    (project / KSERVE / RECORD).write_bytes(record)  # as it would stand had the process been killed before
    api.deploy("sales@2", "kserve")
    assert (project / INFERENCE).read_text() == text
    assert states(api.deploy("sales@2", "kserve", check=True)) == {INFERENCE: "edited"}


def test_force_writes_the_target_s_text_and_loses_none_of_a_person_s(project: Path) -> None:
    for number, name in enumerate((f"{INFERENCE}.orig", f"{INFERENCE}.orig1"), start=1):
        api.deploy("sales@1", "kserve", force=True)
        (project / INFERENCE).write_text(f"mine {number}\n")
        (forced,) = api.deploy("sales@2", "kserve", force=True)["files"]
        assert (forced["state"], forced["kept_as"]) == ("conflict", name)
        assert "image: sales:v2" in (project / INFERENCE).read_text()
        assert (project / name).read_text() == f"mine {number}\n"
        assert states(api.deploy("sales@2", "kserve", check=True)) == {INFERENCE: "same"}


def test_force_leaves_alone_what_differs_from_no_new_text(project: Path) -> None:
    api.deploy("sales", "kserve")
    (project / INFERENCE).write_text("mine\n")
    assert states(api.deploy("sales", "kserve", force=True)) == {INFERENCE: "edited"}
    assert (project / INFERENCE).read_text() == "mine\n"


def test_a_file_that_is_no_longer_needed_goes_if_nobody_changed_it(project: Path) -> None:
    configure(project, "retraining.cadence = 'weekly'\ndeploy.namespace = 'models'")
    api.deploy("sales", "kubernetes")
    job, space = (f"deploy/sales/kubernetes/{name}.yaml" for name in ("retraining", "namespace"))
    (project / space).write_text("mine\n")
    configure(project, "")

    report = api.deploy("sales", "kubernetes")
    found = states(report)
    assert (found[job], found[space]) == ("removed", "edited")
    assert (project / space).read_text() == "mine\n"
    assert not (project / job).exists()
    found = states(api.deploy("sales", "kubernetes", check=True))
    assert job not in found
    assert space not in found, "it is the person's alone by now"


def test_a_kill_before_the_record_is_mended_by_the_next_call(project: Path) -> None:
    api.deploy("sales@1", "kubernetes")
    folder = project / "deploy/sales/kubernetes"
    record = (folder / RECORD).read_bytes()
    api.deploy("sales@2", "kubernetes")
    whole = tree(folder)
    (folder / RECORD).write_bytes(record)  # as it would stand had the process been killed before

    report = api.deploy("sales@2", "kubernetes")
    assert set(states(report).values()) == {"same"}
    assert tree(folder) == whole
    (folder / RECORD).unlink()
    assert set(states(api.deploy("sales@2", "kubernetes")).values()) == {"same"}
    assert tree(folder) == whole


@pytest.mark.parametrize("after", [0, 1, 2, 5])
def test_a_kill_within_one_version_leaves_no_file_of_it_to_another(
    project: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    api.deploy("sales@1", "kubernetes")
    whole, done = tree(project / "deploy"), 0

    def killed(path: Path, content: bytes) -> None:
        nonlocal done
        if done == after + 1:  # the record comes first
            raise KeyboardInterrupt
        done += 1
        replace_file(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(deploying, "replace_file", killed)
        with pytest.raises(KeyboardInterrupt):
            api.deploy("sales@2", "kubernetes")
    api.deploy("sales@1", "kubernetes")
    assert tree(project / "deploy") == whole


def test_one_writes_at_a_time(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbprod.api.deploying.locked", partial(locked, wait=0.0))
    with locked(project / ".nbprod/deploying/sales"), pytest.raises(NbprodError) as caught:
        api.deploy("sales", "kserve")
    assert caught.value.code == "locked"
    assert not (project / "deploy").exists()


@pytest.mark.parametrize("file", ["requirements.lock", "state/learned.json"])
def test_a_version_that_was_changed_by_hand_is_not_deployed(project: Path, file: str) -> None:
    path = project / "pipelines/sales/v0002" / file
    path.write_text(path.read_text() + "\n")
    with pytest.raises(NbprodError) as caught:
        api.deploy("sales", "kserve")
    assert caught.value.code == "changed-version"
    assert states(api.deploy("sales@1", "kserve")) == {INFERENCE: "new"}


def test_a_version_of_a_release_that_had_its_modules_elsewhere_is_not_deployed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(package(tmp_path / "earlier", support="pipeline.py"))
    with pytest.raises(NbprodError) as caught:
        api.deploy("sales", "docker")
    assert caught.value.code == "earlier-layout"


def test_what_was_installed_is_asked_for_where_files_are_written_alone(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(deployments, "interpreter", lambda *_: shutil.which("false"))
        api.deploy("sales", "docker")
    assert not is_stale(api.deploy("sales", "docker", check=True)), "another machine knows more, and nothing is stale"


def test_a_kill_within_the_files_is_mended_too(project: Path) -> None:
    api.deploy("sales@1", "kubernetes")
    before = tree(project / "deploy")
    api.deploy("sales@2", "kubernetes")
    whole = tree(project / "deploy")
    for name in sorted(before)[::2]:
        (project / "deploy" / name).write_bytes(before[name])
    (project / "deploy/sales/kubernetes" / RECORD).write_bytes(before[f"sales/kubernetes/{RECORD}"])
    assert set(states(api.deploy("sales@2", "kubernetes")).values()) <= {"same", "changed"}
    assert tree(project / "deploy") == whole


@pytest.mark.parametrize("target", ["docker", "kubernetes", "kserve", "github", "gitlab"])
def test_two_clones_write_the_same_bytes(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origin, trees = package(tmp_path / "origin"), []
    for place in ("here", "elsewhere/in a deep/folder"):
        clone = Path(shutil.copytree(origin, tmp_path / place))
        monkeypatch.chdir(clone)
        api.deploy("sales", target)
        trees.append({name: content for name, content in tree(clone).items() if not name.startswith("pipelines/")})
    assert trees[0] == trees[1]
    assert str(tmp_path).encode() not in b"".join(trees[0].values())


def test_what_was_measured_is_the_same_in_a_clone_that_has_measured_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.deploy("sales", "kubernetes")
    record = project / "deploy/sales/kubernetes" / RECORD
    told = json.loads(record.read_text())
    assert told["load"] is None
    record.write_text(json.dumps(told | {"load": {"p99_ms": 5.0, "rps": 450.0, "memory_mb": 400.0}}))
    report = api.deploy("sales", "kubernetes")
    assert "memory: 576Mi" in (project / "deploy/sales/kubernetes/deployment.yaml").read_text()
    assert not any("resources are a guess" in note for note in report["notes"])
    assert not is_stale(api.deploy("sales", "kubernetes", check=True))
    api.deploy("sales@1", "kubernetes")
    assert json.loads(record.read_text())["load"] is None, "it was measured of another version"


def test_the_configuration_is_what_is_written(project: Path) -> None:
    configure(
        project,
        "owner = 'sales team'\ndeploy = { image = 'registry.example.org/sales', port = 9000, namespace = 'models',"
        " canary = 10 }\nrequirements = { memory_mb = 100, availability = 0.99 }\ndata.personal = ['name', 'other']",
    )
    api.deploy("sales", "docker")
    api.deploy("sales", "kserve")
    text = (project / INFERENCE).read_text()
    for each in ("image: registry.example.org/sales:v2", "namespace: models", "canaryTrafficPercent: 10", "9000"):
        assert each in text
    compose = (project / "deploy/sales/docker/compose.yaml").read_text()
    assert "- name" in compose, "personal data is not logged"
    assert "- other" in compose, "a record may hold more than the package needs, and all of it is logged"
    assert 'authors="sales team"' in (project / "deploy/sales/docker/Dockerfile").read_text()
    assert "PipelineFails" in (project / "deploy/sales/docker/alerts.yaml").read_text()


@pytest.mark.parametrize(
    "name, image",
    [("sales", "sales"), ("Sales_2024", "sales_2024"), ("private_", "private"), ("a___b", "a__b")],
)
def test_an_image_without_a_name_has_that_of_the_package_as_a_registry_takes_it(
    name: str, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(package(tmp_path / "project", name))
    api.deploy(name, "kserve")
    assert f"image: {image}:v1\n" in (tmp_path / f"project/deploy/{name}/kserve/inference-service.yaml").read_text()


@pytest.mark.parametrize(
    "target, hint",
    [
        ("dockr", 'did you mean "docker"?'),
        ("k8s", 'did you mean "kubernetes"?'),
        ("Kubernets", 'did you mean "kubernetes"?'),
        ("swarm!", "there are "),
    ],
)
@pytest.mark.usefixtures("project")
def test_an_unknown_target_is_told_with_the_nearest_one(target: str, hint: str) -> None:
    with pytest.raises(NbprodError) as caught:
        api.deploy("sales", target)
    assert caught.value.code == "unknown-target"
    assert (caught.value.hint or "").startswith(hint)


@pytest.mark.parametrize("folder", ["../elsewhere", ".", "/tmp", "deploy/../.."], ids=repr)
def test_a_folder_outside_of_the_project_is_refused(folder: str, project: Path) -> None:
    before = tree(project)
    with pytest.raises(NbprodError) as caught:
        api.deploy("sales", "kserve", folder=folder)
    assert (caught.value.code, tree(project)) == ("outside", before)


def test_a_folder_of_one_s_own_is_taken(project: Path) -> None:
    assert api.deploy("sales", "kserve", folder="k8s/sales/")["folder"] == "k8s/sales"
    assert (project / "k8s/sales/inference-service.yaml").is_file()


def test_a_folder_that_holds_another_target_s_files_is_refused(project: Path) -> None:
    api.deploy("sales", "docker", folder="ops")
    before = tree(project)
    with pytest.raises(NbprodError) as caught:
        api.deploy("sales", "kubernetes", folder="ops")
    assert caught.value.code == "taken"
    assert caught.value.message == "ops holds the files of sales for docker"
    assert tree(project) == before


def test_a_link_in_the_way_is_refused_before_anything_is_written(project: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (project / "deploy").symlink_to(tmp_path / "outside")
    with pytest.raises(NbprodError) as caught:
        api.deploy("sales", "docker")
    assert caught.value.code == "symlink"
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_damaged_record_is_refused_before_anything_is_written(project: Path) -> None:
    api.deploy("sales@1", "kserve")
    (project / KSERVE / RECORD).write_text("<<<<<<< ours")
    before = tree(project)
    with pytest.raises(NbprodError) as caught:
        api.deploy("sales@2", "kserve")
    assert (caught.value.code, tree(project)) == ("damaged-record", before)


def test_a_version_that_was_never_fitted_is_refused(project: Path) -> None:
    shutil.rmtree(project / "pipelines/sales/v0002/state")
    ledger = project / "pipelines/sales/versions.json"
    told = json.loads(ledger.read_text())
    told["versions"][1]["state"] = None
    ledger.write_text(json.dumps(told))
    with pytest.raises(NbprodError) as caught:
        api.deploy("sales@2", "kserve")
    assert caught.value.code == "not-fitted"
    assert api.deploy("sales", "kserve")["version"] == 1


def test_packages_outside_of_the_project_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = package(tmp_path / "project")
    (root / "pipelines").rename(tmp_path / "packages")
    monkeypatch.chdir(root)
    with pytest.raises(NbprodError) as caught:
        api.deploy("sales", "kserve", output=str(tmp_path / "packages"))
    assert caught.value.code == "outside"


@pytest.mark.parametrize(
    "text, said",
    [
        ("port = 70000", '"deploy.port" of sales: 70000 is not between 1 and 65535'),
        ("image = 'sales:v1'", '"deploy.image" of sales: "sales:v1" is no name of an image without tag'),
    ],
)
def test_settings_that_no_engine_takes_are_told_at_their_place(text: str, said: str, project: Path) -> None:
    configure(project, f"deploy.{text}")
    with pytest.raises(NbprodError) as caught:
        api.deploy("sales", "kserve")
    assert caught.value.code == "bad-config"
    assert caught.value.message.startswith(said)
    assert (caught.value.where and caught.value.where.path) == str(project / "nbprod.toml")
    assert not (project / "deploy").exists()


def test_an_interval_takes_two_parameters(project: Path) -> None:
    configure(project, "retraining.interval = ['since']")
    with pytest.raises(NbprodError) as caught:
        api.deploy("sales", "kserve")
    assert caught.value.code == "bad-config"


def test_what_is_not_known_of_the_notebook_is_told(project: Path) -> None:
    assert (
        "sales.ipynb is not here: a run is one task, whose stages are not told apart"
        in (api.deploy("sales", "kserve")["notes"])
    )
