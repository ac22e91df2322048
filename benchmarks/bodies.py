"""What the service of an exported package answers to malformed requests: replies by class, and its own faults.

Valid bodies of each protocol and media type are changed by a seeded generator, in their values, their text, their bytes
and their heads, and sent to the service on the loopback; schemathesis, where it is installed, makes further ones of the
service's OpenAPI description. Faults are: a status of 5xx but for back-pressure, no answer, an exception in the log, a
process that ended, another answer to a good record afterwards, and a file of the package that has changed.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import http.client
import io
import json
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

EXAMPLES = Path(__file__).parents[1] / "examples"
READY_SECONDS = 120
ANSWER_SECONDS = 30
LIMIT_MB = 1
READY = b"GET /ready HTTP/1.1\r\nhost: x\r\n\r\n"
JSON, CSV, PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"
STREAM, FILE = "application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file"

ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.0, -0.0, 1e308, -1e308, 5e-324, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 2**64,
    10**400, -(10**400), "", " ", "0", "1e5", "nan", "inf", "\x00", "\ud800", "\udfff\ud800", "🂡" * 50, "x" * 70_000,
    [], [1], [None], {}, {"a": 1}, [[]], "2024-01-01", "99999-99-99", "male\n", "٣", "\u202e", "1 days",
)  # fmt: skip
ODD_NAMES = ("", "records", "__class__", "\ud800", "x" * 10_000, "\x00", "Sex ", "inputs", "0", "None")
ODD_JSON = (
    b"", b" ", b"null", b"true", b"NaN", b"-Infinity", b"1e400", b"[]", b"{}", b"[[]]", b"[null]", b"[1, 2]", b'"text"',
    b"[" * 100_000, b'{"a":' * 50_000, b"[" * 900 + b"]" * 900, b"\xff\xfe[\x00]\x00", b"\xef\xbb\xbf[]", b"[1,]",
    b"{'a': 1}", b'{"records": 3}', b'{"records": [[]]}', b'{"records": null}', b"0" * 1000, b"9" * 5000, b"-",
    b"[1 2]", b"\x00", b"\x80", b'{"inputs": 3}', b'{"inputs": {"a": []}}', b'{"instances": []}',
    b'{"dataframe_split": {"columns": [], "data": [[]]}}',
    b'{"inputs": [{"name": "a", "shape": [-1], "datatype": "FP64", "data": []}]}',
)  # fmt: skip
ODD_HEADS = (
    {"content-type": "text/xml"}, {"content-type": "multipart/form-data; boundary=x"}, {"content-type": ""},
    {"content-type": "application/json; charset=utf-16"}, {"content-type": "application/json; charset"},
    {"content-type": "application/json; charset=\"utf-8\""}, {"content-type": "\xff\xfe"}, {"content-type": "a" * 5000},
    {"content-type": "application/vnd.api+json"}, {"content-type": PARQUET}, {"content-type": CSV},
    {"content-type": STREAM}, {"content-type": FILE}, {"accept": STREAM}, {"accept": "\xe9"}, {"x-request-id": "a b"},
    {"x-request-id": "x" * 500},
    {"x-request-id": "\xff"}, {"content-encoding": "gzip"}, {"content-encoding": "br"}, {"expect": "200-maybe"},
    {"transfer-encoding": "gzip"}, {"authorization": "Bearer " + "x" * 5000}, {"cookie": "a=b; " * 500},
)  # fmt: skip
QUERIES = (
    "probabilities=true",
    "probabilities=maybe",
    "probabilities",
    "%ff=%00",
    "probabilities=true&probabilities=0",
    "a" * 2000,
)


class Request(NamedTuple):
    """A request: how it was made, and its parts; `raw` is sent instead of these."""

    made: str
    path: str
    kind: str
    body: bytes
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed
    query: str = ""
    method: str = "POST"
    raw: bytes | None = None

    def bytes_of(self) -> bytes:
        """What goes over the wire."""
        if self.raw is not None:
            return self.raw
        target = self.path + (f"?{self.query}" if self.query else "")
        fields = {"host": "x", "content-type": self.kind, "content-length": str(len(self.body)), **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"{self.method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + self.body


class Outcome(NamedTuple):
    """What came of all requests to one service: replies by how they were made and their status, and its faults."""

    replies: Counter[tuple[str, str]]
    faults: list[str]
    schemathesis: str
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=10_000, help="malformed requests to each service")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--examples", default="titanic,housing", help="examples whose packages are asked")
    parser.add_argument("--servers", default="uvicorn,stdlib")
    parser.add_argument("--schemathesis", default=shutil.which("st"), metavar="FILE", help="its command, `st`")
    parser.add_argument("--max-examples", type=int, default=300, help="of schemathesis, for each operation")
    parser.add_argument("--project", metavar="DIR", help="where the packages are made, or were by an earlier run")
    given = parser.parse_args()
    is_good = True
    with tempfile.TemporaryDirectory() as folder:
        for example in given.examples.split(","):
            project = Path(given.project or folder, example)
            name = prepared(EXAMPLES / example, project)
            for server in given.servers.split(","):
                outcome = run(project, name, server, given)
                print(table(f"{example}, {server}", outcome), flush=True)
                is_good = is_good and not outcome.faults
    sys.exit(not is_good)


def prepared(example: Path, project: Path) -> str:
    """The package of an example, exported and fitted; its name."""
    told = tomllib.loads((example / "demo.toml").read_text())
    if not (project / "pipelines").exists():
        shutil.copytree(example, project, dirs_exist_ok=True)
        command = [sys.executable, "-m", "nbprod", "run", told["notebook"], "--auto", "--no-verify"]
        subprocess.run(command, cwd=project, check=True, capture_output=True)
    return str(told["name"])


def run(project: Path, name: str, server: str, given: argparse.Namespace) -> Outcome:
    """All requests to one service, and what came of them."""
    root, started = project / "pipelines", time.perf_counter()
    before = digest(root / name)
    faults: list[str] = []
    replies: Counter[tuple[str, str]] = Counter()
    with served(root, name, server) as (process, port, log):
        record = example_record(port)
        good = Request("good", "/predict", JSON, json.dumps(record).encode())
        _, first = exchange(port, good.bytes_of())
        for at, request in zip(range(given.requests), malformed(name, record, random.Random(given.seed)), strict=False):
            status, body = exchange(port, request.bytes_of(), request.raw is not None, request.method)
            replies[request.made, status] += 1
            if status == "none" or (status.startswith("5") and b'"Busy"' not in body):
                faults.append(f"request {at}, {request.made}: {status} {body[:200]!r} for {request.bytes_of()[:300]!r}")
            if process.poll() is not None:
                faults.append(
                    f"the process ended with {process.returncode} at request {at}: {request.bytes_of()[:300]!r}"
                )
                break
        told = with_schemathesis(given.schemathesis, port, given.max_examples, faults)
        _, last = exchange(port, good.bytes_of())
        if without_id(first) != without_id(last):
            faults.append(f"the good record is answered with {last!r} now, not {first!r}")
        if exchange(port, READY)[0] != "200":
            faults.append("the service is no longer ready")
        faults += [f"in the log: {line[:1000]}" for line in log.read_text().splitlines() if "raceback" in line]
    if digest(root / name) != before:
        faults.append("a file of the package has changed")
    return Outcome(replies, faults, told, time.perf_counter() - started)


def digest(folder: Path) -> str:
    """The digest of all files of a package, learned state included."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            total.update(str(path.relative_to(folder)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


