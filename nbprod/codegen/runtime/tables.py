"""Files of raw rows in pieces: csv by its own records and text, Parquet by record batches, and what is written of them.

A piece of csv keeps each record as the file has it; pandas reads its text for the types. So what comes out is what went
in, to the byte, with a field more, and a process needs no more of the file than its piece.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import importlib
import io
import lzma
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .bodies import SAFE, is_safe
from .schema import with_numbers

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
# What says which values are missing, true, false, or dates.
_OF_VALUES = frozenset(
    {"date_format", "dayfirst", "false_values", "keep_default_na", "na_filter", "na_values", "parse_dates"}
    | {"true_values"}
)
# Of those of the text the ones that the records are cut by here; with any other one pandas cuts them.
_CUT_HERE = frozenset({"delimiter", "encoding", "engine", "sep"})
# Encodings in which a line ends at the byte of a line's end.
_ENCODINGS = frozenset({"ascii", "cp1252", "iso-8859-1", "iso-8859-15", "latin-1", "latin1", "utf-8", "utf8"})
_OPENED: dict[str, Any] = {".bz2": bz2.open, ".gz": gzip.open, ".xz": lzma.open}
_CSV = (".csv", ".tsv", ".txt")
_PARQUET = (".parquet", ".pq")
_LONGEST_FIELD = 1 << 24  # a quote that is left open takes in all that follows it
_BUFFER_BYTES = 1 << 20  # of each column of Parquet, read ahead


class TableError(ValueError):
    """A file that cannot be read or written as a table; the message says why."""


@dataclass(frozen=True)
class Piece:
    """Some rows of a file: records of csv as it has them, or Arrow's bytes of a table.

    `first` is the place of its first row, `end` where the file goes on behind it, `share` how much of the file is read
    with it. `odd` says of the records with more or fewer fields than the header how many they have.
    """

    first: int
    rows: int
    end: int
    share: float
    lines: tuple[str, ...] = ()
    odd: dict[int, int] = field(default_factory=dict)
    table: bytes = b""


@dataclass(frozen=True)
class Dialect:
    """How records of csv are typed and written: the header as it stands, and what `read_csv` is told of values."""

    header: str
    separator: str
    encoding: str
    columns: tuple[Any, ...]
    typing: dict[str, Any]
    dtypes: dict[Any, Any]

    def typed(self, lines: Sequence[str]) -> Any:
        """Records with the types that the notebook reads. Raises TableError where pandas sees other records."""
        return self._read(lines, **self.typing, dtype=self.dtypes)

    def shown(self, lines: Sequence[str]) -> Any:
        """Records as text, each field as it stands."""
        return self._read(lines, dtype=str, keep_default_na=False, na_filter=False)

    def with_fields(self, line: str, more: str) -> str:
        """A record with further fields behind its own, which are put together by the separator."""
        body = without_end(line)
        return f"{body}{self.separator}{more}{line[len(body) :] or self.line_end}"

    def all_with_fields(self, lines: Sequence[str], fields: Sequence[str]) -> list[str]:
        """Records with further fields behind their own, as `with_fields` takes them."""
        end, between = self.line_end, self.separator
        within = "".join(lines).replace(end, "")
        if not lines or "\r" in within or "\n" in within:
            return [self.with_fields(line, more) for line, more in zip(lines, fields)]
        # Then all lines end alike, but for the last, which may have no end.
        cut = -len(end)
        whole = [f"{line[:cut]}{between}{more}{end}" for line, more in zip(lines, fields)]
        whole[-1] = self.with_fields(lines[-1], fields[-1])
        return whole

    def whole(self, line: str) -> str:
        """A record with as many fields as the header: empty ones for those that it lacks, without those too many."""
        fields, width = fields_of(line, self.separator), len(self.columns)
        if len(fields) <= width:
            return without_end(line) + self.separator * (width - len(fields)) + self.line_end
        return self.separator.join(quoted(text, self.separator) for text in fields[:width]) + self.line_end

    @property
    def line_end(self) -> str:
        return self.header[len(without_end(self.header)) :] or "\n"

    def _read(self, lines: Sequence[str], **options: Any) -> Any:
        text = "".join((without_end(self.header), self.line_end, *lines))
        try:
            frame = pd.read_csv(io.StringIO(text), sep=self.separator, low_memory=False, **options)
        except (ValueError, TypeError, OverflowError) as error:  # pandas' own errors are among these
            raise TableError(f"not csv as pandas reads it: {error}") from error
        if len(frame) != len(lines):
            raise TableError(f"{len(lines):,} records are {len(frame):,} rows to pandas: is a quote left open?")
        return frame


class CsvSource:
    """A csv file, cut into records, from wherever an earlier run has stopped. Raises TableError and OSError."""

    kind = "csv"

    def __init__(self, path: Path, read: dict[str, Any], schema: Any) -> None:
        csv.field_size_limit(_LONGEST_FIELD)
        self.path, self._schema = path, schema
        given = _options_for(path, read)
        options = {name: value for name, value in given.items() if name not in _OF_ONE_FILE}
        self._text = {name: value for name, value in options.items() if name in _OF_THE_TEXT}
        typing = {name: value for name, value in options.items() if name not in _OF_THE_TEXT}
        separator, encoding = self._text.get("sep", self._text.get("delimiter", ",")), self._text.get("encoding")
        is_plain = isinstance(separator, str) and len(separator) == 1 and separator not in ' "\r\n'
        self._separator = separator if is_plain else ","
        self._encoding = str(encoding) if str(encoding).lower() in _ENCODINGS else "utf-8"
        self._blank = " \t".replace(self._separator, "")
        self._cut_here = is_plain and self._text.keys() <= _CUT_HERE and encoding in (None, self._encoding)
        self._compressed: Any = None
        with _told(path):
            header = self._head() if self._cut_here else ""
            if not header:
                self._cut_here = False
                header = text_of(next(self._frames(nrows=0)), self._separator)
        columns = pd.read_csv(io.StringIO(header), sep=self._separator, nrows=0).columns
        dates = typing.get("parse_dates")
        dates = list(dates) if isinstance(dates, (list, tuple)) else []
        texts = (label for label, kind in zip(schema.labels, schema.kinds) if kind == "text")
        dtypes = {label: str for label in texts if label in columns and label not in dates}
        self.dialect = Dialect(header, self._separator, self._encoding, tuple(columns), typing, dtypes)

    @property
    def is_plain(self) -> bool:
        """Whether records below the header are a file that reads alike."""
        return self._cut_here

    def pieces(self, rows: int, after: int = 0, first: int = 0) -> Iterator[Piece]:
        """The rows behind `after`, which is the `end` of the last piece that is done; so many in a piece.

        A file without rows is one piece.
        """
        width = len(self.dialect.columns)
        with _told(self.path):
            for lines, counts, end in self._cut(rows, after) if self._cut_here else self._normalised(rows, after):
                is_even = counts.count(width) == len(counts)
                odd = {} if is_even else {at: count for at, count in enumerate(counts) if count != width}
                yield Piece(first, len(lines), end, self._share(), tuple(lines), odd)
                first += len(lines)

    def frame(self, piece: Piece) -> Any:
        """The rows of a piece with the types that the notebook reads."""
        return with_numbers(self.dialect.typed(piece.lines), self._schema, self.dialect.typing)

    def _cut(self, rows: int, after: int) -> Iterator[tuple[list[str], list[int], int]]:
        """Records as they stand, with their numbers of fields, and the byte behind them."""
        with self._opened() as binary:
            binary.seek(after)
            text = io.TextIOWrapper(binary, self._encoding, newline="")
            end = after
            if not after:
                end += len("".join(self._until_header(_records(text, self._separator))).encode(self._encoding))
            is_first = not after
            while True:
                lines, counts = _next_records(text, rows, self._separator)
                if not lines and not is_first:
                    return
                end += len("".join(lines).encode(self._encoding))
                if min(counts, default=1) <= 1:  # a blank line has no separator
                    filled = [at for at, line in enumerate(lines) if line.strip(self._blank + "\r\n")]
                    lines, counts = [lines[at] for at in filled], [counts[at] for at in filled]
                yield lines, counts, end
                is_first = False

    def _normalised(self, rows: int, after: int) -> Iterator[tuple[list[str], list[int], int]]:
        """Records as pandas cuts them, written anew, with their numbers of fields, and how many there were so far."""
        done = 0
        for frame in self._frames(chunksize=rows):
            left = frame.iloc[max(0, after - done) :]
            done += len(frame)
            if len(left) or not done:
                text = io.StringIO(text_of(left, self._separator, header=False), newline="")
                records = list(_records(text, self._separator))
                yield [line for line, _ in records], [count for _, count in records], done

    def _frames(self, **options: Any) -> Iterator[Any]:
        read = pd.read_csv(self.path, **self._text, **options, dtype=str, keep_default_na=False, na_filter=False)
        if isinstance(read, pd.DataFrame):
            yield read
            return
        with read:
            yield from read

    def _head(self) -> str:
        """The header as it stands; nothing where the first row has more fields, which pandas takes for an index."""
        with self._opened() as binary:
            records = _records(io.TextIOWrapper(binary, self._encoding, newline=""), self._separator)
            *_, header = self._until_header(records) or [""]
            if not header:
                raise TableError(f"{self.path} is empty: there is not even a header")
            width = len(fields_of(header, self._separator))
            first = next((count for line, count in records if line.strip(self._blank + "\r\n")), 0)
            return header if first <= width else ""

    def _until_header(self, records: Iterator[tuple[str, int]]) -> list[str]:
        """The blank lines before the header, and the header."""
        passed = []
        for line, _ in records:
            passed.append(line)
            if line.strip(self._blank + "\r\n\ufeff"):
                return passed
        return []

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        open_as = _OPENED.get(self.path.suffix.lower())
        with self.path.open("rb") as self._compressed:
            if open_as is None:
                yield self._compressed
                return
            with open_as(self._compressed) as binary:
                yield binary

    def _share(self) -> float:
        size = self.path.stat().st_size
        if self._compressed is None or self._compressed.closed or not size:
            return 0.0
        return min(1.0, float(self._compressed.tell() / size))


class ParquetSource:
    """A Parquet file by its row groups. Raises TableError and OSError."""

    kind = "parquet"
    dialect = None

    def __init__(self, path: Path) -> None:
        self.path = path
        with _told(path), self._opened() as file:
            self.columns = tuple(file.schema_arrow.names)
            self._sizes = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
            self._schema = file.schema_arrow
        self.rows = sum(self._sizes)

    def pieces(self, rows: int, after: int = 0, first: int = 0) -> Iterator[Piece]:
        """The rows from the `first` on, so many in a piece; `after` says that there were some. No rows are a piece."""
        if not self.rows and not after:
            yield Piece(0, 0, 0, 1.0, table=stored(self._schema.empty_table()))
            return
        with _told(self.path), self._opened() as file:
            for groups, before in self._groups(rows):
                if before + sum(self._sizes[at] for at in groups) <= first:
                    continue
                for batch in file.iter_batches(batch_size=min(rows, self.rows), row_groups=groups):
                    table = arrow().Table.from_batches([batch])
                    left = table.slice(max(0, first - before))
                    before += len(table)
                    if len(left):
                        yield Piece(before - len(left), len(left), before, before / self.rows, table=stored(left))

    def frame(self, piece: Piece) -> Any:
        """The rows of a piece."""
        return restored(piece.table).to_pandas()

    def _groups(self, rows: int) -> Iterator[tuple[list[int], int]]:
        """Row groups that are read together, being small, and the number of rows before them."""
        some: list[int] = []
        before = count = 0
        for at, size in enumerate(self._sizes):
            some.append(at)
            count += size
            if count >= rows or at == len(self._sizes) - 1:
                yield some, before
                before, count, some = before + count, 0, []

    def _opened(self) -> Any:
        """The file, read page by page: otherwise Arrow reads a row group at once, and a file may have but one."""
        return arrow("pyarrow.parquet").ParquetFile(self.path, buffer_size=_BUFFER_BYTES, pre_buffer=False)


def _options_of(read: dict[str, Any]) -> dict[str, Any]:
    """What the notebook's own reading of csv was told."""
    options: dict[str, Any] = read.get("kwargs", {}) if str(read.get("function", "")).endswith("read_csv") else {}
    return options


