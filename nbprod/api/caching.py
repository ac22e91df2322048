"""The verb `cache`: what the stages of earlier runs have handed over, shown and cleared."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbprod.backends.stage_cache import FOLDER, Found, entries_in, size_of
from nbprod.config import find_project
from nbprod.errors import NbprodError, Where


def cache(notebooks: Sequence[str] = (), *, clear: bool = False) -> dict[str, Any]:
    """The stages that are kept, of the notebooks or of the whole project; removed where `clear` (schemas/cache.json).

    The project is that of the first notebook, else that around the current directory. Raises NbprodError
    (`not-found`) for a notebook that does not exist and of which nothing is kept.
    """
    project = find_project(Path(notebooks[0]) if notebooks else Path.cwd())
    root = project.root.resolve() / FOLDER
    found = [each for folder in sorted(root.glob("[!.]*")) if folder.is_dir() for each in entries_in(folder)]
    wanted = {str(Path(each).resolve()) for each in notebooks}
    chosen = [each for each in found if not wanted or _notebook_of(each) in wanted]
    for each in sorted(wanted - {_notebook_of(one) for one in chosen}):
        if not Path(each).is_file():
            raise NbprodError("there is no such notebook", code="not-found", where=Where(each))
    report = [_as_json(each, project.root.resolve()) for each in chosen]
    if clear:
        # What a killed run has left unfinished goes as well.
        for folder in (root,) if not wanted else [each.folder for each in chosen]:
            shutil.rmtree(folder, ignore_errors=True)
    return {
        "folder": str(root),
        "limit_mb": project.config.cache_mb,
        "bytes": sum(each["bytes"] for each in report),
        "cleared": clear,
        "entries": sorted(report, key=lambda each: (each["notebook"], each["after"], each["used"])),
    }


def _notebook_of(found: Found) -> str:
    return found.entry.notebook


def _as_json(found: Found, root: Path) -> dict[str, Any]:
    entry = found.entry
    path = Path(entry.notebook)
    used = datetime.fromtimestamp(found.folder.stat().st_mtime, UTC)
    return {
        "notebook": path.relative_to(root).as_posix() if path.is_relative_to(root) else entry.notebook,
        "stage": entry.role,
        "after": entry.after,
        "whole_run": entry.is_run,
        "seconds": sum(each.seconds for each in entry.cells),
        "bytes": size_of(found.folder),
        "created": entry.created,
        "used": used.isoformat(timespec="seconds"),
        "inputs": [each for each, _, _ in entry.inputs],
    }
