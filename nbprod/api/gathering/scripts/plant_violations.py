"""Run in the package's environment: each kind of violation, planted in each column, on both paths of a package.

`python plant_violations.py ROOT NAME NUMBER CAPTURES` takes a record on stdin as JSON and prints `{"planted": n,
"apart": [...], "passed": [...], "rows": n, "refused": n}`: violations that the two paths judge
otherwise, those that neither tells of, and how many of the training rows the contract refuses. CAPTURES may be empty.
The file imports nothing of nbprod, and works on Python 3.9.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from collections.abc import Iterator
from typing import Any

opening: Any = importlib.import_module("opening")

NOVEL = "a text that no training row has"


def main(root: str, name: str, number: str, captures: str) -> dict[str, Any]:
    """What came of all violations."""
    import pandas as pd

    pipeline = opening.opened(root, name, number)
    refusal, judged = (
        opening.module_of(pipeline, "faults").ContractError,
        opening.module_of(pipeline, "bad_rows").judged,
    )
    good = json.loads(sys.stdin.read())
    planted, apart, passed = 0, [], []
    for field, kind, record in violations(pipeline.contract, good):
        planted += 1
        frame = pd.DataFrame([record])
        one = _of_record(pipeline, record, refusal)
        table = _of_table(judged, pipeline, frame, refusal)
        if one != table:
            apart.append(f"{field or 'the record'}, {kind}: one record is {one}, a table is {table}")
        elif one == "answered":
            passed.append(f"{field}, {kind}")
    rows = refused = 0
    if captures:
        frame = opening.captured(pipeline, captures)
        told = pipeline.check(frame[opening.needed_of(pipeline, frame)])
        rows, refused = len(frame), len({fault.row for fault in told if fault.severity == "error"})
    return {"planted": planted, "apart": apart, "passed": passed, "rows": rows, "refused": refused}


def violations(contract: Any, good: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """One violation of each constraint of each column that is needed: its field, its kind, and the record with it."""
    for column in contract.columns:
        if not column.required or column.name not in good:
            continue
        name = column.name
        yield name, "left out", {key: value for key, value in good.items() if key != name}
        if not (column.nullable and not column.filled):
            yield name, "null", {**good, name: None}
        if column.kind in ("integer", "number", "boolean"):
            yield name, "text for a number", {**good, name: NOVEL}
        if column.min is not None and column.kind in ("integer", "number"):
            width = (column.max - column.min) or 1
            whole = column.kind == "integer"
            for kind, value in (("below", column.min - 2 * width - 1), ("above", column.max + 2 * width + 1)):
                yield name, kind, {**good, name: int(value) if whole else float(value)}
        if column.categories is not None and any(isinstance(each, str) for each in column.categories):
            yield name, "a new category", {**good, name: NOVEL}


def _of_record(pipeline: Any, record: dict[str, Any], refusal: Any) -> str:
    """How one record is taken: refused, flagged, answered, or broken by another error."""
    try:
        _, faults = pipeline.answer([record])
    except refusal:
        return "refused"
    except Exception as error:  # noqa: BLE001 - what a path raises besides its refusal is what is looked for
        return f"broken by {type(error).__name__}"
    return "flagged" if faults else "answered"


def _of_table(judged: Any, pipeline: Any, frame: Any, refusal: Any) -> str:
    """How a table of one row is taken, as scoring a file takes it."""
    try:
        told = judged(pipeline, lambda kept: frame.iloc[list(kept)], [0], {})
    except refusal:
        return "refused"
    except Exception as error:  # noqa: BLE001 - as above
        return f"broken by {type(error).__name__}"
    return "refused" if told.bad else "flagged" if told.flags else "answered"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(main(*sys.argv[1:])))
