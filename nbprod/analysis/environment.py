"""Which pandas will run a notebook, read from the files of its kernel's environment: nothing is started."""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from pathlib import Path

SITES = ("lib/python*/site-packages", "Lib/site-packages")


@cache
def pandas_major(kernel: str | None) -> int:
    """The major version of pandas in a kernel's environment; of this one where the kernel is not known, else 3."""
    python = kernel_python(kernel) if kernel else None
    if python is not None:
        version = _installed(python, "pandas")
        if version is not None:
            return _major(version)
    version = _installed_here("pandas")
    return 3 if version is None else _major(version)


def kernel_python(kernel: str) -> Path | None:
    """The interpreter that a kernel starts, None where no such kernel is found or it starts this environment's own."""
    for folder in kernel_folders():
        spec = folder / kernel / "kernel.json"
        if spec.is_file():
            try:
                argv = json.loads(spec.read_text(encoding="utf-8")).get("argv") or [""]
            except (OSError, ValueError):
                return None
            python = Path(str(argv[0]))
            return python if python.is_absolute() else None
    return None


def kernel_folders() -> list[Path]:
    """Where Jupyter looks for kernels, in its order."""
    home = Path.home()
    given = [Path(part) for part in os.environ.get("JUPYTER_PATH", "").split(os.pathsep) if part]
    user = Path(os.environ.get("JUPYTER_DATA_DIR") or home / ".local/share/jupyter")
    mac = [home / "Library/Jupyter"] if sys.platform == "darwin" else []
    system = [Path(sys.prefix) / "share/jupyter", Path("/usr/local/share/jupyter"), Path("/usr/share/jupyter")]
    return [folder / "kernels" for folder in (*given, user, *mac, *system)]


def _installed(python: Path, distribution: str) -> str | None:
    prefix = python.parent.parent
    folders = (folder for pattern in SITES for folder in sorted(prefix.glob(pattern), reverse=True))
    return next((version for folder in folders if (version := _version_in(folder, distribution))), None)


def _installed_here(distribution: str) -> str | None:
    """The version in this environment, by a folder's name where there is one: reading metadata takes far longer."""
    found = next((version for folder in sys.path if (version := _version_in(Path(folder), distribution))), None)
    if found is not None:
        return found
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _version_in(folder: Path, distribution: str) -> str | None:
    found = sorted(folder.glob(f"{distribution}-*.dist-info"))
    return found[-1].name.removesuffix(".dist-info").partition("-")[2] if found else None


def _major(version: str) -> int:
    head = version.partition(".")[0]
    return int(head) if head.isdigit() else 3
