"""What the service of an exported package does when things go wrong under load: a table of figures and expectations.

An example is exported and fitted twice, with two models, and served on the loopback while clients ask for predictions
over kept connections. Each answer is held against what the version that it names answers by itself, so an answer that
mixes two versions is found. Meanwhile an alias moves to and fro, workers are killed, the ledger is taken away, the disk
of the prediction log is full, and clients are slow or send too much.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from nbprod import versions

PROJECT = Path(__file__).parents[1] / "examples" / "titanic"
READY_SECONDS = 120
RECORDS = 200
CANARY = 0.2
FULL_BYTES = 256 * 1024
SLOW_CLIENTS = 200
ALIAS = "candidate"


class Truth(NamedTuple):
    """What a version answers by itself: its digest, and predictions and probabilities of each record."""

    digest: str
    predictions: list[Any]
    probabilities: list[list[float]]


class Package(NamedTuple):
    """A package with two fitted versions, the records that it is asked with, and what is true of them by version."""

    root: Path
    name: str
    records: list[dict[str, Any]]
    truth: dict[str, Truth]


@dataclass
class Load:
    """What came of requests: seconds of each answer, by what they failed, and answers that fit no version."""

    taken: list[float] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    mixed: int = 0
    by_version: Counter[str] = field(default_factory=Counter)
    last: str = ""
    is_over: bool = False

    def milliseconds(self, share: float) -> float:
        """The time within which such a share of the answers came."""
        ordered = sorted(self.taken)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class Line(NamedTuple):
    """A line of the table: what was done, what came of it, what was expected, and whether it was so."""

    what: str
    load: Load
    seen: str
    expected: str
    is_met: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=20, help="moves of the alias")
    parser.add_argument("--requests", type=int, default=10_000, help="requests at least while the alias moves")
    parser.add_argument("--kills", type=int, default=5, help="workers that are killed")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--project", metavar="DIR", help="where the package is made, or was by an earlier run")
    parser.add_argument(
        "--only", help="parts of those below, such as moves,slow", default="moves,kills,ledger,disk,slow"
    )
    given = parser.parse_args()
    parts: dict[str, Callable[[Package, argparse.Namespace], Iterator[Line]]] = {
        "moves": moves,
        "kills": kills,
        "ledger": ledger,
        "disk": disk,
        "slow": slow,
    }
    with tempfile.TemporaryDirectory() as folder:
        project = Path(given.project or folder, "project")
        package = prepared(project if project.exists() else shutil.copytree(PROJECT, project))
        lines = [line for part in given.only.split(",") for line in parts[part](package, given)]
    print(f"{os.cpu_count()} cores, {given.connections} connections")
    print(table(lines))
    sys.exit(not all(line.is_met for line in lines))


def prepared(project: Path) -> Package:
    """The example, exported and fitted with its own model, and again with one that answers otherwise."""
    example = tomllib.loads((project / "demo.toml").read_text())
    name, notebook = example["name"], project / example["notebook"]
    command = [sys.executable, "-m", "nbprod", "run", example["notebook"], "--auto", "--no-verify"]
    root = project / "pipelines"
    if not root.exists():
        subprocess.run(command, cwd=project, check=True, capture_output=True)
        text = notebook.read_text(encoding="utf-8")
        for before, after in ((example["edit"]["old"], example["edit"]["new"]), ("(C=0.5,", "(C=0.005,")):
            assert before in text, "the example is another one"
            text = text.replace(before, after)
        notebook.write_text(text, encoding="utf-8")
        subprocess.run(command, cwd=project, check=True, capture_output=True)
    versions.promote(root, name, 1)
    told = subprocess.run(
        [sys.executable, "-c", TRUTH, name, str(RECORDS)], cwd=root, check=True, capture_output=True, text=True
    )
    records, truth = json.loads(told.stdout.splitlines()[-1])
    both = {version: Truth(*each) for version, each in truth.items()}
    assert both["v0001"].digest != both["v0002"].digest
    return Package(root, name, records, both)


TRUTH = """
import importlib, json, sys
package = importlib.import_module(sys.argv[1])
import pandas
frame = pandas.read_csv("../data/train.csv").head(int(sys.argv[2]))
records = json.loads(frame.drop(columns=package.load(1).contract.target).to_json(orient="records"))
truth = {}
for number in (1, 2):
    pipeline = package.load(number)
    answers, _ = pipeline.answer(records)
    truth[f"v{number:04d}"] = [pipeline.digest, answers, pipeline.probabilities(records)]
