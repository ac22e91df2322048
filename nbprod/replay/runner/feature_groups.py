"""How much of the metric each feature carries: its columns are shuffled among the rows held out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from .measured import Measured
from .outcome import Progress, described
from .side_by_side import SEED, Side

MOST_GROUPS = 60
OTHERS = "(others)"


def without_each(
    measured: Measured, side: Side, columns: Sequence[str], features: Sequence[str], repeats: int, progress: Progress
) -> list[dict[str, Any]]:
    """The `lost` metric (as it is, less its mean without the feature) by feature, with its `spread` over repeats.

    The columns of a feature are shuffled together, so that they still belong to one row each (L. Breiman, Machine
    Learning 2001;45:5-32, section 10). `spread` is the standard deviation. What several features tell alike is lost
    only where all of them are shuffled, so a small figure does not say that a feature is of no use.
    """
    width = 1 if side.matrix.ndim == 1 else side.matrix.shape[1]
    if width != len(columns):
        columns = [f"x{place}" for place in range(width)]
    groups = grouped(columns, features)
    value, random = measured.on_all(side), np.random.default_rng(SEED)
    told = []
    for number, (name, places) in enumerate(groups):
        progress("shuffling each feature", number, len(groups))
        group = {"feature": name, "columns": len(places)}
        try:
            orders = (random.permutation(len(measured.rows)) for _ in range(repeats))
            values = [measured.on_all(side.with_matrix(shuffled(side.matrix, places, order))) for order in orders]
        except Exception as error:  # noqa: BLE001 - the model may take no rows that training did not have
            told.append({**group, "reason": described(error)})
            continue
        lost = value - np.array(values)
        if np.isfinite(lost).all():
            spread = float(np.std(lost, ddof=1)) if repeats > 1 else 0.0
            told.append({**group, "lost": float(lost.mean()), "spread": spread})
        else:
            told.append({**group, "reason": f"{measured.metric} has no value without it"})
    return told


def grouped(columns: Sequence[str], features: Sequence[str]) -> list[tuple[str, list[int]]]:
    """The places of the columns by feature, in the order of the columns.

    A feature is a column's name, or what `*` stands in for in several; the longest that fits takes a column. A column
    that no feature names is its own. Those beyond `MOST_GROUPS` are one.
    """
    exact = {name for name in features if "*" not in name}
    patterns = [
        (name, re.compile(".*".join(re.escape(part) for part in name.split("*")), re.DOTALL))
        for name in sorted(features, key=len, reverse=True)
        if "*" in name
    ]
    found: dict[str, list[int]] = {}
    for place, column in enumerate(columns):
        fitting = (name for name, pattern in patterns if pattern.fullmatch(column))
        found.setdefault(column if column in exact else next(fitting, column), []).append(place)
    groups = list(found.items())
    if len(groups) <= MOST_GROUPS:
        return groups
    rest = [place for _, places in groups[MOST_GROUPS - 1 :] for place in places]
    return [*groups[: MOST_GROUPS - 1], (OTHERS, rest)]


def shuffled(matrix: Any, places: Sequence[int], order: Any) -> Any:
    """The matrix with the columns at `places` taken from the rows in `order`; dtypes and labels stay."""
    if isinstance(matrix, pd.DataFrame):
        each = {place: matrix.iloc[:, place] for place in range(matrix.shape[1])}
        each.update({place: pd.Series(each[place].array[order], index=matrix.index) for place in places})
        made = pd.DataFrame(each, index=matrix.index)
        made.columns = matrix.columns
        return made
    if isinstance(matrix, pd.Series):
        return pd.Series(matrix.array[order], index=matrix.index, name=matrix.name)
    if hasattr(matrix, "tocsr"):
        from scipy import sparse

        own, taken = matrix.tocsr(), np.arange(matrix.shape[1])
        taken[list(places)] += matrix.shape[1]
        return sparse.hstack([own, own[order]]).tocsc()[:, taken].tocsr()
    if matrix.ndim == 1:
        return matrix[order]
    made = matrix.copy()
    made[:, list(places)] = matrix[order][:, list(places)]
    return made
