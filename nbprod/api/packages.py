"""Which package a notebook belongs to, and where it lies."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from nbprod.analysis.environment import pandas_major
from nbprod.api.outlining import Recorded
from nbprod.config import PipelineConfig, Project, find_project
from nbprod.errors import NbprodError, Where
from nbprod.versions import check_name, latest, ledger, read_manifest, suggest_name, version_folder


class Target(Struct, frozen=True):
    """A package's name, the folder that holds the packages, and the project around the notebook."""

    name: str
    root: Path
    project: Project

    @property
    def settings(self) -> PipelineConfig:
        """The pipeline's table of the configuration, or the defaults."""
        return self.project.config.pipelines.get(self.name, PipelineConfig())


def training_folder(target: Target, manifest: Mapping[str, Any]) -> Path | None:
    """The notebook's own folder, where a package that reads further tables in training finds them; else None."""
    if not manifest.get("training_inputs"):
        return None
    candidates = (base / manifest["notebook"] for base in (target.project.root, Path.cwd()))
    return next((path.resolve().parent for path in candidates if path.is_file()), None)


def recorded(target: Target, kernel: str | None = None) -> Recorded:
    """What the newest version of a package knows, and what is declared of the kernel.

    The pandas is that of `kernel` where one is asked for.
    """
    newest = latest(target.root, target.name)
    folder = None if newest is None else version_folder(target.root, target.name, newest.number)
    manifest = {} if folder is None else read_manifest(folder) or {}
    raw = manifest.get("raw", {})
    columns = {raw["path"]: raw["columns"]} if raw.get("path") and raw.get("columns") else {}
    pandas = pandas_major(kernel) if kernel else manifest.get("pandas")
    model, joins = manifest.get("model", {}).get("name"), manifest.get("joins", {})
    is_batch = manifest.get("serves") == "batch"
    return Recorded(columns, pandas, model, joins, is_batch, target.settings.allow_names)


def packages_folder(output: str | None, project: Project) -> Path:
    """`-o` from the current directory, else the configuration's folder.

    That one is meant from the root of a project whose configuration says it, or would, wherever in it a command is
    given; without a configuration, or from outside of the project, from the current directory.
    """
    if output is not None:
        return Path(output)
    here = Path.cwd()
    if project.source is None or not here.is_relative_to(project.root):
        return Path(project.config.output)
    return Path(os.path.relpath(project.root / project.config.output, here))


def target_of(notebook: str, *, output: str | None = None, name: str | None = None) -> Target:
    """The package that `notebook` is exported to.

    The name is the one given, else that of the pipeline whose table names the notebook, else made from the file's
    name. Raises NbprodError (`bad-name`) for a given name that no package can have.
    """
    path = Path(notebook)
    project = find_project(path)
    chosen = name or project.config.name_for(path, project.root) or suggest_name(path.name)
    return Target(check_name(chosen), packages_folder(output, project), project)


def target_in_project(notebook: str, *, output: str | None = None) -> Target:
    """The package of `notebook` in its project's own folder, wherever the process was started.

    So it is for the server, the panel and the magics, whose current directory a reader of the notebook does not see;
    they hand the folder on, as `output=str(target.root)`. An `output` that is given is meant from the current
    directory, as everywhere. Raises as `target_of` does.
    """
    target = target_of(notebook, output=output)
    return target if output is not None else replace(target, root=target.project.root / target.project.config.output)


def split_reference(text: str) -> tuple[str, str | None]:
    """`titanic@production` is package `titanic`, version `production`."""
    name, _, reference = text.partition("@")
    return name, reference or None


def package_of(text: str, *, output: str | None = None) -> Target:
    """The exported package that `NAME` means, from the current directory.

    Its project is the one around it where that is configured, else the one around the current directory. Raises
    NbprodError (`no-package`) with the nearest name where there is none.
    """
    project = find_project(Path.cwd())
    root = packages_folder(output, project)
    around = find_project(root) if output is not None and root.is_dir() else project
    project = around if around.source is not None else project
    if ledger(root, check_name(text)):
        return Target(text, root, project)
    raise _no_package(text, root)


def known_packages(root: Path) -> tuple[str, ...]:
    """The names of the packages below `root`."""
    return tuple(sorted(each.parent.name for each in root.glob("*/versions.json")))


def _no_package(name: str, root: Path) -> NbprodError:
    from difflib import get_close_matches

    known = known_packages(root)
    near = get_close_matches(name, known, n=1)
    if near:
        hint = f'did you mean "{near[0]}"?'
    elif known:
        hint = f"there are: {', '.join(known)}"
    else:
        hint = "export a notebook first: nbprod export NOTEBOOK"
    return NbprodError(f'no package "{name}"', code="no-package", where=Where(str(root)), hint=hint)
