"""A run that begins in the store of runs while its notebook starts: opening a store takes seconds."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from msgspec.structs import replace

from nbprod import tracking
from nbprod.api.sending import Place, begun
from nbprod.errors import NbprodError
from nbprod.ignored import keep_out_of_git
from nbprod.model.run import RunResult
from nbprod.tracking.store import is_alive

RUN = "run"
"""The file that names the run of a folder which has not got the run's name yet."""

_STAGED = re.compile(r"\.(\d+)-[0-9a-f]+")

Say = Callable[[str, str], None]


class Beginning:
    """A run on its way into the store, and the folder that it takes place in until the store has given it an id."""

    def __init__(self, record: tracking.RunRecord, place: Place, runs: Path) -> None:
        self.runs = runs
        self.folder = runs / f".{os.getpid()}-{uuid4().hex[:12]}"
        self._id: str | None = None
        self._told: list[tuple[str, str]] = []
        keep_out_of_git(runs)
        _swept(runs)
        self.folder.mkdir()
        pool = ThreadPoolExecutor(1, thread_name_prefix="nbprod-track")
        self._begun = pool.submit(begun, record, place, lambda stage, text: self._told.append((stage, text)))
        pool.shutdown(wait=False)

    def run_id(self, say: Say) -> str:
        """The run's id, as soon as there is one. Raises NbprodError where the store refuses."""
        if self._id is None:
            if not self._begun.done():
                say("track", "opening the store of runs")
            self._id = self._begun.result()
            with suppress(OSError):  # a full disk is told of where something is lost: this is for a kill alone
                (self.folder / RUN).write_text(self._id, encoding="utf-8")
            for stage, text in self._told:
                say(stage, text)
        return self._id

    def check(self) -> None:
        """Raise what the store has refused by now."""
        if self._begun.done():
            self._begun.result()

    def abandon(self) -> None:
        """Forget what there is of a run that no store knows."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def settle(self, run_id: str) -> Path:
        """Give the folder the name of its run; the executed notebook follows in what it says of its own place."""
        return _named(self.folder, run_id) if self.folder.is_dir() else self.runs / run_id

    def settled(self, result: RunResult, run_id: str) -> RunResult:
        """The result with the places that it has once the folder has its name."""
        before, after = self.folder.resolve(), self.settle(run_id).resolve()
        executed, captures = (after / Path(path).relative_to(before) for path in (result.executed, result.captures))
        return replace(result, executed=str(executed), captures=str(captures))

    def renamed(self, error: NbprodError, run_id: str) -> NbprodError:
        """The error with the run's folder in its hint, where it names the one that is no more."""
        if error.hint is not None:
            error.hint = error.hint.replace(str(self.folder.resolve()), str((self.runs / run_id).resolve()))
        return error


def _named(folder: Path, run_id: str) -> Path:
    target = folder.with_name(run_id)
    before, after = str(folder.resolve()), str(target.resolve())
    (folder / RUN).unlink(missing_ok=True)
    folder.rename(target)
    for path in target.glob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        if before in text:
            path.write_text(text.replace(before, after), encoding="utf-8")
    return target


def _swept(runs: Path) -> None:
    """Name the folders of runs whose process has died, and remove those of which no store knows."""
    for folder in runs.iterdir():
        made = _STAGED.fullmatch(folder.name)
        if made is None or is_alive(int(made[1])):
            continue
        with suppress(OSError):  # another run may be at it, too; what stays is for the next one
            name = folder / RUN
            run_id = name.read_text(encoding="utf-8") if name.is_file() else ""
            if re.fullmatch(r"[0-9a-f]{32}", run_id) and not (runs / run_id).exists():
                _named(folder, run_id)
            else:
                shutil.rmtree(folder)
