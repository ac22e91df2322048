"""Columns that are dropped for what they lack: which ones is learned.

Notebook: df = df.dropna(axis=1, thresh=100)
Fit:      drop as the notebook does; keep the names of the columns that stay
Serve:    those columns, whatever is missing in the row
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom
from nbprod.idioms.learned_values import listed

if TYPE_CHECKING:
    import pandas as pd

IDIOMS = (Idiom("dropna-columns", "dropna_columns", method=True),)


def dropna_columns(
    learned: Any, name: str, frame: pd.DataFrame, *, inplace: bool = False, **options: Any
) -> pd.DataFrame | None:
    """`frame.dropna(axis=1)` with the columns that the training rows kept."""
    kept = learned(name, lambda: listed(frame.dropna(**options).columns))
    if inplace:
        frame.drop(columns=[column for column in frame if column not in kept], inplace=True)
        return None
    return frame.dropna(**options) if learned.fitting else frame[kept]