print(json.dumps([records, truth]))
"""


class Service(NamedTuple):
    """A service as a process, its port and the file of its log."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def events(self, name: str) -> list[dict[str, Any]]:
        """Lines of its log with such an `event`."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("event") == name]

    def workers(self) -> list[psutil.Process]:
        """The processes that it has started."""
        return psutil.Process(self.process.pid).children()

    def metric(self, name: str) -> float:
        """The sum of a metric's samples."""
        text = asyncio.run(_text(self.port, "/metrics"))
        lines = [line for line in text.splitlines() if line.partition("{")[0].partition(" ")[0] == name]
        return sum(float(line.rpartition(" ")[2]) for line in lines)


@contextmanager
def served(package: Package, *options: str, limit: int | None = None) -> Iterator[Service]:
    """The package's service; `limit` is the largest file that its processes may write."""
    with tempfile.NamedTemporaryFile(suffix=".log") as log:

        def hold() -> None:
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        # Its log goes through a pipe, which no limit of files holds up.
        process = subprocess.Popen(
            [sys.executable, "-m", package.name, "serve", "--port", "0", *options],
            cwd=package.root,
            stderr=subprocess.PIPE,
            preexec_fn=hold,
        )
        assert process.stderr is not None
        threading.Thread(target=_copied, args=(process.stderr, Path(log.name)), daemon=True).start()
        try:
            yield Service(process, _ready(process, Path(log.name)), Path(log.name))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _copied(source: Any, target: Path) -> None:
    with target.open("ab", buffering=0) as file:
        for line in source:
            file.write(line)


def _ready(process: subprocess.Popen[bytes], log: Path) -> int:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        address = log.read_text().partition("serving on http://")[2].partition(" ")[0]
        if address:
            port = int(address.rpartition(":")[2])
            with suppress(OSError, EOFError):
                if asyncio.run(_status(port, "/ready")) == 200:
                    return port
        time.sleep(0.05)
    sys.exit(f"the service did not get ready: {log.read_text()}")


async def _exchange(reader: Any, writer: Any, request: bytes) -> tuple[int, dict[str, str], bytes]:
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *rest = head.rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    return int(first.split()[1]), headers, await reader.readexactly(int(headers.get("content-length", 0)))


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode()


