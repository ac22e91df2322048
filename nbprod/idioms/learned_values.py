"""What several serving forms do with learned values: keep them readable, and give results the type they had in fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def listed(labels: Any) -> Any:
    """Labels as a plain list where pandas makes the same index of it again, else as they are."""
    plain = labels.tolist()
    again = pd.Index(plain)
    return plain if again.dtype == labels.dtype and again.equals(pd.Index(labels)) else labels


def hashable(value: Any) -> Any:
    """A value as a key that is found again: one form for all that is missing, plain numbers."""
    if isinstance(value, tuple):
        parts = tuple(hashable(part) for part in value)
        return parts[0] if len(parts) == 1 else parts
    if not isinstance(value, str) and pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def series_of(values: Any, dtype: Any, index: Any, name: Any = None) -> pd.Series:
    """Values as a series of this dtype; as float or object where the dtype has no room for what is missing."""
    made = pd.Series(list(values), index=index, dtype=object, name=name)
    if isinstance(dtype, np.dtype) and dtype.kind in "iub" and made.isna().any():
        return made if dtype.kind == "b" else made.astype(float)
    return made.astype(dtype)
