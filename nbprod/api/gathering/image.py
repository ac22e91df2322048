"""DT-5: the image of the declared target is built, started, and asked whether it is ready."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from uuid import uuid4

from nbprod.api.gathering.ground import Ground, Probe, UntriedError
from nbprod.model.readiness import Evidence
from nbprod.readiness.containers import image_lacks

BUILD_SECONDS, START_SECONDS = 1800.0, 60.0
LINES = 3
"""Of what Docker says last, where it fails."""
TARGETS = frozenset({"docker", "kubernetes"})


def run(ground: Ground) -> Iterator[Evidence]:
    """Evidence where the target needs an image and a Docker daemon answers."""
    if (ground.facts.settings.deploy_target or "").lower() not in TARGETS:
        return
    files = {name: text for name, text in ground.facts.manifest_texts.items() if name.split("/")[-1] == "Dockerfile"}
    own = [name for name in files if f"/{ground.target.name}/" in f"/{name}"]
    path = next(iter(own or sorted(files)), None)
    if path is None:
        raise UntriedError("the project has no Dockerfile")
    if any(image_lacks(path, files[path])):
        raise UntriedError(f"{path} lacks something by its text already")
    docker = shutil.which("docker")
    if docker is None or _said([docker, "info"], 30.0)[0] != 0:
        raise UntriedError("no Docker daemon answers on this machine")
    tag = f"nbprod-readiness-{uuid4().hex[:12]}"
    root = str(ground.target.project.root)
    try:
        code, words = _said([docker, "build", "--file", f"{root}/{path}", "--tag", tag, root], BUILD_SECONDS)
        if code != 0:
            yield ground.seen("DT-5", False, f"{path} can't be built: {words}", "the manifests")
            return
        code, words = _said([docker, "run", "--detach", "--name", tag, tag], START_SECONDS)
        healthy = code == 0 and _is_healthy(docker, tag)
        text = f"{path} is built, and its container is {'healthy' if healthy else f'not healthy: {words}'}"
        yield ground.seen("DT-5", healthy, text, "the manifests")
    finally:
        _said([docker, "rm", "--force", tag], START_SECONDS)
        _said([docker, "rmi", "--force", tag], START_SECONDS)


def _is_healthy(docker: str, name: str) -> bool:
    """Whether the container's own HEALTHCHECK passes within the time for a start."""
    words = 'for _ in $(seq 60); do s=$("$0" inspect --format \'{{.State.Health.Status}}\' "$1"); '
    words += '[ "$s" = healthy ] && exit 0; [ "$s" = unhealthy ] && exit 1; sleep 1; done; exit 1'
    return _said(["sh", "-c", words, docker, name], START_SECONDS + 30)[0] == 0


def _said(command: list[str], seconds: float) -> tuple[int, str]:
    """The exit code of a command, and the last lines that it printed."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return 1, f"nothing came of it within {seconds:g} s"
    lines = [line for line in done.stdout.decode(errors="replace").splitlines() if line.strip()]
    return done.returncode, " / ".join(lines[-LINES:])


PROBE = Probe(("DT-5",), "building the image and starting it", run, inputs=("the manifests",))
