"""What an image of a package is: its command line, its user, the endpoints that tell how it fares, what it may take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from math import ceil
from shlex import quote
from typing import Any

from msgspec import Struct

from nbprod.errors import NbprodError, Where
from nbprod.model.deployment import Deployment

USER = 10001
"""A number, so that a cluster can tell that it is not root; none that an image's own users have."""

LOGS = "/var/log/pipeline"
LOG = f"{LOGS}/predictions.sqlite"
HEALTH, READY, METRICS = "/health", "/ready", "/metrics"
GRACE_SECONDS = 15
"""What the service takes at most between SIGTERM and its end: ten seconds for requests under way, and the log's end."""

MIB = 2**20
UNMEASURED_MB, UNMEASURED_CPU = 1024 * MIB / 1e6, 0.5
HEADROOM = 1.5
LEAST_MB = 384 * MIB / 1e6
"""What is held back beside the memory of a load test, and what there is at least: a load test asks with records, of
which compiled rows take 45 MB, and the first table that a client sends brings pandas along (180 MB; 280 MB with a csv
of 7 MB)."""

BUSY = 0.7
"""The share of its processor time from which on another replica is worth it."""

MOST_LETTERS = 40
"""Of a name in a cluster, where suffixes of jobs and pods come behind it and 63 are the end."""


PROJECT_CLAIM = "-project"
"""What stands behind a pipeline's name in that of the claim of the volume that holds copies of the project."""


class Size(Struct, frozen=True):
    """Processor time in thousandths of a core, memory in MiB, and where they are from."""

    cpu: int
    memory: int
    source: str


class Scale(Struct, frozen=True):
    """The fewest and the most replicas."""

    least: int
    most: int


def dns_name(name: str) -> str:
    """A package's name as the name of things in a cluster (RFC 1123): small letters, digits, hyphens."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "pipeline"
    plain = plain if plain[0].isalpha() else f"p-{plain}"
    if len(plain) <= MOST_LETTERS:
        return plain
    return f"{plain[: MOST_LETTERS - 9].rstrip('-')}-{sha256(name.encode()).hexdigest()[:8]}"


def project_claim(deployment: Deployment) -> str:
    """The claim of the volume that holds copies of the project."""
    return f"{dns_name(deployment.name)}{PROJECT_CLAIM}"


def entrypoint(deployment: Deployment) -> list[str]:
    """The command of the image, which no moving alias changes: the version is told."""
    return ["python", "-m", deployment.name, "--version", deployment.version_folder]


def serving(port: int) -> list[str]:
    """The arguments behind the entrypoint that serve."""
    return ["serve", "--host", "0.0.0.0", "--port", str(port)]


def logging(deployment: Deployment, path: str = LOG) -> list[str]:
    """Further arguments that keep a log of what was answered, without the columns that hold personal data."""
    return ["--log", path, *(word for name in deployment.personal for word in ("--log-without", name))]


def health_check(port: int) -> list[str]:
    """A command that ends with 0 where the service is ready; it asks no proxy that the environment may name."""
    code = (
        f"import http.client as c, sys; s = c.HTTPConnection('127.0.0.1', {port}, timeout=2); "
        f"s.request('GET', '{READY}'); sys.exit(s.getresponse().status != 200)"
    )
    return ["python", "-c", code]


def size_of(deployment: Deployment) -> Size:
    """What one replica may take: what was declared, else what was measured with room beside it, else a guess."""
    load = deployment.load
    said = []
    if deployment.required_mb is not None:
        memory, told = deployment.required_mb, "memory is what requirements.memory_mb declares"
    elif load is not None:
        memory = max(load.memory_mb * HEADROOM, LEAST_MB)
        told = f"memory is {HEADROOM} times the {load.memory_mb:g} MB of the load test"
        if memory == LEAST_MB:
            told = f"memory is what tables take that clients may send; the load test took {load.memory_mb:g} MB"
    else:
        memory, told = UNMEASURED_MB, "memory is a guess: nothing was measured"
    said.append(told)
    if load is not None and load.rps > 0 and deployment.required_rps is not None:
        cpu = deployment.required_rps / load.rps / scale_of(deployment).least / BUSY
        said.append(
            f"processor time is what {deployment.required_rps:g} requests a second take of the {load.rps:g} of a core"
        )
    else:
        cpu = UNMEASURED_CPU
        said.append("processor time is a guess: it takes a load test and requirements.volume_rps to know")
    return Size(min(1000, max(100, ceil(cpu * 20) * 50)), ceil(memory * 1e6 / MIB / 16) * 16, "; ".join(said))


def scale_of(deployment: Deployment) -> Scale:
    """How many replicas there are: those that are configured, and as many more as the declared volume may take."""
    load, asked, least = deployment.load, deployment.required_rps, deployment.settings.replicas
    needed = 0 if load is None or asked is None or load.rps <= 0 else ceil(asked / (BUSY * load.rps))
    least = max(1, least, needed)
    return Scale(least, 3 * least)


def labels(deployment: Deployment) -> dict[str, str]:
    """The labels of an image: those of https://specs.opencontainers.org/image-spec/annotations/, and our own."""
    about = deployment.problem or f"{deployment.name}, made of {deployment.notebook}"
    base, _, digest = deployment.settings.base_image.partition("@")
    known = {
        "org.opencontainers.image.title": deployment.name,
        "org.opencontainers.image.description": about,
        "org.opencontainers.image.version": str(deployment.version),
        "org.opencontainers.image.authors": deployment.owner or "",
        "org.opencontainers.image.base.name": base,
        "org.opencontainers.image.base.digest": digest,
        **identity(deployment),
    }
    return {key: value for key, value in known.items() if value}


def identity(deployment: Deployment) -> dict[str, str]:
    """What was deployed: the digests of code and learned state, and the notebook that they are from."""
    return {
        "io.nbprod.digest": deployment.digest,
        "io.nbprod.state": deployment.state,
        "io.nbprod.notebook": deployment.notebook,
    }


def is_pinned(image: str) -> bool:
    """Whether an image is named by its digest."""
    return re.search(r"@sha256:[0-9a-f]{64}$", image) is not None


def pin_note(deployment: Deployment) -> Iterator[str]:
    """What is to be done where the base image is not pinned."""
    base = deployment.settings.base_image
    if not is_pinned(base):
        yield (
            f"the base image {base} is not pinned, so that two builds may differ: "
            f"nbprod deploy {deployment.name} docker --pin asks for its digest and writes it down (deploy.base_image)"
        )


def trains(deployment: Deployment) -> bool:
    """Whether the notebook's Python is one that nbprod itself runs on, so that one image can hold both."""
    major, minor = (int(part) for part in deployment.python.split(".")[:2])
    return (major, minor) >= (3, 11)


def hold_to_training(deployment: Deployment, target: str) -> None:
    """Raise NbprodError (`old-python`) where a target would run nbprod in the notebook's own, older Python."""
    if not trains(deployment):
        raise NbprodError(
            f"{target} runs nbprod in the notebook's Python: nbprod needs 3.11, "
            f"and version {deployment.version} of {deployment.name} was fitted with {deployment.python}",
            code="old-python",
            where=Where(deployment.folder),
            hint="give the notebook a kernel of Python 3.11 or newer, and make a version: "
            f"nbprod run {quote(deployment.notebook)}; airflow takes this one, since it calls nbprod in the project's "
            "own interpreter",
        )


def probe(path: str, port: Any, **times: int) -> dict[str, Any]:
    """A probe of a cluster by HTTP."""
    return {"httpGet": {"path": path, "port": port}, **times}
