"""The comparison of what lies in a running kernel with a package's transform, in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, to_builtins

from nbprod.replay.process import of_version, run


class Raw(Struct, frozen=True):
    """Where the raw rows were written to."""

    folder: Path
    stem: str


class Held(Struct, frozen=True):
    """An object of the kernel as it was written: `labels` is the stem of one that has the labels of its rows.

    `is_given`: it is what the model is given, whatever its name; else it is a frame on the way to that.
    """

    name: str
    stem: str
    labels: str | None = None
    is_given: bool = False


def compare_live(
    package_root: Path,
    name: str,
    version: str,
    python: str,
    manifest: Mapping[str, Any],
    *,
    folder: Path,
    raw: Raw,
    held: Sequence[Held],
) -> dict[str, Any]:
    """What the package's transform of the raw rows has in common with the objects in `folder`, by column.

    What is equal is what is equal to the replay. The interpreter is a fresh one: nothing of the kernel is touched.
    Raises NbprodError where the package can't be loaded, at the notebook's cell and line if known.
    """
    request = {
        "mode": "live",
        **of_version(package_root, name, version, folder),
        "raw_folder": str(raw.folder),
        "raw": raw.stem,
        "held": [to_builtins(each) for each in held],
        "features": [str(each["name"]) for each in manifest.get("features", ())],
    }
    return run(request, python, manifest)