@contextmanager
def served(root: Path, name: str, server: str) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """The service as a process, its port and its log."""
    with tempfile.NamedTemporaryFile("w+", suffix=".log") as log:
        command = [sys.executable, "-m", name, "serve", "--port", "0", "--server", server, "--limit-mb", str(LIMIT_MB)]
        process = subprocess.Popen(command, cwd=root, stderr=log, text=True)
        try:
            until = time.monotonic() + READY_SECONDS
            while time.monotonic() < until and process.poll() is None:
                address = Path(log.name).read_text().partition("serving on http://")[2].partition(" ")[0]
                if address and exchange(int(address.rpartition(":")[2]), READY)[0] == "200":
                    break
                time.sleep(0.1)
            else:
                sys.exit(f"the service did not get ready: {Path(log.name).read_text()}")
            yield process, int(address.rpartition(":")[2]), Path(log.name)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def exchange(port: int, sent: bytes, is_raw: bool = False, method: str = "GET") -> tuple[str, bytes]:
    """The status and body of the answer; `closed` where the connection ends without one, `none` where nothing comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS) as connection:
        try:
            connection.sendall(sent)
            if is_raw:  # which may promise more than it sends
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the answer may have come before the end of what was sent
        response = http.client.HTTPResponse(connection, method=method)
        try:
            response.begin()
            return str(response.status), response.read()
        except TimeoutError:
            return "none", b""
        except (OSError, http.client.HTTPException):
            return "closed", b""


def example_record(port: int) -> dict[str, Any]:
    """The record of the service's own description."""
    _, body = exchange(port, b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n")
    content = json.loads(body)["paths"]["/predict"]["post"]["requestBody"]["content"]
    record: dict[str, Any] = content[JSON]["example"]["records"][0]
    return record


def without_id(body: bytes) -> Any:
    """An answer but for the id of its request."""
    return {key: value for key, value in json.loads(body).items() if key != "request_id"}


def malformed(name: str, record: dict[str, Any], chance: random.Random) -> Iterator[Request]:
    """Requests without end, made in turn by each of the ways."""
    ways: Sequence[Callable[[str, dict[str, Any], random.Random], Request]] = (
        of_values, of_values, of_text, of_text, of_odd_json, of_csv, of_table, of_odd_table, of_heads, of_lengths,
        of_bombs,
    )  # fmt: skip
    while True:
        for way in ways:
            yield way(name, record, chance)


def valid(name: str, record: dict[str, Any], chance: random.Random) -> tuple[str, Any]:
    """A path and a value that it takes."""
    rows = [record] * chance.choice((1, 2, 3))
    columns = {field: [row[field] for row in rows] for field in record}
    kinds = {bool: "BOOL", int: "INT64", float: "FP64", str: "BYTES"}
    tensors = [
        {
            "name": field,
            "shape": [len(rows)],
            "datatype": kinds.get(type(values[0]), "BYTES"),
            "data": values,
        }
        for field, values in columns.items()
    ]
    forms: tuple[tuple[str, Any], ...] = (
        ("/predict", record),
        ("/predict", rows),
        ("/predict", {"records": rows}),
        ("/invocations", {"dataframe_split": {"columns": list(record), "data": [list(row.values()) for row in rows]}}),
        ("/invocations", {"dataframe_records": rows}),
        ("/invocations", {"instances": rows}),
        ("/invocations", {"inputs": columns}),
        (f"/v2/models/{name}/infer", {"inputs": tensors}),
        (f"/v2/models/{name}/infer", {"id": "1", "inputs": tensors, "outputs": [{"name": "predict"}]}),
    )
    path, value = chance.choice(forms)
    return path, copy.deepcopy(value)


def of_values(name: str, record: dict[str, Any], chance: random.Random) -> Request:
    """Some values, names and containers of a valid body become others."""
    path, value = valid(name, record, chance)
    holder = [value]
    for _ in range(chance.randint(1, 4)):
        change(holder, chance)
    query = chance.choice(QUERIES) if chance.random() < 0.1 else ""
    return Request("values", path, JSON, json.dumps(holder[0]).encode(), query=query)


def change(value: Any, chance: random.Random) -> None:
    """Change something somewhere below a container."""
    places = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    if not places:
        return
    key, below = chance.choice(places)
    if isinstance(below, (dict, list)) and below and chance.random() < 0.8:
        change(below, chance)
        return
    match chance.randrange(6):
        case 0 if isinstance(value, dict):
            del value[key]
        case 1 if isinstance(value, dict):
            value[chance.choice(ODD_NAMES)] = chance.choice(ODD_VALUES)
        case 2 if isinstance(value, list):
            value.append(chance.choice((*ODD_VALUES, *value)))
        case 3:
            value[key] = [below]
        case _:
            value[key] = copy.deepcopy(chance.choice(ODD_VALUES))


def of_text(name: str, record: dict[str, Any], chance: random.Random) -> Request:
    """The text of a valid body is cut, doubled, or has other bytes."""
    path, value = valid(name, record, chance)
    text = json.dumps(value)
    match chance.randrange(7):
        case 0:
            body = text.encode()[: chance.randrange(len(text))]
        case 1:
            body = text.encode() + chance.choice((b"x", b"{}", b"\x00", text.encode()))
        case 2:  # a field that stands twice
            fields = re.findall(r'"[^"]+": [^,{}\[\]]+', text)
            body = text.replace(fields[0], f"{fields[0]}, {chance.choice(fields)}", 1).encode() if fields else b"{"
        case 3:
            body = text.encode(chance.choice(("utf-16", "utf-32", "utf-8-sig", "utf-7")))
        case 4:
            numbers = list(re.finditer(r"-?\d+(\.\d+)?", text))
            at = chance.choice(numbers) if numbers else None
            odd = chance.choice(
                ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "01", "1.", ".5", "0x1", "9" * 5000, "--1")
            )
            body = (text[: at.start()] + odd + text[at.end() :]).encode() if at else b"NaN"
        case _:
            body = flipped(text.encode(), chance)
    return Request("text", path, JSON, body)