def _options_for(name: Path, read: dict[str, Any]) -> dict[str, Any]:
    """The same for a file of this name: a .tsv has tabs where nothing is said of what separates."""
    options = _options_of(read)
    is_tabbed = ".tsv" in name.name.lower() and not {"sep", "delimiter", "delim_whitespace"} & options.keys()
    return {**options, "sep": "\t"} if is_tabbed else options


def read_whole(part: Any, name: Path, read: dict[str, Any]) -> Any:
    """All rows of a file of this name, or of what is open of it, as the notebook reads its own.

    Its options stay in force, but for those that say how many rows of that one file it took. Raises TableError.
    """
    with _told(name):
        if kind_of(name) == "parquet":
            function, kept = str(read.get("function", "")), read.get("kwargs", {}).get("columns")
            return pd.read_parquet(part, columns=kept if function.endswith("read_parquet") else None)
        given = _options_for(name, read)
        options = {each: value for each, value in given.items() if each not in _OF_ONE_FILE - {"dtype", "usecols"}}
        open_as = None if "compression" in options else _OPENED.get(name.suffix.lower())
        if open_as is None:
            return pd.read_csv(part, **options)
        with open_as(part) as binary:
            return pd.read_csv(binary, **options)


def meaning(read: dict[str, Any]) -> dict[str, Any]:
    """What of that says what values mean, whatever the text around them looks like."""
    return {name: value for name, value in _options_of(read).items() if name in _OF_VALUES}


