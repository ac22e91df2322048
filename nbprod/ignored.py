"""Folders of a project that hold what a machine has made of it, and that belong in no commit."""

from __future__ import annotations

from pathlib import Path

IGNORE = ".gitignore"


def keep_out_of_git(folder: Path) -> None:
    """Make `folder` where it is not there, and let git leave all of it out, unless a person has said otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / IGNORE
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
