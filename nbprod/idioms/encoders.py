"""One encoder for each column by `apply`: the encoder of each column is learned.

Notebook: df[cols] = df[cols].apply(LabelEncoder().fit_transform)
Fit:      fit a copy of the encoder on each column; keep them all, where the notebook's own object keeps the last
Serve:    each column through its own encoder
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom

if TYPE_CHECKING:
    import pandas as pd

IDIOMS = (Idiom("apply-fit_transform", "apply_fit_transform", method=True),)


def apply_fit_transform(learned: Any, name: str, frame: pd.DataFrame, func: Any) -> pd.DataFrame:
    """`frame.apply(encoder.fit_transform)` with an encoder for each column."""
    encoder = func.__self__
    made = {}
    for column in frame:
        one = type(encoder)(**encoder.get_params())
        made[column] = learned.fit_transform(name, one, frame[column], key=column)
    dtypes = learned(name, lambda: {column: str(values.dtype) for column, values in made.items()})
    return pd.DataFrame({column: made[column].astype(dtypes[column]) for column in frame}, index=frame.index)