def flipped(body: bytes, chance: random.Random) -> bytes:
    """Bytes with some that are changed, left out or doubled."""
    made = bytearray(body)
    for _ in range(chance.randint(1, 8)):
        if not made:
            break
        at = chance.randrange(len(made))
        match chance.randrange(4):
            case 0:
                del made[at : at + chance.randint(1, 16)]
            case 1:
                made[at:at] = made[at : at + chance.randint(1, 64)]
            case _:
                made[at] = chance.randrange(256)
    return bytes(made)


def of_odd_json(name: str, _: dict[str, Any], chance: random.Random) -> Request:
    """A body that is odd as a whole."""
    path = chance.choice(("/predict", "/invocations", f"/v2/models/{name}/infer", "/v2/models/other/infer"))
    return Request("odd bodies", path, JSON, chance.choice(ODD_JSON))


def of_csv(_: str, record: dict[str, Any], chance: random.Random) -> Request:
    """csv with other cells, columns, marks or bytes."""
    frame = pd.DataFrame([record] * chance.choice((1, 3, 20)))
    cells = (
        "",
        "nan",
        "inf",
        "1e999",
        "9" * 400,
        '"',
        "\x00",
        "x" * 5000,
        "a,b",
        "\r",
        "true",
        "-",
        "2024-13-45",
        "\ufeff",
    )
    made = frame.astype(object)
    for _ in range(chance.randint(0, 3)):
        made.iloc[chance.randrange(len(made)), chance.randrange(made.shape[1])] = chance.choice(cells)
    match chance.randrange(5):
        case 0:
            made = made.drop(columns=chance.choice(list(made.columns)))
        case 1:
            made = pd.concat([made, made.iloc[:, :2]], axis=1)
        case 2:
            made = made.rename(columns={chance.choice(list(made.columns)): chance.choice(("", "x", '"', "\x00"))})
        case _:
            pass
    body = made.to_csv(index=False, sep=chance.choice((",", ",", ",", ";", "\t"))).encode()
    if chance.random() < 0.5:
        body = flipped(body, chance)
    return Request("csv", chance.choice(("/predict", "/invocations")), CSV, body)


