"""What continuous integration does for a package, said once: each service writes the same jobs in its own words."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import join, quote

from msgspec import Struct

import nbprod
from nbprod.deploy import image
from nbprod.model.deployment import Deployment

MINUTES = 10


class Job(Struct, frozen=True):
    """Commands in a shell, in the root of the project, after those of `after`; `minutes` is the longest it may take.

    `builds` says that it needs Docker, and `is_asked` that a person starts it. `always` are files that are kept in any
    case. `writes` says that it changes the repository.
    """

    name: str
    what: str
    commands: tuple[str, ...]
    after: tuple[str, ...] = ()
    minutes: int = MINUTES
    builds: bool = False
    is_asked: bool = False
    writes: bool = False
    always: tuple[str, ...] = ()


def setup(deployment: Deployment) -> str:
    """The command that installs nbprod and what the notebook needs."""
    lock = quote(f"{deployment.folder}/requirements.lock")
    return f"python -m pip install --quiet nbprod=={nbprod.__version__} -r {lock}"


def docker_note(deployment: Deployment) -> str:
    """Of what the image is built, for whose files there is one place."""
    return f"the job build takes {_dockerfile(deployment)}, which nbprod deploy {deployment.name} docker writes"


def _dockerfile(deployment: Deployment) -> str:
    return f"{deployment.elsewhere.get('docker', f'deploy/{deployment.name}/docker')}/Dockerfile"


def jobs(deployment: Deployment) -> Iterator[Job]:
    """The jobs for a package, each behind those that it needs."""
    name, notebook = quote(deployment.name), quote(deployment.notebook)
    packages = quote(deployment.packages)
    yield Job(
        "check",
        "Notebook, package and deployment are one",
        (
            f"nbprod check {notebook} --report nbprod.sarif --report nbprod.xml",
            f"nbprod export {notebook} --name {name} --auto --check -o {packages}",
            f"nbprod deploy {name}@{deployment.version} --check -o {packages}",
        ),
        always=("nbprod.sarif", "nbprod.xml"),
    )
    yield Job(
        "verify",
        "The package answers as the notebook does",
        (
            f"python -m pip install --quiet pytest && python -m pytest -q {quote(deployment.folder)}/tests",
            f"nbprod verify {name} --allow-missing-data -o {packages}",
        ),
        after=("check",),
        minutes=60,
    )
    yield Job(
        "readiness",
        "What is known says that it may go live",
        (f"nbprod readiness {notebook} --html readiness.html -o {packages}",),
        after=("check",),
        always=("readiness.html",),
    )
    tag, port = quote(deployment.tag), deployment.settings.port
    probe = join(("docker", "exec", "served", *image.health_check(port)))
    yield Job(
        "build",
        "The image is built, and answers",
        (
            f"docker build --file {quote(_dockerfile(deployment))} --tag {tag} .",
            f"docker run --detach --name served --publish {port}:{port} {tag}",
            f"for _ in $(seq 60); do\n  {probe} && break\n  sleep 1\ndone",
            f"{probe} || {{ docker logs served; exit 1; }}",
            "docker rm --force served",
        ),
        after=("verify", "readiness"),
        minutes=30,
        builds=True,
    )
    yield Job(
        "promote",
        "The gates let the version be the champion",
        (
            f"nbprod versions {name} promote {deployment.version} -o {packages}",
            f"git add {quote(deployment.package)}",
            f'git diff --cached --quiet || git commit -m "Promote {deployment.name} version {deployment.version}"',
            "git push",
        ),
        after=("build",),
        is_asked=True,
        writes=True,
    )
