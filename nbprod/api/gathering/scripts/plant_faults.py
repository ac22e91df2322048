"""Run in the package's environment: rows to monitor, as they were in training, and with one fault planted in each file.

`python plant_faults.py ROOT NAME NUMBER CAPTURES FOLDER` writes csv files into FOLDER and prints `{"rows": n, "files":
[{"path": …, "column": …, "what": …, "says": …}]}`; the first has no fault. The file imports nothing of nbprod, and
works on Python 3.9.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any

opening: Any = importlib.import_module("opening")

ROWS = 1000
SEED = 0
NOVEL = "a text that no training row has"
SHARE_MISSING, SHARE_UNSEEN = 0.25, 0.1
"""Shares of rows that are made missing or unseen where such a fault is planted."""


def main(root: str, name: str, number: str, captures: str, folder: str) -> dict[str, Any]:
    """The files that were written."""
    import numpy as np

    pipeline = opening.opened(root, name, number)
    frame = opening.captured(pipeline, captures)
    needed = opening.needed_of(pipeline, frame)
    draw = np.random.default_rng(SEED)
    rows = opening.drawn(frame[needed], ROWS)
    columns = {column.name: column for column in pipeline.contract.columns if column.name in needed}
    planted = [("", "", "nothing planted", rows)]
    number_of = next((c for c in columns.values() if _is_spread(rows, c)), None)
    if number_of is not None:
        column = number_of.name
        values = rows[column].astype("float64")
        planted.append(
            (column, "drift", "a mean moved by one standard deviation", rows.assign(**{column: values + values.std()}))
        )
        planted.append((column, "range", "another unit (times 1,000)", rows.assign(**{column: values * 1000})))
    for column in columns.values():
        if column.name in rows.columns and rows[column.name].isna().mean() < 0.5:
            gaps = draw.random(len(rows)) < SHARE_MISSING
            planted.append(
                (
                    column.name,
                    "missing",
                    "a quarter missing",
                    rows.assign(**{column.name: rows[column.name].astype(object).mask(gaps)}),
                )
            )
            break
    for column in columns.values():
        if any(isinstance(each, str) for each in column.categories or ()):
            new = draw.random(len(rows)) < SHARE_UNSEEN
            values = rows[column.name].astype(object)
            planted.append(
                (
                    column.name,
                    "unseen",
                    "a tenth of a new category",
                    rows.assign(**{column.name: values.mask(new, NOVEL)}),
                )
            )
            break
    files = []
    for place, (column, what, says, made) in enumerate(planted):
        path = Path(folder, f"rows{place}.csv")
        made.to_csv(path, index=False)
        files.append({"path": str(path), "column": column, "what": what, "says": says})
    return {"rows": len(rows), "files": files}


def _is_spread(rows: Any, column: Any) -> bool:
    """Whether a column holds numbers of which there are many, so that a shift can be told from chance."""
    if column.kind not in ("integer", "number") or column.min is None:
        return False
    values = rows[column.name].dropna()
    return values.nunique() > 10 and bool(values.astype("float64").std() > 0)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(main(*sys.argv[1:])))
