"""Starts the runner with the notebook's interpreter, follows its progress, and turns its faults into errors at home."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Any

import nbprod
from nbprod import environment
from nbprod.errors import NbprodError, Where

CODEC = Path(nbprod.__file__).parent / "codegen" / "runtime" / "codec.py"
RUNNER = Path(__file__).parent / "runner"
STDERR_LINES = 20

OnProgress = Callable[[str, int, int], None]

# The runner's folder is loaded as a package of its own: the kernel's environment has no nbprod to import it from. What
# lies in the working folder is imported by nobody; `-I` would do that, but forget the seed of hashes, too.
LAUNCHER = """
import sys
sys.path[:] = [place for place in sys.path if place]
import importlib.util
spec = importlib.util.spec_from_file_location(
    "nbprod_replay", sys.argv[1] + "/__init__.py", submodule_search_locations=[sys.argv[1]]
)
module = sys.modules["nbprod_replay"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from nbprod_replay.main import main, warm
warm()
sys.exit(main(*sys.argv[2:]))
"""


class Runner:
    """A runner's process in an empty folder, which reads the file of its one request once there is one.

    It may be started before anything is asked of it: its imports take seconds. The interpreter is isolated: no current
    folder, no PYTHONPATH, no user site. Raises NbprodError where it can't be started, OSError where its folder can't
    be written. Closing it ends it; where this process is killed, it ends by itself and removes its folder.
    """

    def __init__(self, python: str) -> None:
        self.python = python
        # What a process that was just ended still holds open can't be removed everywhere.
        self._temporary = tempfile.TemporaryDirectory(prefix="nbprod-", ignore_cleanup_errors=True)
        self.folder = Path(self._temporary.name)
        self._log = self.folder / "stderr.txt"
        try:
            with self._log.open("wb") as errors:
                self.process = self._started(errors)
        except (OSError, NbprodError):
            self._temporary.cleanup()
            raise

    def _started(self, errors: IO[bytes]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [self.python, "-s", "-c", LAUNCHER, str(RUNNER), str(self.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=self.folder,
                env=environment.isolated(),
            )
        except OSError as error:
            raise NbprodError(
                f"the notebook's interpreter can't be started: {error.strerror or error}",
                code="no-interpreter",
                where=Where(self.python),
                hint="run the notebook again: the run records the interpreter that its kernel uses",
            ) from error

    def ask(self, request: Path) -> IO[bytes]:
        """Name the file of the request; gives what the process tells of its progress, as lines of JSON.

        The path goes as the bytes that the file system has. The channel stays open: its end is the process's end.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(OSError):  # one that died is found to have no answer
            self.process.stdin.write(os.fsencode(request) + b"\n")
            self.process.stdin.flush()
        return self.process.stdout

    @property
    def last_errors(self) -> str:
        """The last lines of what the process wrote to stderr."""
        return "\n".join(self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-STDERR_LINES:])

    def close(self) -> None:
        """End the process and remove its folder."""
        self.process.kill()
        with suppress(OSError), self.process:
            pass
        self._temporary.cleanup()


class Runners:
    """Runners for `asked` requests: one waits for the next of them, which need not wait for imports then."""

    def __init__(self, python: str, asked: int) -> None:
        self.python = python
        self._left = asked
        self._waiting: list[Runner] = []
        self._taken: list[Runner] = []
        self._is_ended = False

    def __enter__(self) -> Runners:
        return self

    def __exit__(self, *_: object) -> None:
        for waiting in self._waiting:
            waiting.close()
        self.end()

    def end(self) -> None:
        """End those that were or will be taken, whatever they are at: who waits for an answer gets an error."""
        self._is_ended = True
        for taken in self._taken:
            taken.process.kill()

    def prepare(self, count: int = 1) -> None:
        """Have so many runners wait, or all that will be asked; one that can't be started is told of then."""
        with suppress(NbprodError, OSError):
            while len(self._waiting) < min(count, self._left):
                self._waiting.append(Runner(self.python))

    def take(self, python: str) -> Runner:
        """The runner that waits, else a new one; the next one starts."""
        while self._waiting and self._waiting[0].python != python:
            self._waiting.pop(0).close()
        self.python = python
        taken = self._waiting.pop(0) if self._waiting else Runner(python)
        self._taken.append(taken)
        if self._is_ended:  # by another thread, which has looked through the list before
            taken.process.kill()
        self._left -= 1
        self.prepare()
        return taken


def of_version(package_root: Path, name: str, version: str, captures: Path) -> dict[str, str]:
    """What each request says of the version that is asked about, and of where captures lie."""
    return {"root": str(package_root.resolve()), "name": name, "version": version, "captures": str(captures.resolve())}


