"""Answers of the exported package over HTTP, against `mlflow models serve` on the model of the same run.

Each server has one worker and gets one record a request over one kept connection, in interleaved rounds. A plain ASGI
application that answers at once shows how much of the time is uvicorn, the loopback and the client. Start is the time
from the command to the first answer, memory what the server's processes hold behind the last.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

PROJECT = Path(__file__).parents[1] / "examples" / "titanic"
BIN = Path(sys.executable).parent
READY_SECONDS = 120
FLOOR = """
async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})
"""
PEER = "mlflow models serve"


class Server(NamedTuple):
    connection: http.client.HTTPConnection
    path: str
    body: bytes
    process: subprocess.Popen[bytes]
    started: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=100, help="requests to each server in a round")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        project = shutil.copytree(PROJECT, Path(folder, "project"))
        servers = start_all(project, stack)
        seconds: dict[str, list[float]] = {name: [] for name in servers}
        for server in servers.values():
            ask(server, 20)
        for _ in range(arguments.rounds):
            for name, server in servers.items():
                seconds[name] += ask(server, arguments.requests)
        print(f"{arguments.rounds} interleaved rounds of {arguments.requests} requests, {os.cpu_count()} cores")
        print(table(seconds, servers))


def start_all(project: Path, stack: ExitStack) -> dict[str, Server]:
    """The three servers, once each of them answers."""
    example = tomllib.loads((project / "demo.toml").read_text())
    name, record = example["name"], example["record"]
    command = [sys.executable, "-m", "nbprod", "run", example["notebook"], "--auto", "--no-verify"]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    Path(project, "floor.py").write_text(FLOOR)
    single = json.dumps(record).encode()
    split = {"dataframe_split": {"columns": list(record), "data": [list(record.values())]}}
    python = [sys.executable, "-m"]
    served = {
        "ASGI, no work": ([*python, "uvicorn", "floor:app", "--log-level", "error"], project, "/", single),
        f"python -m {name} serve": ([*python, name, "serve"], project / "pipelines", "/predict", single),
        PEER: (
            [str(BIN / "mlflow"), "models", "serve", "--env-manager", "local", "-m", f"models:/{name}/1"],
            project,
            "/invocations",
            json.dumps(split).encode(),
        ),
    }
    return {
        label: stack.enter_context(server(command, cwd, path, body))
        for label, (command, cwd, path, body) in served.items()
    }


@contextmanager
def server(command: Sequence[str], folder: Path, path: str, body: bytes) -> Iterator[Server]:
    """A server as a process, once it answers the request; ended when the context is left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "MLFLOW_TRACKING_URI": "sqlite:///.nbprod/mlflow.db",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        yield when_ready(Server(connection, path, body, process, time.perf_counter()))
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def when_ready(asked: Server) -> Server:
    """The server once it answers, with the seconds that this took."""
    began = asked.started
    while time.perf_counter() < began + READY_SECONDS and asked.process.poll() is None:
        try:
            ask(asked, 1)
        except (OSError, http.client.HTTPException):
            asked.connection.close()
            time.sleep(0.02)
        else:
            return asked._replace(started=time.perf_counter() - began)
    sys.exit(f"{asked.process.args!r} did not answer")


def megabytes(server: Server) -> float:
    """Resident memory of a server's process and those that it has started."""
    first = psutil.Process(server.process.pid)
    return sum(each.memory_info().rss for each in (first, *first.children(recursive=True))) / 2**20


def ask(server: Server, times: int) -> list[float]:
    """Seconds that each of so many requests took. Raises HTTPException for an answer other than 200."""
    server.connection.close()  # the server may have given up on a connection that was silent during the others' turn
    server.connection.connect()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        server.connection.request("POST", server.path, server.body, {"content-type": "application/json"})
        answer = server.connection.getresponse()
        content = answer.read()
        taken.append(time.perf_counter() - start)
        if answer.status != 200:
            raise http.client.HTTPException(f"{answer.status}: {content[:300]!r}")
    return taken


def table(seconds: dict[str, list[float]], servers: dict[str, Server]) -> str:
    peer = statistics.median(seconds[PEER])
    lines = [f"{'server':28}{'p50 ms':>9}{'p99 ms':>9}{'of mlflow':>12}{'start s':>9}{'MiB':>7}"]
    for name, taken in seconds.items():
        p50, p99 = statistics.median(taken), statistics.quantiles(taken, n=100)[98]
        started, memory = servers[name].started, megabytes(servers[name])
        lines.append(f"{name:28}{p50 * 1000:9.2f}{p99 * 1000:9.2f}{p50 / peer:12.3f}{started:9.2f}{memory:7.0f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
