"""A run that begins in the store of runs while its notebook starts: opening a store takes seconds."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Thread
from uuid import uuid4

from msgspec import DecodeError
from msgspec import json as fast
from msgspec.structs import replace

from nbprod import tracking
from nbprod.api.sending import Place, begun
from nbprod.errors import NbprodError, from_system
from nbprod.ignored import keep_out_of_git
from nbprod.model.run import RunResult
from nbprod.versions.files import replace_file

OWNER = "owner.json"
"""The file that names the process whose folder this is, until the folder has the name of its run."""

RUN = "run"
"""The file that names the run of a folder which has not got the run's name yet."""

_STAGED = re.compile(r"\.[0-9a-f]{12}")
_RUN_ID = re.compile(r"[A-Za-z0-9][\w-]{0,255}")
"""What MLflow takes as the id of a run (mlflow/utils/validation.py)."""

Say = Callable[[str, str], None]


class Beginning:
    """A run on its way into the store, and the folder that it takes place in until the store has given it an id.

    A process that ends does not wait for the store: what is there of the run is named by the next one.
    """

    def __init__(self, record: tracking.RunRecord, place: Place, runs: Path) -> None:
        self.runs = runs
        self.folder = runs / f".{uuid4().hex[:12]}"
        self._id: str | None = None
        self._told: list[tuple[str, str]] = []
        self._begun: Future[str] = Future()
        keep_out_of_git(runs)
        _swept(runs)
        self.folder.mkdir()
        try:
            (self.folder / OWNER).write_bytes(fast.encode(tracking.this_process()))
        except OSError:
            self.abandon()
            raise
        Thread(target=self._begin, args=(record, place), name="nbprod-track", daemon=True).start()

    def _begin(self, record: tracking.RunRecord, place: Place) -> None:
        try:
            run_id = begun(record, place, lambda stage, text: self._told.append((stage, text)))
        except OSError as refused:
            self._begun.set_exception(from_system(refused, tracking.redact_text(place.uri)))
        except BaseException as refused:  # noqa: BLE001 - it is raised where the id is asked for
            self._begun.set_exception(refused)
        else:
            with suppress(OSError):  # a full disk is told of where something is lost: this is for a kill alone
                (self.folder / RUN).write_text(run_id, encoding="utf-8")
            self._begun.set_result(run_id)

    @property
    def is_decided(self) -> bool:
        """Whether the store has given the run its id, or has refused."""
        return self._begun.done()

    def run_id(self, say: Say) -> str:
        """The run's id, as soon as there is one. Raises NbprodError where the store refuses."""
        if self._id is None:
            if not self.is_decided:
                say("track", "opening the store of runs")
            self._id = self._begun.result()
            for stage, text in self._told:
                say(stage, text)
        return self._id

    def check(self) -> None:
        """Raise what the store has refused by now."""
        if self.is_decided:
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
        """The error with the run's folder where it names the one that is no more."""
        before, after = str(self.folder.resolve()), str((self.runs / run_id).resolve())
        if error.hint is not None:
            error.hint = error.hint.replace(before, after)
        if error.where is not None:
            error.where = replace(error.where, path=error.where.path.replace(before, after))
        return error


def _named(folder: Path, run_id: str) -> Path:
    target = folder.with_name(run_id)
    before, after = (json.dumps(str(each.resolve()), ensure_ascii=False)[1:-1] for each in (folder, target))
    folder.rename(target)
    for name in (RUN, OWNER):
        (target / name).unlink(missing_ok=True)
    for path in target.glob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        if before in text:
            replace_file(path, text.replace(before, after).encode())
    return target


def _swept(runs: Path) -> None:
    """Name the folders of runs whose process has died, and remove those of which no store knows.

    Folders of other machines are left to these.
    """
    for folder in runs.iterdir():
        if _STAGED.fullmatch(folder.name) and _is_left_behind(folder):
            with suppress(OSError):  # another run may be at it, too; what stays is for the next one
                name = folder / RUN
                run_id = name.read_text(encoding="utf-8") if name.is_file() else ""
                if _RUN_ID.fullmatch(run_id) and not (runs / run_id).exists():
                    _named(folder, run_id)
                else:
                    shutil.rmtree(folder)


def _is_left_behind(folder: Path) -> bool:
    try:
        owner = fast.decode((folder / OWNER).read_bytes(), type=tracking.Owner)
    except (OSError, DecodeError):
        return False  # the run has just begun here, or it was stopped before anything else was written
    return owner.is_here and not owner.is_at_work
