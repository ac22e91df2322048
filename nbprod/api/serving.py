"""The verbs `serve` and `score`: a fitted version at work, in the notebook's own environment."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Any

from msgspec import Struct

from nbprod import versions
from nbprod.api.packages import Target, package_of, split_reference
from nbprod.api.proving import fitted_in
from nbprod.errors import NbprodError, Where
from nbprod.model.run import Version

START_SECONDS = 120.0
STOP_SECONDS = 15.0
STEP_SECONDS = 0.05

# `python -m NAME` would look into the current folder first, where any file may stand in the way of a library.
_MODULE = "import runpy, sys; sys.path[0] = sys.argv.pop(1); runpy.run_module(sys.argv.pop(1), run_name='__main__')"
_SCORE = """
import importlib.util, inspect, json, os, sys, threading, warnings

def end_with_the_one_that_asks():
    os.read(0, 1)  # nothing comes: its end of the pipe is closed when it is gone
    os._exit(1)

threading.Thread(target=end_with_the_one_that_asks, daemon=True).start()
root, name, number, source, target, options = sys.argv[1:]
sys.path[0] = root
warnings.showwarning = lambda message, *_, **__: print("warning:", " ".join(str(message).split()), file=sys.stderr)
try:
    pipeline = importlib.import_module(name).load(int(number))
    options = json.loads(options)
    package = type(pipeline).__module__.rpartition(".")[0]
    has_parts = options.get("partitions") or os.path.isdir(source)
    if has_parts and importlib.util.find_spec(package + ".folders") is not None:
        score = importlib.import_module(package + ".folders").score_folder
    else:
        score = importlib.import_module(package + ".score").score_file
    known = inspect.signature(score).parameters
    lacking = [each for each, value in options.items() if each not in known and value not in (None, False)]
    if lacking:
        named = ", ".join("--" + each.replace("_", "-") for each in lacking)
        raise ValueError(f"version {number} was exported before there was {named}: run its notebook again")
    done = score(pipeline, source, target, **{each: options[each] for each in options if each in known})
