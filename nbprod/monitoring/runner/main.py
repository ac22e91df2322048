"""Counts rows, or a service's log, by a version's own sketch; runs in the package's environment, without nbprod.

    python main.py ROOT NAME NUMBER < request.json > answer.json

The request has `rows` (a file of raw rows) or `log` (sqlite), and `since`, `truth`, `on` and `slow_ms`, or null;
`replay` says whether logged records are to be answered once more, by the package's own code.
"""

from __future__ import annotations

import importlib
import json
import math
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

PIECE = 10_000
MOST_TRIES = 300
MOST_JOINED = 200_000
MOST_REPLAYED = 20_000
MOST_SHOWN = 5
RELATIVE, ABSOLUTE = 1e-9, 1e-12
RESAMPLES = 400
PREDICTION = "prediction"
NORMAL_95 = 1.959964
_TABLE = "predictions"
_COLUMNS = ("at", "request_id", "version", "record", "answer", "milliseconds")


class WatchError(ValueError):
    """What cannot be looked at; the message says why."""


class Looked:
    """The rows of one look, counted as they come."""

    def __init__(self, folder: Path, support: Callable[[str], Any], request: dict[str, Any]) -> None:
        self.version, self.support, self.request = folder.name, support, request
        self.module: Any = support("sketch")
        baseline = self.module.read_baseline(folder)
        self.sketch = self.module.Sketch(baseline)
        self.baseline = baseline
        self.unanswered = 0
        self.truth = Truth(request["truth"], request["on"]) if request["truth"] else None
        self.joined: list[tuple[dict[str, Any], Any]] = []

        self.kept: list[tuple[Any, dict[str, Any], Any]] = []

    def add(self, record: dict[str, Any], answer: Any, key: Any = None) -> None:
        """Count a row; it is kept, with its answer, where its truth is known."""
        if answer is NO_ANSWER:
            self.unanswered += 1
            self.sketch.add(record)
            return
        self.sketch.add(record, answer)
        if self.request["replay"] and len(self.kept) < MOST_REPLAYED:
            self.kept.append((key, record, answer))
        if self.truth is not None and len(self.joined) < MOST_JOINED:
            truth = self.truth.of(record, key)
            if truth is not None:
                self.joined.append(({**record, **truth}, answer))

    def pipeline(self) -> Any:
        """The version's pipeline, with pandas and scikit-learn."""
        return self.support("pipeline").Pipeline.load()

    def answer(self) -> dict[str, Any]:
        """What was counted, and how good the answers are whose truth is known."""
        rows = self.sketch.rows
        told = {"counts": self.sketch.counts(), "rows": rows, "unanswered": self.unanswered}
        if self.request["replay"]:
            told["replay"] = replayed(self.pipeline(), self.kept)
        if self.truth is not None:
            told["truths"], told["joined"] = len(self.truth.rows), len(self.joined)
            told["quality"] = quality(self.pipeline(), self.joined) if self.joined else None
        return told


NO_ANSWER: Any = object()


class Truth:
    """True answers by a key: a column of the rows, or the `request_id` of the log."""

    def __init__(self, path: str, key: str) -> None:
        frame = read_table(path)
        if key not in frame.columns:
            raise WatchError(f"{path} has no column {key!r} to join on; it has {', '.join(map(str, frame.columns))}")
        if frame[key].duplicated().any():
            twice = frame.loc[frame[key].duplicated(), key].iloc[0]
            raise WatchError(f"{path} has {twice!r} twice in {key!r}: whose truth is meant?")
        self.key = key
        plain = frame.astype(object).where(frame.notna(), None)
        names = [str(label) for label in plain.columns]
        self.rows = {_key(row[frame.columns.get_loc(key)]): dict(zip(names, row)) for row in plain.to_numpy().tolist()}

    def of(self, record: dict[str, Any], key: Any) -> dict[str, Any] | None:
        """What is known of a row, without the key."""
        found = self.rows.get(_key(key if key is not None and self.key not in record else record.get(self.key)))
        return None if found is None else {name: value for name, value in found.items() if name != self.key}


def main() -> None:
    """Answer the request on stdin."""
    root, name, number = sys.argv[1:4]
    request = json.load(sys.stdin)
    sys.path[0] = root
    try:
        looked = Looked(Path(root, name, f"v{int(number):04d}"), support_of(name, int(number)), request)
        told = of_log(looked) if request["log"] else of_rows(looked)
    except (ImportError, LookupError, OSError, RuntimeError, TypeError, ValueError, sqlite3.Error) as error:
        told = {"error": str(error) or type(error).__name__}
    print(json.dumps(told))


def support_of(name: str, number: int) -> Callable[[str], Any]:
    """What gives the support modules of a version by their names. Raises WatchError where the package cannot tell."""
    package = importlib.import_module(name)
    if not hasattr(package, "support"):
        raise WatchError(f"{name} was exported by an earlier release: export it again")
    return partial(package.support, number)


