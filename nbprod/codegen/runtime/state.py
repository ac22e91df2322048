"""The folder of what fit has learned: whether it is whole, and belongs to this code and to these libraries."""

from __future__ import annotations

import hashlib
import json
import warnings
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

from .contract import Contract

HERE = Path(__file__).parents[1]
"""The folder of this version, whose support modules lie in `runtime`."""

LIBRARIES = ("numpy", "pandas", "scikit-learn")


class StateError(RuntimeError):
    """What fit has learned is missing, or does not belong to this code."""


class OfVersion:
    """What belongs to a version: the contract and the folder of it."""

    folder: Path
    contract: Contract

    @cached_property
    def version(self) -> str:
        """The version's name, such as v0001."""
        return self.folder.resolve().name

    @property
    def digest(self) -> str:
        """The digest of the plan that this version was extracted from."""
        return self.contract.digest


def checked(folder: Path) -> tuple[dict[str, Any], Contract]:
    """What `state/fitted.json` of a version folder says, and the contract. Nothing learned is read.

    Raises StateError where the version is not fitted, a file was changed since, or other code or another major version
    of pandas has fitted it; warns of other versions.
    """
    state = folder / "state"
    if not (state / "fitted.json").exists():
        raise StateError(
            f"{folder.resolve().name} is not fitted: call train(frame) on raw rows, then .save() on what it returns"
        )
    fitted: dict[str, Any] = json.loads((state / "fitted.json").read_text(encoding="utf-8"))
    contract = Contract.read_from(folder)
    changed = [name for name, digest in fitted["files"].items() if sha256(state / name) != digest]
    if changed:
        raise StateError(f"state/{changed[0]} of {folder.resolve().name} was changed after fit: fit again")
    if contract.digest != fitted["digest"]:
        raise StateError(
            f"the state of {folder.resolve().name} was fitted by other code "
            f"({fitted['digest'] or 'no digest'}, not {contract.digest or 'no digest'}): fit again"
        )
    _hold_to_major_version(fitted["versions"], "pandas")
    _warn_of_other_versions(fitted["versions"])
    return fitted, contract


def sha256(path: Path) -> str:
    """The digest of a file, empty where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def versions() -> dict[str, str]:
    """The versions of the libraries that a state hangs on."""
    return {name: metadata.version(name) for name in LIBRARIES}


def _hold_to_major_version(fitted: dict[str, str], name: str) -> None:
    """Another major version of pandas has other dtypes: what one has learned the other cannot hold."""
    then, now = fitted.get(name, ""), metadata.version(name)
    if then and then.partition(".")[0] != now.partition(".")[0]:
        raise StateError(
            f"this pipeline was fitted with {name} {then} and cannot run with {name} {now}: "
            "install what requirements.lock names, or fit again"
        )


def _warn_of_other_versions(fitted: dict[str, str]) -> None:
    others = [
        f"{name} {fitted[name]} (now {version})"
        for name, version in versions().items()
        if fitted.get(name, version).split(".")[:2] != version.split(".")[:2]
    ]
    if others:
        warnings.warn(f"this pipeline was fitted with {', '.join(others)}", stacklevel=4)
