"""The folders of a project in which its own files lie: not those of environments, libraries and tools."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

FOREIGN = frozenset({"node_modules", "site-packages", "__pycache__"})
DEEPEST = 4
"""Folders below the root that are looked into: a notebook outside of a project may lie in a home folder."""


def own_folders(root: Path, deepest: int = DEEPEST) -> Iterator[tuple[Path, list[str]]]:
    """Each folder, relative to the root, with the names of its files; both in order, hidden folders left out."""
    for place, folders, names in os.walk(root):
        here = Path(place).relative_to(root)
        folders[:] = sorted(
            each
            for each in folders
            if not each.startswith(".") and each not in FOREIGN and not Path(place, each, "pyvenv.cfg").exists()
        )
        if len(here.parts) == deepest:
            folders.clear()
        yield here, sorted(names)
