"""Run in the notebook's environment as a script: how long a package takes to answer one record.

`python answer_times.py ROOT NAME NUMBER CAPTURES CALLS` prints `{"p50_ms": …, "p99_ms": …, "calls": …, "rows": …}`, or
`{"reason": …}`. CAPTURES may be empty: it is asked for rows where the version keeps no golden ones. The file imports
nothing of nbprod, and works on Python 3.9.
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
MOST = 200
"""Calls that are not counted, and captured rows that are asked for."""


def main(root: str, name: str, number: str, captures: str, calls: str) -> dict[str, Any]:
    """Times of `predict_one`, one call after the other, over golden or captured rows."""
    import numpy

    sys.path[0] = root
    pipeline = importlib.import_module(name).load(int(number))
    if pipeline.features.together:
        return {"reason": "the package serves whole batches, and no row alone"}
    package = type(pipeline).__module__.rpartition(".")[0]
    rows = rows_of(pipeline, importlib.import_module(f"{package}.codec"), captures)
    if rows is None or not len(rows):
        return {"reason": "there are no rows to ask with: the version keeps no golden rows, and its run is not here"}
    is_here = importlib.util.find_spec(f"{package}.observing") is not None  # packages that are older have it elsewhere
    records = importlib.import_module(f"{package}.{'observing' if is_here else 'contract'}").records_of(rows)
    count = int(calls)
    spent = []
    for call in range(WARM + count):
        record = records[call % len(records)]
        start = time.perf_counter_ns()
        pipeline.predict_one(record)
        spent.append(time.perf_counter_ns() - start)
    p50, p99 = (float(each) / 1e6 for each in numpy.percentile(spent[WARM:], [50, 99]))
    return {"p50_ms": p50, "p99_ms": p99, "calls": count, "rows": len(records)}


def rows_of(pipeline: Any, codec: Any, captures: str) -> Any:
    """Golden rows, else the first of the raw rows that were captured; None where there are neither."""
    tests = Path(pipeline.folder, "tests")
    if (tests / "golden.json").exists():
        return codec.load(tests, "golden")["rows"]
    if not captures:
        return None
    index = json.loads(Path(captures, "index.json").read_text(encoding="utf-8"))
    raw = codec.load(Path(captures), index["raw"][0]["stem"])["frame"].iloc[:MOST]
    needed = [name for name in pipeline.features.required_columns() if name in raw.columns]
    return raw[needed]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    try:
        answer = main(*sys.argv[1:])
    except Exception as error:  # noqa: BLE001 - the package's own code may raise anything; it is reported
        answer = {"reason": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer))
