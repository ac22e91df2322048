"""The bodies of requests: records from JSON, tables from csv, Arrow and Parquet; and what is wrong with them."""

from __future__ import annotations

import importlib
import io
import json
import re
from collections.abc import Sequence
from typing import Any

from .contract import Contract
from .faults import Fault
from .request import problem

CSV = "text/csv"
ARROW_STREAM, ARROW_FILE = "application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file"
PARQUET = "application/vnd.apache.parquet"
TABLES = (CSV, ARROW_STREAM, ARROW_FILE, PARQUET)
BATCH = 4096
MOST_EXPANDED = 20
"""How many times larger than the largest body a compressed table may become."""

SAFE = "14.0.1 or later"

TITLES = {
    400: "Not JSON",
    401: "No token",
    404: "No such path",
    405: "Method not allowed",
    408: "Request too slow",
    413: "Request too large",
    415: "Not the right media type",
    422: "The records break the contract",
    500: "The pipeline failed",
    503: "Not ready",
}


class Problem(Exception):
    """A request that gets no answer; told to the client as RFC 9457 has it."""

    def __init__(
        self,
        status: int,
        detail: str,
        faults: Sequence[Fault] = (),
        headers: tuple[tuple[str, str], ...] = (),
        title: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = faults
        self.headers = headers
        self.title = title or TITLES[status]

    def body(self) -> dict[str, Any]:
        """What a client is told, with every fault by row and field."""
        told = problem(self.status, self.title, self.detail)
        if self.faults:
            told["faults"] = [vars(fault) for fault in self.faults]
        return told


def media_type(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """The media type of a body in lower case; JSON where none is named. Raises Problem 415 for another encoding."""
    value = next((value for name, value in headers if name == b"content-type"), None)
    if value is None or value == b"application/json":
        return "application/json"
    kind, _, parameters = value.decode("latin-1").partition(";")
    charset = parameters.lower().replace('"', "").replace(" ", "")
    if charset.startswith("charset=") and charset not in ("charset=utf-8", "charset=utf8", "charset=us-ascii"):
        raise Problem(415, f"send UTF-8, not {charset[len('charset=') :]}")
    return kind.strip().lower()


def is_json(kind: str) -> bool:
    """Whether a media type is JSON, by its name or its suffix."""
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def parse(body: bytes) -> Any:
    """JSON from a request; raises Problem 400 saying what is wrong with it and where."""
    try:
        return _DECODE(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Problem(400, f"the body is not UTF-8: byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise Problem(400, f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise Problem(400, "the JSON is nested too deeply") from error
    except ValueError as error:
        raise Problem(400, str(error).split(";")[0]) from error


def table_of(body: bytes, kind: str, limit: int, contract: Contract) -> Any:
    """The DataFrame in a body of one of the media types `TABLES`, which may be `limit` bytes as it is sent.

    csv has commas, and values mean in it what they mean in the notebook's own; what training had as text stays text.

    Raises Problem: 400 for what is no such table, 413 for one that grows too large, 415 where pyarrow is not installed.
    """
    if kind == CSV:
        return _csv(body, contract)
    try:
        known = importlib.import_module("pyarrow").__version__
    except ImportError as error:
        raise Problem(415, f"{kind} takes pyarrow, which is not installed where this service runs") from error
    if not is_safe(known):
        raise Problem(415, f"{kind} takes pyarrow {SAFE}, not {known}: files can run code in earlier ones")
    try:
        return (_parquet if kind == PARQUET else _arrow)(body, kind, limit * MOST_EXPANDED)
    except Problem:
        raise
    except Exception as error:
        # Whatever is raised here is about the client's bytes.
        raise Problem(400, f"the body is no table of {kind}: {_first_line(error)}", title="No such table") from error


def is_safe(version: str) -> bool:
    """Whether this pyarrow runs no code of a file that it reads; earlier ones unpickle types (CVE-2023-47248)."""
    return tuple(map(int, re.findall(r"\d+", version)[:3])) >= (14, 0, 1)


def arrow_of(predictions: Sequence[Any], notes: dict[str, Any]) -> bytes:
    """An Arrow stream with the column `prediction`; `notes` are JSON in the metadata of its schema."""
    arrow = importlib.import_module("pyarrow")
    table = arrow.table({"prediction": list(predictions)}).replace_schema_metadata(
        {key: json.dumps(value) for key, value in notes.items()}
    )
    sink = arrow.BufferOutputStream()
    with importlib.import_module("pyarrow.ipc").new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def _csv(body: bytes, contract: Contract) -> Any:
    pandas = importlib.import_module("pandas")
    options = importlib.import_module(".tables", __package__).meaning(contract.read)
    dates = options.get("parse_dates")
    dates = dates if isinstance(dates, list) else []
    text = {column.name: str for column in contract.columns if column.kind == "text" and column.name not in dates}
    try:
        return pandas.read_csv(io.BytesIO(body), dtype=text, **options)
    except Exception as error:
        # Whatever is raised here is about the client's bytes: pandas has OverflowError for a number of 400 digits.
        raise Problem(400, f"the body is no csv: {_first_line(error)}", title="Not csv") from error


def _parquet(body: bytes, kind: str, most: int) -> Any:
    arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    file = parquet.ParquetFile(arrow.BufferReader(body))
    told = file.metadata
    _hold_to(told.num_rows * told.num_columns, kind, most)  # at one byte a value, however it is packed
    groups = [told.row_group(at) for at in range(told.num_row_groups)]
    largest = max((g.column(at).total_uncompressed_size for g in groups for at in range(g.num_columns)), default=1)
    # No value is larger than its column: this many rows stay within the limit, also where one value stands in each.
    count = max(1, min(BATCH, most // max(1, largest)))
    batches, size = [], 0
    for batch in file.iter_batches(batch_size=count):
        size += batch.nbytes
        _hold_to(size, kind, most)
        batches.append(batch)
    return arrow.Table.from_batches(batches, file.schema_arrow).to_pandas()


def _arrow(body: bytes, kind: str, most: int) -> Any:
    arrow, ipc = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.ipc")
    buffer = arrow.BufferReader(body)
    batches, size = [], 0
    if kind == ARROW_FILE:
        file = ipc.open_file(buffer)
        schema, source = file.schema, (file.get_batch(at) for at in range(file.num_record_batches))
    else:
        stream = ipc.open_stream(buffer)
        schema, source = stream.schema, stream
    for batch in source:
        size += batch.nbytes
        _hold_to(size, kind, most)
        batch.validate(full=True)
        batches.append(batch)
    return arrow.Table.from_batches(batches, schema).to_pandas()


def _hold_to(size: int, kind: str, most: int) -> None:
    if size > most:
        raise Problem(413, f"the table in this {kind} has more than {most} bytes")


def _first_line(error: Exception) -> str:
    return (str(error).strip().split("\n")[0] or type(error).__name__)[:300]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON: send null for a missing value")


def _unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the field {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return fields


_DECODE = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_unique_fields).decode
