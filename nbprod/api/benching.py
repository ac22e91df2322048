"""The service of a version under load on this machine, beside an application without work, and what is asked for."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbprod
from nbprod.api.progress import OnProgress, Progress, silent
from nbprod.api.proving import fitted_in
from nbprod.api.scripts import answered
from nbprod.api.serving import Fitted, fitted_version, running, serve_command
from nbprod.config import Requirements
from nbprod.errors import NbprodError
from nbprod.serving.load import Load, drive

SCRIPT = Path(nbprod.__file__).parent / "api" / "answer_times.py"
WARM_SECONDS = 0.5
STEPS = 100
FIRST = 10_000
"""Requests behind which the memory of a service is looked at, and again behind as many more."""
WATCHING = 8
"""Connections on which it is asked then."""
# An ASGI application that answers at once, by the server that the package brings.
_FLOOR = """
import importlib, sys
root, module, server = sys.argv[1:]
sys.path[0] = root
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})
importlib.import_module(module).run(app, "127.0.0.1", 0, server)
"""


def bench(
    text: str,
    *,
    seconds: float = 10.0,
    concurrency: Sequence[int] = (1, 8),
    rate: float | None = None,
    server: str = "auto",
    options: Mapping[str, Any] | None = None,
    output: str | None = None,
    python: str | None = None,
    watch_memory: float = 0.0,
    on_progress: OnProgress = silent,
) -> dict[str, Any]:
    """Measure the service of a version, and hold it to `requirements` of the configuration (schemas/bench.json).

    It is started on a free port of this machine in the package's environment and asked with recorded rows, one a
    request: in a closed loop on each number of connections, and at `rate` requests a second (that of
    `requirements.volume_rps` where none is given). `options` are further ones of the package's service.
    For up to `watch_memory` seconds more it is asked on, so that its memory is known behind 10,000 requests
    and as many more.
    Raises NbprodError: `not-served`, `no-rows`.
    """
    fitted = fitted_version(text, output=output, python=python)
    asked = fitted.target.settings.requirements
    rate = rate or asked.volume_rps
    rows = _rows(fitted)
    bodies = [body.encode() for body in rows["bodies"]]
    loads: list[tuple[int, float | None]] = [(number, None) for number in concurrency]
    if rate:
        loads.append((max(concurrency), rate))
    token = _token(options or {})
    began = time.monotonic()
    with running(serve_command(fitted, port=0, server=server, options=options)) as (url, process):
        started = time.monotonic() - began
        with running(_floor_command(fitted, server)) as (floor, _):
            runs = []
            for at, (connections, wanted) in enumerate(loads):
                said = f"{connections} connection{'s' if connections > 1 else ''}"
                said += f", {wanted:g} requests a second" if wanted else ""

                def tell(share: float, said: str = said, at: int = at) -> None:
                    on_progress(Progress(text, "bench", said, round(STEPS * (at + share)), STEPS * len(loads)))

                tell(0.0)
                made = [
                    _driven(where, bodies, connections, length, wanted, token, tell if where == url else None)
                    for where, length in ((floor, max(1.0, seconds / 4)), (url, seconds))
                ]
                runs.append((made[1], made[0]))
            memory = _memory(process)
        if watch_memory:
            on_progress(Progress(text, "bench", "watching its memory", STEPS * len(loads), STEPS * len(loads)))
        growth = _growth(process, url, bodies, token, sum(len(load.taken) for load, _ in runs), watch_memory)
    judged = _requirements(asked, [load for load, _ in runs], memory, started)
    version = fitted.version
    return {
        "name": fitted.target.name,
        "version": version.number,
        "digest": version.digest,
        "rows": rows["source"],
        "start_seconds": round(started, 3),
        "memory_mb": None if memory is None else round(memory / 1e6, 1),
        "growth": growth,
        "runs": [{**_told(load), "floor": _told(beside)} for load, beside in runs],
        "requirements": judged,
        "met": all(each["met"] is not False for each in judged),
    }


def _rows(fitted: Fitted) -> Mapping[str, Any]:
    last = fitted_in(fitted.target, fitted.version)
    captures = "" if last is None else str(last.captures.resolve())
    words = [fitted.root, fitted.target.name, str(fitted.version.number), captures, "0"]
    told = answered([fitted.python, str(SCRIPT), *words])
    if "reason" in told:
        raise NbprodError(f"there are no rows to ask the service with: {told['reason']}", code="no-rows")
    return told


def _floor_command(fitted: Fitted, server: str) -> list[str]:
    return [fitted.python, "-c", _FLOOR, fitted.root, f"{fitted.target.name}.serving.server", server]


def _token(options: Mapping[str, Any]) -> str | None:
    """The first token of the file that the service takes its tokens from, as the service reads it."""
    path = options.get("token_file")
    if path is None:
        return None
    lines = Path(path).read_text(encoding="utf-8").splitlines() if Path(path).is_file() else []
    return next((line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")), None)


def _driven(
    url: str,
    bodies: Sequence[bytes],
    connections: int,
    seconds: float,
    rate: float | None,
    token: str | None,
    tell: Any,
) -> Load:
    at = urlsplit(url)
    assert at.hostname is not None
    assert at.port is not None
    drive(at.hostname, at.port, "/predict", bodies, connections=connections, seconds=WARM_SECONDS, token=token)
    return drive(
        at.hostname,
        at.port,
        "/predict",
        bodies,
        connections=connections,
        seconds=seconds,
        rate=rate,
        token=token,
        on_progress=tell,
    )


def _memory(process: subprocess.Popen[bytes]) -> int | None:
    """Resident bytes of a process and of those that it has started, None where it is gone."""
    import psutil

    try:
        first = psutil.Process(process.pid)
        held: int = sum(each.memory_info().rss for each in (first, *first.children(recursive=True)))
        return held
    except psutil.Error:
        return None


def _growth(
    process: subprocess.Popen[bytes], url: str, bodies: Sequence[bytes], token: str | None, asked: int, seconds: float
) -> dict[str, list[float]] | None:
    """Megabytes behind 10,000 requests, of which `asked` were made, and behind as many more; None where it is slow."""
    told: dict[str, list[float]] = {"requests": [], "memory_mb": []}
    until, more = time.monotonic() + seconds, FIRST - asked
    for _ in range(2):
        while more > 0 and time.monotonic() < until:
            made = len(_driven(url, bodies, WATCHING, 1.0, None, token, None).taken)
            asked, more = asked + made, more - made
        memory = _memory(process)
        if more > 0 or memory is None:
            return None
        told["requests"].append(asked)
        told["memory_mb"].append(round(memory / 1e6, 1))
        more = FIRST
    return told


def _told(load: Load) -> dict[str, Any]:
    times = {"p50_ms": load.quantile(0.5), "p99_ms": load.quantile(0.99), "max_ms": load.quantile(1.0)}
    return {
        "connections": load.connections,
        "rate": load.rate,
        "seconds": round(load.seconds, 3),
        "requests": len(load.taken),
        "throughput_rps": round(load.throughput, 1),
        **{name: round(1000 * value, 3) if value == value else None for name, value in times.items()},
        "statuses": {str(status): number for status, number in sorted(load.statuses.items())},
        "faults": load.faults,
    }


def _requirements(
    asked: Requirements, loads: Sequence[Load], memory: int | None, started: float
) -> list[dict[str, Any]]:
    """What is declared, what was measured, and whether that holds.

    Latency is p99 at the rate that is asked for, else with the fewest connections. Volume is what came of that rate, or
    the most of any run.
    """
    paced = next((load for load in loads if load.rate), None)
    timed = paced or min(loads, key=lambda load: load.connections)
    volume = max(load.throughput * load.answered for load in loads)
    p99 = 1000 * timed.quantile(0.99)
    measured: dict[str, tuple[float | None, bool]] = {
        "latency_ms": (p99, p99 <= (asked.latency_ms or 0)),
        # a rate is kept by all but what its last moments leave open
        "volume_rps": (volume, volume >= 0.99 * (asked.volume_rps or 0)),
        "availability": (
            min(load.answered for load in loads),
            min(load.answered for load in loads) >= (asked.availability or 0),
        ),
        "memory_mb": (
            None if memory is None else memory / 1e6,
            memory is not None and memory / 1e6 <= (asked.memory_mb or 0),
        ),
        "cold_start_s": (started, started <= (asked.cold_start_s or 0)),
    }
    return [
        {
            "name": name,
            "asked": getattr(asked, name),
            "measured": None if value is None or value != value else round(value, 4),
            "met": met,
        }
        for name, (value, met) in measured.items()
        if getattr(asked, name) is not None
    ]