def run(
    request: Mapping[str, Any],
    python: str,
    manifest: Mapping[str, Any],
    *,
    reads_in: Path | None = None,
    on_progress: OnProgress | None = None,
    on_saved: Callable[[], None] | None = None,
    timeout: float | None = None,
    runners: Runners | None = None,
) -> dict[str, Any]:
    """The runner's answer. Raises NbprodError where it could not give one, at the notebook's cell and line if known.

    The package reads further tables in `reads_in`, by default an empty folder. `on_saved` is called, in another thread,
    once a fit has saved what it learned where the request says. `runners` may have a process ready.
    """
    with closing(Runner(python) if runners is None else runners.take(python)) as runner:
        result, asked = runner.folder / "result.json", runner.folder / "request.json"
        places = {"codec": str(CODEC), "result": str(result), "folder": str(reads_in or runner.folder)}
        places["launcher"] = LAUNCHER
        asked.write_text(json.dumps({**request, **places, "manifest": dict(manifest)}), encoding="utf-8")
        _follow(runner, asked, on_progress, on_saved, timeout, manifest)
        try:
            answer: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError) as error:  # none, or one that broke off
            raise _crashed(runner.last_errors, manifest) from error
    if "fault" in answer:
        raise _faulty(answer["fault"], manifest, str(request["version"]))
    return answer


def _follow(
    runner: Runner,
    request: Path,
    on_progress: OnProgress | None,
    on_saved: Callable[[], None] | None,
    timeout: float | None,
    manifest: Mapping[str, Any],
) -> None:
    """Have the process answer, to its end."""
    reader = threading.Thread(target=_report, args=(runner.ask(request), on_progress, on_saved), daemon=True)
    reader.start()
    try:
        runner.process.wait(timeout)
    except subprocess.TimeoutExpired as error:
        raise NbprodError(
            f"the replay took longer than {timeout:g} s",
            code="replay-timeout",
            where=_notebook(manifest),
            hint="replay with the level quick, or allow more time",
        ) from error
    finally:
        runner.process.kill()
        runner.process.wait()
        reader.join()


def _report(lines: IO[bytes], on_progress: OnProgress | None, on_saved: Callable[[], None] | None) -> None:
    for line in lines:
        told = json.loads(line)
        if "saved" in told:
            if on_saved is not None:
                on_saved()
        elif on_progress is not None:
            on_progress(told["what"], told["done"], told["total"])


def _notebook(manifest: Mapping[str, Any]) -> Where | None:
    notebook = manifest.get("notebook")
    return Where(str(notebook)) if notebook else None


def _crashed(errors: str, manifest: Mapping[str, Any]) -> NbprodError:
    last = (errors.strip().splitlines() or ["no message"])[-1]
    return NbprodError(
        f"the replay's process ended without an answer: {last}",
        code="replay-crashed",
        where=_notebook(manifest),
        hint="it may have run out of memory; the notebook's environment needs numpy, pandas and scikit-learn",
    )


def _faulty(fault: Mapping[str, Any], manifest: Mapping[str, Any], version: str) -> NbprodError:
    if fault["kind"] == "captures":
        return NbprodError(
            f"nothing to prove against: {fault['message']}",
            code="capture-missing",
            where=_notebook(manifest),
            hint="run the notebook again with the cells that read, train and predict",
        )
    for file, line in reversed(fault["places"]):
        place = place_of(manifest, file, line)
        if place is not None:
            cell, cell_id, cell_line = place
            at = f"in the package it is {version}/{file}, line {line}"
            return NbprodError(
                f"the exported package raised {fault['message']}",
                code="package-failed",
                where=Where(str(manifest.get("notebook", "")), cell, cell_id, cell_line),
                hint=f"{AS_LONG_AS_TRAINING}; {at}" if OTHER_LENGTH.search(fault["message"]) else at,
            )
    return NbprodError(
        f"the exported package raised {fault['message']}",
        code="package-failed",
        where=_notebook(manifest),
        hint=_way_out(fault["message"], version),
    )


OTHER_LENGTH = re.compile(r"Length of values \(\d+\) does not match|Columns must be same length|could not be broadcast")
"""What pandas and NumPy say of a column that is not as long as its table."""

AS_LONG_AS_TRAINING = (
    "what stands beside the rows there is as long as the training table, and a served row is one: "
    "make it of the rows, or leave it out of the features"
)


def _way_out(message: str, version: str) -> str:
    missing = re.match(r"ModuleNotFoundError: No module named '([^'.]+)", message)
    if missing is None:
        return f"look into the package's folder {version}"
    return (
        f"a package has to find {missing[1]} wherever it is used: install it in the kernel's environment, "
        "or move what is used of it into a cell"
    )


def place_of(manifest: Mapping[str, Any], file: str, line: int) -> tuple[int, str, int] | None:
    """(cell, cell id, line in the cell) for a line of a generated module: its entry, else the nearest above."""
    entries = [entry for entry in manifest.get("source_map", {}).get(file, []) if entry[0] <= line]
    if not entries:
        return None
    _, cell, cell_id, cell_line = max(entries, key=lambda entry: int(entry[0]))
    return int(cell), str(cell_id), int(cell_line)
