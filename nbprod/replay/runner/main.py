"""Entry in the notebook's environment: reads a request from a JSON file, writes the result to another."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from .contexts import SHARED, Batches
from .in_fit import await_state
from .live import live
from .locate import locate
from .matrix import plain, record
from .outcome import Outcome, described
from .parts import FORKS, Parts, Twin
from .protocol import replay
from .rows import write_rows
from .side_by_side import measure
from .split import split_of
from .starter import asked, end_with_starter, leave_nothing
from .subject import CaptureError, Subject, read_captures
from .variants import VARIED, vary

PROGRESS_EVERY = 0.2  # seconds


def main(folder: str | None = None) -> int:
    """Answer one request; what the package prints goes to stderr, progress lines to stdout.

    `folder` is the starter's for this process alone: it is removed here where the starter ends first.
    """
    request_file = asked()
    if not request_file:  # nothing was asked after all
        leave_nothing(folder)
        return 0
    end_with_starter(folder)
    request = json.loads(Path(request_file).read_text(encoding="utf-8"))
    os.chdir(request["folder"])
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    try:
        answer = _answer(request, Reporter(channel))
    except CaptureError as error:
        answer = {"fault": {"kind": "captures", "message": str(error)}}
    except Exception as error:  # noqa: BLE001 - the package under test may raise anything; the caller tells where
        answer = {"fault": _fault(error)}
    Path(request["result"]).write_text(json.dumps(answer, allow_nan=True), encoding="utf-8")
    return 0


def warm() -> None:
    """Import what any package imports, before there is one: scikit-learn takes its time."""
    with suppress(ImportError):  # the package will tell that it is missing
        importlib.import_module("skops.io")


class Reporter:
    """Writes progress as JSON lines, not more often than a person can follow."""

    def __init__(self, channel: TextIO) -> None:
        self.channel = channel
        self.last = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self.last >= PROGRESS_EVERY or done == 0:
            self.last = now
            self.channel.write(json.dumps({"what": what, "done": done, "total": total}) + "\n")
            self.channel.flush()


def _answer(request: dict[str, Any], report: Reporter) -> dict[str, Any]:
    if request["mode"] == "live":
        return live(request)
    captures = read_captures(Path(request["captures"]), Path(request["codec"]))
    if request["mode"] == "measure":
        return measure(request, captures)
    if request["mode"] == "split":
        return split_of(request, captures)
    if request["mode"] == "report":
        from .model_report import report_on_model  # nothing else needs scikit-learn's models

        return report_on_model(request, captures, report)
    subject = Subject(Path(request["root"]), request["name"], request["version"], captures)
    subject.shares = request.get("tolerance", {})
    if request["mode"] == "fit":
        return _fitted(subject, report, request.get("saved_to"))
    if request["mode"] == "alone":
        subject.open_served()
        return Batches(subject)(request["source"], [[position] for position in request["positions"]])
    ended = request.get("fit_ended")
    if ended or subject.is_saved:
        subject.parts = Parts(request)
    if ended and FORKS:
        with suppress(OSError):  # no memory or process for one more: then there is none
            tasks: dict[str, Callable[..., Any]] = {SHARED: Batches(subject), VARIED: partial(vary, subject)}
            subject.twin = Twin(partial(_open_saved, subject), tasks, report.channel.fileno())
    manifest = request["manifest"]
    names = [str(feature["name"]) for feature in manifest.get("features", [])]
    outcome = replay(subject, names, request["level"], report, fit_ended=Path(ended) if ended else None)
    if subject.twin is not None:
        subject.twin.close()
    return _replayed(subject, outcome, manifest)


def _open_saved(subject: Subject) -> None:
    await_state(subject)
    subject.open_served()


def _fitted(subject: Subject, report: Reporter, saved_to: str | None) -> dict[str, Any]:
    """Fit the package; a copy of what it has learned is in `saved_to` before a compiled form is held to all rows."""
    report("training", 0, 1)
    started = time.monotonic()
    pipeline, taking = subject.train_or_take()
    _allow_what_was_predicted(pipeline, subject)
    pipeline.save(subject.folder, subject.raw.copy())
    state = subject.folder / "state"

    def save() -> None:
        if saved_to is not None:
            staged = Path(saved_to).with_name(".state")
            shutil.copytree(state, staged)
            staged.rename(saved_to)

    rows = write_rows(subject, subject.pipeline_module.Pipeline.load(subject.folder), report, save)
    files = sorted(str(path.relative_to(subject.folder).as_posix()) for path in state.rglob("*") if path.is_file())
    return {
        "rows": len(subject.raw),
        "seconds": time.monotonic() - started,
        "files": files,
        "one_row": rows,
        "taken": taking.taken,
        "why_trained": None if taking.taken else taking.reason,
    }


def _allow_what_was_predicted(pipeline: Any, subject: Subject) -> None:
    """Values that are missing in further rows which the notebook itself predicted are none that serving may refuse."""
    for column in pipeline.features.observed_["columns"]:
        for frame in subject.captures.frames[1:]:
            known = isinstance(frame, pd.DataFrame) and column["name"] in frame.columns and not column["nullable"]
            if known and bool(np.asarray(frame[column["name"]].isna()).any()):
                column.update(nullable=True, filled=True)


def _replayed(subject: Subject, outcome: Outcome, manifest: dict[str, Any]) -> dict[str, Any]:
    mismatch = None
    if outcome.failings:
        failing = outcome.failings[0]
        cell, line = locate(subject, failing, manifest)
        frame = subject.captures.frames[failing.source]
        mismatch = {
            "row": record(frame, failing.row) if failing.row >= 0 else {},
            "feature": failing.name,
            "notebook": plain(failing.notebook),
            "package": plain(failing.package) if failing.raised is None else described(failing.raised),
            "cell": cell,
            "line": line,
        }
    return {
        "rows": outcome.rows,
        "rows_equal": outcome.rows_equal,
        "max_abs_error": outcome.max_error,
        "predictions": outcome.predictions,
        "predictions_equal": outcome.predictions_equal,
        "matched_by": "+".join(outcome.matched_by) or "index",
        "observed": outcome.observed,
        "checks": outcome.checks,
        "mismatch": mismatch,
    }


def _fault(error: BaseException) -> dict[str, Any]:
    places = [
        (frame.filename.replace("\\", "/").rsplit("/", 1)[-1], frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return {
        "kind": "package",
        "message": described(error),
        "places": places,
        "traceback": traceback.format_exception(type(error), error, error.__traceback__)[-1],
    }
