"""Whether the newest version is still what the notebook exports to, and which cell moved it (`export --check`)."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from nbprod.versions.edits import MANIFEST, edited_files, generated_files
from nbprod.versions.ledger import package_folder, read_ledger


class StaleFile(Struct, frozen=True):
    """A file that an export would change: `diff` is unified, from the version's folder to the export.

    `cell`, `cell_id` and `line` are the place in the notebook of the first line that moves, where the source map
    knows it. `edited` says that the file on disk is not the one that was exported.
    """

    path: str
    kind: Literal["added", "changed", "removed"]
    diff: str
    cell: int | None = None
    cell_id: str | None = None
    line: int | None = None
    edited: bool = False


def is_stale(
    root: Path, name: str, version_files: Mapping[str, bytes], root_files: Mapping[str, bytes] | None = None
) -> tuple[StaleFile, ...]:
    """The files that an export of `version_files` would change in the newest version; empty where it is up to date.

    Where nothing was exported yet, every file is `added`. Writes nothing.
    """
    folder = package_folder(root, name)
    ledger = read_ledger(folder)
    newest = ledger.entries[-1] if ledger and ledger.entries else None
    place = folder / newest.folder if newest else None
    old = generated_files(place) if place else {}
    edited = set(edited_files(place, newest.manifest)) if newest and place else set()
    moved = _Places(old.get(MANIFEST), version_files.get(MANIFEST))
    label = newest.folder if newest else name
    stale = [
        _stale(path, label, old.get(path), version_files.get(path), moved, path in edited)
        for path in sorted({*old, *version_files}, key=_reading_order)
        if old.get(path) != version_files.get(path)
    ]
    for path, content in sorted((root_files or {}).items()):
        there = (folder / path).read_bytes() if (folder / path).is_file() else None
        if there != content:
            stale.append(_stale(path, name, there, content, _Places(None, None), False))
    return tuple(stale)


def _reading_order(path: str) -> tuple[bool, str]:
    # The source files tell a person why; the manifest only follows them.
    return not path.endswith(".py"), path


def _stale(path: str, label: str, old: bytes | None, new: bytes | None, places: _Places, edited: bool) -> StaleFile:
    before, after = _lines(old), _lines(new)
    diff = "".join(
        f"{line.rstrip()}\n"
        for line in difflib.unified_diff(before, after, f"{label}/{path}", f"notebook/{path}", n=2, lineterm="")
    )
    kind: Literal["added", "changed", "removed"] = "added" if old is None else "removed" if new is None else "changed"
    place = places.first(path, before, after) or {}
    return StaleFile(path, kind, diff, place.get("cell"), place.get("cell_id"), place.get("line"), edited)


class _Places(Struct, frozen=True):
    """The notebook's places of generated lines, from the old and the new manifest."""

    old: bytes | None
    new: bytes | None

    def first(self, path: str, before: list[str], after: list[str]) -> dict[str, Any] | None:
        """The place in the present notebook of the first line that differs; a removed line gives what follows it."""
        if path == MANIFEST:
            return self._first_step()
        mapped = sorted(tuple(row) for row in _manifest(self.new).get("source_map", {}).get(path, ()))
        matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
        spans = [(start, end) for tag, _, _, start, end in matcher.get_opcodes() if tag != "equal"]
        # A line that comes from the notebook says more than an import that moved with it.
        inside = (row for start, end in spans for row in mapped if start < row[0] <= end)
        following = (row for start, _ in spans for row in mapped if start < row[0])
        at = next(inside, None) or next(following, None) or (mapped[-1] if mapped and spans else None)
        return None if at is None else {"cell": at[1], "cell_id": at[2], "line": at[3]}

    def _first_step(self) -> dict[str, Any] | None:
        old, new = (_manifest(content).get("steps", []) for content in (self.old, self.new))
        keys = ("cell", "cell_id", "line", "source")
        for index, step in enumerate(new):
            if index >= len(old) or [old[index].get(key) for key in keys] != [step.get(key) for key in keys]:
                return {key: step.get(key) for key in ("cell", "cell_id", "line")}
        return None


def _manifest(content: bytes | None) -> dict[str, Any]:
    try:
        value = json.loads(content or b"")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _lines(content: bytes | None) -> list[str]:
    return (content or b"").decode(errors="replace").splitlines()
