"""Run in the package's environment: violations and values at edges, planted in a record, on both paths of a package.

`python plant_violations.py ROOT NAME NUMBER CAPTURES` takes `{"before": [...], "record": {...}, "edges": [...]}` on
stdin: records of a batch before the one that is planted in (none where rows are served alone), and fields to set to
values at edges. It prints `{"planted": n, "apart": [...], "passed": [...], "taken": {field: {kind: [how, how]}},
"edges": n, "parted": [...], "rows": n, "refused": n}`: violations that the two paths judge otherwise, those that
neither tells of, how each was taken, edges that are answered otherwise, and how many of the training rows the contract
refuses. CAPTURES may be empty. The file imports nothing of nbprod, and works on Python 3.9.
"""

from __future__ import annotations

import importlib
import json
import math
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
    given = json.loads(sys.stdin.read())
    before, good = given["before"], given["record"]

    def both(record: dict[str, Any]) -> tuple[tuple[str, Any], tuple[str, Any]]:
        batch = [*({name: each[name] for name in each if name in record} for each in before), record]
        return _of_records(pipeline, batch, refusal), _of_table(judged, pipeline, pd.DataFrame(batch), refusal)

    planted, apart, passed = 0, [], []
    taken: dict[str, dict[str, list[str]]] = {}
    for field, kind, record in violations(pipeline.contract, good):
        planted += 1
        (one, _), (table, _) = both(record)
        taken.setdefault(field, {})[kind] = [one, table]
        if one != table:
            apart.append(f"{field or 'the record'}, {kind}: one record is {one}, a table is {table}")
        elif one == "answered":
            passed.append(f"{field}, {kind}")
    parted = []
    for changed in given["edges"]:
        (one, of_one), (table, of_table) = both({**good, **changed})
        is_refused = [each not in ("flagged", "answered") for each in (one, table)]
        if is_refused[0] != is_refused[1] or not (any(is_refused) or _is_same(of_one, of_table)):
            told = [
                each if value is None else f"{each} {value!r}" for each, value in ((one, of_one), (table, of_table))
            ]
            fields = ", ".join(f"{name} = {value!r}" for name, value in changed.items())
            parted.append(f"{fields}: one record is {told[0]}, a table is {told[1]}")
    rows = refused = 0
    if captures:
        frame = opening.captured(pipeline, captures)
        told = pipeline.check(frame[opening.needed_of(pipeline, frame)])
        rows, refused = len(frame), len({fault.row for fault in told if fault.severity == "error"})
    edges = {"edges": len(given["edges"]), "parted": parted}
    return {
        "planted": planted,
        "apart": apart,
        "passed": passed,
        "taken": taken,
        **edges,
        "rows": rows,
        "refused": refused,
    }


def violations(contract: Any, good: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """One violation of each constraint of each column that is needed: its field, its kind, and the record with it."""
    for column in contract.columns:
        if not column.required or column.name not in good:
            continue
        name = column.name
        yield name, "left out", {key: value for key, value in good.items() if key != name}
        if column.on_missing is not None or not column.nullable or column.filled:
            yield name, "null", {**good, name: None}
        if column.kind in ("integer", "number", "boolean"):
            yield name, "text for a number", {**good, name: NOVEL}
        if column.min is not None and column.kind in ("integer", "number"):
            width = _width(column)
            whole = column.kind == "integer"
            for kind, value in (("below", column.min - 2 * width - 1), ("above", column.max + 2 * width + 1)):
                if math.isfinite(value):
                    yield name, kind, {**good, name: int(value) if whole else float(value)}
        if column.categories is not None and any(isinstance(each, str) for each in column.categories):
            yield name, "a new category", {**good, name: NOVEL}


def _width(column: Any) -> Any:
    """How wide a range is; 1 where it is open on a side."""
    width = column.max - column.min
    return width if width and math.isfinite(width) else 1


def _of_records(pipeline: Any, records: list[dict[str, Any]], refusal: Any) -> tuple[str, Any]:
    """How the last of some records is taken: refused, flagged, answered, or broken by another error; and its answer."""
    try:
        predictions, faults = pipeline.answer(records)
    except refusal:
        return "refused", None
    except Exception as error:  # noqa: BLE001 - what a path raises besides its refusal is what is looked for
        return f"broken by {type(error).__name__}", None
    return _taken(len(records) - 1, predictions[-1], faults)


def _of_table(judged: Any, pipeline: Any, frame: Any, refusal: Any) -> tuple[str, Any]:
    """The same of the last row of a table, as scoring a file takes it."""
    try:
        if pipeline.features.together:  # none can be left out
            predictions, flags = pipeline.judge(frame)
        else:
            told = judged(pipeline, lambda kept: frame.iloc[list(kept)], [0], {})
            if told.bad:
                return "refused", None
            predictions, flags = told.predictions, told.flags
    except refusal:
        return "refused", None
    except Exception as error:  # noqa: BLE001 - as above
        return f"broken by {type(error).__name__}", None
    return _taken(len(frame) - 1, predictions.tolist()[-1], flags)


def _taken(row: int, prediction: Any, faults: Any) -> tuple[str, Any]:
    return "flagged" if any(fault.row == row for fault in faults) else "answered", prediction


def _is_same(one: Any, other: Any) -> bool:
    """Whether two predictions are the same; one that can't be made is None in a list of records, and NaN in a table."""
    gone = [each is None or each != each for each in (one, other)]
    return all(gone) or bool(one == other)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(main(*sys.argv[1:])))
