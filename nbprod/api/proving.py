"""Proof by replay that a version gives what its notebook gave in a run, and where such a run lies."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from nbprod import replay, versions
from nbprod.api.packages import Target, training_folder
from nbprod.config import find_project
from nbprod.ignored import keep_out_of_git
from nbprod.model.run import VerifyResult, Version

RUNS = ".nbprod/runs"
AGAIN = "reproduced"
"""Below `RUNS`: what the last run that was made again has given, one folder for each package."""
EXECUTED = "executed.ipynb"
PROOFS = ".nbprod/proofs"

Level = Literal["full", "quick"]


class LastRun(Struct, frozen=True):
    """The captures of the run that a version was fitted in, and the interpreter that ran it."""

    captures: Path
    python: str


def prove(
    target: Target,
    version: Version,
    captures: Path,
    python: str,
    *,
    level: Level = "full",
    on_progress: Callable[[str, int, int], None],
    runners: replay.Runners | None = None,
) -> VerifyResult:
    """Replay a version against captures, in the environment of the interpreter `python`, and keep the outcome.

    What was edited by hand since it was exported is at most observed, as the rules say nothing of that text, and its
    outcome is not kept for the version.
    """
    proof = replayed(target, version, captures, python, level=level, on_progress=on_progress, runners=runners)
    if versions.hand_edits(target.root, target.name, version.number):
        return replace(proof, status="observed") if proof.status == "proven" else proof
    keep(target, version, proof, on_progress)
    return proof


def keep(target: Target, version: Version, proof: VerifyResult, say: Callable[[str, int, int], None]) -> None:
    """Keep the outcome of a replay; where it can't be, say so."""
    try:
        keep_proof(target, version, proof)
    except OSError as error:
        say(f"the outcome can't be kept: {error.strerror or error}", 0, 0)


def replayed(
    target: Target,
    version: Version,
    captures: Path,
    python: str,
    *,
    level: Level = "full",
    root: Path | None = None,
    fit_ended: Path | None = None,
    on_progress: Callable[[str, int, int], None],
    runners: replay.Runners | None = None,
) -> VerifyResult:
    """Replay a version against captures, of whichever run; in `root` lies a copy of the package that is used instead.

    `fit_ended` is as for `replay.replay`.
    """
    folder = versions.version_folder(target.root, target.name, version.number)
    manifest = versions.read_manifest(folder) or {}
    return replay.replay(
        root or target.root,
        target.name,
        folder.name,
        captures,
        python,
        manifest,
        level=level,
        fit_ended=fit_ended,
        tolerance=target.settings.tolerance,
        reads_in=training_folder(target, manifest),
        on_progress=on_progress,
        runners=runners,
    )


def proof_of(target: Target, version: Version) -> dict[str, Any] | None:
    """The outcome of the last replay of a version with its code, state and tolerance, as `verify_as_json` gives it."""
    kept = versions.read_object(_proof_file(target, version)) or {}
    if (kept.get("digest"), kept.get("state")) != (version.digest, version.state):
        return None
    if kept.get("tolerance", {}) != target.settings.tolerance:
        return None
    told = kept.get("verify")
    return dict(told) if isinstance(told, dict) else None


def _proof_file(target: Target, version: Version) -> Path:
    return target.project.root / PROOFS / target.name / f"v{version.number:04d}.json"


def keep_proof(target: Target, version: Version, proof: VerifyResult) -> None:
    """Note in the project what a replay has found of a version with the state that it has."""
    path = _proof_file(target, version)
    keep_out_of_git(target.project.root / PROOFS)
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(f".{os.getpid()}.tmp")
    value = {
        "digest": version.digest,
        "state": version.state,
        "tolerance": target.settings.tolerance,
        "verify": verify_as_json(proof),
    }
    staged.write_text(json.dumps(value, indent=2, default=str) + "\n", encoding="utf-8")
    staged.replace(path)


def verify_as_json(proof: VerifyResult) -> dict[str, Any]:
    """The outcome of a replay as the interface has it."""
    return {
        **to_builtins(proof),
        "checks": [{"name": name, "passed": passed, "detail": detail} for name, passed, detail in proof.checks],
    }


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