def of_rows(looked: Looked) -> dict[str, Any]:
    """The rows of a file, in pieces; predicted by the package where it has no column `prediction`."""
    pipeline = looked.pipeline()
    observing = looked.support("observing")
    pieces = pieces_of(Path(looked.request["rows"]), pipeline)
    required = set(pipeline.contract.required)
    for frame in pieces:
        names = {str(label) for label in frame.columns}
        if required - names:
            lacking = ", ".join(sorted(required - names))
            raise WatchError(f"{looked.request['rows']} lacks columns that a record must have: {lacking}")
        answers = given(pipeline, frame) if PREDICTION in names else predicted(pipeline, frame)
        keys = frame[looked.truth.key] if looked.truth is not None and looked.truth.key in frame.columns else None
        for row, record in enumerate(observing.records_of(frame)):
            looked.add(record, answers[row], None if keys is None else keys.iloc[row])
    return looked.answer()


def pieces_of(source: Path, pipeline: Any) -> Iterator[Any]:
    """A file's rows in pieces, typed as `score` types them. A batch package takes them as one."""
    if not source.is_file():
        raise WatchError(f"there is no file {source}")
    read = module_of(pipeline, "tables").source_of(source, pipeline.contract.read, pipeline.features.schema_)
    for piece in read.pieces(sys.maxsize if pipeline.features.together else PIECE):
        yield read.frame(piece)


def read_table(path: str) -> Any:
    """A whole table of truths."""
    import pandas as pd

    if not Path(path).is_file():
        raise WatchError(f"there is no file {path}")
    name = path.lower()
    if name.endswith((".parquet", ".pq")):
        return pd.read_parquet(path)
    if name.endswith((".csv", ".csv.gz", ".tsv", ".txt", ".tsv.gz")):
        return pd.read_csv(path, sep="\t" if ".tsv" in name else ",")
    raise WatchError(f"{path} is neither .csv (.csv.gz, .tsv, .txt) nor .parquet")


def given(pipeline: Any, frame: Any) -> list[Any]:
    """The answers that a file has; an empty one is none, or withheld where the contract withholds answers."""
    nothing = None if getattr(pipeline.contract, "when_unsure", None) == "abstain" else NO_ANSWER
    values, gone = frame[PREDICTION].astype(object).tolist(), frame[PREDICTION].isna().tolist()
    return [nothing if missing else plain(value) for value, missing in zip(values, gone)]


def predicted(pipeline: Any, frame: Any) -> list[Any]:
    """The package's answers, None where it withholds one; rows that the contract refuses, or that fail, have none."""
    answers: list[Any] = [NO_ANSWER] * len(frame)
    made, rows = module_of(pipeline, "baseline").predictions(pipeline, frame, MOST_TRIES)
    for row, value in zip(rows.tolist(), [] if made is None else made.tolist()):
        answers[row] = NO_ANSWER if value != value else value
    return answers


def module_of(pipeline: Any, name: str) -> Any:
    """A module of the version that a pipeline belongs to."""
    return importlib.import_module(f"{type(pipeline).__module__.rpartition('.')[0]}.{name}")


