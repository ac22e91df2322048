"""Run in the package's environment: training rows to ask a service with, and the true answer of each.

`python labelled_rows.py ROOT NAME NUMBER CAPTURES` prints `{"target": …, "rows": [[record, truth], …], "metric": {…}}`,
where the metric is what the package itself gives on the rows, or `{"reason": …}`. The file imports nothing of nbprod,
and works on Python 3.9.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any

MOST = 200
SEED = 0


def main(root: str, name: str, number: str, captures: str) -> dict[str, Any]:
    """Records with their labels, drawn with a seed."""
    import numpy as np

    sys.path[0] = root
    pipeline = importlib.import_module(name).load(int(number))
    package = type(pipeline).__module__.rpartition(".")[0]
    index = json.loads(Path(captures, "index.json").read_text(encoding="utf-8"))
    frame = importlib.import_module(f"{package}.codec").load(Path(captures), index["raw"][0]["stem"])["frame"]
    target = pipeline.contract.target
    if target is None or target not in frame.columns:
        return {"reason": "the raw rows have no column for the true answer"}
    frame = frame[frame[target].notna()]
    at = np.sort(np.random.default_rng(SEED).choice(len(frame), size=min(MOST, len(frame)), replace=False))
    rows = frame.iloc[at]
    needed = [each for each in pipeline.features.required_columns() if each in rows.columns]
    records_of = importlib.import_module(f"{package}.observing").records_of
    truths = [each[target] for each in records_of(rows[[target]])]
    baseline = importlib.import_module(f"{package}.baseline")
    truth = baseline.truth_of(pipeline, rows)
    metric = None
    if truth is not None:
        answers, at = baseline.predictions(pipeline, rows[needed])
        given = np.array([answer is not None for answer in answers], dtype=bool)
        if given.any():
            metric = baseline.metric_of(pipeline.contract.task, truth[at][given], answers[given])
    return {"target": target, "rows": list(zip(records_of(rows[needed]), truths)), "metric": metric}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(main(*sys.argv[1:])))
