"""Several notebooks at once: which files are meant, and the work on each over the machine's cores."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

from nbprod.cli.terminal import internal_error
from nbprod.errors import NbprodError, Where, from_system

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

T = TypeVar("T")

AHEAD = 8
"""Notebooks for each process that may be under way before their results are taken."""

SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages", "venv", "build", "dist"})


class Outcome(Struct, Generic[T], frozen=True):
    """What came of one notebook: a value, or the error that stopped it alone."""

    path: str
    value: T | None = None
    error: NbprodError | None = None


def notebooks_in(arguments: Sequence[str], exclude: Sequence[str] = ()) -> tuple[str, ...]:
    """The notebooks that files, folders and globs stand for, each once, in order.

    A folder means all `.ipynb` in it and below, and those `.py` files that hold a `# %%` line; hidden folders,
    checkpoints, environments and exported packages are left out, and so is what matches `exclude`.
    Raises NbprodError (`not-found`) for an argument that stands for nothing.
    """
    found: dict[str, None] = {}
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            inside = [each for each in _walk(path) if not _is_excluded(each, exclude)]
            if not inside:
                raise NbprodError("no notebook in this folder", code="not-found", where=Where(argument))
            found.update((each.as_posix(), None) for each in inside)
        else:
            found.update((each, None) for each in ([argument] if path.exists() else _glob(argument)))
    return tuple(found)


def each_of(work: Callable[[str], T], paths: Sequence[str]) -> Iterator[Outcome[T]]:
    """The outcome of `work(path)` for each path, in order; over processes when there are several.

    `work` must be picklable: a module's function, or a `functools.partial` of one.
    """
    workers = min(len(paths), os.cpu_count() or 1)
    if workers <= 1:
        yield from (_outcome(work, path) for path in paths)
        return
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    with ProcessPoolExecutor(workers) as pool:
        waiting: deque[tuple[str, Future[Outcome[T]] | None]] = deque()
        coming = iter(paths)
        # Only some are under way at any time, so that their results do not pile up in memory.
        for path in islice(coming, AHEAD * workers):
            waiting.append((path, _submitted(pool, work, path)))
        while waiting:
            path, future = waiting.popleft()
            try:
                if future is None:
                    raise BrokenProcessPool
                yield future.result()
            except BrokenProcessPool:
                gone = NbprodError("the process that worked on it was ended", code="killed", where=Where(path))
                yield Outcome(path, error=gone)
            for further in islice(coming, 1):
                waiting.append((further, _submitted(pool, work, further)))


def _submitted(pool: ProcessPoolExecutor, work: Callable[[str], T], path: str) -> Future[Outcome[T]] | None:
    """The work on one notebook, None where the processes are gone."""
    from concurrent.futures.process import BrokenProcessPool

    try:
        return pool.submit(_isolated, work, path)
    except BrokenProcessPool:
        return None


def _outcome(work: Callable[[str], T], path: str) -> Outcome[T]:
    try:
        return Outcome(path, value=work(path))
    except NbprodError as error:
        return Outcome(path, error=error)
    except OSError as error:
        return Outcome(path, error=from_system(error, path))


def _isolated(work: Callable[[str], T], path: str) -> Outcome[T]:
    """In a worker: a fault of nbprod itself is this notebook's outcome and does not stop the others."""
    try:
        return _outcome(work, path)
    except Exception as fault:  # noqa: BLE001 - shown as the internal error that it is
        return Outcome(path, error=internal_error(fault, Where(path)))


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in SKIPPED_FOLDERS:
            continue
        if path.is_dir():
            if not (path / "versions.json").exists() and not (path / "pyvenv.cfg").exists():
                yield from _walk(path)
        elif path.suffix == ".ipynb" or (path.suffix == ".py" and _has_cells(path)):
            yield path


def _has_cells(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as lines:
        return any(line.startswith(("# %%", "#%%")) for line in lines)


def _is_excluded(path: Path, patterns: Sequence[str]) -> bool:
    return any(path.match(pattern) for pattern in patterns)


def _glob(pattern: str) -> list[str]:
    """What a glob that the shell left alone stands for."""
    from glob import glob, has_magic

    if not has_magic(pattern):
        # No such file: reading it says so, with what is near, and the other notebooks go on.
        return [pattern]
    found = sorted(each for each in glob(pattern, recursive=True) if each.endswith((".ipynb", ".py")))  # noqa: PTH207
    if not found:
        raise NbprodError("no notebook matches", code="not-found", where=Where(pattern))
    return [Path(each).as_posix() for each in found]
