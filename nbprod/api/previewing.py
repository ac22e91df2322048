"""The text of a package as the notebook would give it now, or as a version has it, and where each line is from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbprod import versions
from nbprod.api.answers import Preview, PreviewFile, PreviewLine
from nbprod.api.beside import studied_beside
from nbprod.api.exporting import MANIFEST, drafted
from nbprod.api.packages import Target
from nbprod.errors import NbprodError

SHOWN = frozenset({".py", ".json", ".lock", ".txt", ".md"})
_SAME = ("runtime/", "tests/")
_GENERATED = ("features.py", "train.py", "evaluate.py")


def preview_notebook(target: Target, path: str, content: str | None = None, version: int | None = None) -> Preview:
    """The package of the notebook at `path`, whose unsaved text is `content`; version `version` of it where given.

    Files that are the same in every package are left out. Raises NbprodError: no plan, no such version.
    """
    with studied_beside(target, path, content) as found:
        known, newest = found.known, found.version
        if version is not None:
            versions.resolve(target.root, target.name, version)
            texts = _files_of(target, version)
        elif known.plan is None:
            assert known.failure is not None
            raise known.failure
        else:
            draft = drafted(known.plan, known.notebook, target)
            texts = {name: text.decode() for name, text in draft.files.items()}
    number = None if newest is None else newest.number
    before = {} if number is None else _files_of(target, number)
    return Preview(target.name, version, number, found.comparison.verdict, _shown(texts, before))


def _files_of(target: Target, number: int) -> dict[str, str]:
    """The text files of a version, without what is the same in every package and what a fit has written."""
    folder = versions.version_folder(target.root, target.name, number)
    shown = (
        (name, path)
        for name, path in versions.exported_files(folder)
        if path.suffix in SHOWN and not path.is_symlink() and not name.startswith(_SAME)
    )
    return {name: _text(path) for name, path in shown}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NbprodError(f"{path.name} of the package can't be read: {error}", code="damaged-version") from error


def _shown(texts: Mapping[str, str], before: Mapping[str, str]) -> tuple[PreviewFile, ...]:
    """The notebook's own files first, the manifest left out: it says the same again."""
    lines = _lines(texts.get(MANIFEST, "{}"))
    names = [name for name in texts if name != MANIFEST and not name.startswith(_SAME)]
    names.sort(key=lambda name: (_GENERATED.index(name) if name in _GENERATED else len(_GENERATED), name))
    return tuple(PreviewFile(name, texts[name], before.get(name), lines.get(name, ())) for name in names)


def _lines(manifest: str) -> dict[str, tuple[PreviewLine, ...]]:
    """Where the lines of each module come from."""
    try:
        known: Any = json.loads(manifest)
    except ValueError:
        return {}
    source_map = known.get("source_map", {}) if isinstance(known, dict) else {}
    return {
        name: tuple(PreviewLine(line, cell, cell_id or None, at) for line, cell, cell_id, at in rows)
        for name, rows in source_map.items()
    }
