"""What was exported against what lies in a version's folder now: edits made by hand."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from nbprod.versions.files import is_litter, tree
from nbprod.versions.unchanged import Unchanged

STATE = "state"
GOLDEN = "tests/golden.json"
MANIFEST = "manifest.json"


def generated_files(folder: Path) -> dict[str, bytes]:
    """The files of a version as exported: without what a fit adds (state/ and tests/golden.json)."""
    return {
        name: content for name, content in tree(folder).items() if name != GOLDEN and not name.startswith(f"{STATE}/")
    }


def edited_files(folder: Path, manifest_sha256: str | None) -> tuple[str, ...]:
    """Relative paths that are not as the manifest says: changed, missing, links, or `.py` files that it does not list.

    A manifest.json that cannot be read, or whose sha256 is not the ledger's, is named itself.
    """
    found = generated_files(folder)
    edited = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() and not is_litter(path.relative_to(folder))
    }
    manifest = found.get(MANIFEST)
    if manifest is None or (manifest_sha256 is not None and _sha256(manifest) != manifest_sha256):
        edited.add(MANIFEST)
    listed = _listed(manifest)
    if listed is None:
        return tuple(sorted(edited | {MANIFEST}))
    edited |= {name for name, digest in listed.items() if name not in found or _sha256(found[name]) != digest}
    edited |= {name for name in found if name.endswith(".py") and name not in listed}
    return tuple(sorted(edited))


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a version, None where it is not there or no JSON object; who asks leaves it as it is."""
    try:
        value = _manifests(folder / MANIFEST)
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


_manifests: Unchanged[Any] = Unchanged(lambda path: json.loads(path.read_bytes()))


def _listed(manifest: bytes | None) -> dict[str, str] | None:
    try:
        files = json.loads(manifest or b"")["files"]
        return {str(name): str(digest) for name, digest in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
