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
from typing import Any

opening: Any = importlib.import_module("opening")

MOST = 200


def main(root: str, name: str, number: str, captures: str) -> dict[str, Any]:
    """Records with their labels, drawn with a seed."""
    import numpy as np

    pipeline = opening.opened(root, name, number)
    frame = opening.captured(pipeline, captures)
    target = pipeline.contract.target
    if target is None or target not in frame.columns:
        return {"reason": "the raw rows have no column for the true answer"}
    rows = opening.drawn(frame[frame[target].notna()], MOST)
    needed = opening.needed_of(pipeline, rows)
    records_of = opening.module_of(pipeline, "observing").records_of
    truths = [each[target] for each in records_of(rows[[target]])]
    baseline = opening.module_of(pipeline, "baseline")
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
