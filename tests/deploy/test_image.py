"""The image: built by a builder from the files that are written, and asked as it serves. `make test-image` runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from nbprod import api
from nbprod.deploy import image
from tests.deploy.test_container import SECONDS, ask, free_port

pytestmark = pytest.mark.image

ALONE = {"BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "vfs"}
"""What buildah takes where it may make no namespaces, as in a container."""
TAG = "nbprod-test/leavers:v1"
ROW = {"age": 41, "fare": 12.5, "town": "b"}


class Image(Struct, frozen=True):
    """An image that was built; `run` is the command before those that run in it, by this machine's network."""

    run: tuple[str, ...]
    port: int

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.run, *words], env={**os.environ, **ALONE}, capture_output=True, text=True, check=False
        )


def does(*words: str, folder: Path | None = None) -> str:
    """What a builder says, which has to end well."""
    done = subprocess.run(words, env={**os.environ, **ALONE}, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout.strip()


@pytest.fixture(scope="module")
def built(ran: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Image, Path]]:
    """The image of a project, and the project."""
    builder = os.environ.get("NBPROD_BUILDER")
    if not builder:
        pytest.skip("NBPROD_BUILDER names nothing that builds images (make test-image looks for it)")
    folder, port = Path(shutil.copytree(ran, tmp_path_factory.mktemp("image") / "project")), free_port()
    base = os.environ.get("NBPROD_BASE_IMAGE")
    with (folder / "nbprod.toml").open("a") as configuration:
        configuration.write(f"deploy.port = {port}\n" + (f"deploy.base_image = '{base}'\n" if base else ""))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        api.deploy("leavers", "docker")
    file = "deploy/leavers/docker/Dockerfile"
    if builder == "docker":
        does("docker", "build", "--file", file, "--tag", TAG, ".", folder=folder)
        alone = ("--rm", "--read-only", "--network", "host", "--entrypoint", "")
        yield Image(("docker", "run", *alone, TAG), port), folder
        does("docker", "rmi", TAG)
        return
    ignored = ("--ignorefile", f"{file}.dockerignore")
    does("buildah", "build", "--format", "docker", "--file", file, *ignored, "--tag", TAG, ".", folder=folder)
    container = does("buildah", "from", "--pull-never", TAG)
    yield Image(("buildah", "run", container, "--"), port), folder
    does("buildah", "rm", container)
    does("buildah", "rmi", TAG)


def test_it_has_no_rights_and_no_tools(built: tuple[Image, Path]) -> None:
    made, _ = built
    assert made.call("id", "-u").stdout.strip() == str(image.USER)
    for place in ("/app/new", "/opt/venv/new"):
        assert made.call("touch", place).returncode != 0
    assert "No module named pip" in made.call("python", "-m", "pip", "--version").stderr
    assert made.call("sh", "-c", "command -v gcc").returncode != 0
    assert made.call("sh", "-c", "ls /app").stdout.split() == ["leavers"]


def test_it_serves_what_the_package_answers_and_is_healthy(built: tuple[Image, Path]) -> None:
    made, folder = built
    command = ["python", "-m", "leavers", "--version", "v0001", *image.serving(made.port)]
    process = subprocess.Popen([*made.run, *command], env={**os.environ, **ALONE}, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + SECONDS
        while made.call(*image.health_check(made.port)).returncode:
            assert process.poll() is None
            assert time.monotonic() < until, "it did not get ready"
        told = json.loads(ask(str(made.port), "/predict", ROW)[0])
    finally:
        process.terminate()
        process.wait(SECONDS)
    (folder / "row.csv").write_text(f"{','.join(ROW)}\n{','.join(map(str, ROW.values()))}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        api.score("leavers", "row.csv", "scored.csv")
    assert str(told["predictions"][0]) == (folder / "scored.csv").read_text().split()[-1].rpartition(",")[2]
