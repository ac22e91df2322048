"""The verb `versions`: the ledger of a package."""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins

from nbprod import versions as store
from nbprod.api.one_row import one_row
from nbprod.api.packages import Target, package_of
from nbprod.model.run import Version


def versions_of(name: str, *, output: str | None = None) -> dict[str, Any]:
    """The versions of a package, the oldest first."""
    target = package_of(name, output=output)
    return _report(target, store.ledger(target.root, name))


def show_version(name: str, reference: str | None = None, *, output: str | None = None) -> dict[str, Any]:
    """One version with what its manifest says and the files that were edited by hand.

    `reference` is a number, `v0003`, `latest` or an alias; without one the newest fitted version.
    """
    target = package_of(name, output=output)
    version = store.resolve(target.root, name, reference)
    folder = store.version_folder(target.root, name, version.number)
    manifest = store.read_manifest(folder) or {}
    return {
        **as_json(version),
        "name": name,
        "package": folder.as_posix(),
        "features": [each["name"] for each in manifest.get("features", ())],
        "inputs": manifest.get("inputs", []),
        "target": manifest.get("target"),
        "model": manifest.get("model", {}).get("estimator"),
        "one_row": one_row(folder),
        "hand_edits": list(store.hand_edits(target.root, name, version.number)),
    }


def prune(name: str, *, keep: int = 5, dry_run: bool = False, output: str | None = None) -> dict[str, Any]:
    """Remove old versions that no alias needs; reports those removed."""
    target = package_of(name, output=output)
    return _report(target, store.prune(target.root, name, keep, dry_run=dry_run))


def as_json(version: Version) -> dict[str, Any]:
    """A line of the ledger as the interface has it."""
    return {**to_builtins(version), "aliases": list(version.aliases)}


def _report(target: Target, versions: tuple[Version, ...]) -> dict[str, Any]:
    return {
        "name": target.name,
        "package": (target.root / target.name).as_posix(),
        "versions": [as_json(version) for version in versions],
    }
