"""Several processes that answer at one address, and what happens when one of them ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from nbprod.codegen.runtime import codec
from nbprod.codegen.runtime.server import _Server
from tests.codegen.runtime.sheds import Service, Sheds, asked, record, served, until


def workers(service: Service) -> list[psutil.Process]:
    return psutil.Process(service.process.pid).children()


def metric(service: Service, name: str) -> float:
    lines = asked(service.port, "GET", "/metrics")[1].decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


def replaced(service: Service) -> int:
    """Workers that answer in the place of another one."""
    return len([event for event in service.events("worker") if "answers" in event["told"]])


def all_are_there(service: Service) -> None:
    until(lambda: metric(service, "pipeline_workers") == 2)


@pytest.fixture(params=["uvicorn", "stdlib"])
def service(request: pytest.FixtureRequest, sheds: Sheds, tmp_path: Path) -> Iterator[Service]:
    """The service with two workers and a log."""
    options = ["--workers", "2", "--server", request.param, "--log", str(tmp_path / "log.sqlite")]
    with served(sheds, options) as made:
        all_are_there(made)
        yield made


def test_a_killed_worker_is_replaced_while_the_other_answers(service: Service, tmp_path: Path) -> None:
    first = {worker.pid for worker in workers(service)}
    for _ in range(10):
        assert asked(service.port, "POST", "/predict", record())[0] == 200
    until(lambda: metric(service, "pipeline_requests_total") == 10)
    until(lambda: metric(service, "pipeline_log_rows_total") == 10)
    os.kill(min(first), signal.SIGKILL)
    statuses = []
    while not replaced(service):
        statuses.append(asked(service.port, "POST", "/predict", record())[0])
        statuses.append(asked(service.port, "GET", "/ready")[0])
    all_are_there(service)

    assert set(statuses) == {200}
    assert len({worker.pid for worker in workers(service)} - first) == 1
    until(lambda: metric(service, "pipeline_requests_total") == 10 + len(statuses) / 2)
    assert metric(service, "pipeline_worker_starts_total") == 3
    ended = [event for event in service.events("worker") if event["told"] == "ended"]
    assert [(event["pid"], event["code"]) for event in ended] == [(min(first), -signal.SIGKILL)]
    service.process.terminate()
    assert service.process.wait(30) == 0
    with sqlite3.connect(tmp_path / "log.sqlite") as log:
        (rows,) = log.execute("select count(*) from predictions").fetchone()
    assert rows == 10 + len(statuses) / 2


def test_no_worker_outlives_the_process_that_started_it(service: Service) -> None:
    left = workers(service)
    service.process.kill()
    _, alive = psutil.wait_procs(left, 30)

    assert (len(left), alive) == (2, [])


def test_a_worker_comes_back_where_the_ledger_is_gone_with_the_version_of_the_others(sheds: Sheds) -> None:
    good = sheds.ledger.read_bytes()
    with served(sheds, ["--workers", "2"]) as service:
        try:
            all_are_there(service)
            for count, take in enumerate((sheds.ledger.unlink, lambda: sheds.ledger.write_text("{")), 1):
                take()
                until(lambda: metric(service, "pipeline_follows") == 0)
                workers(service)[0].kill()
                until(lambda count=count: replaced(service) == count)
                answered = [asked(service.port, "POST", "/predict", record())[1]["version"] for _ in range(20)]
                assert set(answered) == {"v0001"}  # where there is no champion the newest is served: v0002
        finally:
            sheds.ledger.write_bytes(good)
        until(lambda: service.events("followed again"))


def test_a_worker_comes_back_where_the_log_is_full(sheds: Sheds, tmp_path: Path) -> None:
    log = tmp_path / "log.sqlite"
    with served(sheds, ["--workers", "2", "--log", str(log)]) as service:
        all_are_there(service)
        for path in tmp_path.glob("log.sqlite*"):
            path.unlink()
        log.mkdir()
        workers(service)[0].kill()
        until(lambda: replaced(service) == 1)

        assert {asked(service.port, "POST", "/predict", record())[0] for _ in range(20)} == {200}
        until(lambda: service.events("prediction log"))


@pytest.mark.parametrize(
    "options, said",
    [
        pytest.param(["--log", "nowhere/log.sqlite"], "cannot be used as a prediction log", id="no folder for the log"),
        pytest.param(["--canary", "nobody=1%"], "no version 'nobody'", id="no such version"),
    ],
)
def test_what_cannot_be_served_is_told_once_and_ends_all(options: list[str], said: str, sheds: Sheds) -> None:
    words = [sys.executable, "-m", "sheds", "serve", "--port", "0", "--workers", "3", *options]
    done = subprocess.run(words, cwd=sheds.root, capture_output=True, text=True, check=False, timeout=120)

    assert (done.returncode, done.stderr.count(said)) == (2, 1)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("server", ["uvicorn", "stdlib"])
def test_a_version_that_answers_otherwise_than_it_did_is_not_served(server: str, sheds: Sheds) -> None:
    folder = sheds.ledger.parent / "v0001" / "tests"
    golden = codec.load(folder, "golden")
    try:
        codec.dump({**golden, "predictions": golden["predictions"] + 1}, folder, "golden", inline=2**30)
        words = [sys.executable, "-m", "sheds", "serve", "--port", "0", "--workers", "2", "--server", server]
        done = subprocess.run(words, cwd=sheds.root, capture_output=True, text=True, check=False, timeout=120)
    finally:
        codec.dump(golden, folder, "golden", inline=2**30)

    assert done.returncode > 0
    assert "the prediction differs" in done.stderr


def test_a_connection_that_another_process_took_is_not_waited_for() -> None:
    loop = asyncio.new_event_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        waiting = threading.Thread(target=_Server(ready, loop, listening)._handle_request_noblock, daemon=True)
        waiting.start()
        waiting.join(10)

        assert not waiting.is_alive()
    loop.close()


async def ready(_scope: Any, _receive: Any, _send: Any) -> None:
    """An application that is never asked."""
