"""Deployments to write files for, the least and the most that can be known of one, and tools that judge the files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from nbprod.deploy.flow import flow_of
from nbprod.deploy.targets import TARGETS
from nbprod.model.deployment import Deployment, File, Load, Settings

ROOT = Path(__file__).parents[2]
DIGEST = "sha256:" + "0123456789abcdef" * 4
LEAST = Deployment(
    name="sales",
    version=3,
    digest="5f0c" * 8,
    state="a1b2" * 16,
    notebook="sales.ipynb",
    packages="pipelines",
    package="pipelines/sales",
    folder="pipelines/sales/v0003",
    python="3.12",
    requires=("numpy==2.4.6", "pandas==3.0.6", "scikit-learn==1.9.1"),
    serves="rows",
    flow=flow_of("sales", ("data", "features"), cron=None),
    settings=Settings(
        image="sales", base_image="python:3.12-slim-bookworm", namespace="default", replicas=2, port=8000, canary=None
    ),
)
MOST = replace(
    LEAST,
    name="Sales_of_2024",
    notebook="my notebooks/sales of 2024.ipynb",
    packages="my packages",
    package="my packages/Sales_of_2024",
    folder="my packages/Sales_of_2024/v0003",
    flow=flow_of("Sales_of_2024", ("data", "train"), cron="0 3 * * 1", interval=("SINCE", "UNTIL")),
    settings=Settings(
        image="registry.example.org/team/sales",
        base_image=f"python:3.12-slim-bookworm@{DIGEST}",
        namespace="models",
        replicas=3,
        port=8080,
        canary=10,
    ),
    owner='the "sales" team\nRUN touch /owned\n# <sales@example.org>',
    problem='What a shop sells:\n"tomorrow", for $5 and `more`',
    required_ms=40.0,
    required_rps=900.0,
    required_mb=300.0,
    required_availability=0.995,
    load=Load(p99_ms=8.0, rps=450.0, memory_mb=180.0),
    runbook="https://example.org/runbook",
    personal=("name $(and) $address",),
    pins=("scipy==1.17.1", "threadpoolctl==3.8.0"),
    elsewhere={"docker": "ops/the image"},
)
OLD = replace(LEAST, name="old", package="pipelines/old", folder="pipelines/old/v0003", python="3.9")
KNOWN = [pytest.param(LEAST, id="least"), pytest.param(MOST, id="most"), pytest.param(OLD, id="an old Python")]
TRAINING = ("kfp", "github", "gitlab")
"""Targets that run nbprod in the notebook's Python."""


ODD = "deploy/my $HOME's [files]"
"""A folder whose name a shell has to be kept from."""


def files_of(deployment: Deployment, target: str, folder: str | None = None) -> dict[str, str]:
    """The texts of a target by their paths."""
    made = TARGETS[target].files(deployment, folder or f"deploy/{deployment.name}/{target}")
    return {file.path: file.text for file in made}


def written(deployment: Deployment, target: str, root: Path, folder: str | None = None) -> Path:
    """Write the files of a target below `root`; the folder that is the target's own."""
    own = folder or f"deploy/{deployment.name}/{target}"
    for file in TARGETS[target].files(deployment, own):
        put(root, file)
    return root / own


def put(root: Path, file: File) -> None:
    path = root / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(file.text)


@cache
def documents(text: str) -> list[dict[str, Any]]:
    """The documents of a text in YAML 1.2 as far as it matters here: `on` is a word."""
    return [each for each in yaml.load_all(text, Loader=_Loader) if each is not None]


class _Loader(yaml.SafeLoader):
    """SafeLoader, to which only true and false are truth values."""


_Loader.yaml_implicit_resolvers = {
    first: [each for each in known if each[0] != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def blocks(text: str) -> list[str]:
    """The blocks of code in a Markdown text."""
    return re.findall(r"^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def shell(script: str, root: Path, **stands_in: str) -> str:
    """What a script says in a shell, in `root`, where each of `stands_in` is the script of a command by this name."""
    commands = root / ".commands"
    commands.mkdir(exist_ok=True)
    for name, text in stands_in.items():
        path = commands / name.replace("_", "-")
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    path = os.pathsep.join((str(commands), str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-ec", script],
        cwd=root,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tool(name: str) -> str:
    """A tool of the development environment, or of the system; the test is skipped where there is none."""
    for path in (Path(sys.executable).with_name(name), ROOT / ".tools/bin" / name):
        if path.is_file():
            return str(path)
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not here")
    return found


def passes(*words: str | Path, text: str | None = None) -> str:
    """What a tool says of something that it finds no fault with."""
    done = subprocess.run(
        [str(word) for word in words], input=text, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
