"""The verb `verify`: proof by replay that a package gives what its notebook gave."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from nbprod import replay, versions
from nbprod.api.packages import Target, package_of, split_reference, target_of
from nbprod.api.progress import OnProgress, Progress, silent
from nbprod.config import find_project
from nbprod.errors import NbprodError, Where
from nbprod.model.run import VerifyResult, Version

RUNS = ".nbprod/runs"

Level = Literal["full", "quick"]


@dataclass(frozen=True, slots=True)
class LastRun:
    """The captures of the run that a version was fitted in, and the interpreter that ran it."""

    captures: Path
    python: str


def verify(
    text: str,
    *,
    output: str | None = None,
    name: str | None = None,
    level: Level = "full",
    on_progress: OnProgress = silent,
) -> dict[str, Any]:
    """Replay a package against the run that it was fitted in (schemas/verify.json).

    `text` is `NAME`, `NAME@VERSION` or a notebook, which means the newest fitted version of its package. Nothing of
    the notebook runs again. Raises NbprodError: `no-package`, `not-fitted`, `no-run` where the run's captures are
    gone, `package-failed` at the notebook's cell and line.
    """
    target, version = _meant(text, output, name)
    if version.state is None:
        raise NbprodError(
            f"version {version.number} of {target.name} was never fitted",
            code="not-fitted",
            hint=f"run its notebook first: nbprod run {version.notebook}",
        )
    last = fitted_in(target, version)
    if last is None:
        raise NbprodError(
            f"the captures of the run of {target.name} version {version.number} are not on this machine",
            code="no-run",
            where=Where(str(target.project.root / RUNS)),
            hint=f"run the notebook again: nbprod run {version.notebook}",
        )

    def tell(what: str, done: int, total: int) -> None:
        on_progress(Progress(text, "verify", what, done, total))

    proof = prove(target, version, last.captures, last.python, level=level, on_progress=tell)
    return {
        "name": target.name,
        "version": version.number,
        "digest": version.digest,
        "run_id": version.run,
        "package": versions.version_folder(target.root, target.name, version.number).as_posix(),
        "notebook": version.notebook,
        "verify": verify_as_json(proof),
    }


def prove(
    target: Target,
    version: Version,
    captures: Path,
    python: str,
    *,
    level: Level = "full",
    on_progress: Callable[[str, int, int], None],
) -> VerifyResult:
    """Replay a version against captures, in the environment of the interpreter `python`."""
    folder = versions.version_folder(target.root, target.name, version.number)
    manifest = versions.read_manifest(folder) or {}
    return replay.replay(
        target.root, target.name, folder.name, captures, python, manifest, level=level, on_progress=on_progress
    )


def verify_as_json(proof: VerifyResult) -> dict[str, Any]:
    """The outcome of a replay as the interface has it."""
    return {
        **asdict(proof),
        "checks": [{"name": name, "passed": passed, "detail": detail} for name, passed, detail in proof.checks],
    }


def _meant(text: str, output: str | None, name: str | None) -> tuple[Target, Version]:
    if Path(text).suffix in {".ipynb", ".py"}:
        if not Path(text).is_file():
            raise NbprodError("there is no such notebook", code="not-found", where=Where(text))
        target = target_of(text, output=output, name=name)
        return target, versions.resolve(target.root, target.name)
    package, reference = split_reference(text)
    target = package_of(package, output=output)
    return target, versions.resolve(target.root, target.name, reference)


def fitted_in(target: Target, version: Version) -> LastRun | None:
    """The run that a version was fitted in, None where its captures are not on this machine.

    They lie in the project around the notebook, the packages or the current directory.
    """
    roots = dict.fromkeys((target.project.root, find_project(target.root).root, Path.cwd()))
    for root in roots:
        captures = root / RUNS / str(version.run) / "captures"
        if version.run and (captures / "index.json").is_file():
            index = json.loads((captures / "index.json").read_text(encoding="utf-8"))
            return LastRun(captures, str(index["python"]))
    return None
