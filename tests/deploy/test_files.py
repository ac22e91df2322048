"""What holds of the files of every target: determinism, heads, places, YAML that a linter takes."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from nbprod.deploy.targets import TARGETS
from nbprod.model.deployment import Deployment
from tests.deploy.deployments import KNOWN, documents, files_of, passes, tool, written

YAMLLINT = """
extends: default
rules:
  comments: disable
  document-start: disable
  indentation: {spaces: 2, indent-sequences: true}
  line-length: disable
  truthy: {check-keys: false}
"""
each_target = pytest.mark.parametrize("target", TARGETS)
each_deployment = pytest.mark.parametrize("deployment", KNOWN)


@each_target
@each_deployment
def test_the_same_deployment_gives_the_same_texts_and_no_machine_s_path(deployment: Deployment, target: str) -> None:
    first = files_of(deployment, target)
    assert first == files_of(deployment, target)
    assert first
    here = str(Path(__file__).parents[2])
    assert [path for path, text in first.items() if here in text or str(Path.home()) + "/" in text] == []


@each_target
@each_deployment
def test_files_lie_in_the_project_and_say_who_writes_them(deployment: Deployment, target: str) -> None:
    for path, text in files_of(deployment, target).items():
        assert not PurePosixPath(path).is_absolute()
        assert ".." not in PurePosixPath(path).parts
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        if not path.endswith(".json"):
            said = f"Written by `nbprod deploy {deployment.name} {target}` for version 3.\n"
            assert text.startswith((f"# {said}", f"<!--\n {said}")), path


@each_target
def test_another_folder_holds_the_same_files(target: str) -> None:
    deployment = KNOWN[0].values[0]
    assert isinstance(deployment, Deployment)
    one, other = files_of(deployment, target, "deploy/sales/there"), files_of(deployment, target, "else/where/it/is")
    assert [path.replace("deploy/sales/there", "else/where/it/is") for path in one] == list(other)


@each_target
@each_deployment
def test_yaml_is_what_yamllint_takes(deployment: Deployment, target: str, tmp_path: Path) -> None:
    written(deployment, target, tmp_path)
    found = sorted(str(path) for ending in ("yaml", "yml") for path in tmp_path.rglob(f"*.{ending}"))
    if found:
        passes(tool("yamllint"), "--strict", "--config-data", YAMLLINT, *found)
    for path in found:
        assert documents(Path(path).read_text())


@each_target
@each_deployment
def test_what_comes_next_and_what_to_know_is_told(deployment: Deployment, target: str) -> None:
    exporter = TARGETS[target]
    folder = f"deploy/{deployment.name}/{target}"
    assert all(exporter.steps(deployment, folder))
    assert all(note == note.strip() and not note.endswith(".") for note in exporter.notes(deployment))