except (ImportError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
    done = {"error": str(error) or type(error).__name__, "hint": getattr(error, "hint", "")}
except KeyboardInterrupt:
    sys.exit(130)
print(json.dumps(done))
"""


class Fitted(Struct, frozen=True):
    """A fitted version, the interpreter that its package runs in, and what it was meant by, if anything."""

    target: Target
    version: Version
    python: str
    reference: str | None = None

    @property
    def followed(self) -> bool:
        """Whether the service goes over to another version when the ledger's aliases move."""
        return self.reference is None or self.reference in self.version.aliases

    @property
    def root(self) -> str:
        """The folder that must be on the path for the package to be imported."""
        return str(self.target.root.resolve())


def fitted_version(text: str, *, output: str | None = None, python: str | None = None) -> Fitted:
    """The version that `NAME`, `NAME@3` or `NAME@champion` means, which must be fitted.

    `NAME` alone means the champion, and where there is none the newest fitted version.

    The interpreter is the one given, else that of the run it was fitted in where it is still there, else this one.
    Raises NbprodError: `no-package`, `no-version`, `not-fitted`.
    """
    name, reference = split_reference(text)
    target = package_of(name, output=output)
    if reference is None and versions.CHAMPION in versions.aliases(target.root, name):
        reference = versions.CHAMPION
    version = versions.resolve(target.root, name, reference)
    if version.state is None:
        raise NbprodError(
            f"version {version.number} of {name} was never fitted",
            code="not-fitted",
            hint=f"run its notebook first: nbprod run {quote(version.notebook)}",
        )
    if python is not None and not Path(python).is_file():
        raise NbprodError("there is no such interpreter", code="no-interpreter", where=Where(python))
    return Fitted(target, version, python or interpreter(target, version), reference)


def interpreter(target: Target, version: Version) -> str:
    """That of the run that a version was fitted in where it is still there, else this one."""
    last = fitted_in(target, version)
    return last.python if last is not None and Path(last.python).is_file() else sys.executable


def serve_command(
    fitted: Fitted,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    server: str = "auto",
    options: Mapping[str, Any] | None = None,
) -> list[str]:
    """The command that serves a version: its own ASGI application, by uvicorn where its environment has it.

    `options` are further ones of the package's own command, by their names; those that are None are left out.
    A version that was meant by an alias is served under it, so that the service goes along when the alias is moved;
    where nothing was meant, it goes along with the first champion.
    """
    named = fitted.reference if fitted.followed else str(fitted.version.number)
    package = [fitted.root, fitted.target.name, *(["--version", named] if named is not None else [])]
    given = {"host": host, "port": port, "server": server, **(options or {})}
    return [fitted.python, "-c", _MODULE, *package, "serve", *_words(given)]


def _words(options: Mapping[str, Any]) -> Iterator[str]:
    """Options as words of a command line; one with several values is repeated."""
    for name, value in options.items():
        for each in value if isinstance(value, (tuple, list)) else (value,):
            if each is not None:
                yield from (f"--{name.replace('_', '-')}", str(each))


@contextmanager
def served(text: str, *, output: str | None = None) -> Iterator[str]:
    """A version served on a free port of this machine for as long as the context lasts; gives its URL.

    Raises NbprodError (`not-served`) with the service's last words when it does not get ready.
    """
    with running(serve_command(fitted_version(text, output=output), port=0)) as (url, _):
        yield url


@contextmanager
def running(command: list[str]) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A service for as long as the context lasts: its URL, once it is ready, and its process. Raises as `served`."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        try:
            yield _ready(process, log), process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def ask(url: str, value: Any = None) -> dict[str, Any]:
    """The service's `status` and `body` for a POST of `value` as JSON, or a GET where there is none."""
    from urllib.error import HTTPError
    from urllib.request import ProxyHandler, Request, build_opener

    body = None if value is None else json.dumps(value).encode()
    request = Request(url, data=body, headers={"content-type": "application/json"})
    try:
        # A proxy of the environment has no business between two processes of one machine.
        with build_opener(ProxyHandler({})).open(request, timeout=60) as answer:
            return {"status": answer.status, "body": json.load(answer)}
    except HTTPError as error:
        return {"status": error.code, "body": json.load(error)}


def score(
    text: str,
    source: str,
    target: str,
    *,
    output: str | None = None,
    python: str | None = None,
    jobs: int | None = None,
    rows: int | None = None,
    bad_rows: str | None = None,
    partitions: int | None = None,
    engine: str = "local",
    master: str | None = None,
    quiet: bool = False,
) -> dict[str, Any]:
    """Write the rows of `source` with a column `prediction` to `target` (csv or parquet by their endings).

    Where `source` is a folder, `target` becomes one with parts of the same names, and so it does for a file that is
    cut into `partitions`; `bad_rows` is then a folder, too.

    `jobs` processes take `rows` at a time; where nothing is said as many as there are cores, if the file is large
    enough. Rows that can't be answered go to `bad_rows`. A terminal is shown progress unless `quiet`.
    Gives rows and, by column, how many lie outside of what training saw, how many are `unanswered` for want of rows
    around them, and how many are `bad`.
    Raises NbprodError (`not-scored`) with the row and the reason; `target` is then as it was; the same call goes on.

    With the engine `spark` it is the job of `nbprod deploy NAME spark` (`score_on_spark`), by an interpreter that has
    pyspark, on `master` (default: all cores of this machine); all of it is then a folder of Parquet.
    """
    fitted = fitted_version(text, output=output, python=python)
    made_by = {"version": fitted.version.number, "digest": fitted.version.digest, "state": fitted.version.state}
    if engine == "spark":
        from nbprod.api.scoring_on_spark import score_on_spark

        where = (python, master)
        report = score_on_spark(fitted, source, target, where, rows=rows, bad_rows=bad_rows, quiet=quiet)
        return {"name": fitted.target.name, "output": target, **report, **made_by}
    package = [fitted.root, fitted.target.name, str(fitted.version.number)]
    options = {"jobs": jobs, "bad_rows": bad_rows, "quiet": quiet, "partitions": partitions}
    options |= {} if rows is None else {"rows": rows}
    process = subprocess.Popen(
        [fitted.python, "-c", _SCORE, *package, source, target, json.dumps(options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else None,
        text=True,
    )
    assert process.stdout is not None
    try:
        told = process.stdout.read()
        process.wait()
    except KeyboardInterrupt:
        # Ctrl-C reached it as well: it keeps what is done and says so.
        process.stdout.read()
        raise
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
    try:
        report = json.loads(told.splitlines()[-1])
    except (IndexError, ValueError):
        report = {"error": f"the package's process ended with {process.returncode}"}
    if "error" in report:
        raise NbprodError(report["error"], code="not-scored", where=Where(source), hint=report.get("hint") or None)
    return {"name": fitted.target.name, **made_by, "output": target, **report}


def _ready(process: subprocess.Popen[bytes], log: Any) -> str:
    """The URL that the service prints, once it says that it is ready."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        text = os.pread(log.fileno(), 1 << 16, 0).decode(errors="replace")
        found = re.search(r"serving on (http://\S+)", text)
        if found and ask(f"{found[1]}/ready")["status"] == 200:
            return found[1]
        time.sleep(STEP_SECONDS)
    log.seek(0)
    lines = log.read().strip().splitlines() or ["it said nothing"]
    raise NbprodError(f"the service did not start: {lines[-1]}", code="not-served")
