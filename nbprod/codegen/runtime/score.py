"""Predictions for a file of raw rows, in pieces and on all cores: the input's columns and `prediction` come out.

A piece is all of the file that a process holds, so memory does not grow with the file. What is done is kept beside the
target until it is complete (`parts.py`), and rows that cannot be answered can be put aside (`bad_rows.py`).
"""

from __future__ import annotations

import errno
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from .bad_rows import judged
from .faults import ContractError, Fault
from .parts import Parts, Progress, identity_of, locked, put
from .pipeline import Pipeline
from .progress import Line
from .state import sha256
from .tables import (
    Dialect,
    Piece,
    TableError,
    arrow,
    as_parquet,
    as_texts,
    kind_of,
    packed,
    put_together,
    quoted,
    restored,
    source_of,
    text_of,
)
from .workers import WorkerError, serve, usable_cores, working

COLUMN = "prediction"
ROW, REASON = "row", "reason"
_UNSURE = "\0unsure"  # a name that no column has
ROWS = 20_000
START_SECONDS = 4.0
"""What a further process takes to start and to load the package, about; it has to save more than that."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_ASIDE = "--bad-rows FILE puts such rows into a file of their own and goes on"
_AGAIN = "the same command goes on from there"


class ScoreError(ValueError):
    """A file that cannot be scored; the message says which row and why, `hint` what can be done."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class HaltError(ScoreError):
    """What stops scoring and is no fault of the file: there is no room, or the notebook's code fails on any rows."""


@dataclass(frozen=True)
class Task:
    """What is done with each piece: how records of csv are read, and the kinds and separators of what is written."""

    folder: Path
    source: str
    dialect: Dialect | None
    target: Path
    bad: Path | None
    columns: tuple[Any, ...]


@dataclass(frozen=True)
class Done:
    """What came of a piece: its rows for the target and those put aside, as bytes, each with a header for csv.

    `flags` and `reasons` count what was flagged and what is bad (`counted`, `kinds_of`).
    """

    piece: Piece
    bad: int
    flags: dict[str, int]
    reasons: dict[str, int]
    scored: tuple[bytes, bytes]
    aside: tuple[bytes, bytes]
    warnings: tuple[str, ...]


def score_file(
    pipeline: Pipeline,
    source: str | Path,
    target: str | Path,
    *,
    rows: int = ROWS,
    jobs: int | None = 1,
    bad_rows: str | Path | None = None,
    quiet: bool = False,
) -> dict[str, Any]:
    """Score `source` into `target`, both csv or Parquet by their endings; returns the numbers of rows and flags.

    The file is read `rows` at a time, or as one batch where features are made of the rows around a row. `jobs`
    processes score it, which load the version from its folder; None takes as many as there are cores where the file is
    large enough. A row that cannot be answered is an error, or goes to `bad_rows` with its number, counted from 1, and
    its faults. The target appears when it is complete; where that fails, the same call goes on from there.
    Progress goes to stderr where that is a terminal and not `quiet`. Raises ScoreError (HaltError where the file is not
    at fault) or OSError.
    """
    source, target, aside = Path(source), Path(target), None if bad_rows is None else Path(bad_rows)
    try:
        task, read = _planned(pipeline, source, target, aside)
        together = pipeline.features.together
        if together and aside is not None:
            raise ScoreError("features are made of the rows around a row, so no row can be left out: mend the file")
        if together and (jobs or 1) > 1:
            _note("features are made of the rows around a row: the file is one batch, for one process", quiet)
        rows = sys.maxsize if together else rows
        options = {"rows": rows, "kinds": [task.source, kind_of(target), target.suffix]}
        version = {"digest": pipeline.digest, "state": sha256(pipeline.folder / "state" / "fitted.json")}
        with locked(target) as parts:
            _take_up(parts, identity_of(source, version, options), aside, quiet)
            count = 1 if together else usable_cores() if jobs is None else max(1, jobs)
            with having_room(lambda: f"{target}: it stopped behind row {parts.progress.rows:,}"):
                _score(pipeline, task, read, parts, rows, (count, jobs is None), quiet)
            with having_room(lambda: f"{target}, of which all rows are scored"):
                return _finished(parts, target, aside)
    except (TableError, WorkerError) as error:
        raise ScoreError(str(error)) from error


def work() -> None:
    """Score pieces from standard input, as one of several processes."""
    serve(_task_of)


