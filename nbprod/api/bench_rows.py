"""Run in the notebook's environment as a script: rows to ask a service of a package with, as bodies of requests.

`python bench_rows.py ROOT NAME NUMBER CAPTURES` prints `{"source": …, "bodies": […]}`. CAPTURES may be empty. The file
imports nothing of nbprod, and works on Python 3.9.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any

MOST = 500
TOGETHER = 50
"""Rows that are asked for, and rows of the one batch of a package that serves batches."""


def main(root: str, name: str, number: str, captures: str) -> dict[str, Any]:
    """Rows of the last run where it is here, else golden rows, else the package's example."""
    sys.path[0] = root
    pipeline = importlib.import_module(name).load(int(number))
    package = type(pipeline).__module__.rpartition(".")[0]
    source, records = rows_of(pipeline, package, captures)
    if pipeline.features.together:
        return {"source": f"{source}, as one batch", "bodies": [json.dumps({"records": records[:TOGETHER]})]}
    return {"source": source, "bodies": [json.dumps(record) for record in records]}


def rows_of(pipeline: Any, package: str, captures: str) -> tuple[str, list[dict[str, Any]]]:
    """Where rows were found, and the rows as records without what no feature needs."""
    codec, observing = (importlib.import_module(f"{package}.{each}") for each in ("codec", "observing"))
    tests = Path(pipeline.folder, "tests")
    if captures:
        index = json.loads(Path(captures, "index.json").read_text(encoding="utf-8"))
        frame, source = codec.load(Path(captures), index["raw"][0]["stem"])["frame"], "of the last run"
    elif (tests / "golden.json").exists():
        frame, source = codec.load(tests, "golden")["rows"], "golden"
    else:
        return "1 row, the package's example", [pipeline.example()]
    frame = frame.iloc[:: max(1, len(frame) // MOST)].iloc[:MOST]
    needed = [name for name in pipeline.features.required_columns() if name in frame.columns]
    return f"{len(frame)} rows {source}", observing.records_of(frame[needed])


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(main(*sys.argv[1:])))
