"""What was exported against what lies in a version's folder now: edits made by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbprod.versions.files import below
from nbprod.versions.unchanged import Unchanged, read_object

STATE = "state"
GOLDEN = "tests/golden.json"
MANIFEST = "manifest.json"


def generated_files(folder: Path) -> dict[str, bytes]:
    """The files of a version as exported: without what a fit adds (state/ and tests/golden.json)."""
    return {name: path.read_bytes() for name, path in exported_files(folder) if not path.is_symlink()}


def exported_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files and links of a version but for those of a fit, told by their names: learned state may be large."""
    return ((name, path) for name, path in below(folder) if name != GOLDEN and not name.startswith(f"{STATE}/"))


def edited_files(folder: Path, manifest_sha256: str | None) -> tuple[str, ...]:
    """Relative paths that are not as the manifest says: changed, missing, links, or `.py` files that it does not list.

    A manifest.json that cannot be read, or whose sha256 is not the ledger's, is named itself.
    """
    edited = {name for name, path in below(folder) if path.is_symlink()}
    found = {name: path for name, path in exported_files(folder) if name not in edited}
    manifest = found.get(MANIFEST)
    if manifest is None or (manifest_sha256 is not None and _sha256(manifest) != manifest_sha256):
        edited.add(MANIFEST)
    listed = None if manifest is None else _listed(folder)
    if listed is None:
        return tuple(sorted(edited | {MANIFEST}))
    edited |= {name for name, digest in listed.items() if name not in found or _sha256(found[name]) != digest}
    edited |= {name for name in found if name.endswith(".py") and name not in listed}
    return tuple(sorted(edited))


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a version, None where it is not there or no JSON object; who asks leaves it as it is."""
    return read_object(folder / MANIFEST)


def _listed(folder: Path) -> dict[str, str] | None:
    files = (read_manifest(folder) or {}).get("files")
    return {str(name): str(digest) for name, digest in files.items()} if isinstance(files, dict) else None


_sha256 = Unchanged(lambda path: hashlib.sha256(path.read_bytes()).hexdigest(), most=1024)
