"""A folder of parts scored part by part, on several processes: parts of the same names come out, with `prediction`.

The folder that comes out appears when all of it is there. Until then the parts that are done are kept beside it, so
that the same command goes on behind them. A part that cannot be read is told, and holds up no other one.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from .faults import ContractError
from .partitions import identity, loaded, of_rows
from .parts import JOURNAL, identity_of, locked, put, remove
from .pipeline import Pipeline
from .progress import Line
from .score import ROWS, HaltError, ScoreError, having_room, score_file
from .tables import Dialect, Piece, TableError, arrow, kind_of, packed, restored, source_of
from .workers import WorkerError, serve, usable_cores, working

REPORT = "_nbprod.json"
"""What came of the parts, in the folder that comes out: readers of folders pass over names that begin so."""

_AGAIN = "the same command goes on behind the parts that are done"


@dataclass(frozen=True)
class Task:
    """What is done with each part: by which version, into which folders, so many rows at a time."""

    meant: Mapping[str, str]
    scored: Path
    aside: Path | None
    rows: int


def score_folder(
    pipeline: Pipeline,
    source: str | Path,
    target: str | Path,
    *,
    rows: int = ROWS,
    jobs: int | None = None,
    bad_rows: str | Path | None = None,
    partitions: int | None = None,
    quiet: bool = False,
) -> dict[str, Any]:
    """Score the parts of the folder `source` into the folder `target`; returns the numbers of rows, parts and flags.

    Parts are csv or Parquet, and stay what they are. A file is cut into so many `partitions` before. `jobs` processes
    score a part each (default: the cores). Rows that cannot be answered go into the folder `bad_rows`, by part, and so
    do parts that cannot be read, whole; else they are an error, and the target is as it was.
    Raises ScoreError (HaltError, at once, where no part is at fault) and OSError.
    """
    of_rows(pipeline)
    source, target, aside = Path(source), Path(target), None if bad_rows is None else Path(bad_rows)
    _hold_to_folders(source, target, aside, partitions)
    version = identity(pipeline.folder)
    options = {"rows": rows, "bad rows": aside is not None, "partitions": partitions}
    with locked(target) as locks, having_room(lambda: str(target), _AGAIN):
        work = locks.folder
        try:
            parts = _cut(pipeline, source, work / "in", partitions, version) if partitions else parts_of(source)
            if any(kind_of(part) == "parquet" for part in parts):
                arrow()  # that it is missing is no fault of the parts
            done = _done(work, {"version": version, "options": options}, parts)
            left = [part for part in parts if part.name not in done.parts]
            task = Task(version, work / "out", work / "bad" if aside is not None else None, rows)
            for folder in (task.scored, task.aside):
                if folder is not None:
                    folder.mkdir(exist_ok=True)
            _score(pipeline, task, left, done, usable_cores() if jobs is None else jobs, quiet)
        except (TableError, WorkerError) as error:
            raise ScoreError(str(error), _AGAIN) from error
        return _finished(work, target, aside, parts, done)


def parts_of(source: Path) -> list[Path]:
    """The parts of a folder in the order of their names; such as begin with `_` or `.` are none. Raises ScoreError."""
    names = sorted(path for path in source.iterdir() if path.name[0] not in "_.")
    inner = next((path for path in names if path.is_dir()), None)
    if inner is not None:
        raise ScoreError(f"{inner} is a folder in a folder of parts", "score one folder of files at a time")
    for path in names:
        kind_of(path)
    if not names:
        raise ScoreError(f"there are no parts in {source}")
    return names


def work() -> None:
    """Score parts from standard input, as one of several processes."""
    serve(_task_of)


@dataclass
class _Parts:
    """What came of the parts that are done, by name, and what is wrong with those that cannot be."""

    journal: Path
    options: dict[str, Any]
    parts: dict[str, dict[str, Any]]

    def keep(self, part: Path, told: dict[str, Any]) -> None:
        self.parts[part.name] = {"part": _stated(part), "told": told}
        new = self.journal.with_suffix(".new")
        new.write_text(json.dumps({"options": self.options, "parts": self.parts}), encoding="utf-8")
        new.replace(self.journal)


def _hold_to_folders(source: Path, target: Path, aside: Path | None, partitions: int | None) -> None:
    if not source.exists():
        raise ScoreError(f"there is no folder {source}")
    if partitions and source.is_dir():
        raise ScoreError(f"{source} is a folder of parts, which are its partitions", "leave --partitions out")
    taken = [source.resolve(), target.resolve(), *([] if aside is None else [aside.resolve()])]
    for at, path in enumerate(taken):
        if any(path == other or path in other.parents or other in path.parents for other in taken[:at]):
            raise ScoreError(f"{path} lies in another folder of this: name one beside it")
    for path in (target, *([] if aside is None else [aside])):
        if path.is_file() or (path.is_dir() and any(path.iterdir()) and not (path / REPORT).is_file()):
            raise ScoreError(f"{path} holds other things than scored parts: name another folder")


def _cut(pipeline: Pipeline, source: Path, folder: Path, count: int, version: dict[str, str]) -> list[Path]:
    """The rows of a file as so many parts of about as many rows, in their order."""
    read = source_of(source, pipeline.contract.read, pipeline.features.schema_)
    made_of = {"of": identity_of(source, version, {}), "count": count}
    if read.dialect is not None and not read.is_plain:
        raise ScoreError(f"{source} is read with options by which it cannot be cut", "cut it by other means before")
    mark = folder / "_made.json"
    names = [folder / f"part-{number:05d}{''.join(source.suffixes[-2:])}" for number in range(count)]
    if mark.is_file() and json.loads(mark.read_text(encoding="utf-8")) == made_of:
        return [name for name in names if name.exists()]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    total = read.rows if read.dialect is None else sum(piece.rows for piece in read.pieces(ROWS))
    size = max(1, -(-total // count))
    written = 0
    for name, (_, some) in zip(names, groupby(_by_part(read.pieces(min(size, ROWS)), size), itemgetter(0))):
        written += _write_part(name, read.dialect, map(itemgetter(1), some))
    if written != total or made_of["of"] != identity_of(source, version, {}):
        raise ScoreError(f"{source} has changed while it was cut ({total:,} rows, {written:,} in the parts)")
    mark.write_text(json.dumps(made_of), encoding="utf-8")
    return [name for name in names if name.exists()]


def _by_part(pieces: Iterator[Piece], size: int) -> Iterator[tuple[int, Any]]:
    """The rows of pieces, records or Arrow's tables, each with the number of their part, which gets `size` rows.

    No rows at all are a part, too.
    """
    part, left = 0, size
    for piece in pieces:
        rows = restored(piece.table) if piece.table else piece.lines
        if not len(rows):
            yield part, rows
        while len(rows):
            part, left = (part, left) if left else (part + 1, size)
            yield part, rows[:left]
            rows, left = rows[left:], max(0, left - len(rows))


def _write_part(name: Path, dialect: Dialect | None, some: Iterator[Any]) -> int:
    """Write rows of a file, as they come, as a file of this name, and tell how many they are."""
    written = 0
    if dialect is None:
        first = next(some)
        with arrow("pyarrow.parquet").ParquetWriter(name, first.schema) as writer:
            for rows in chain([first], some):
                writer.write_table(rows)
                written += len(rows)
        return written
    with name.open("wb") as file:
        file.write(packed(name, dialect.header.encode(dialect.encoding)))
        for rows in some:
            file.write(packed(name, "".join(rows).encode(dialect.encoding)))
            written += len(rows)
    return written


def _done(work: Path, options: dict[str, Any], parts: Sequence[Path]) -> _Parts:
    """The parts that an earlier run of the same has done, and that are what they were."""
    journal = work / JOURNAL
    try:
        before = json.loads(journal.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        before = {}
    if before.get("options") != options:
        for folder in (work / "out", work / "bad"):
            shutil.rmtree(folder, ignore_errors=True)
        return _Parts(journal, options, {})
    known = before["parts"]
    same = [part.name for part in parts if part.name in known and known[part.name]["part"] == _stated(part)]
    return _Parts(journal, options, {name: known[name] for name in same if _is_kept(work, name, known[name]["told"])})


def _is_kept(work: Path, name: str, told: Mapping[str, Any]) -> bool:
    """Whether all that came of a part is still there: what is put aside gets its place before the others do."""
    return (work / "out" / name).is_file() and (not told.get("bad") or (work / "bad" / name).is_file())


def _score(pipeline: Pipeline, task: Task, left: Sequence[Path], done: _Parts, jobs: int, quiet: bool) -> None:
    rows = sum(part["told"].get("rows", 0) for part in done.parts.values())
    line, count = Line(rows, quiet=quiet), len(left) + len(done.parts)
    try:
        for part, told in zip(left, _answers(pipeline, task, left, min(jobs, len(left)))):
            done.keep(part, told)
            rows += told.get("rows", 0)
            line.show(rows, len(done.parts) / count)
    finally:
        line.end()


def _answers(pipeline: Pipeline, task: Task, left: Sequence[Path], jobs: int) -> Iterator[dict[str, Any]]:
    """What comes of each part, in their order."""
    if jobs <= 1:
        yield from map(_scorer(pipeline, task), left)
        return
    root = Path(__file__).parents[__name__.count(".")]
    with working(jobs, __name__, root, task) as workers:
        yield from workers.results(left)


def _task_of(task: Task) -> Callable[[Path], dict[str, Any]]:
    return _scorer(loaded(task.meant), task)


def _scorer(pipeline: Pipeline, task: Task) -> Callable[[Path], dict[str, Any]]:
    """What scores a part, and tells what came of it or what is wrong with it."""

    def score(part: Path) -> dict[str, Any]:
        aside = None if task.aside is None else task.aside / part.name
        try:
            return score_file(pipeline, part, task.scored / part.name, rows=task.rows, bad_rows=aside, quiet=True)
        except HaltError as error:
            raise HaltError(f"{part.name}: {error}", error.hint) from error
        except (ScoreError, TableError, ContractError) as error:
            return {"error": str(error), "hint": getattr(error, "hint", "")}

    return score


def _finished(work: Path, target: Path, aside: Path | None, parts: Sequence[Path], done: _Parts) -> dict[str, Any]:
    """Put what is complete in its place, what is put aside first, and tell of it."""
    told = {part.name: done.parts[part.name]["told"] for part in parts}
    wrong = {name: each for name, each in told.items() if "error" in each}
    if wrong and aside is None:
        name, first = next(iter(wrong.items()))
        others = f" (and {len(wrong) - 1} parts more)" if len(wrong) > 1 else ""
        hint = first["hint"] or "--bad-rows FOLDER puts such parts aside and goes on"
        raise ScoreError(f"{name} cannot be scored: {first['error']}{others}", f"{hint}; {_AGAIN}")
    flags: Counter[str] = Counter()
    numbers: Counter[str] = Counter()
    for each in told.values():
        flags.update(each.get("flags", {}))
        numbers.update({name: value for name, value in each.items() if isinstance(value, int)})
    made: dict[str, Any] = {"parts": len(parts) - len(wrong), "flags": dict(flags.most_common()), **numbers}
    made.setdefault("rows", 0)
    if wrong:
        made["malformed"] = {name: each["error"] for name, each in wrong.items()}
    if aside is not None:
        made.setdefault("bad", 0)
        for part in parts:
            if part.name in wrong:
                shutil.copyfile(part, work / "bad" / part.name)
        _put(work / "bad", aside, made, {name for name, each in told.items() if name in wrong or each.get("bad")})
    _put(work / "out", target, made, told.keys() - wrong.keys())
    (work / JOURNAL).unlink(missing_ok=True)
    return made


def _put(folder: Path, place: Path, report: Mapping[str, Any], names: Set[str]) -> None:
    """Move a finished folder to its place with these of its files: others are left of parts that cannot be read."""
    for path in folder.iterdir():
        if path.name not in names:
            remove(path)
    (folder / REPORT).write_text(json.dumps(report, indent=2), encoding="utf-8")
    place.parent.mkdir(parents=True, exist_ok=True)
    put(folder, place)


def _stated(part: Path) -> list[Any]:
    """What tells whether a part is what it was."""
    stated = part.stat()
    return [str(part.absolute()), stated.st_size, stated.st_mtime_ns]