async def _once(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await _exchange(reader, writer, request)
    finally:
        writer.close()


async def _status(port: int, path: str) -> int:
    return (await _once(port, _get(path)))[0]


async def _text(port: int, path: str) -> str:
    return (await _once(port, _get(path)))[2].decode()


def _asking(record: dict[str, Any], request_id: str) -> bytes:
    body = json.dumps(record).encode()
    head = "POST /predict?probabilities=true HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    return f"{head}x-request-id: {request_id}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


async def ask(package: Package, port: int, load: Load, number: int) -> None:
    """Ask for one record after the other on one connection until the load is over."""
    reader = writer = None
    at = number
    while not load.is_over:
        place = at % len(package.records)
        started = time.perf_counter()
        is_new = writer is None
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            async with asyncio.timeout(30):
                status, headers, body = await _exchange(reader, writer, _asking(package.records[place], f"r-{at}"))
        except (OSError, EOFError, TimeoutError) as error:
            load.failed[f"{'new' if is_new else 'kept'} connection: {type(error).__name__}"] += 1
            if writer is not None:
                writer.close()
            writer = None
            continue
        load.taken.append(time.perf_counter() - started)
        if status != 200:
            load.failed[f"status {status}"] += 1
        else:
            load.mixed += not _fits(package, place, headers, json.loads(body))
            load.last = headers["x-pipeline-version"]
            load.by_version[load.last] += 1
        if headers.get("connection") == "close":
            writer.close()
            writer = None
        at += 8
    if writer is not None:
        writer.close()


def _fits(package: Package, place: int, headers: dict[str, str], told: dict[str, Any]) -> bool:
    """Whether all that an answer tells is of one version."""
    true = package.truth[told["version"]]
    return (
        headers["x-pipeline-version"] == told["version"]
        and told["digest"] == true.digest
        and told["predictions"] == [true.predictions[place]]
        and all(
            abs(one - other) < 1e-12
            for one, other in zip(told["probabilities"][0], true.probabilities[place], strict=True)
        )
    )


def loaded(package: Package, service: Service, connections: int, work: Callable[[Load], Awaitable[None]]) -> Load:
    """What comes of requests while `work` is done."""

    async def run() -> Load:
        load = Load()
        asking = [asyncio.ensure_future(ask(package, service.port, load, number)) for number in range(connections)]
        try:
            await work(load)
        finally:
            load.is_over = True
            await asyncio.gather(*asking)
        return load

    return asyncio.run(run())


async def until(is_so: Callable[[], bool], seconds: float = 60.0) -> float:
    """Wait until something is so; the seconds that it took, infinity where it did not come."""
    started = time.perf_counter()
    while not await asyncio.to_thread(is_so):
        if time.perf_counter() - started > seconds:
            return float("inf")
        await asyncio.sleep(0.02)
    return time.perf_counter() - started


def moves(package: Package, given: argparse.Namespace) -> Iterator[Line]:
    """The champion moves between two versions and is rolled back; also beside a canary, whose alias moves too."""
    root, name = package.root, package.name

    def move(champion: int) -> None:
        if champion == 2:
            versions.promote(root, name, 2)
        else:
            versions.rollback(root, name)
        versions.promote(root, name, 3 - champion, ALIAS)

    async def moving(load: Load, is_mixed: bool) -> None:
        for at in range(given.moves):
            champion = 2 - at % 2
            await asyncio.to_thread(move, champion)
            if is_mixed:  # each version answers a share all the time
                await asyncio.sleep(1.5)
            elif await until(lambda named=f"v{champion:04d}": load.last == named, 30) == float("inf"):
                load.failed["the service did not go along"] += 1
        while len(load.taken) < given.requests:
            await asyncio.sleep(0.1)

    async def still(load: Load) -> None:
        while len(load.taken) < given.requests // 4:
            await asyncio.sleep(0.05)

    versions.promote(root, name, 1)
    versions.promote(root, name, 2, ALIAS)
    with served(package) as service:
        calm = loaded(package, service, given.connections, still)
        yield Line("no move", calm, "", "no failure, none mixed", not calm.failed and not calm.mixed)
        before = psutil.Process(service.process.pid).memory_info().rss
        load = loaded(package, service, given.connections, lambda load: moving(load, False))
        grown = (psutil.Process(service.process.pid).memory_info().rss - before) / 2**20
        told = len(service.events("followed"))
        yield Line(
            f"{given.moves} moves", load, f"followed {told} times, {grown:+.0f} MiB", "no failure, none mixed",
            not load.failed and not load.mixed and told == given.moves,
        )  # fmt: skip
    versions.promote(root, name, 1)
    versions.promote(root, name, 2, ALIAS)
    with served(package, "--canary", f"{ALIAS}={CANARY}") as service:
        load = loaded(package, service, given.connections, lambda load: moving(load, True))
        met = not load.failed and not load.mixed
        yield Line(f"{given.moves} moves, canary", load, _shares(load), "no failure, none mixed", met)
        asyncio.run(asyncio.sleep(2.5))
        champion = versions.aliases(root, name)["champion"]
        wrong = sum(
            asyncio.run(_once(service.port, _asking(package.records[0], f"i-{at}")))[1]["x-pipeline-version"]
            != f"v{3 - champion if zlib.crc32(f'i-{at}'.encode()) < CANARY * 2**32 else champion:04d}"
            for at in range(500)
        )
        yield Line("then 500 ids at rest", Load(), f"{wrong} by the other version", "0", wrong == 0)
    versions.promote(root, name, 1)


def _shares(load: Load) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(load.by_version.items()))


def kills(package: Package, given: argparse.Namespace) -> Iterator[Line]:
    """Workers are killed one after the other, while others answer."""
    for server in ("uvicorn", "stdlib"):
        yield _killed(package, given, server)


