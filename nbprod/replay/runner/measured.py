"""The metric that decides, by the notebook's own evaluation, of any side on some of the rows held out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .side_by_side import Side, evaluated, value_of


class Measured:
    """The metric named `metric` of what `evaluate` gives on `rows`."""

    def __init__(self, evaluate: Callable[..., Any], rows: Any, metric: str) -> None:
        self.rows = rows
        self.metric = metric
        self._evaluate = evaluate

    def __call__(self, side: Side, positions: Any) -> float:
        """The metric of a side on the rows at `positions`. Raises what the evaluation raises."""
        return evaluated(self._evaluate, side, positions, self.rows)[self.metric]

    def on_all(self, side: Side) -> float:
        """On all rows; NaN where it has no value."""
        return value_of(lambda positions: self(side, positions), np.arange(len(self.rows)))
