"""The column of ones that a regression's intercept goes by: whether it was added is learned.

Notebook: X = sm.add_constant(X)
Fit:      add it as the notebook does, which leaves a table as it is that has a constant column already; keep which
          of the two it did
Serve:    do the same, since every column of a single row is constant
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

IDIOMS = (Idiom("add_constant", "add_constant"),)


def add_constant(learned: Any, name: str, data: Any, prepend: bool = True, has_constant: str = "skip") -> Any:
    """`statsmodels.tools.add_constant` that adds a column where it added one to the training rows."""
    table = data.to_frame() if isinstance(data, pd.Series) else data
    if not isinstance(table, pd.DataFrame):
        table = np.asanyarray(data)
        table = table[:, None] if table.ndim == 1 else table
    if learned.fitting:
        import statsmodels.api as sm

        made = sm.add_constant(data, prepend=prepend, has_constant=has_constant)
        learned(name, lambda: made.shape[1] > table.shape[1])
        return made
    if not learned(name, lambda: True):
        return table
    if isinstance(table, pd.DataFrame):
        ones: Any = pd.DataFrame({"const": 1.0}, index=table.index)
        return pd.concat([ones, table] if prepend else [table, ones], axis=1)
    ones = np.ones(len(table))
    return np.column_stack([ones, table] if prepend else [table, ones])
