"""Run in the notebook's environment as a script: the package's metrics on the rows that the notebook held out.

`python held_out.py ROOT NAME NUMBER CAPTURES` prints `{"metrics": …, "rows": …}`, or `{"reason": …}` where the
rows are not found. The file imports nothing of nbprod, and works on Python 3.9.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

NO_ROWS = "the notebook predicts for no rows that it held out of the training"


def main(root: str, name: str, number: str, captures: str) -> dict[str, Any]:
    """The metrics of version `number` of the package `name` in `root`, on the rows of the last prediction."""
    sys.path[0] = root
    package = importlib.import_module(name)
    pipeline = package.load(int(number))
    rows = held_out_rows(pipeline, captures)
    if rows is None:
        return {"reason": NO_ROWS}
    return {"metrics": package.evaluate(pipeline, rows), "rows": len(rows)}


def held_out_rows(pipeline: Any, captures: str) -> Any:
    """The raw rows of the last prediction for rows that the model was not trained on, as a frame; None without any."""
    codec = importlib.import_module(type(pipeline).__module__.rpartition(".")[0] + ".codec")
    index = json.loads(Path(captures, "index.json").read_text(encoding="utf-8"))
    raw = codec.load(Path(captures), index["raw"][0]["stem"])["frame"]
    served = pipeline.features.model_input(raw)
    training = set(positions(codec.load(Path(captures), index["fit"]["stem"])["X"], served, raw, set()))
    for entry in reversed(index["predicts"]):
        found = positions(codec.load(Path(captures), entry["stem"])["X"], served, raw, training)
        if found:
            return raw.iloc[found]
    return None


def positions(given: Any, served: Any, raw: Any, taken: set[int]) -> list[int]:
    """Where the rows that the model was given stand among the raw rows: by their labels, else by their values.

    Empty where a row is not found beside those that are `taken`.
    """
    labels = getattr(given, "index", None)
    if labels is not None and not callable(labels) and raw.index.is_unique:
        there = [int(at) for at in raw.index.get_indexer(labels)]
        return there if taken.isdisjoint(there) and -1 not in there else []
    places: dict[bytes, list[int]] = defaultdict(list)
    for position, row in enumerate(rows_of(served)):
        if position not in taken:
            places[row].append(position)
    found = []
    for row in rows_of(given):
        if not places[row]:
            return []
        # Equal rows are told apart by order alone; which of them it is makes no difference to the features. A row that
        # training repeats stands for all of its copies.
        found.append(places[row].pop(0) if len(places[row]) > 1 else places[row][0])
    return found


def rows_of(matrix: Any) -> list[bytes]:
    """Each row of a matrix as bytes."""
    import numpy

    dense = matrix.toarray() if hasattr(matrix, "toarray") else matrix
    values = numpy.ascontiguousarray(numpy.asarray(dense, dtype=float) + 0.0)
    return [row.tobytes() for row in values]


if __name__ == "__main__":
    try:
        answer = main(*sys.argv[1:])
    except Exception as error:  # noqa: BLE001 - the package's own code may raise anything; it is reported
        answer = {"reason": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer))