def _planned(pipeline: Pipeline, source: Path, target: Path, bad: Path | None) -> tuple[Task, Any]:
    """What to do, once it is certain that it can be begun."""
    kinds = [kind_of(path) for path in (source, target, bad) if path is not None]
    if not source.exists():
        raise ScoreError(f"there is no file {source}")
    for path in (target, bad):
        if path is not None and not path.parent.is_dir():
            raise ScoreError(f"there is no folder {path.parent}, where {path.name} should go")
    if "parquet" in kinds:
        arrow()
    named = [path for path in (source, target, bad) if path is not None]
    for at, path in enumerate(named):
        for other in named[:at]:
            if path.absolute() == other.absolute() or (path.exists() and other.exists() and path.samefile(other)):
                said = "the input" if other is source else "where the scored rows go"
                raise ScoreError(f"{path} is {said}: name another file")
    read = source_of(source, pipeline.contract.read, pipeline.features.schema_)
    columns = read.columns if read.dialect is None else read.dialect.columns
    for taken in (COLUMN, *((ROW, REASON) if bad is not None else ())):
        if taken in columns:
            raise ScoreError(f"the input already has a column {taken!r}: rename it")
    return Task(pipeline.folder, read.kind, read.dialect, target, bad, columns), read


def _take_up(parts: Parts, identity: dict[str, Any], aside: Path | None, quiet: bool) -> None:
    others = parts.begin(identity, bad=None if aside is None else str(aside.absolute()))
    if others:
        _note(f"an earlier run of this was of other things ({others}): starting anew", quiet)
    elif parts.progress.rows:
        _note(f"going on behind row {parts.progress.rows:,}, where an earlier run has stopped", quiet)


def _score(
    pipeline: Pipeline, task: Task, read: Any, parts: Parts, rows: int, jobs: tuple[int, bool], quiet: bool
) -> None:
    """Score what is left, piece by piece, and keep what comes of each."""
    count, only_where_it_pays = jobs
    before = parts.progress
    line = Line(before.rows, quiet=quiet)
    pieces = read.pieces(rows, before.end, before.rows)
    score = scorer(pipeline, task)
    try:
        if count > 1 and only_where_it_pays:
            # The first piece tells how long the others will take.
            began, share = time.monotonic(), 0.0
            for piece in pieces:
                _keep(parts, task, score(piece), line)
                share = piece.share
                break
            left = (time.monotonic() - began) * (1 / share - 1) if share else 0.0
            count = count if left * (1 - 1 / count) > START_SECONDS else 1
        if count == 1:
            for piece in pieces:
                _keep(parts, task, score(piece), line)
            return
        first = next(pieces, None)
        if first is None:
            return
        module = __name__
        root = Path(__file__).parents[module.count(".")]
        with working(count, module, root, task) as workers:
            for done in workers.results(chain([first], pieces)):
                _keep(parts, task, done, line)
    except KeyboardInterrupt:
        line.end()
        if parts.progress.rows:
            _note(f"stopped behind row {parts.progress.rows:,}; {_AGAIN}", quiet)
        raise
    finally:
        line.end()
        pieces.close()


def _keep(parts: Parts, task: Task, done: Done, line: Line) -> None:
    then = parts.progress
    for text in done.warnings:
        line.end()
        warnings.warn(text, stacklevel=2)
    texts, files = {}, {}
    for name, path, (header, content) in (("scored", task.target, done.scored), ("bad", task.bad, done.aside)):
        if path is not None and kind_of(path) == "csv":
            texts[name] = (b"" if then.sizes.get(name) else header) + content
        elif content:
            files[f"{name}-{then.pieces:08d}.parquet"] = content
    flags = Counter(then.flags)
    flags.update(done.flags)
    unanswered = flags.pop("", 0)
    now = Progress(
        then.pieces + 1,
        done.piece.end,
        then.rows + done.piece.rows,
        then.bad + done.bad,
        then.unanswered + unanswered,
        dict(flags),
        dict(then.sizes),
    )
    parts.add(now, texts, files)
    line.show(now.rows, done.piece.share)


def _finished(parts: Parts, target: Path, bad: Path | None) -> dict[str, Any]:
    """Put what is complete in its place, the bad rows first, and tell of it."""
    progress = parts.progress
    for name, path in (("bad", bad), ("scored", target)):
        if path is None:
            continue
        if kind_of(path) == "parquet":
            put_together(sorted(parts.folder.glob(f"{name}-*.parquet")), parts.folder / name)
        put(parts.folder / name, path)
    parts.clear()
    told = {"rows": progress.rows - progress.bad, **told_of({**progress.flags, "": progress.unanswered})}
    if bad is not None:
        told["bad"] = progress.bad
    return told