def _killed(package: Package, given: argparse.Namespace, server: str) -> Line:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log.sqlite")
        options = ["--workers", "2", "--server", server, "--log", str(log)]
        with served(package, *options) as service:
            asyncio.run(until(lambda: service.metric("pipeline_workers") == 2))
            away: list[float] = []
            unready: list[int] = []

            async def killing(_: Load) -> None:
                for at in range(given.kills):
                    await asyncio.sleep(1.5)
                    worker = service.workers()[at % 2]
                    starts = service_starts(service)
                    worker.kill()
                    away.append(await until(lambda before=starts: service_starts(service) > before))
                    unready.append(await _status(service.port, "/ready"))
                await asyncio.sleep(2.5)

            load = loaded(package, service, given.connections, killing)
            asyncio.run(asyncio.sleep(2.5))
            told = service.metric("pipeline_requests_total")
            workers = service.metric("pipeline_workers")
        with sqlite3.connect(log) as file:
            rows, ids = file.execute("select count(*), count(distinct request_id) from predictions").fetchone()
        answered = len(load.taken)
        allowed = given.kills * given.connections
        only = all(name.startswith("kept connection") for name in load.failed)
        seen = (
            f"back in {max(away):.1f} s at most, {workers:.0f} workers; of {answered:,} answers "
            f"{told:,.0f} counted, {rows:,} logged"
        )
        expected = f"at most {allowed} failures, on kept connections; all ready"
        met = only and sum(load.failed.values()) <= allowed and not load.mixed and workers == 2
        met = met and set(unready) <= {200} and max(away) < 30 and 0.5 * answered < told <= answered + 1
        return Line(f"{given.kills} workers killed, {server}", load, seen, expected, met and rows == ids)


def service_starts(service: Service) -> int:
    """Workers that have taken the place of another and are ready."""
    return len([event for event in service.events("worker") if "answers" in event["told"]])


