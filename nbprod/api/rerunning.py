"""The run that a version was fitted in, made once more: its notebook, its model, its parameters."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nbprod import versions
from nbprod.api.executing import executed
from nbprod.api.exporting import Planned, planned
from nbprod.api.packages import Target
from nbprod.api.parameters import parameters_of, typed
from nbprod.api.progress import OnProgress
from nbprod.config import find_project
from nbprod.model.notebook import Notebook
from nbprod.model.run import RunResult, Version
from nbprod.notebook.redact import MASK
from nbprod.tracking.runs import PARAM_LENGTH


class Rerun(NamedTuple):
    """What was planned with the parameters of the run, and what it gave."""

    plan: Planned
    result: RunResult


def run_again(
    path: str,
    target: Target,
    version: Version | None,
    folder: Path,
    *,
    recorded: Mapping[str, str],
    configured: Mapping[str, Any] | None = None,
    kernel: str | None,
    on_progress: OnProgress,
) -> Rerun:
    """Run the notebook at `path` into `folder` as it was run for `version`; nothing is published.

    `recorded` are parameters as a store of runs has them, and go before those that are `configured`; names that the
    notebook does not set are left out. Raises NbprodError where there is no plan, and what a run raises.
    """
    asked: dict[str, Any] = {"output": str(target.root), "name": target.name, "model": model_of(target, version)}
    plan = planned(path, **asked, auto=True, kernel=kernel)
    as_it_stands = plan.notebook
    values = typed(as_it_stands, {**(configured or {}), **known_parameters(recorded, as_it_stands)})
    if values:
        plan = planned(path, **asked, auto=True, kernel=kernel, parameters=values)
    result = executed(as_it_stands, plan, folder, parameters=values, kernel=kernel, on_progress=on_progress)
    return Rerun(plan, result)


def known_parameters(recorded: Mapping[str, str], notebook: Notebook) -> dict[str, str]:
    """The recorded parameters that the notebook sets; of a secret only the reference to it is recorded."""
    known = parameters_of(notebook)
    return {name: text for name, text in recorded.items() if name in known and not_recorded(text) is None}


def not_recorded(text: str) -> str | None:
    """Why a record has something else in the place of a parameter's value; None where it has the value."""
    if text == MASK:
        return "as a secret"
    return "being too long" if len(text) >= PARAM_LENGTH and text.endswith("…") else None


def manifest_of(target: Target, version: Version | None) -> Mapping[str, Any]:
    """The manifest of a version; nothing where there is none."""
    folder = version and versions.version_folder(target.root, target.name, version.number)
    return (folder and versions.read_manifest(folder)) or {}


def model_of(target: Target, version: Version | None) -> str | None:
    """The variable that held the model when the version was exported."""
    name: str | None = manifest_of(target, version).get("model", {}).get("name")
    return name


def notebook_here(named: str, target: Target) -> str | None:
    """Where a notebook lies that a ledger or record names by its path in its project; None where it is not here.

    Ledgers and records may come from anywhere: a path that leads out of the project is none of its notebooks.
    """
    for root in dict.fromkeys((target.project.root, find_project(target.root).root, Path.cwd())):
        path = root / named
        if path.is_file() and Path(os.path.normpath(path)).is_relative_to(root):
            return (path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path).as_posix()
    return None
