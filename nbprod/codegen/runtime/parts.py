"""What is kept of a file that is being scored until all of it is there: done parts, how far they go, and of what.

They lie beside the target, in the folder `.NAME.parts`. A run that was killed, or had no room, is gone on with by the
same command; the target appears when it is complete. The system's lock on a file keeps a second run away, and goes with
the process that holds it, however that ends.
"""

from __future__ import annotations

import errno
import hashlib
import importlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

HEAD_BYTES = 1 << 20
SYNC_SECONDS = 1.0
JOURNAL = "journal.jsonl"
"""An entry a piece, of which the last whole one counts; now and then, and by each run, it is begun anew."""


class BusyError(RuntimeError):
    """Another process writes the same file."""


@dataclass
class Progress:
    """How far the parts go: the place in the input behind them, rows, and what was told of the rows."""

    pieces: int = 0
    end: int = 0
    rows: int = 0
    bad: int = 0
    unanswered: int = 0
    flags: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)


class Parts:
    """The folder of the parts of a target, which is locked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.progress = Progress()
        self._synced = float("-inf")  # so that the first entry of a run is a journal of its own

    def begin(self, identity: dict[str, Any], *, bad: str | None) -> str | None:
        """Take up the parts of an earlier run of the same; returns why they are left where they are of another one.

        Where no bad row was met so far, it makes no difference where they should go.
        """
        there = _read(self.folder / JOURNAL)
        self._identity, self._bad = identity, bad
        if not there or not there.get("progress", {}).get("pieces"):
            self.clear()
            return None
        then = there["identity"]
        others = [name for name in identity if then.get(name) != identity[name]]
        if not others and there["progress"]["bad"] and there["bad"] != bad:
            others = ["the file of bad rows"]
        if not others and not self._are_whole(there["progress"]):
            others = ["the parts"]
        if others:
            self.clear()
            return " and ".join(others)
        self.progress = Progress(**there["progress"])
        for name, size in self.progress.sizes.items():
            # what was written behind the last entry of the journal is written again
            os.truncate(self.folder / name, size)
        return None

    def add(self, progress: Progress, texts: dict[str, bytes], files: dict[str, bytes]) -> None:
        """Keep what one piece more has given: `texts` go below those before them, `files` are files of their own."""
        now = time.monotonic()
        is_due = now > self._synced + SYNC_SECONDS
        for name, content in {**texts, **files}.items():
            with (self.folder / name).open("ab" if name in texts else "wb") as file:
                file.write(content)
                if is_due:
                    file.flush()
                    os.fsync(file.fileno())
                if name in texts:
                    progress.sizes[name] = file.tell()
        self._synced = now if is_due else self._synced
        entry = json.dumps({"identity": self._identity, "bad": self._bad, "progress": asdict(progress)}) + "\n"
        journal = self.folder / JOURNAL
        if is_due:
            new = journal.with_suffix(".new")
            new.write_text(entry, encoding="utf-8")
            new.replace(journal)
        else:
            with journal.open("a", encoding="utf-8") as file:
                file.write(entry)
        self.progress = progress

    def _are_whole(self, progress: dict[str, Any]) -> bool:
        """Whether the parts are as long at least as the journal says, and none is missing."""
        kept = sum(1 for _ in self.folder.glob("scored-*.parquet"))
        return (progress["sizes"] or kept >= progress["pieces"]) and all(
            (self.folder / name).is_file() and (self.folder / name).stat().st_size >= size
            for name, size in progress["sizes"].items()
        )

    def clear(self) -> None:
        """Remove all parts, but not the lock."""
        for path in self.folder.iterdir():
            if path.name != "lock":
                path.unlink()


@contextmanager
def locked(target: Path) -> Iterator[Parts]:
    """The parts of a target, for this process alone; a folder without parts goes again at the end.

    Raises BusyError where another process has them.
    """
    folder = target.with_name(f".{target.name}.parts")
    while True:
        folder.mkdir(parents=False, exist_ok=True)
        try:
            file = (folder / "lock").open("ab")
        except FileNotFoundError:  # another process was done with it in between
            continue
        try:
            _lock(file)
        except OSError as error:
            file.close()
            raise BusyError(f"another process is writing {target}: wait for it, or name another file") from error
        if _is_there(file, folder / "lock"):
            break
        file.close()
    parts = Parts(folder)
    try:
        yield parts
    finally:
        with file:
            if not (folder / JOURNAL).exists():
                shutil.rmtree(folder, ignore_errors=True)


def put(made: Path, place: Path) -> None:
    """Put a finished file or folder in its place in one step, on whatever disk that is; an older one goes.

    Where that fails, `made` and an older one are where they were. A file takes no folder's place. Raises OSError.
    """
    new, old = (place.with_name(f".{place.name}.{state}") for state in ("new", "old"))
    remove(new)
    try:
        _bring(made, new)
        is_moved = new.is_dir() and place.is_dir()
        if is_moved:
            remove(old)
            place.rename(old)
        new.replace(place)
    except OSError:
        if old.exists() and not place.exists():
            old.rename(place)
        if made.exists():
            remove(new)
        else:
            new.rename(made)
        raise
    remove(made)
    if is_moved:
        remove(old)


def remove(path: Path) -> None:
    """Remove a file or a folder, where it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def identity_of(source: Path, version: dict[str, str], options: dict[str, Any]) -> dict[str, Any]:
    """What parts are of: the input as it is now, the version of the package, and how it is cut."""
    stated = source.stat()
    with source.open("rb") as file:
        head = hashlib.sha256(file.read(HEAD_BYTES)).hexdigest()
    return {
        "the input": {"size": stated.st_size, "changed": stated.st_mtime_ns, "head": head},
        "the version": version,
        "the options": options,
    }


def _bring(made: Path, new: Path) -> None:
    """Move a file or a folder of files; to another disk they are copied."""
    try:
        made.rename(new)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        if not made.is_dir():
            shutil.copyfile(made, new)
            return
        new.mkdir()
        for path in made.iterdir():
            shutil.copyfile(path, new / path.name)


def _read(path: Path) -> dict[str, Any]:
    """The last whole entry of a journal; a process that is killed can leave half of one behind it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return {}
    for line in reversed(lines):
        with suppress(ValueError):
            entry = json.loads(line)
            return entry if isinstance(entry, dict) else {}
    return {}


def _lock(file: Any) -> None:
    """Take the system's lock on a file, or raise OSError at once."""
    if os.name == "nt":
        importlib.import_module("msvcrt").locking(file.fileno(), 2, 1)  # LK_NBLCK
        return
    system = importlib.import_module("fcntl")
    system.flock(file.fileno(), system.LOCK_EX | system.LOCK_NB)


def _is_there(file: Any, path: Path) -> bool:
    """Whether the file that was opened is still the one of this name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
