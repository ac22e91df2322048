"""The base image's digest: what Docker is asked, what is written down, and what goes wrong."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from nbprod import api
from nbprod.api import pinning
from nbprod.errors import NbprodError
from tests.deploy.packages import package

DIGEST, OTHER = ("sha256:" + letter * 64 for letter in "ab")
CONFIGURATION = """\
# The team's.
[pipelines.sales]
notebook = "sales.ipynb"  # the one

[pipelines.sales.deploy]
# Where it runs.
port = 9000
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = package(tmp_path / "project")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a `docker` on the path that answers with a text, and writes down what it was asked."""
    tools = tmp_path / "bin"
    tools.mkdir()
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")

    def put(out: str = "", error: str = "", code: int = 0, *, lasting: float = 0) -> Path:
        script = (
            f'#!/bin/sh\nfor word in "$@"; do echo "$word" >>\'{tools}/asked\'; done\n'
            f"sleep {lasting}\nprintf '%s' '{out}'\nprintf '%s' '{error}' >&2\nexit {code}\n"
        )
        (tools / "docker").write_text(script)
        (tools / "docker").chmod(0o755)
        return tools / "asked"

    return put


def base_image(root: Path) -> str:
    told = tomllib.loads((root / "nbprod.toml").read_text())
    return str(told["pipelines"]["sales"]["deploy"]["base_image"])


def test_the_digest_is_asked_for_declared_and_written(project: Path, docker: Any) -> None:
    (project / "nbprod.toml").write_text(CONFIGURATION)
    asked = docker(f"{DIGEST}\n")

    report = api.deploy("sales", "docker", pin=True)

    image = "python:3.12-slim-bookworm"
    assert asked.read_text().splitlines() == [
        "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}", image,
    ]  # fmt: skip
    assert base_image(project) == f"{image}@{DIGEST}"
    assert f"ARG BASE_IMAGE={image}@{DIGEST}\n" in (project / "deploy/sales/docker/Dockerfile").read_text()
    assert not any("not pinned" in note for note in report["notes"])
    text = (project / "nbprod.toml").read_text()
    assert all(line in text for line in CONFIGURATION.splitlines()), "comments and keys stay"


def test_without_a_configuration_one_is_begun(project: Path, docker: Any) -> None:
    docker(DIGEST)
    api.deploy("sales", "docker", pin=True)
    assert base_image(project) == f"python:3.12-slim-bookworm@{DIGEST}"


def test_what_is_pinned_is_asked_for_anew_by_its_tag(project: Path, docker: Any) -> None:
    (project / "nbprod.toml").write_text(
        f"[pipelines.sales]\nnotebook = 'sales.ipynb'\ndeploy.base_image = 'debian:13@{DIGEST}'\n"
    )
    asked = docker(OTHER)
    api.deploy("sales", "docker", pin=True)
    assert asked.read_text().splitlines()[-1] == "debian:13"
    assert base_image(project) == f"debian:13@{OTHER}"


@pytest.mark.parametrize(
    "out, error, code, said",
    [
        pytest.param("", "ERROR: failed to do request: no such host\n", 1, "no such host", id="no registry"),
        pytest.param("", "docker: unknown command: docker buildx\n", 1, "unknown command", id="no buildx"),
        pytest.param("", "", 1, "it ended with 1 and said nothing", id="nothing said"),
        pytest.param("{{.Manifest.Digest}}", "", 0, "{{.Manifest.Digest}}", id="no digest"),
        pytest.param(DIGEST, "unauthorized", 1, "unauthorized", id="a digest, and a failure"),
    ],
)
def test_where_docker_gives_no_digest_nothing_is_written(
    out: str, error: str, code: int, said: str, project: Path, docker: Any
) -> None:
    docker(out, error, code)
    with pytest.raises(NbprodError) as caught:
        api.deploy("sales", "docker", pin=True)
    assert caught.value.code == "not-pinned"
    assert said in caught.value.message
    assert "docker buildx imagetools inspect --format '{{.Manifest.Digest}}'" in (caught.value.hint or "")
    assert not (project / "nbprod.toml").exists()
    assert not (project / "deploy").exists()


@pytest.mark.parametrize(
    "image",
    [
        pytest.param("debian", id="a name"),
        pytest.param(f"debian@{DIGEST}", id="a digest"),
        pytest.param(f"registry.example.org:5000/team/debian@{DIGEST}", id="a registry's port is no tag"),
    ],
)
def test_what_has_no_tag_does_not_become_the_latest(image: str, project: Path, docker: Any) -> None:
    told = f"[pipelines.sales]\nnotebook = 'sales.ipynb'\ndeploy.base_image = '{image}'\n"
    (project / "nbprod.toml").write_text(told)
    asked = docker(OTHER)
    with pytest.raises(NbprodError, match="has no tag") as caught:
        api.deploy("sales", "docker", pin=True)
    assert caught.value.code == "not-pinned"
    assert f'"{image.partition("@")[0]}:TAG"' in (caught.value.hint or "")
    assert not asked.exists()
    assert (project / "nbprod.toml").read_text() == told


def test_docker_that_gives_no_answer_is_not_waited_for(docker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    docker(DIGEST, lasting=30)
    monkeypatch.setattr(pinning, "SECONDS", 0.5)
    with pytest.raises(NbprodError, match="no answer within"):
        pinning.digest_of("python:3.12")


def test_where_there_is_no_docker_that_is_told(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NbprodError) as caught:
        api.deploy("sales", "docker", pin=True)
    assert caught.value.code == "no-docker"
    assert "deploy.base_image = python:3.12-slim-bookworm@sha256:..." in (caught.value.hint or "")
    assert not (project / "nbprod.toml").exists()


@pytest.mark.usefixtures("project")
def test_a_target_without_an_image_has_nothing_to_pin(docker: Any) -> None:
    docker(DIGEST)
    with pytest.raises(NbprodError) as caught:
        api.deploy("sales", "github", pin=True)
    assert (caught.value.code, caught.value.message) == ("usage", "github builds no image: --pin is for docker")
