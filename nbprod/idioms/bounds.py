"""Winsorizing: the values at which the tails are cut are learned.

Notebook: df["fare"] = stats.mstats.winsorize(df["fare"], limits=[0.05, 0.05])
Fit:      winsorize as the notebook does; keep the least and greatest value that remain
Serve:    clip each value to these
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom

if TYPE_CHECKING:
    import numpy as np

IDIOMS = (Idiom("winsorize", "winsorize"),)


def winsorize(learned: Any, name: str, a: Any, *args: Any, **options: Any) -> Any:
    """`scipy.stats.mstats.winsorize` at the bounds of the training rows."""
    from scipy.stats import mstats

    def bounds() -> list[float]:
        made = np.asarray(mstats.winsorize(a, *args, **options))
        low, high = np.nanmin(made).item(), np.nanmax(made).item()
        if not np.array_equal(np.clip(np.asarray(a), low, high), made, equal_nan=made.dtype.kind == "f"):
            raise TypeError("winsorize does more here than clip at two values, which is all that one row can have")
        return [low, high]

    low, high = learned(name, bounds)
    if learned.fitting:
        return mstats.winsorize(a, *args, **options)
    return np.ma.array(np.clip(np.asarray(a), low, high))
