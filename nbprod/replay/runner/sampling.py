"""Which rows are replayed singly when there are too many: every category and every pattern of missing values first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

MOST_CATEGORIES = 50
SEED = 20_240_229  # any fixed number: the same rows are drawn each time


@dataclass(frozen=True)
class Effort:
    """How many rows, batches and predictions are replayed one by one."""

    singles: int
    small_batches: int
    large_batches: int
    single_predictions: int


LEVELS = {"quick": Effort(300, 40, 20, 20), "full": Effort(3000, 430, 200, 100)}
BESIDE_COMPILED = LEVELS["quick"]
"""What pandas replays where the compiled form answers rows alone, and was asked for each of them."""

IN_FIT = Effort(100, 40, 20, 20)
"""The same in the run that fits it, which somebody waits for."""


def stratified(frame: Any, positions: Any, wanted: int) -> Any:
    """At most `wanted` of `positions` (rows of `frame`), sorted; all of them where they are not more."""
    candidates = np.unique(np.asarray(positions, dtype=np.intp))
    if len(candidates) <= wanted:
        return candidates
    chosen = _one_of_each(frame.iloc[candidates])[:wanted]
    rest = np.setdiff1d(np.arange(len(candidates)), chosen)
    drawn = np.random.default_rng(SEED).choice(rest, size=wanted - len(chosen), replace=False)
    return np.sort(candidates[np.concatenate([np.asarray(chosen, dtype=np.intp), drawn])])


def _one_of_each(frame: Any) -> list[int]:
    """Row positions that together show each pattern of missing values, each category, and each column's extremes."""
    chosen: dict[int, None] = {}
    patterns = frame.isna().to_numpy()
    _, firsts = np.unique(patterns, axis=0, return_index=True)
    chosen.update(dict.fromkeys(int(place) for place in firsts))
    for place in range(frame.shape[1]):
        values = frame.iloc[:, place]
        if pd.api.types.is_numeric_dtype(values.dtype):
            numbers = values.to_numpy(dtype=float, na_value=np.nan)
            if not np.isnan(numbers).all():
                chosen[int(np.nanargmin(numbers))] = None
                chosen[int(np.nanargmax(numbers))] = None
        codes = pd.factorize(values if values.dtype.kind in "biufM" else values.astype(str))[0]
        seen, firsts = np.unique(codes, return_index=True)
        if len(seen) <= MOST_CATEGORIES:
            chosen.update(dict.fromkeys(int(first) for first in firsts))
    return list(chosen)