def of_log(looked: Looked) -> dict[str, Any]:
    """A service's log: what one version has answered since a time. It is opened for reading alone."""
    path, version = Path(looked.request["log"]), looked.version
    if not path.is_file():
        raise WatchError(f"there is no file {path}")
    since, slow = looked.request["since"] or 0.0, looked.request["slow_ms"]
    times: list[float] = []
    minutes: dict[int, int] = {}
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as store:
        columns = {str(row[1]) for row in store.execute(f"PRAGMA table_info({_TABLE})")}
        if not columns.issuperset(_COLUMNS):
            raise WatchError(f"{path} is no log of predictions: it has no table {_TABLE} with {', '.join(_COLUMNS)}")
        (others,) = store.execute(
            f"SELECT count(*) FROM {_TABLE} WHERE at >= ? AND version <> ?", (since, version)
        ).fetchone()
        settings = _settings(store)
        if looked.request["replay"] and settings["without"]:
            left_out = ", ".join(settings["without"])
            raise WatchError(f"{path} is kept without {left_out}: its records can't be answered once more")
        # Answers of a shadow went to nobody; of a request with several rows the first one stands for its time.
        first = "row = 0" if "row" in columns else "1"
        served = "AND role = 'main'" if "role" in columns else ""
        for at, key, record, answer, milliseconds, is_first in store.execute(
            f"SELECT at, request_id, record, answer, milliseconds, {first} FROM {_TABLE} "
            f"WHERE at >= ? AND version = ? {served} ORDER BY at DESC",
            (since, version),
        ):
            parsed = json.loads(record)
            looked.add(
                parsed if isinstance(parsed, dict) else {}, NO_ANSWER if answer is None else json.loads(answer), key
            )
            if not is_first:
                continue
            minutes[int(at // 60)] = minutes.get(int(at // 60), 0) + 1
            if milliseconds is not None:
                times.append(milliseconds)
    times.sort()
    return {
        **looked.answer(),
        "of_other_versions": others,
        "latency_ms": times[max(0, math.ceil(0.99 * len(times)) - 1)] if times else None,
        "timed": len(times),
        "slow": sum(1 for each in times if each > slow) if slow is not None else 0,
        "peak_rps": max(minutes.values()) / 60 / settings["share"] if minutes and settings["share"] else None,
        "left_out": settings["without"],
        "share": settings["share"],
    }


def _settings(store: sqlite3.Connection) -> dict[str, Any]:
    """What a log says of itself: the share of the requests that it keeps, and the columns that it leaves out."""
    told: dict[str, Any] = {"share": 1.0, "without": []}
    if store.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'settings'").fetchone():
        told.update((name, json.loads(value)) for name, value in store.execute("SELECT name, value FROM settings"))
    return told


def replayed(pipeline: Any, kept: list[tuple[Any, dict[str, Any], Any]]) -> dict[str, Any]:
    """The newest logged records through features.py and the model as whole tables, against the logged answers.

    Answers that the policy states, and not the model, are left out.
    """
    schema = module_of(pipeline, "schema")
    contract, required = pipeline.contract, set(pipeline.contract.required)
    differing = [{"request_id": key, "logged": then, "now": None} for key, record, then in kept if required - {*record}]
    rows, kept = len(differing), [each for each in kept if required <= {*each[1]}]
    for start in range(0, len(kept), PIECE):
        part = kept[start : start + PIECE]
        records = [record for _, record, _ in part]
        stated = set(contract.defaulted(contract.validate(records)))
        frame = schema.frame_of(records, pipeline.features.schema_, pipeline.features.required_columns())
        for at, (now, (key, _, then)) in enumerate(zip(predicted(pipeline, frame), part)):
            if at not in stated:
                rows += 1
                if not is_same(now, then):
                    differing.append({"request_id": key, "logged": then, "now": None if now is NO_ANSWER else now})
    return {"rows": rows, "differing": len(differing), "examples": differing[:MOST_SHOWN]}


def is_same(now: Any, then: Any) -> bool:
    """Whether two answers are equal, floats within 1e-9 of their size."""
    if isinstance(now, list) and isinstance(then, list):
        return len(now) == len(then) and all(is_same(*pair) for pair in zip(now, then))
    if isinstance(now, float) and isinstance(then, (int, float)):
        return math.isclose(now, then, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return bool(now == then)


def quality(pipeline: Any, joined: list[tuple[dict[str, Any], Any]]) -> dict[str, Any] | None:
    """The metric on rows whose truth is known and that were answered, with its standard error and 95 % interval."""
    import numpy as np
    import pandas as pd

    baseline = module_of(pipeline, "baseline")
    target = pipeline.contract.target
    lacking = [target] if target is not None and target not in joined[0][0] else []
    if lacking:
        raise WatchError(f"the file of truths has no column {target!r}, which is what the model predicts")
    frame = pd.DataFrame([record for record, _ in joined])
    for label in pipeline.features.schema_.labels:
        if str(label) not in frame.columns:
            frame[label] = None
    answers, truth = np.array([answer for _, answer in joined], dtype=object), baseline.truth_of(pipeline, frame)
    if truth is None:
        truth = frame[target].to_numpy()
    known = ~np.asarray(pd.isna(truth)) & np.array([answer is not None for _, answer in joined])
    if not known.any():
        return None
    truth, answers, task = truth[known], answers[known], pipeline.contract.task
    made = baseline.metric_of(task, truth, answers)
    random = np.random.default_rng(0)
    again = [
        baseline.metric_of(task, truth[some], answers[some])["value"]
        for some in (random.integers(0, len(truth), len(truth)) for _ in range(RESAMPLES))
    ]
    low, high = wilson(made["value"], len(truth)) if task == "classification" else np.quantile(again, [0.025, 0.975])
    return {**made, "error": float(np.std(again)), "low": float(low), "high": float(high)}


def wilson(share: float, n: int) -> tuple[float, float]:
    """The interval of Wilson (1927) for a share, 95 %."""
    square = NORMAL_95**2
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = NORMAL_95 / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return middle - half, middle + half


def plain(value: Any) -> Any:
    """A value as JSON can say it."""
    return value.item() if hasattr(value, "item") else value


def _key(value: Any) -> Any:
    """A key that equals its like in another file, where one has 7 and the other 7.0 or "7"."""
    value = plain(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


if __name__ == "__main__":
    main()
