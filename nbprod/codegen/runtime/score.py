"""Predictions for a file of raw rows: csv in pieces, parquet at once; the input's columns and `prediction` come out."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from .faults import ContractError
from .pipeline import Pipeline

COLUMN = "prediction"
ROWS = 10_000
# Options of the notebook's own reading that say which rows or columns of that one file it wanted.
_OF_ONE_FILE = frozenset(
    {"chunksize", "dtype", "filepath_or_buffer", "iterator", "low_memory", "memory_map", "nrows", "usecols"}
)
# What of them decides how the text is cut into fields.
_OF_THE_TEXT = frozenset(
    {"comment", "compression", "delim_whitespace", "delimiter", "doublequote", "encoding", "encoding_errors", "engine"}
    | {"escapechar", "header", "lineterminator", "names", "on_bad_lines", "quotechar", "quoting", "sep"}
    | {"skip_blank_lines", "skipfooter", "skipinitialspace", "skiprows"}
)


class ScoreError(ValueError):
    """A file that cannot be scored; the message says which row and why."""


def score_file(pipeline: Pipeline, source: str | Path, target: str | Path, *, rows: int = ROWS) -> dict[str, Any]:
    """Score `source` into `target`, both csv or parquet by their endings; returns the number of rows and flags.

    csv is read `rows` at a time, or as one batch where features are made of the rows around a row. The target appears
    when it is complete. Raises ScoreError or OSError.
    """
    source, target = Path(source), Path(target)
    kinds = _kind(source), _kind(target)
    if source.exists() and target.exists() and source.samefile(target):
        raise ScoreError(f"{target} is the input: name another file")
    if not source.exists():
        raise ScoreError(f"there is no file {source}")
    partial = target.with_name(f".{target.name}.part")
    rows = sys.maxsize if pipeline.features.together else rows
    pieces = _read_csv(source, pipeline, rows) if kinds[0] == "csv" else _read_parquet(source)
    try:
        done = _write(_scored(pipeline, pieces), partial, kinds[1], _options(pipeline, source)[1].get("sep", ","))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return done


def _scored(pipeline: Pipeline, pieces: Iterator[tuple[Any, Any]]) -> Iterator[tuple[Any, Counter[str]]]:
    """Each piece with its predictions, and how many rows are outside of what training saw, by field.

    The field of rows that have no answer is empty.
    """
    before = 0
    for shown, typed in pieces:
        if COLUMN in shown.columns:
            raise ScoreError(f"the input already has a column {COLUMN!r}: rename it")
        try:
            predictions, faults = pipeline.judge(typed)
        except ContractError as error:
            fault = error.faults[0]
            raise ScoreError(_at(before + fault.row, f"{fault.field}: {fault.message}", fault.kind)) from error
        except Exception as error:
            row = 0 if pipeline.features.together else _first_failing(pipeline, typed)
            raise ScoreError(_at(before + row, f"{type(error).__name__}: {error}")) from error
        before += len(typed)
        flags = Counter(fault.field for fault in faults)
        values = predictions.tolist() if predictions.ndim > 1 else predictions
        yield shown.assign(**{COLUMN: values}), flags


def _write(pieces: Iterator[tuple[Any, Counter[str]]], path: Path, kind: str, separator: str) -> dict[str, Any]:
    rows, flags, kept = 0, Counter[str](), []
    for piece, piece_flags in pieces:
        if kind == "csv":
            piece.to_csv(path, mode="a" if rows else "w", header=not rows, index=False, sep=separator)
        else:
            kept.append(piece)
        rows += len(piece)
        flags += piece_flags
        print(f"\r{rows:,} rows", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    if kind == "parquet":
        pd.concat(kept, ignore_index=True).to_parquet(path, index=False)
    unanswered = flags.pop("", 0)
    return {"rows": rows, "flags": dict(flags.most_common())} | ({"unanswered": unanswered} if unanswered else {})


def _read_csv(source: Path, pipeline: Pipeline, rows: int) -> Iterator[tuple[Any, Any]]:
    """Pieces of a csv file twice: as its own text, to be written out again, and typed as the notebook read it."""
    typing, text = _options(pipeline, source)
    shown = pd.read_csv(source, **text, dtype=str, keep_default_na=False, na_filter=False, chunksize=rows)
    names = set(pd.read_csv(source, **text, nrows=0).columns)
    dtypes = {
        label: str
        for label, kind in zip(pipeline.features.schema_.labels, pipeline.features.schema_.kinds)
        if kind == "text" and label in names and label not in _dates(typing)
    }
    typed = pd.read_csv(source, **typing, dtype=dtypes, chunksize=rows)
    try:
        with shown, typed:
            yield from zip(shown, typed)
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ScoreError(f"{source} cannot be read as csv: {error}") from error


def _read_parquet(source: Path) -> Iterator[tuple[Any, Any]]:
    frame = pd.read_parquet(source)
    yield frame, frame


def _options(pipeline: Pipeline, source: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options for `read_csv` as the notebook gave them: all that hold for another file, and those about the text."""
    read = pipeline.contract.read
    given = read.get("kwargs", {}) if str(read.get("function", "")).endswith("read_csv") else {}
    if not given and source.name.removesuffix(".gz").endswith(".tsv"):
        given = {"sep": "\t"}
    typing = {name: value for name, value in given.items() if name not in _OF_ONE_FILE}
    return typing, {name: value for name, value in typing.items() if name in _OF_THE_TEXT}


def _dates(typing: dict[str, Any]) -> list[Any]:
    dates = typing.get("parse_dates")
    return list(dates) if isinstance(dates, (list, tuple)) else []


def _kind(path: Path) -> str:
    name = path.name.lower()
    if name.endswith((".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt")):
        return "csv"
    if name.endswith((".parquet", ".pq")):
        return "parquet"
    raise ScoreError(f"{path} is neither .csv (.csv.gz, .tsv, .txt) nor .parquet")


def _first_failing(pipeline: Pipeline, frame: Any) -> int:
    """The position of the first row on which the pipeline fails, by halves."""
    low, high = 0, len(frame)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            pipeline.predict(frame.iloc[low:middle])
        except Exception:  # noqa: BLE001 - whatever it is, it stands in this half
            high = middle
        else:
            low = middle
    return low


def _at(row: int, message: str, kind: str = "") -> str:
    return message if kind == "missing" else f"row {row + 1}: {message}"