def source_of(path: Path, read: dict[str, Any], schema: Any) -> Any:
    """What reads a file, by its ending."""
    return CsvSource(path, read, schema) if kind_of(path) == "csv" else ParquetSource(path)


def kind_of(path: Path) -> str:
    """`csv` or `parquet`, by a file's ending. Raises TableError."""
    name = path.name.lower()
    plain = name[: -len(path.suffix)] if path.suffix.lower() in _OPENED else name
    if plain.endswith(_CSV):
        return "csv"
    if name.endswith(_PARQUET):
        return "parquet"
    raise TableError(f"{path} is neither .csv, .tsv or .txt (each also with .gz, .bz2 or .xz) nor .parquet")


def packed(path: Path, content: bytes) -> bytes:
    """Bytes of a text as a file of this name holds them; packed parts put together are a packed file."""
    module = {".bz2": bz2, ".gz": gzip, ".xz": lzma}.get(path.suffix.lower())
    if module is None or not content:
        return content
    return gzip.compress(content, mtime=0) if module is gzip else bytes(module.compress(content))


def text_of(frame: Any, separator: str, *, header: bool = True) -> str:
    """A frame as csv."""
    text: str = frame.to_csv(index=False, header=header, sep=separator, lineterminator="\n")
    return text


def quoted(text: str, separator: str) -> str:
    """A text as a field of csv."""
    if separator in text or '"' in text or "\n" in text or "\r" in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def fields_of(line: str, separator: str) -> list[str]:
    """The fields of a record."""
    return next(csv.reader([line.lstrip("\ufeff")], delimiter=separator), [])


