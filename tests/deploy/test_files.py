"""What holds of the files of every target: determinism, heads, places, YAML that a linter takes."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from nbprod.deploy.targets import TARGETS
from nbprod.errors import NbprodError
from nbprod.model.deployment import Deployment
from tests.deploy.deployments import KNOWN, ODD, OLD, TRAINING, documents, files_of, passes, shell, tool, written

YAMLLINT = """
extends: default
rules:
  comments: disable
  document-start: disable
  indentation: {spaces: 2, indent-sequences: true}
  line-length: disable
  truthy: {check-keys: false}
"""
COMMANDS = {"airflow", "docker", "gh", "git", "kfp", "kubectl", "ln", "nbprod", "spark-submit"}
each_target = pytest.mark.parametrize("target", TARGETS)
each = pytest.mark.parametrize(
    "deployment, target",
    [
        pytest.param(known.values[0], target, id=f"{target}, {known.id}")
        for known in KNOWN
        for target in TARGETS
        if not (known.values[0] is OLD and target in TRAINING)
    ],
)


@each
def test_the_same_deployment_gives_the_same_texts_and_no_machine_s_path(deployment: Deployment, target: str) -> None:
    first = files_of(deployment, target)
    assert first == files_of(deployment, target)
    assert first
    here = str(Path(__file__).parents[2])
    assert [path for path, text in first.items() if here in text or str(Path.home()) + "/" in text] == []


@each
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


@each
def test_yaml_is_what_yamllint_takes(deployment: Deployment, target: str, tmp_path: Path) -> None:
    written(deployment, target, tmp_path)
    found = sorted(str(path) for ending in ("yaml", "yml") for path in tmp_path.rglob(f"*.{ending}"))
    if found:
        passes(tool("yamllint"), "--strict", "--config-data", YAMLLINT, *found)
    for path in found:
        assert documents(Path(path).read_text())


@each
def test_what_comes_next_and_what_to_know_is_told(deployment: Deployment, target: str) -> None:
    exporter = TARGETS[target]
    assert exporter.steps(deployment, ODD)
    notes = exporter.notes(deployment, ODD)
    assert all(note == note.strip() and not note.endswith(".") for note in notes)
    assert not any(f"deploy/{deployment.name}/{target}" in note for note in notes)


@each
def test_what_comes_next_is_a_command_as_a_shell_takes_it(deployment: Deployment, target: str, tmp_path: Path) -> None:
    places = {path for path in files_of(deployment, target, ODD) if path.startswith(ODD)}
    places |= {ODD, f"{ODD}/pipeline.yaml"}
    for step in TARGETS[target].steps(deployment, ODD):
        for command in step.split(" && "):
            words = shell(f'set -- {command}\nprintf "%s\\n" "$@"', tmp_path).splitlines()
            assert words[0] in COMMANDS
            assert not any(word.endswith((",", ":")) for word in words), "prose stands behind a #"
            assert {word.removeprefix(f"{tmp_path}/") for word in words if "[files]" in word} <= places


@pytest.mark.parametrize("target", TRAINING)
def test_where_nbprod_does_not_run_in_the_notebook_s_python_that_is_refused_with_the_way_out(target: str) -> None:
    with pytest.raises(NbprodError) as caught:
        files_of(OLD, target)
    assert caught.value.code == "old-python"
    assert "version 3 of old was fitted with 3.9" in caught.value.message
    assert "nbprod run sales.ipynb" in (caught.value.hint or "")