def counted(flags: Iterable[Fault]) -> dict[str, int]:
    """Flags by column; rows without an answer and rows that the model is not sure of have none."""
    return dict(Counter(_UNSURE if fault.kind == "unsure" else fault.field for fault in flags))


def kinds_of(bad: Mapping[int, Sequence[Fault]]) -> dict[str, int]:
    """What is wrong with bad rows, by column and kind."""
    return dict(Counter(f"{fault.field}: {fault.kind}" for faults in bad.values() for fault in faults))


def told_of(counts: Mapping[str, int]) -> dict[str, Any]:
    """Counts of flags (`counted`) as they are told: by column, with the most frequent first, and those without."""
    flags = Counter(counts)
    others = {"unsure": flags.pop(_UNSURE, 0), "unanswered": flags.pop("", 0)}
    return {"flags": dict(flags.most_common()), **{name: count for name, count in others.items() if count}}


@contextmanager
def having_room(said: Callable[[], str], hint: str = _AGAIN) -> Iterator[None]:
    """Where a disk is full in this, a HaltError with what is said then."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise HaltError(f"there is no room for {said()}", hint) from error


def _task_of(task: Task) -> Callable[[Piece], Done]:
    return scorer(Pipeline.load(task.folder), task)


def scorer(pipeline: Pipeline, task: Task) -> Callable[[Piece], Done]:
    """What scores a piece. It raises ScoreError."""

    def score(piece: Piece) -> Done:
        with warnings.catch_warnings(record=True) as caught:
            try:
                done = _scored(pipeline, task, piece)
            except ScoreError:
                raise
            except TableError as error:
                last = piece.first + piece.rows
                raise ScoreError(f"rows {piece.first + 1:,} to {last:,} cannot be read: {error}") from error
        return replace(done, warnings=tuple(dict.fromkeys(str(warning.message) for warning in caught)))

    return score


def _scored(pipeline: Pipeline, task: Task, piece: Piece) -> Done:
    reader = _Rows(task, piece)
    width = len(task.columns)
    long = {
        at: [Fault(at, "", "refused", f"{count} fields, where the header has {width}")]
        for at, count in piece.odd.items()
        if count > width
    }
    places = [at for at in range(piece.rows) if at not in long] if long else range(piece.rows)
    if long and task.bad is None:
        places = range(min(long))  # one of the rows before may be bad as well, and is told first
    typing = {} if task.dialect is None else task.dialect.typing
    if pipeline.features.together:
        kept, predictions, flags, bad = _at_once(pipeline, reader.typed(places), places)
    else:
        found = _answered(pipeline, reader, places, typing, piece.first)
        kept, predictions, flags, bad = found.kept, found.predictions, found.flags, found.bad
    bad = {**bad, **long}
    if bad and task.bad is None:
        at = min(bad)
        raise ScoreError(told_at(piece.first + at, bad[at][0]), _ASIDE)
    aside = reader.aside(sorted(bad), bad) if task.bad is not None else (b"", b"")
    return Done(piece, len(bad), counted(flags), kinds_of(bad), reader.scored(kept, predictions), aside, ())


def _at_once(pipeline: Pipeline, frame: Any, places: Sequence[int]) -> Any:
    """The rows of a batch, of which none can be left out."""
    try:
        predictions, flags = pipeline.judge(frame)
    except ContractError as error:
        raise ScoreError(told_at(error.faults[0].row, error.faults[0])) from error
    except Exception as error:
        raise HaltError(f"{type(error).__name__}: {error}") from error
    return places, predictions, flags, {}


def _answered(pipeline: Pipeline, reader: _Rows, places: Sequence[int], typing: dict[str, Any], first: int) -> Any:
    try:
        return judged(pipeline, reader.typed, places, typing)
    except ContractError as error:
        raise ScoreError(told_at(first + error.faults[0].row, error.faults[0])) from error
    except (ScoreError, TableError):
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        raise HaltError(f"rows {first + 1:,} to {first + len(places):,}: {text}" if places else text) from error


class _Rows:
    """The rows of a piece: typed for the pipeline, and as they are written."""

    def __init__(self, task: Task, piece: Piece) -> None:
        self._task, self._piece, self._dialect = task, piece, task.dialect
        self._table: Any = restored(piece.table) if task.dialect is None else None

    def typed(self, places: Sequence[int]) -> Any:
        if self._dialect is None:
            return self._taken(places).to_pandas()
        return self._dialect.typed(self._lines(places))

    def scored(self, places: Sequence[int], predictions: Any) -> tuple[bytes, bytes]:
        """Header and rows of the target, with the column of predictions."""
        if kind_of(self._task.target) == "parquet":
            values = predictions.tolist() if predictions.ndim > 1 else predictions
            return b"", as_parquet(self._as_table(places).append_column(COLUMN, column_of(values)))
        if self._dialect is None:
            values = predictions.tolist() if predictions.ndim > 1 else predictions
            return self._as_text(self._taken(places).to_pandas().assign(**{COLUMN: values}), self._task.target)
        if predictions.ndim > 1:
            texts = [quoted(str(value), self._dialect.separator) for value in predictions.tolist()]
        else:
            texts = as_texts(predictions, self._dialect.separator)
        return self._with_fields(places, self._task.target, [COLUMN], texts)

    def aside(self, places: Sequence[int], bad: dict[int, list[Fault]]) -> tuple[bytes, bytes]:
        """Header and rows of the file of bad rows: the input's columns, the number of the row and the reason."""
        path = self._task.bad
        assert path is not None
        numbers = [self._piece.first + at + 1 for at in places]
        reasons = ["; ".join(said(fault) for fault in bad[at]) for at in places]
        if kind_of(path) == "parquet":
            if not places and self._piece.first:
                return b"", b""
            pyarrow = arrow()
            table = self._as_table(places).append_column(ROW, pyarrow.array(numbers, pyarrow.int64()))
            return b"", as_parquet(table.append_column(REASON, pyarrow.array(reasons, pyarrow.string())))
        if self._dialect is None:
            return self._as_text(self._taken(places).to_pandas().assign(**{ROW: numbers, REASON: reasons}), path)
        between = self._dialect.separator
        fields = [f"{number}{between}{quoted(reason, between)}" for number, reason in zip(numbers, reasons)]
        return self._with_fields(places, path, [ROW, REASON], fields)

    def _with_fields(
        self, places: Sequence[int], path: Path, names: list[str], fields: list[str]
    ) -> tuple[bytes, bytes]:
        dialect = self._dialect
        assert dialect is not None
        lines = dialect.all_with_fields(self._whole(places), fields)
        header = dialect.with_fields(dialect.header, dialect.separator.join(names))
        return _encoded(path, header, dialect.encoding), _encoded(path, "".join(lines), dialect.encoding)

    def _lines(self, places: Sequence[int]) -> Sequence[str]:
        lines = self._piece.lines
        return lines if len(places) == len(lines) else [lines[at] for at in places]

    def _whole(self, places: Sequence[int]) -> Sequence[str]:
        """The records, each with as many fields as the header."""
        odd, dialect = self._piece.odd, self._dialect
        assert dialect is not None
        if not odd:
            return self._lines(places)
        return [dialect.whole(line) if at in odd else line for at, line in zip(places, self._lines(places))]

    def _taken(self, places: Sequence[int]) -> Any:
        table = self._table
        return table if len(places) == len(table) else table.take(arrow().array(list(places), arrow().int64()))

    def _as_table(self, places: Sequence[int]) -> Any:
        if self._dialect is None:
            return self._taken(places)
        return arrow().Table.from_pandas(self._dialect.shown(self._whole(places)), preserve_index=False)

    def _as_text(self, frame: Any, path: Path) -> tuple[bytes, bytes]:
        header = text_of(frame.iloc[:0], ",")
        return _encoded(path, header, "utf-8"), _encoded(path, text_of(frame, ",", header=False), "utf-8")


def _encoded(path: Path, text: str, encoding: str) -> bytes:
    try:
        return packed(path, text.encode(encoding))
    except UnicodeEncodeError as error:
        raise HaltError(f"an answer has signs that {encoding}, the encoding of the input, lacks: {error}") from error


def column_of(values: Any) -> Any:
    """Predictions as a column of Arrow. Raises HaltError."""
    try:
        return arrow().array(values, from_pandas=True)
    except (TypeError, ValueError) as error:  # Arrow's own errors are among these
        raise HaltError(f"the predictions are of kinds that no column of Parquet holds: {error}") from error


def told_at(row: int, fault: Fault) -> str:
    """A fault with its place, counted from 0; a column that is missing has none."""
    return f"{fault.field}: {fault.message}" if fault.kind == "missing" else f"row {row + 1}: {said(fault)}"


def said(fault: Fault) -> str:
    """A fault in words."""
    return f"{fault.field}: {fault.message}" if fault.field else fault.message


def _note(text: str, quiet: bool) -> None:
    if not quiet:
        print(text, file=sys.stderr)
