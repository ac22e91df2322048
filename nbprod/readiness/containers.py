"""What can be told of container files and manifests from their text, whoever wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from nbprod.documents import values_of

_UNITS = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|k|M|G|T)?")
_NOTEBOOKS = re.compile(r"\b(?:jupyter(?:lab|-server)?|notebook|ipykernel)\b(?:[=<>~\s]|$)")
_ROOT = frozenset({"root", "0"})


class Lack(Struct, frozen=True):
    """What a file lacks, and in which file."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


def image_lacks(path: str, text: str) -> Iterator[Lack]:
    """What the image of a Dockerfile lacks: of its last stage and those that it is made of."""
    stages = _stages(text)
    if not stages:
        yield Lack(path, "it has no FROM")
        return
    last = len(stages) - 1
    chain = [last]
    while (base := _stage_of(stages, chain[-1])) is not None:
        chain.append(base)
    base_image = _resolved(stages[chain[-1]].base, text)
    if base_image.lower() != "scratch" and "@sha256:" not in base_image:
        yield Lack(path, f"{base_image} is not pinned by its digest")
    words = [each for at in chain for each in reversed(stages[at].words)]
    user = next((value for word, value in words if word == "USER"), None)
    if user is None or user.split(":")[0].strip().lower() in _ROOT:
        yield Lack(path, "it runs as root")
    if not any(word == "HEALTHCHECK" and not value.upper().startswith("NONE") for word, value in words):
        yield Lack(path, "it has no HEALTHCHECK")
    if any(word == "RUN" and "install" in value and _NOTEBOOKS.search(value) for word, value in words):
        yield Lack(path, "it installs what only notebooks need")


def cluster_lacks(files: Mapping[str, str]) -> Iterator[Lack]:
    """What the Deployments in manifests of Kubernetes lack, so that they are up before they are asked, and stay so."""
    for path, manifest in _of_kind(files, "Deployment"):
        spec = _table(manifest.get("spec"))
        if _table(_table(spec.get("strategy")).get("rollingUpdate")).get("maxUnavailable") not in (0, "0", "0%"):
            yield Lack(path, "an update may take a pod away before another is ready (maxUnavailable: 0)")
        for container in _containers(spec):
            yield from (Lack(path, text) for text in _container_lacks(container))


def kinds(files: Mapping[str, str]) -> frozenset[str]:
    """The kinds of objects in manifests of Kubernetes."""
    return frozenset(str(manifest["kind"]) for text in files.values() for manifest in _documents(text))


def least_memory(files: Mapping[str, str]) -> tuple[str, float] | None:
    """The smallest limit of memory of a Deployment's container: its file, and megabytes (10^6 bytes)."""
    found = [
        (path, megabytes)
        for path, manifest in _of_kind(files, "Deployment")
        for container in _containers(_table(manifest.get("spec")))
        if (megabytes := _megabytes(_table(_table(container.get("resources")).get("limits")).get("memory"))) is not None
    ]
    return min(found, key=lambda each: each[1], default=None)


def _container_lacks(container: Mapping[Any, Any]) -> Iterator[str]:
    for probe in ("readinessProbe", "livenessProbe"):
        if not container.get(probe):
            yield f"it has no {probe}"
    resources = _table(container.get("resources"))
    if not resources.get("requests"):
        yield "it requests no resources"
    if _table(resources.get("limits")).get("memory") is None:
        yield "its memory has no limit"
    if not _table(container.get("lifecycle")).get("preStop"):
        yield "it has no preStop: requests may still be sent to a pod that ends"


# ---------------------------------------------------------------------- reading


class _Stage(Struct):
    base: str
    name: str | None
    words: list[tuple[str, str]]


def _stages(text: str) -> list[_Stage]:
    stages: list[_Stage] = []
    for word, value in _instructions(text):
        if word == "FROM":
            parts = [part for part in value.split() if not part.startswith("--")]
            name = parts[2] if len(parts) == 3 and parts[1].upper() == "AS" else None
            if parts:
                stages.append(_Stage(parts[0], name, []))
        elif stages:
            stages[-1].words.append((word, value))
    return stages


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\[ \t]*\n", " ", "\n".join(lines)).splitlines():
        word, _, value = line.strip().partition(" ")
        if word:
            yield word.upper(), value.strip()


def _stage_of(stages: list[_Stage], at: int) -> int | None:
    """The earlier stage that a stage is made of, None where it is made of an image."""
    base = stages[at].base
    named = [n for n, each in enumerate(stages[:at]) if each.name is not None and each.name.lower() == base.lower()]
    return named[-1] if named else None


def _resolved(base: str, text: str) -> str:
    """A base image with the defaults of the ARGs that it names."""
    given = dict(value.split("=", 1) for word, value in _instructions(text) if word == "ARG" and value.count("=") == 1)
    return re.sub(r"\$\{?(\w+)\}?", lambda found: given.get(found[1], ""), base)


def _of_kind(files: Mapping[str, str], kind: str) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    for path, text in files.items():
        yield from ((path, manifest) for manifest in _documents(text) if manifest["kind"] == kind)


def _documents(text: str) -> list[Mapping[Any, Any]]:
    """The objects of a manifest; a file that is no YAML, such as a template, has none."""
    try:
        found = values_of(text)
    except ValueError:
        return []
    return [each for each in found if isinstance(each, dict) and isinstance(each.get("kind"), str)]


def _containers(spec: Mapping[Any, Any]) -> list[Mapping[Any, Any]]:
    listed = _table(_table(spec.get("template")).get("spec")).get("containers")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _table(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def _megabytes(value: Any) -> float | None:
    match = _QUANTITY.fullmatch(str(value))
    return None if match is None else float(match[1]) * _UNITS[match[2] or ""] / 1e6
