"""The process of one job: a verb is called, and each thing that it says or gives is a line of JSON on standard output.

The request comes as the first line on standard input. When that ends, whoever asked is gone (a server, a kernel), and
the job ends too, with its own kernel; SIGTERM does the same.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import Any, BinaryIO, NoReturn

from msgspec import Struct, field, json

from nbprod.api.answers import JobKind
from nbprod.api.progress import Progress
from nbprod.environment import leave_out_slow_imports
from nbprod.errors import NbprodError


class Task(Struct, frozen=True):
    """What is to be done: a verb on a notebook, for the packages in the folder `output`, or in the configuration's.

    `run` is the id of the run that is made again. With `anew` no stage of a notebook is restored, and
    evidence is made that is still fresh. `items` are those of the checklist that evidence is gathered of; none stands
    for all.
    """

    kind: JobKind
    notebook: str
    output: str | None = None
    auto: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)
    run: str = ""
    anew: bool = False
    items: tuple[str, ...] = ()


class Said(Struct, frozen=True, omit_defaults=True):
    """One line: where the work stands, or how it ended."""

    progress: Progress | None = None
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


def command() -> list[str]:
    """How the process is started.

    `-P`: a module in the notebook's folder must not take the place of one that nbprod imports.
    """
    return [sys.executable, "-P", "-m", "nbprod.api.worker"]


def first_line(task: Task) -> bytes:
    """What the process is told on its standard input, which then stays open until it may end."""
    return json.encode(task) + b"\n"


def outcome(last: Said, code: int, *, is_cancelled: bool) -> Said:
    """What a job came to whose last word was `last` and whose process ended with `code`.

    Nothing is said of one that was cancelled. A result that was there before that stays one: its version is written.
    """
    if last.result is not None:
        return Said(result=last.result)
    if is_cancelled:
        return Said()
    return Said(error=last.error or _died(code).as_json())


def end_group(group: int) -> None:
    """End what a job's process has started and left behind; `group` is its process id."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def _died(code: int) -> NbprodError:
    return NbprodError(f"the job's process ended with {code}", code="job-died", hint="run it again")


def main() -> None:
    """Do the task of standard input."""
    leave_out_slow_imports()
    signal.signal(signal.SIGTERM, _stop)
    task = json.decode(sys.stdin.buffer.readline(), type=Task)
    threading.Thread(target=_end_with_the_asker, daemon=True).start()
    out = _own_output()

    def say(said: Said) -> None:
        out.write(json.encode(said) + b"\n")
        out.flush()

    try:
        say(Said(result=_done(task, lambda progress: say(Said(progress=progress)))))
    except NbprodError as error:
        say(Said(error=error.as_json()))
    except Exception as error:  # noqa: BLE001 - a fault of nbprod's own is shown where the job is, and not lost
        text = f"{type(error).__name__}: {error}"
        say(Said(error={"code": "job-crashed", "message": text, "where": None, "hint": "this is a fault of nbprod"}))


def _done(task: Task, tell: Any) -> dict[str, Any]:
    from nbprod import api

    match task.kind:
        case JobKind.EXPORT:
            return api.export_notebook(task.notebook, output=task.output, auto=task.auto)
        case JobKind.RUN:
            return api.run_notebook(
                task.notebook,
                parameters=task.parameters,
                output=task.output,
                auto=task.auto,
                use_cache=not task.anew,
                on_progress=tell,
            )
        case JobKind.VERIFY:
            return api.verify(task.notebook, output=task.output, auto=task.auto, on_progress=tell)
        case JobKind.REPRODUCE:
            return api.reproduce(task.run, output=task.output, on_progress=tell)
        case JobKind.GATHER:
            items = task.items or None
            told = api.gather(task.notebook, output=task.output, items=items, anew=task.anew, on_progress=tell)
            return {"items": list(told)}


def _own_output() -> BinaryIO:
    """Standard output for the answer alone: what libraries print goes to standard error."""
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return own


def _end_with_the_asker() -> None:
    # Not through sys.stdin, whose lock a thread that waits in it would keep as the process ends.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
