"""Writing that is whole or not there at all: temporary neighbours, flushed to disk, moved into place."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from nbprod.errors import NO_SPACE, NbprodError, Where

TEMPORARY = ".nbprod-tmp-"
NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}
NO_FOLDER = {errno.ENOTDIR, errno.EEXIST, errno.ELOOP}


@contextmanager
def explained(
    folder: Path, *, option: str = "-o", kept: str = "nothing was changed", again: str = "export again"
) -> Iterator[None]:
    """Turn what the file system refuses in `folder` into an NbprodError that says what to do.

    `option` is what names another folder, `kept` what became of the files, `again` what to do once there is space.
    """
    try:
        yield
    except OSError as error:
        where = Where(path=str(error.filename or folder))
        if error.errno in NO_SPACE:
            raise NbprodError(
                f"no space left to write {folder}; {kept}",
                code="no-space",
                where=where,
                hint=f"free some space, or choose another folder with {option}, and {again}",
            ) from error
        if error.errno in NO_RIGHT:
            raise NbprodError(
                f"{folder} cannot be written: {os.strerror(error.errno)}",
                code="read-only",
                where=where,
                hint=f"make the folder writable, or choose another one with {option}",
            ) from error
        if error.errno in NO_FOLDER:
            raise NbprodError(
                f"{folder} cannot be used as a folder: {os.strerror(error.errno)}",
                code="not-a-folder",
                where=where,
                hint=f"move the file or link that stands there, or choose another folder with {option}",
            ) from error
        raise


def write_file(path: Path, content: bytes) -> None:
    """Write `content` and flush it to disk; the file must not exist yet."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` in the place of `path` in one step: readers see the old file or the new one."""
    staged = stage_file(path.parent, content)
    try:
        staged.replace(path)
    except OSError:
        staged.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def stage_file(folder: Path, content: bytes) -> Path:
    """A temporary file in `folder` that holds `content`, on disk; `Path.replace` moves it into place."""
    handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o666 & ~_umask())
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def stage_folder(parent: Path, files: Mapping[str, bytes]) -> Path:
    """A temporary folder in `parent` that holds `files` (relative posix path to bytes), on disk."""
    folder = parent / f"{TEMPORARY}{os.getpid()}-{os.urandom(6).hex()}"
    folder.mkdir()
    try:
        for name, content in sorted(files.items()):
            path = folder / relative(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, content)
        for below in {path.parent for path in folder.rglob("*")} | {folder}:
            sync_folder(below)
    except OSError:
        remove_folder(folder)
        raise
    return folder


def relative(name: str) -> PurePosixPath:
    """`name` as a path that stays inside of its folder; raises NbprodError for one that leaves it."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name:
        raise NbprodError(f'"{name}" is no path inside of a package', code="bad-path", hint="name files relative to it")
    return path


def below(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files and links below `folder` with their relative posix paths, without what Python and pytest leave.

    Links are not followed, and nothing is read.
    """
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if not is_litter(name) and (path.is_symlink() or path.is_file()):
            yield name.as_posix(), path


def tree(folder: Path) -> dict[str, bytes]:
    """The files below `folder` by relative posix path, links left out."""
    return {name: path.read_bytes() for name, path in below(folder) if not path.is_symlink()}


def is_litter(path: PurePosixPath | Path) -> bool:
    """Whether a file is a cache that tools leave, and no part of a package."""
    caches = {"__pycache__", ".pytest_cache", ".ipynb_checkpoints", ".mypy_cache", ".ruff_cache", ".DS_Store"}
    return bool(caches.intersection(path.parts)) or path.suffix == ".pyc"


def remove_folder(folder: Path) -> None:
    """Remove `folder` and what is in it; a link is removed and not followed."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def sync_folder(folder: Path) -> None:
    """Flush the names in `folder` to disk, where the system can (Windows cannot)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems refuse to sync a folder; the files in it are on disk already.
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
