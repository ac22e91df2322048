"""Runs that wait in the project for a tracking server that did not answer: whole, without secrets, without pickle.

A run is a folder `RUN`: `record.json`, the artifacts under `files/`, and under `package/` the version that it gave. It
appears in one step, and goes when the server has all of it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from nbprod.errors import NbprodError, Where
from nbprod.ignored import keep_out_of_git
from nbprod.model.run import RunSummary
from nbprod.notebook.redact import redacted
from nbprod.tracking.model import alone
from nbprod.tracking.record import RunRecord
from nbprod.tracking.runs import TEXT_FILES, clean_tags, clean_text, texts_of
from nbprod.tracking.store import is_alive

RECORD = "record.json"
FILES = "files"
SCHEMA = 1
_PLAIN = ("name", "notebook", "digest", "version", "metrics", "notebook_sha256", "commit", "dirty", "kernel", "python",
          "versions", "status")  # fmt: skip


class Unsent(Struct, frozen=True):
    """A run that waits: the id that ledger and reports know it by, its experiment, and whether it is to be registered.

    `tags` are those that the store is to show; `record` refers to the files of the spool.
    """

    run_id: str
    experiment: str
    register: bool
    record: RunRecord
    tags: Mapping[str, str]

    @property
    def summary(self) -> RunSummary:
        """The run as a store would tell of it."""
        record = self.record
        return RunSummary(
            run_id=self.run_id,
            name=record.name,
            experiment=self.experiment,
            status=record.status,
            start=record.start or datetime.now(UTC),
            end=record.end,
            params={name: str(value) for name, value in record.params.items()},
            metrics=dict(record.metrics),
            tags=self.tags,
            artifact_uri="",
            artifacts=tuple(record.artifacts),
        )


def keep(folder: Path, run_id: str, record: RunRecord, *, experiment: str, register: bool) -> Path:
    """Write a run into `folder`, in the place of what waited there under this id; gives its folder."""
    _tidied(folder)
    staged = folder / f".{run_id}-{os.getpid()}"
    shutil.rmtree(staged, ignore_errors=True)
    try:
        (staged / FILES).mkdir(parents=True)
        files = _files(record, staged)
        package = None
        if record.package is not None and record.version is not None:
            package = alone(record.package, record.version, staged).relative_to(staged).as_posix()
        told = {
            "schema": SCHEMA,
            "run_id": run_id,
            "experiment": experiment,
            "register": register,
            "record": _as_json(record) | {"package": package},
            "files": files,
            "tags": clean_tags(record),
        }
        (staged / RECORD).write_text(json.dumps(told, indent=2, default=_plain) + "\n", encoding="utf-8")
        discard(folder, run_id)
        staged.rename(folder / run_id)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    return folder / run_id


def waiting(folder: Path) -> tuple[str, ...]:
    """The ids of the runs that wait, oldest first."""
    found = [path for path in folder.glob("[0-9a-f]*") if (path / RECORD).is_file()]
    return tuple(path.name for path in sorted(found, key=lambda path: ((path / RECORD).stat().st_mtime_ns, path.name)))


def read(folder: Path, run_id: str) -> Unsent:
    """A run that waits. Raises NbprodError where its record is not what nbprod wrote."""
    path = folder / run_id / RECORD
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        plain = told["record"]
        package = plain.pop("package")
        record = RunRecord(
            **{name: plain[name] for name in _PLAIN},
            params=plain["params"],
            inputs=tuple((each, sha, size) for each, sha, size in plain["inputs"]),
            example=tuple(plain["example"]),
            start=_moment(plain["start"]),
            end=_moment(plain["end"]),
            package=None if package is None else folder / run_id / package,
            tags=plain["tags"],
            artifacts={name: folder / run_id / where for name, where in told["files"].items()},
        )
        return Unsent(told["run_id"], told["experiment"], bool(told["register"]), record, told["tags"])
    except (ValueError, KeyError, TypeError) as error:
        raise NbprodError(
            f"the record of this run can't be read: {error}",
            code="damaged-run",
            where=Where(str(path)),
            hint=f"the version that the run gave is not touched; remove {folder / run_id} to forget the run",
        ) from error


def discard(folder: Path, run_id: str) -> None:
    """Forget a run: it is gone in one step, and its files after that."""
    there = folder / run_id
    if there.exists():
        gone = folder / f".gone-{run_id}-{os.getpid()}"
        there.rename(gone)
        shutil.rmtree(gone)


def _tidied(folder: Path) -> None:
    """Make the folder, keep it out of commits, and remove what processes that died had begun there."""
    keep_out_of_git(folder)
    for left in folder.glob(".*-*"):
        writer = re.fullmatch(r"\.(?:gone-)?[0-9a-f]+-(\d+)", left.name)
        if writer and not is_alive(int(writer[1])):
            shutil.rmtree(left, ignore_errors=True)


def _files(record: RunRecord, staged: Path) -> dict[str, str]:
    """The artifacts as files of the spool: their paths in the run, and where they lie below `staged`."""
    files: dict[str, str] = {}
    package = None if record.version is None else record.package
    for name, text in texts_of(record).items():
        files[name] = f"{FILES}/{name}"
        (staged / FILES / name).parent.mkdir(parents=True, exist_ok=True)
        (staged / FILES / name).write_text(text, encoding="utf-8")
    for name, source in record.artifacts.items():
        files[name] = f"{FILES}/{name}"
        target = staged / FILES / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if package is not None and Path(source).parent.resolve() == package.resolve():
            files[name] = f"package/{package.name}/{Path(source).name}"
        elif Path(source).is_dir():
            shutil.copytree(source, target)
        elif Path(source).suffix in TEXT_FILES:
            target.write_text(clean_text(Path(source), record), encoding="utf-8", errors="surrogateescape")
        else:
            shutil.copyfile(source, target)
    return files


def _as_json(record: RunRecord) -> dict[str, Any]:
    cleaned = replace(record, params={name: _param(name, value) for name, value in record.params.items()})
    return {
        **{name: getattr(cleaned, name) for name in _PLAIN},
        "params": cleaned.params,
        "inputs": record.inputs,
        "example": record.example,
        "start": record.start,
        "end": record.end,
        # Cleaned with all others, and taken from there: a tag's text may hold a parameter that is a secret.
        "tags": {name: value for name, value in clean_tags(record).items() if name in record.tags},
    }


def _param(name: str, value: Any) -> str:
    return redacted(name, value)


def _plain(value: Any) -> Any:
    """What JSON has no word for: numbers of numpy as numbers, moments as ISO 8601, mappings as objects."""
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else str(value)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