def without_end(line: str) -> str:
    """A record without the end of its line."""
    return line[:-2] if line.endswith("\r\n") else line[:-1] if line.endswith(("\n", "\r")) else line


def as_texts(values: Any, separator: str) -> list[str]:
    """Predictions as fields of csv, as pandas writes them; a missing one is empty."""
    if values.dtype.kind in "biu":
        return list(map(str, values.tolist()))
    if values.dtype.kind == "f":
        texts: list[str] = np.where(np.isnan(values), "", values.astype(str)).tolist()
        return texts
    missing = pd.isna(values)
    return ["" if gone else quoted(str(value), separator) for value, gone in zip(values.tolist(), missing.tolist())]


def stored(table: Any) -> bytes:
    """A table of Arrow as bytes for another process."""
    pyarrow = arrow()
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def restored(content: bytes) -> Any:
    """The table of `stored`."""
    return arrow().ipc.open_stream(content).read_all()


def as_parquet(table: Any) -> bytes:
    """A table of Arrow as a Parquet file."""
    sink = arrow().BufferOutputStream()
    arrow("pyarrow.parquet").write_table(table, sink)
    return bytes(sink.getvalue())


def put_together(parts: Sequence[Path], path: Path) -> None:
    """Write Parquet files below one another into one, a row group at a time.

    A column whose kind differs between them (whole numbers in one, decimals in another) gets one that holds both.
    """
    pyarrow, parquet = arrow(), arrow("pyarrow.parquet")
    schemas = [parquet.read_schema(part) for part in parts]
    try:
        schema = pyarrow.unify_schemas(schemas, promote_options="permissive").with_metadata(schemas[0].metadata)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as error:
        raise TableError(f"parts of the result have kinds of values that no column holds: {error}") from error
    with parquet.ParquetWriter(path, schema) as writer:
        for part in parts:
            with parquet.ParquetFile(part) as file:
                for group in range(file.num_row_groups):
                    writer.write_table(file.read_row_group(group).cast(schema))


