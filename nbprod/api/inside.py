"""Paths as a browser or an agent names them, held inside the server's root folder."""

from __future__ import annotations

import re
from pathlib import Path

from nbprod.errors import NbprodError, Where

NOTEBOOKS = frozenset({".ipynb", ".py"})


def is_notebook(text: str) -> bool:
    """Whether a word of a command means a notebook's file, and no package."""
    return Path(text).suffix in NOTEBOOKS


def resolve_inside(root: Path, path: str, *, allow_hidden: bool = False) -> Path:
    """The file that `path` (relative to `root`, with forward slashes) names, symbolic links followed.

    Raises:
        NbprodError: `outside-root` when the file lies outside of `root`, or is hidden and `allow_hidden` is false.
    """
    real_root = root.expanduser().resolve()
    try:
        target = (real_root / path.lstrip("/")).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise _outside(path) from error
    if not target.is_relative_to(real_root):
        raise _outside(path)
    parts = target.relative_to(real_root).parts
    if not allow_hidden and any(part.startswith(".") for part in parts):
        raise _outside(path)
    return target


def shown_path(root: Path, path: str) -> str:
    """`path` relative to `root` where it lies inside of it, with forward slashes; else as it is."""
    real_root = root.expanduser().resolve()
    if Path(path).is_relative_to(real_root):
        return Path(path).relative_to(real_root).as_posix()
    return path


def shown_paths(root: Path, text: str) -> str:
    """A text, each path in it that lies below `root` relative to it, and `root` itself as `.`."""
    real_root = root.expanduser().resolve()
    if real_root == real_root.parent:
        return text  # of the root of a disk every path is one, and hides nothing
    names = "|".join(re.escape(name) for name in {str(real_root), real_root.as_posix()})
    # Neither the end of another path nor the beginning of another name.
    return re.sub(rf"(?<![\w./\\-])(?:{names})(?:([/\\])|(?![\w-]))", lambda found: "" if found[1] else ".", text)


def _outside(path: str) -> NbprodError:
    return NbprodError(
        "the path lies outside of the folder that this server shows",
        code="outside-root",
        where=Where(path),
        hint="name a file below the folder that the server was started in",
    )