def as_bytes(table: pa.Table, kind: str, compression: str | None = None) -> bytes:
    """A table in one of the binary media types."""
    sink = io.BytesIO()
    if kind == PARQUET:
        pq.write_table(table, sink, compression=compression or "snappy")
        return sink.getvalue()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with (pa.ipc.new_file if kind == FILE else pa.ipc.new_stream)(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue()


def of_table(_: str, record: dict[str, Any], chance: random.Random) -> Request:
    """Parquet and Arrow with other bytes."""
    kind = chance.choice((PARQUET, STREAM, FILE))
    table = pa.Table.from_pandas(pd.DataFrame([record] * chance.choice((1, 20))))
    compression = chance.choice((None, "zstd"))
    return Request("table bytes", "/predict", kind, flipped(as_bytes(table, kind, compression), chance))


def of_odd_table(_: str, record: dict[str, Any], chance: random.Random) -> Request:
    """Parquet and Arrow whose columns are of other types, or that have others."""
    rows = chance.choice((0, 1, 3))
    odd: tuple[Callable[[], pa.Array], ...] = (
        lambda: pa.nulls(rows),
        lambda: pa.array([[1, 2]] * rows, pa.list_(pa.int64())),
        lambda: pa.array([{"a": 1}] * rows, pa.struct([("a", pa.int64())])),
        lambda: pa.array([b"\xff\x00"] * rows, pa.binary()),
        lambda: pa.array(["x"] * rows).dictionary_encode(),
        lambda: pa.array([2**64 - 1] * rows, pa.uint64()),
        lambda: pa.array([float("inf")] * rows, pa.float32()),
        lambda: pa.array([1] * rows, pa.int64()).cast(pa.decimal128(38, 5)),
        lambda: pa.array([0] * rows, pa.int64()).cast(pa.timestamp("ns", "Europe/Berlin")),
        lambda: pa.array([2**62] * rows, pa.int64()).cast(pa.timestamp("s")),
        lambda: pa.array([-1] * rows, pa.int64()).cast(pa.duration("ns")),
        lambda: pa.array([0] * rows, pa.int32()).cast(pa.time32("s")),
        lambda: pa.array(["x" * 10_000] * rows, pa.large_string()),
        lambda: pa.array([[("k", 1)]] * rows, pa.map_(pa.string(), pa.int64())),
        lambda: pa.array([True] * rows),
    )
    names, columns = list(record), [pa.array([value] * rows) for value in record.values()]
    for _ in range(chance.randint(1, 3)):
        columns[chance.randrange(len(columns))] = chance.choice(odd)()
    if chance.random() < 0.3:
        names[0] = names[-1]  # a name that stands twice
    kind = chance.choice((PARQUET, STREAM, FILE))
    try:
        body = as_bytes(pa.Table.from_arrays(columns, names=names), kind)
    except (pa.ArrowException, OverflowError):  # what this form can't hold
        body = b"PAR1"
    return Request("odd tables", chance.choice(("/predict", "/invocations")), kind, body)


def of_heads(name: str, record: dict[str, Any], chance: random.Random) -> Request:
    """A valid body under another head, method, path or query."""
    path, value = valid(name, record, chance)
    body = json.dumps(value).encode()
    match chance.randrange(4):
        case 0:
            method = chance.choice(("PUT", "DELETE", "PATCH", "OPTIONS", "GET", "HEAD", "TRACE", "BREW"))
            return Request("methods", path, JSON, body, method=method)
        case 1:
            odd = (
                "/",
                "//predict",
                "/predict/",
                "/%ff",
                "/v2/models//infer",
                f"/v2/models/{name}/versions/0/infer",
                "/" + "a" * 5000,
            )
            paths = (*odd, f"/v2/models/{name}/versions/{'9' * 400}/infer", "/v2/models/%00/infer", "*", "/predict%00")
            return Request("paths", chance.choice(paths), JSON, body)
        case 2:
            return Request("queries", "/predict", JSON, json.dumps(record).encode(), query=chance.choice(QUERIES))
        case _:
            headers = chance.choice(ODD_HEADS)
            return Request("heads", path, headers.get("content-type", JSON), body, dict(headers))


def of_lengths(_: str, record: dict[str, Any], chance: random.Random) -> Request:
    """A body whose length is told wrongly, or in chunks that are none."""
    body = json.dumps(record).encode()
    size = len(body)
    lengths = (
        size + 50,
        size - 5,
        0,
        -1,
        "x",
        "",
        f"{size}, {size + 1}",
        2**63,
        10**30,
        "0x10",
        f"+{size}",
        " ",
        LIMIT_MB * 2**20 + 1,
    )
    chunks = (
        b"5\r\n" + body[:5] + b"\r\n", b"zz\r\n" + body, b"-1\r\n\r\n", b"ffffffffffffffff\r\n" + body, b"0\r\n\r\n",
        f"{size:x}\r\n".encode() + body + b"\r\n0\r\n\r\n",
        f"{size:x};a=b\r\n".encode() + body + b"\r\n0\r\nx: y\r\n\r\n",
        b"5\n" + body, b"", f"{size:x}\r\n".encode() + body + b"0\r\n\r\n", b"1\r\n{\r\n" * 3000,
    )  # fmt: skip
    head = f"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: {JSON}\r\n".encode()
    match chance.randrange(3):
        case 0:
            raw = head + f"content-length: {chance.choice(lengths)}\r\n\r\n".encode() + body
        case 1:
            raw = head + b"transfer-encoding: chunked\r\n\r\n" + chance.choice(chunks)
        case _:
            both = (
                b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n"
                if chance.random() < 0.5
                else b"content-length: 3\r\n" * 2
            )
            raw = head + both + (b"" if both.endswith(b"\r\n\r\n") else b"\r\n") + chance.choice(chunks)
    return Request("lengths", "/predict", JSON, b"", raw=raw)


BOMB = zlib.compress(b" " * (100 * 2**20), 9, wbits=31)
"""A hundred MiB in some hundred KiB, as gzip has it."""


def of_bombs(_: str, record: dict[str, Any], chance: random.Random) -> Request:
    """Little that becomes a lot."""
    field = chance.choice(list(record))
    match chance.randrange(5):
        case 0:
            return Request("bombs", "/predict", JSON, BOMB, {"content-encoding": "gzip"})
        case 1:
            kind = chance.choice((PARQUET, STREAM, FILE))
            many = pa.table({field: pa.array([0.0]).take(pa.array([0] * chance.choice((10_000, 4_000_000))))})
            return Request("bombs", "/predict", kind, as_bytes(many, kind, "zstd"))
        case 2:
            kind = chance.choice((PARQUET, STREAM))
            return Request("bombs", "/predict", kind, as_bytes(pa.table({field: ["x" * 2_000_000] * 20}), kind, "zstd"))
        case 3:
            return Request("bombs", "/predict", JSON, b" " * (LIMIT_MB * 2**20 + 1))
        case _:
            rows = b"[" + b",".join([b"{}"] * 200_000) + b"]"
            return Request("bombs", "/predict", JSON, rows)


def with_schemathesis(command: str | None, port: int, most: int, faults: list[str]) -> str:
    """What schemathesis says of the service, as its last lines; its failures are faults."""
    if not command:
        return "schemathesis is not installed"
    words = [command, "run", f"http://127.0.0.1:{port}/openapi.json", "--max-examples", str(most), "--seed", "0"]
    words += ["--checks", "not_a_server_error", "--no-color", "--workers", "1", "--phases", "examples,coverage,fuzzing"]
    with tempfile.TemporaryDirectory() as folder:
        words.append("--continue-on-failure")
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    told = [line.strip() for line in done.stdout.splitlines() if "generated" in line or "found" in line]
    if done.returncode:
        faults.append(f"schemathesis: {done.stdout[-3000:]}{done.stderr[-1000:]}")
    return "schemathesis: " + "; ".join(dict.fromkeys(told))


def table(name: str, outcome: Outcome) -> str:
    """Replies by how the requests were made, and the faults."""
    statuses = sorted({status for _, status in outcome.replies})
    total = sum(outcome.replies.values())
    lines = [f"{name}: {total:,} malformed requests in {outcome.seconds:.0f} s, {len(outcome.faults)} faults"]
    lines.append(f"{'':14}" + "".join(f"{status:>8}" for status in statuses))
    for made in dict.fromkeys(made for made, _ in outcome.replies):
        lines.append(f"{made:14}" + "".join(f"{outcome.replies[made, status]:8,}" for status in statuses))
    sums: Counter[str] = Counter()
    for (_, status), count in outcome.replies.items():
        sums[status] += count
    lines.append(f"{'all':14}" + "".join(f"{sums[status]:8,}" for status in statuses))
    return "\n".join([*lines, outcome.schemathesis, *outcome.faults[:20], ""])


if __name__ == "__main__":
    main()
