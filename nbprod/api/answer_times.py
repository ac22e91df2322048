"""Run in the notebook's environment as a script: rows to ask a version with, and how long it takes to answer one.

`python answer_times.py ROOT NAME NUMBER CAPTURES CALLS` prints `{"p50_ms": …, "p99_ms": …, "calls": …, "rows": …,
"batch": …}`, or `{"reason": …}`; `batch` is the number of rows of a call, 1 of a package that serves rows. With 0 calls
it prints `{"source": …, "bodies": […]}`: the rows as bodies of requests, of a package that serves batches one of
several rows. CAPTURES may be empty. The file imports nothing of nbprod, and works on Python 3.9.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

WARM = 20
MOST = 500
TOGETHER = 50
"""Calls that are not counted, rows that are asked for, and those of the one batch of a package that serves batches."""


def main(root: str, name: str, number: str, captures: str, calls: str) -> dict[str, Any]:
    """The rows, or the times of `predict_one` for them, or for a batch of them, one call after the other."""
    sys.path[0] = root
    pipeline = importlib.import_module(name).load(int(number))
    package = type(pipeline).__module__.rpartition(".")[0]
    together = pipeline.features.together
    count = int(calls)
    source, records = rows_of(pipeline, package, captures)
    if not count:
        if not records:
            source, records = "1 row, the package's example", [pipeline.example()]
        bodies = [{"records": records[:TOGETHER]}] if together else records
        return {"source": f"{source}, as one batch" if together else source, "bodies": list(map(json.dumps, bodies))}
    if not records:
        return {"reason": "there are no rows to ask with: the version keeps no golden rows, and its run is not here"}
    batch = records[:TOGETHER]
    told = (
        times_of(pipeline.predict_together, [batch], count)
        if together
        else times_of(pipeline.predict_one, records, count)
    )
    return {**told, "rows": len(batch if together else records), "batch": len(batch) if together else 1}


def times_of(ask: Any, given: list[Any], count: int) -> dict[str, Any]:
    """Milliseconds of so many calls."""
    import numpy

    spent = []
    for call in range(WARM + count):
        asked = given[call % len(given)]
        start = time.perf_counter_ns()
        ask(asked)
        spent.append(time.perf_counter_ns() - start)
    p50, p99 = (float(each) / 1e6 for each in numpy.percentile(spent[WARM:], [50, 99]))
    return {"p50_ms": p50, "p99_ms": p99, "calls": count}


def rows_of(pipeline: Any, package: str, captures: str) -> tuple[str, list[dict[str, Any]]]:
    """Rows of the last run where it is here, else golden rows, without what no feature needs, and which they are."""
    codec, tests = importlib.import_module(f"{package}.codec"), Path(pipeline.folder, "tests")
    if captures:
        index = json.loads(Path(captures, "index.json").read_text(encoding="utf-8"))
        frame, source = codec.load(Path(captures), index["raw"][0]["stem"])["frame"], "rows of the last run"
    elif (tests / "golden.json").exists():
        frame, source = codec.load(tests, "golden")["rows"], "golden rows"
    else:
        return "", []
    if not pipeline.features.together:  # else rows are a batch as they stand beside each other
        frame = frame.iloc[:: max(1, len(frame) // MOST)]
    frame = frame.iloc[:MOST]
    needed = [name for name in pipeline.features.required_columns() if name in frame.columns]
    is_here = importlib.util.find_spec(f"{package}.observing") is not None  # packages that are older have it elsewhere
    records_of = importlib.import_module(f"{package}.{'observing' if is_here else 'contract'}").records_of
    return f"{len(frame)} {source}", records_of(frame[needed])


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    try:
        answer = main(*sys.argv[1:])
    except Exception as error:  # noqa: BLE001 - the package's own code may raise anything; it is reported
        answer = {"reason": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer))
