"""Column names of raw files that lie beside the notebook: one line of each is read, nothing is run."""

from __future__ import annotations

import ast
import csv
import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from msgspec import Struct

from nbprod.analysis.values import Event
from nbprod.analysis.workbooks import workbook_header
from nbprod.notebook.parsed import nodes_below, parsed

LONGEST_HEADER = 1 << 20
POINTER = "version https://git-lfs.github.com/spec/"
"""How a file begins whose content is kept elsewhere by Git LFS and was not fetched."""

READERS = ("read_csv", "read_excel", "read_table")
"""pandas' readers of files whose columns the first line or row tells."""

DECISIVE = frozenset({"sep", "delimiter", "header", "names", "usecols", "index_col", "skiprows", "encoding", "comment"})


def read_headers(events: Iterable[Event], folder: Path) -> dict[str, tuple[str, ...]]:
    """Path as the notebook writes it → column names, for csv files and workbooks that can be found below `folder`.

    A reading call whose options decide the names and are not literals, or that names a file that is not there or is
    no text, is left out: the frame's columns are then unknown until the notebook runs.
    """
    found: dict[str, tuple[str, ...]] = {}
    for event in events:
        if (
            event.kind == "read"
            and event.name.rpartition(".")[0] == "pandas"
            and event.name.rpartition(".")[2] in READERS
            and isinstance(event.const, str)
        ):
            names = _header(event.name, event.node, event.const, folder)
            if names is not None:
                found[event.const] = names
    return found


def likely_headers(codes: Iterable[str], folder: Path) -> dict[str, tuple[str, ...]]:
    """What `read_headers` will tell, as far as the text shows it: of calls that name their file in place.

    With it one analysis is enough for most notebooks: what is read is known before it begins.
    """
    found: dict[str, tuple[str, ...]] = {}
    for code in codes:
        if not any(reader in code for reader in READERS):
            continue
        for node in nodes_below(parsed(code)):
            match node:
                case ast.Call(func=ast.Attribute(attr=reader), args=[ast.Constant(value=str(path))]) if (
                    reader in READERS and (names := _header(reader, node, path, folder)) is not None
                ):
                    found[path] = names
    return found


class Reading(Struct, frozen=True):
    """How a reading call takes a csv file apart; `names` where the call gives them, `wanted` where it takes some."""

    separator: str
    encoding: str
    names: tuple[str, ...] | None
    wanted: tuple[Any, ...] | None


def reading_of(reader: str, node: ast.Call) -> Reading | None:
    """How a call of pandas' csv reader reads; None where its first line or its options do not give the columns."""
    options: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg in DECISIVE:
            try:
                options[keyword.arg] = ast.literal_eval(keyword.value)
            except ValueError:
                return None
    indexed = options.get("index_col") is not None and options["index_col"] is not False
    if len(node.args) > 1 or indexed or "skiprows" in options:
        return None
    names = options.get("names")
    if names is None and options.get("header", 0) not in (0, "infer"):
        return None
    separator = options.get("sep", options.get("delimiter", "\t" if reader.endswith("table") else ","))
    if names is None and (not isinstance(separator, str) or len(separator) != 1):
        return None
    wanted = options.get("usecols")
    return Reading(
        separator,
        options.get("encoding") or "utf-8-sig",
        None if names is None else tuple(map(str, names)),
        tuple(wanted) if isinstance(wanted, list | tuple) else None,
    )


def _header(reader: str, node: ast.Call, file: str, folder: Path) -> tuple[str, ...] | None:
    if reader.endswith("read_excel"):
        return None if "://" in file else workbook_header(node, folder / file)
    reading = reading_of(reader, node)
    if reading is None or reading.names is not None:
        return None if reading is None else reading.names
    if "://" in file:
        return None
    try:
        with open_text(folder / file, reading.encoding) as stream:
            line = stream.readline(LONGEST_HEADER)
        if line.startswith(POINTER):
            return None
        row = next(csv.reader([line], delimiter=reading.separator), [])
    except (OSError, UnicodeError, csv.Error, LookupError, ValueError):
        return None
    columns = _deduplicated(row)
    if reading.wanted is not None:
        columns = [c for i, c in enumerate(columns) if c in reading.wanted or i in reading.wanted]
    return tuple(columns) or None


def is_fetched(path: Path) -> bool:
    """Whether a file is here with its content: not gone, and no pointer of Git LFS to what was not fetched."""
    try:
        if not path.is_file():
            return path.exists()  # a folder, or a pipe, which would wait for its writer
        with path.open("rb") as stream:
            return not stream.read(len(POINTER)).startswith(POINTER.encode())
    except OSError:
        return False


def open_text(path: Path, encoding: str) -> IO[str]:
    """A text file, unpacked where its name says that it is packed. Raises OSError for what is no file, as a pipe."""
    if not path.is_file():
        raise FileNotFoundError(path)
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def _deduplicated(names: Iterable[str]) -> list[str]:
    """Column names as pandas' reader gives them: empty ones by position, doubled ones with a counter."""
    seen: dict[str, int] = {}
    result = []
    for position, raw in enumerate(names):
        name = raw or f"Unnamed: {position}"
        count = seen.get(name, 0)
        seen[name] = count + 1
        result.append(f"{name}.{count}" if count else name)
    return result
