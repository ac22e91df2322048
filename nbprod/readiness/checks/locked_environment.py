"""RP-3: the environment is locked."""

from __future__ import annotations

import re

from nbprod.model.readiness import Told
from nbprod.readiness.check import Check
from nbprod.readiness.facts import Facts
from nbprod.readiness.judging import RUN, contradicted, missing, proved, since_the_fit, stale


def _judge(facts: Facts) -> Told:
    if facts.fitted is None:
        return missing("no version of the package is fitted", RUN)
    number = facts.fitted.number
    if not facts.locked:
        return missing(f"version {number} has no requirements.lock", RUN)
    other = [
        f"{name} {version} and {facts.locked[name]}"
        for name, version in sorted(facts.fitted_with.items())
        if name in facts.locked and facts.locked[name] != version
    ]
    if other:
        lock = f"requirements.lock of version {number}"
        return contradicted(f"it was fitted with, and locks: {', '.join(other)}", lock, RUN)
    lacking = sorted(name for name in facts.fitted_with if name not in facts.locked)
    if lacking:
        return contradicted(f"requirements.lock of version {number} lacks {', '.join(lacking)}", None, RUN)
    built = _other_python(facts)
    if built is not None:
        return contradicted(f"version {number} was fitted with Python {facts.fitted_python}", built)
    text = f"version {number} locks what it was fitted with: " + ", ".join(
        f"{name} {version}" for name, version in sorted(facts.locked.items())
    )
    since = since_the_fit(facts)
    return proved(text) if since is None else stale(f"{text}, and {since}", RUN)


def _other_python(facts: Facts) -> str | None:
    """The container file that is built on a Python of another minor version than that of the fit."""
    fitted = ".".join(facts.fitted_python.split(".")[:2])
    for name, text in facts.manifest_texts.items():
        if fitted and name.rpartition("/")[2] == "Dockerfile":
            for image, version in _PYTHON.findall(text):
                if version != fitted:
                    return f"{name}: {image}"
    return None


_PYTHON = re.compile(r"(?:FROM\s+|BASE_IMAGE=[\"']?)(?:--platform=\S+\s+)?((?:[\w.:-]+/)*python:(\d+\.\d+)[\w.-]*)")
"""An image of Python that a container file is built on, and its minor version."""

CHECK = Check(
    id="RP-3",
    title="The environment is locked",
    why="Another release of a library gives other numbers from the same code, or none. "
    "Each version names what it was fitted with, and an environment can be built of it.",
    source="ML Test Score, Monitor 1: changes of dependencies are noticed",
    step="fit it: nbprod run NOTEBOOK writes requirements.lock",
    judge=_judge,
    tests=("Monitor 1",),
)
