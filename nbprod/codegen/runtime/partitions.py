"""Raw rows of one partition, batch after batch, for any engine that maps partitions: the same rows come out, answered.

No row is lost: one that cannot be answered says why in a column (`WHY`). What there is to tell of a batch stands in
its first row, as JSON (`TOLD`). So an engine may do a partition twice, on any worker, and what is counted in the end is
what was kept.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from .bad_rows import judged
from .contract import Contract
from .faults import ContractError
from .pipeline import Pipeline
from .score import (
    COLUMN,
    REASON,
    ROW,
    ROWS,
    ScoreError,
    Task,
    column_of,
    counted,
    kinds_of,
    said,
    scorer,
    told_at,
    told_of,
)
from .state import HERE, sha256
from .tables import TableError, arrow, source_of

# Columns beside the rows' own, by names that no raw column has. The part that a row is of and its place there, from 1,
# come from the engine, or here from csv.
PART, PLACE, WHY, TOLD = "_nbprod_part", "_nbprod_row", "_nbprod_reason", "_nbprod_told"

_LOADED: list[Pipeline] = []


class OtherVersionError(RuntimeError):
    """A worker has another version of the package, or another state of it, than the one that was asked for."""


@dataclass(frozen=True)
class Answered:
    """Of a batch: the places that are answered, their answers, what is wrong with the others, and what was counted."""

    kept: Sequence[int]
    predictions: Any
    reasons: Mapping[int, str]
    told: Mapping[str, Any]


def identity(folder: str | Path = HERE) -> dict[str, str]:
    """What a fitted version is known by: its name, the digest of its code and that of its learned state."""
    folder = Path(folder)
    digest = Contract.read_from(folder).digest
    return {"version": folder.resolve().name, "digest": digest, "state": sha256(folder / "state" / "fitted.json")}


def hold_to(meant: Mapping[str, str]) -> None:
    """Raise OtherVersionError where this version is not the one that is `meant`."""
    here = identity()
    for name, said_as in (("version", "version"), ("digest", "code"), ("state", "learned state")):
        if here[name] != meant[name]:
            raise OtherVersionError(
                f"{HERE.parent.name} on this worker has another {said_as} ({here[name][:12] or 'none'}) "
                f"than the one asked for ({meant[name][:12]})"
            )


def loaded(meant: Mapping[str, str]) -> Pipeline:
    """This version, which is read once a process. Raises OtherVersionError where it is not the one that is `meant`."""
    hold_to(meant)
    if not _LOADED:
        _LOADED.append(of_rows(Pipeline.load()))
    return _LOADED[0]


def of_rows(pipeline: Pipeline) -> Pipeline:
    """The pipeline, which must answer row by row. Raises ScoreError where it takes the rows around a row."""
    if pipeline.features.together:
        raise ScoreError(
            "features are made of the rows around a row, so no row can go to a partition of its own",
            "score the file as one batch on one machine, or give each group of rows that belong together its own file",
        )
    return pipeline


def over_frames(pipeline: Pipeline, frames: Iterable[Any]) -> Iterator[Any]:
    """Raw rows as DataFrames; each comes back with `prediction`, `WHY` and `TOLD`, its index as it was."""
    for frame in frames:
        found = answered(pipeline, frame.iloc.__getitem__, len(frame))
        made = pd.Series(found.predictions.tolist() if found.predictions.ndim > 1 else found.predictions)
        if found.reasons:
            made = made.set_axis(list(found.kept)).reindex(range(len(frame)))
        reasons = pd.Series([found.reasons.get(at) for at in range(len(frame))], dtype=object)
        told = [json.dumps(found.told) if not at else None for at in range(len(frame))]
        more = {COLUMN: made.array, WHY: reasons.array, TOLD: pd.array(told, dtype=object)}
        yield frame.assign(**more)


def over_tables(pipeline: Pipeline, tables: Iterable[Any], kind: Any = None, without: Sequence[str] = ()) -> Any:
    """As `over_frames` for Arrow's tables or batches, whose columns are handed on as they are, to the bit.

    `kind` is the type of the answers (`answer_kind`), `without` are columns that are no part of the rows.
    """
    pyarrow = arrow()
    for each in tables:
        table = each if isinstance(each, pyarrow.Table) else pyarrow.Table.from_batches([each])
        raw = table.drop_columns([name for name in without if name in table.column_names])
        if len(table):
            yield _with_answers(table, answered(pipeline, _reader(raw), len(table)), kind)


def over_csv(pipeline: Pipeline, parts: Iterable[tuple[str, bytes]], kind: Any = None, rows: int = ROWS) -> Any:
    """Whole csv files, each with its name: Arrow's tables of their fields as text, with part, place and answers.

    They are read as the notebook reads csv, and so are the faults of records with too many fields.
    """
    for name, content in parts:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, Path(name).name)
            path.write_bytes(content)
            try:
                yield from _csv(pipeline, path, name, kind, rows)
            except (TableError, ScoreError) as error:
                raise ScoreError(f"{name}: {str(error).replace(str(path), 'it')}") from error


def answered(pipeline: Pipeline, read: Callable[[Any], Any], rows: int) -> Answered:
    """Answer the rows of a batch, which `read` gives as a frame by their places.

    Raises ScoreError where a column is missing, and what the pipeline raises where no row of its own is at fault.
    """
    with warnings.catch_warnings(record=True) as caught:
        try:
            found = judged(pipeline, read, range(rows), {})
        except ContractError as error:
            raise ScoreError(told_at(error.faults[0].row, error.faults[0])) from error
    reasons = {at: "; ".join(map(said, faults)) for at, faults in sorted(found.bad.items())}
    counts = {"rows": len(found.kept), "bad": len(reasons), "reasons": kinds_of(found.bad)}
    warned = list(dict.fromkeys(str(warning.message) for warning in caught))
    told = {**counts, **told_of(counted(found.flags)), "warnings": warned}
    return Answered(found.kept, found.predictions, reasons, told)


def answer_kind(pipeline: Pipeline) -> Any:
    """Arrow's type of the answers, told by that for a training row and by the contract's default."""
    pyarrow = arrow()
    made = pipeline.predict(pipeline.features.schema_.template)
    kinds = [column_of(made.tolist() if made.ndim > 1 else made).type]
    if pipeline.contract.policy == "default" and pipeline.contract.default is not None:
        kinds.append(pyarrow.array([pipeline.contract.default]).type)
    fields = [pyarrow.schema([(COLUMN, kind)]) for kind in kinds]
    return pyarrow.unify_schemas(fields, promote_options="permissive").field(COLUMN).type


def summed(told: Iterable[str]) -> dict[str, Any]:
    """What was told of all batches as one: numbers of rows, bad rows, flags by column and faults by column and kind."""
    numbers: Counter[str] = Counter()
    by_name: dict[str, Counter[str]] = {"flags": Counter(), "reasons": Counter()}
    warned: dict[str, None] = {}
    for text in told:
        batch = json.loads(text)
        numbers.update({name: value for name, value in batch.items() if isinstance(value, int)})
        for name, counts in by_name.items():
            counts.update(batch[name])
        warned.update(dict.fromkeys(batch["warnings"]))
    found = {name: numbers[name] for name in ("unsure", "unanswered") if numbers[name]}
    ordered = {name: dict(counts.most_common()) for name, counts in by_name.items()}
    return {"rows": numbers["rows"], "bad": numbers["bad"], **found, **ordered, "warnings": list(warned)}


def _reader(table: Any) -> Callable[[Sequence[int]], Any]:
    """The rows of a table at places, as a frame."""

    def read(places: Sequence[int]) -> Any:
        whole = len(places) == len(table)
        return (table if whole else table.take(arrow().array(list(places), arrow().int64()))).to_pandas()

    return read


def _with_answers(table: Any, found: Answered, kind: Any) -> Any:
    pyarrow, rows = arrow(), len(table)
    answers = column_of(found.predictions.tolist() if found.predictions.ndim > 1 else found.predictions)
    if found.reasons:
        at = {place: number for number, place in enumerate(found.kept)}
        answers = answers.take(pyarrow.array([at.get(place) for place in range(rows)], pyarrow.int64()))
    if kind is not None and answers.type != kind:
        answers = answers.cast(kind)
    reasons = [found.reasons.get(place) for place in range(rows)] if found.reasons else [None] * rows
    told = [json.dumps(found.told), *[None] * (rows - 1)]
    text = pyarrow.string()
    table = table.append_column(COLUMN, answers)
    return table.append_column(WHY, pyarrow.array(reasons, text)).append_column(TOLD, pyarrow.array(told, text))


def _csv(pipeline: Pipeline, path: Path, name: str, kind: Any, rows: int) -> Iterator[Any]:
    pyarrow = arrow()
    text = pyarrow.string()
    source = source_of(path, pipeline.contract.read, pipeline.features.schema_)
    dialect = source.dialect
    task = Task(pipeline.folder, "csv", dialect, Path("rows.parquet"), Path("bad.parquet"), dialect.columns)
    score = scorer(pipeline, task)
    for piece in source.pieces(rows):
        if not piece.rows:
            continue
        done = score(piece)
        scored, aside = _table_of(done.scored[1]), _table_of(done.aside[1])
        numbers = [] if aside is None else aside[ROW].to_pylist()
        bad = {number - piece.first - 1 for number in numbers}
        kept = [piece.first + at + 1 for at in range(piece.rows) if at not in bad]
        numbers = pyarrow.chunked_array([pyarrow.array([*kept, *numbers], pyarrow.int64())])
        reasons = pyarrow.nulls(len(kept), text)
        answers = scored[COLUMN] if kind is None else scored[COLUMN].cast(kind)
        both = scored.drop_columns([COLUMN])
        if aside is not None:
            both = pyarrow.concat_tables([both, aside.drop_columns([ROW, REASON])], promote_options="default")
            answers = pyarrow.chunked_array([*answers.chunks, pyarrow.nulls(len(aside), answers.type)])
            reasons = pyarrow.chunked_array([reasons, *aside[REASON].cast(text).chunks])
        counts = {"rows": piece.rows - done.bad, "bad": done.bad, "reasons": done.reasons}
        told = json.dumps({**counts, **told_of(done.flags), "warnings": list(done.warnings)})
        both = both.cast(pyarrow.schema([(each, text) for each in both.column_names]))
        more = {
            PART: pyarrow.array([name] * len(both), text),
            PLACE: numbers,
            COLUMN: answers,
            WHY: reasons,
            TOLD: pyarrow.array([told, *[None] * (len(both) - 1)], text),
        }
        for each, column in more.items():
            both = both.append_column(each, column)
        yield both


def _table_of(content: bytes) -> Any:
    """The table of a Parquet file, None where there is none."""
    return arrow("pyarrow.parquet").read_table(BytesIO(content)) if content else None
