"""Run in the package's environment: how the metric of a model falls with its age, on raw rows in the order of time.

`python age_model.py ROOT NAME NUMBER CAPTURES COLUMN DAYS` trains the version's code on the older half of the rows that
its run has read, and prints `{"column", "metric", "trained", "curve": [{"days", "value", "low", "high", "rows"}]}`: the
metric on five stretches of the rows of the next 1.5 DAYS, or of all later ones where those are too few, with a 95 %
interval by the bootstrap; or `{"reason": text}`. COLUMN is the raw column with the time of a row; where empty, the
one that training saw as dates, if there is one. The file imports nothing of nbprod, and works on Python 3.9.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from typing import Any

opening: Any = importlib.import_module("opening")

STRETCHES, LEAST = 5, 50
"""How many later stretches there are, and how many rows each must have."""
RESAMPLES = 300
DAY = 86_400.0
CALENDAR = (("%Y", 1900, 2100), ("%Y%m", 190001, 210012), ("%Y%m%d", 19000101, 21001231))
"""How whole numbers name a year, a month or a day, and between which they are taken so."""
SINCE, UNTIL = 315_532_800, 4_102_444_800
"""The beginnings of 1980 and of 2100, in seconds since 1970: in other units, numbers between them are other ones."""
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def main(root: str, name: str, number: str, captures: str, column: str, days: str) -> dict[str, Any]:
    """The curve, or the reason why there is none."""
    import numpy as np

    pipeline = opening.opened(root, name, number)
    frame, target = opening.captured(pipeline, captures), pipeline.contract.target
    if pipeline.features.together:
        return {"reason": "features are made of the rows around a row, so that rows can't be taken apart by time"}
    if target is None or target not in frame.columns:
        return {"reason": "the raw rows have no column for the true answer"}
    column = column or next((each.name for each in pipeline.contract.columns if each.kind == "datetime"), "")
    if column not in frame.columns:
        return {"reason": f"the raw rows have no column {column!r}" if column else "no raw column holds dates"}
    frame = frame[frame[target].notna()]
    times = _times(frame[column])
    if times is None:
        return {"reason": f"the numbers in {column!r} are no years, months or days, and no time since 1970"}
    frame, times = frame[times.notna()], times[times.notna()]
    if times.nunique() <= STRETCHES or len(frame) < 2 * STRETCHES * LEAST:
        return {"reason": f"{len(frame):,} rows at {times.nunique():,} times are too few for {STRETCHES} stretches"}
    order = np.argsort(times.to_numpy(), kind="stable")
    frame, times = frame.iloc[order], times.iloc[order]
    half = len(frame) // 2
    older = opening.of_notebook(pipeline, "train").train(frame.iloc[:half])
    baseline = opening.module_of(pipeline, "baseline")
    curve, metric = [], None
    for at in np.array_split(_later(times, half, float(days)), STRETCHES):
        found = _measured(older, baseline, frame.iloc[at])
        if found is None:
            return {"reason": "the true answers of single rows can't be had from the notebook's code"}
        metric = found.pop("metric")
        age = (times.iloc[at].median() - times.iloc[half - 1]).total_seconds() / DAY
        curve.append({"days": age, **found})
    return {"column": column, "metric": metric, "trained": half, "curve": curve}


def _later(times: Any, half: int, days: float) -> Any:
    """The positions of the later rows that are asked."""
    import numpy as np

    ages = (times - times.iloc[half - 1]).dt.total_seconds().to_numpy() / DAY
    near = np.flatnonzero((np.arange(len(ages)) >= half) & (ages <= 1.5 * days))
    return near if len(near) >= STRETCHES * LEAST else np.arange(half, len(ages))


def _times(values: Any) -> Any:
    """Times in UTC, None where numbers are no plausible times.

    Numbers, also as text, are years, months or days where all of them can be: 2024, 202405, 20240531. Else they are the
    time since 1970, in the unit by which all of them lie between 1980 and 2100.
    """
    import pandas as pd

    present = values.dropna()
    if not len(present) or not (pd.api.types.is_numeric_dtype(values.dtype) or present.map(_is_digits).all()):
        return pd.to_datetime(values, errors="coerce", utc=True)
    numbers = pd.to_numeric(values)
    known = numbers.dropna().astype("float64")
    if (known == known.round()).all():
        for form, low, high in CALENDAR:
            if known.between(low, high).all():
                texts = numbers.astype("Int64").astype("string")
                made = pd.to_datetime(texts, format=form, errors="coerce", utc=True)
                if made.notna().sum() == len(known):
                    return made
    for unit, each in UNITS.items():
        if known.between(SINCE * each, UNTIL * each).all():
            return pd.to_datetime(numbers, unit=unit, utc=True)
    return None


def _is_digits(value: Any) -> bool:
    return isinstance(value, str) and value.isdecimal()


def _measured(pipeline: Any, baseline: Any, rows: Any) -> Any:
    """The metric of rows, with its interval; rows that get no answer are left out."""
    import numpy as np
    import pandas as pd

    told, answered = baseline.predictions(pipeline, rows)
    truth = baseline.truth_of(pipeline, rows.iloc[answered])
    if told is None or truth is None or not len(truth):
        return None
    known = ~np.asarray(pd.isna(truth)) & ~np.asarray(pd.isna(told))
    truth, told, task = truth[known], told[known], pipeline.contract.task
    if not len(truth):
        return None
    made = baseline.metric_of(task, truth, told)
    draw = np.random.default_rng(0)
    tries = []
    for _ in range(RESAMPLES):
        at = draw.integers(0, len(truth), len(truth))
        tries.append(baseline.metric_of(task, truth[at], told[at])["value"])
    low, high = np.percentile(tries, [2.5, 97.5])
    return {"metric": made["metric"], "value": made["value"], "low": low, "high": high, "rows": len(truth)}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    try:
        found = main(*sys.argv[1:])
    except Exception as error:  # noqa: BLE001 - whatever the package raises is the reason
        found = {"reason": f"{type(error).__name__}: {error}"}
    print(json.dumps(found, default=float))