def arrow(name: str = "pyarrow") -> Any:
    """pyarrow, which only Parquet needs. Raises TableError where it is missing."""
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise TableError("Parquet files need pyarrow, which is not installed here: use .csv, or install it") from error
    known = importlib.import_module("pyarrow").__version__
    if not is_safe(known):
        raise TableError(f"Parquet files need pyarrow {SAFE}, not {known}: they can run code in earlier ones")
    return module


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What goes wrong in reading a file, as a TableError with its name."""
    try:
        yield
    except pd.errors.EmptyDataError as error:
        raise TableError(f"{path} is empty: there is not even a header") from error
    except (pd.errors.ParserError, UnicodeDecodeError, csv.Error, EOFError, lzma.LZMAError, gzip.BadGzipFile) as error:
        is_long = isinstance(error, csv.Error) and "field limit" in str(error)
        raise TableError(f"{path} cannot be read as csv: {error}{': is a quote left open?' * is_long}") from error
    except Exception as error:
        if type(error).__name__.startswith("Arrow"):
            raise TableError(f"{path} cannot be read as Parquet: {error}") from error
        raise


def _next_records(text: Iterator[str], rows: int, separator: str) -> tuple[list[str], list[int]]:
    """So many records, and their numbers of fields; all lines at once, where each of them is a record."""
    lines = list(islice(text, rows))
    if '"' not in "".join(lines):
        return lines, [line.count(separator) + 1 for line in lines]
    with suppress(csv.Error):  # a field goes on in the next line, or is quoted in a way that takes a closer look
        counts = list(map(len, csv.reader(lines, delimiter=separator, strict=True)))
        if len(counts) == len(lines):
            return lines, counts
    records = list(islice(_records(chain(lines, text), separator), rows))
    return [line for line, _ in records], [count for _, count in records]


def _records(lines: Iterable[str], separator: str) -> Iterator[tuple[str, int]]:
    """Records of csv as they stand, and the number of their fields; a quoted field may have lines of its own."""
    taken: list[str] = []

    def noted() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    for fields in csv.reader(noted(), delimiter=separator):
        yield "".join(taken), len(fields)
        taken.clear()