def ledger(package: Package, given: argparse.Namespace) -> Iterator[Line]:
    """The ledger is taken away, broken and put back, and a worker is killed meanwhile."""
    path = package.root / package.name / "versions.json"
    good = path.read_bytes()
    states: list[tuple[str, Callable[[], Any]]] = [
        ("gone", path.unlink),
        ("cut off", lambda: path.write_bytes(good[: len(good) // 2])),
    ]
    for what, take in states:
        try:
            yield _without_ledger(package, given, what, take, lambda: path.write_bytes(good))
        finally:
            path.write_bytes(good)


def _without_ledger(
    package: Package, given: argparse.Namespace, what: str, take: Callable[[], Any], put_back: Callable[[], Any]
) -> Line:
    with served(package, "--workers", "2") as service:
        asyncio.run(until(lambda: service.metric("pipeline_workers") == 2))
        told: list[float] = []

        async def taking(_: Load) -> None:
            await asyncio.sleep(1.5)
            take()
            await until(lambda: len(service.events("not followed")) >= 2, 10)
            told.append(await asyncio.to_thread(service.metric, "pipeline_follows"))
            starts = service_starts(service)
            service.workers()[0].kill()
            told.append(await until(lambda: service_starts(service) > starts, 30))
            await asyncio.sleep(1.0)
            put_back()
            told.append(await until(lambda: bool(service.events("followed again")), 10))
            told.append(await asyncio.to_thread(service.metric, "pipeline_follows"))

        load = loaded(package, service, given.connections, taking)
    seen = f"follows {told[0]:.0f}, then {told[3]:.0f}; a killed worker was back in {told[1]:.1f} s; {_shares(load)}"
    met = told[0] == 0 and told[3] == 1 and told[1] < 30 and told[2] < 10 and set(load.by_version) == {"v0001"}
    met = met and sum(load.failed.values()) <= given.connections and not load.mixed
    return Line(f"the ledger is {what}", load, seen, f"said; at most {given.connections} failures (the kill)", met)


def disk(package: Package, given: argparse.Namespace) -> Iterator[Line]:
    """The prediction log can grow no more; a worker that is killed then comes back all the same."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log.sqlite")
        options = ["--workers", "2", "--log", str(log)]
        with served(package, *options, limit=FULL_BYTES) as service:
            back: list[float] = []

            async def filling(_: Load) -> None:
                await until(lambda: bool(service.events("prediction log")), 60)
                starts = service_starts(service)
                service.workers()[0].kill()
                back.append(await until(lambda: service_starts(service) > starts, 30))
                await asyncio.sleep(2.0)

            load = loaded(package, service, given.connections, filling)
            said = service.events("prediction log")
        seen = f"said {len(said)} times: {said[0]['error'] if said else 'nothing'}; worker back in {back[0]:.1f} s"
        met = bool(said) and back[0] < 30 and sum(load.failed.values()) <= given.connections
        yield Line(
            "the disk of the log is full", load, seen, f"said; at most {given.connections} failures (the kill)", met
        )


async def _half(port: int, part: bytes) -> Any:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(part)
    return reader, writer


def slow(package: Package, given: argparse.Namespace) -> Iterator[Line]:
    """Clients that never end their requests, and ones that send too much."""
    body = json.dumps(package.records[0]).encode()
    head = b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    with_length = head + f"content-length: {len(body)}\r\n\r\n".encode()
    parts: Sequence[tuple[str, bytes]] = (
        ("heads", head),
        ("bodies", with_length + body[: len(body) // 2]),
        ("chunked bodies", head + b"transfer-encoding: chunked\r\n\r\n5\r\n{    \r\n"),
    )
    for server in ("uvicorn", "stdlib"):
        yield from _slow(package, given, server, head, parts)


def _slow(
    package: Package, given: argparse.Namespace, server: str, head: bytes, parts: Sequence[tuple[str, bytes]]
) -> Iterator[Line]:
    with served(package, "--server", server) as service:

        async def calm(_: Load) -> None:
            await asyncio.sleep(4)

        base = loaded(package, service, given.connections, calm)
        yield Line(f"no slow client, {server}", base, "", "no failure", not base.failed)
        for what, part in parts:

            async def waiting(_: Load, part: bytes = part) -> None:
                held = [await _half(service.port, part) for _ in range(SLOW_CLIENTS)]
                await asyncio.sleep(4)
                for _, writer in held:
                    writer.close()

            load = loaded(package, service, given.connections, waiting)
            met = not load.failed and load.milliseconds(0.5) < 3 * base.milliseconds(0.5)
            yield Line(f"{SLOW_CLIENTS} half-sent {what}", load, "", "no failure, p50 below 3 x", met)

        refused: Counter[str] = Counter()

        async def sending(_: Load) -> None:
            for at in range(20):
                size = 11 * 2**20
                length = f"content-length: {size}\r\n\r\n" if at % 2 else "transfer-encoding: chunked\r\n\r\n"
                refused[await _large(service.port, head + length.encode(), size, bool(at % 2))] += 1

        load = loaded(package, service, given.connections, sending)
        seen = ", ".join(f"{count} x {status}" for status, count in sorted(refused.items()))
        met = not load.failed and set(refused) <= {"413", "closed"}
        yield Line("20 bodies over the limit", load, seen, "413 or closed, others answered", met)


async def _large(port: int, head: bytes, size: int, has_length: bool) -> str:
    """Send a body that is too large; the status, or `closed` where the server has closed the connection on it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(head)
        piece = b" " * 2**16
        for _ in range(size // len(piece)):
            writer.write(piece if has_length else f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await writer.drain()
        first = await asyncio.wait_for(reader.readline(), 10)
    except OSError:
        return "closed"
    finally:
        writer.close()
    return first.split()[1].decode() if first else "closed"


def table(lines: Sequence[Line]) -> str:
    told = [f"{'':30}{'answers':>9}{'failed':>8}{'mixed':>7}{'p50 ms':>8}{'p99 ms':>8}{'worst':>8}  as expected"]
    for line in lines:
        load = line.load
        times = "".join(f"{load.milliseconds(share):8.1f}" for share in (0.5, 0.99, 1.0)) if load.taken else " " * 24
        counts = f"{len(load.taken):9,}{sum(load.failed.values()):8}{load.mixed:7}" if load.taken else " " * 24
        told.append(f"{line.what:30}{counts}{times}  {'yes' if line.is_met else 'NO '}: {line.expected}")
        told += [f"    {line.seen}"] if line.seen else []
        told += [f"    {count} x {name}" for name, count in sorted(load.failed.items())]
    return "\n".join(told)


if __name__ == "__main__":
    main()
