"""Flags for rows that occur more than once: what occurs more than once in training is learned.

Notebook: df["shared"] = df.duplicated("ticket", keep=False)
Fit:      flag as the notebook does; keep the values that occur more than once
Serve:    whether the row's value is among them

With keep="first" or "last" equal rows get different flags by their place in the table. A single row has no place, so
that form serves no row; it works where the notebook only drops rows with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom
from nbprod.idioms.learned_values import hashable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

IDIOMS = (Idiom("duplicated", "duplicated", method=True),)


def duplicated(learned: Any, name: str, x: Any, *args: Any, **options: Any) -> Any:
    """`x.duplicated(keep=False)`: whether the value or row occurs more than once among the training rows."""
    names = ("keep",) if not isinstance(x, pd.DataFrame) else ("subset", "keep")
    options.update((names[place], value) for place, value in enumerate(args))
    compared = x
    if isinstance(x, pd.DataFrame) and options.get("subset") is not None:
        subset = options["subset"]
        compared = x[[subset] if isinstance(subset, str) else list(subset)]
    flags = x.duplicated(**options)
    if options.get("keep", "first") is not False:
        learned(name, lambda: None)
        if learned.fitting:
            return flags
        raise TypeError("duplicated() flags a row by its place among equal rows: use keep=False")
    rows = compared.itertuples(index=False, name=None) if isinstance(compared, pd.DataFrame) else compared
    keys = [hashable(row) for row in rows]
    flagged = np.flatnonzero(flags)
    repeated = learned(name, lambda: list(dict.fromkeys(keys[place] for place in flagged)))
    if learned.fitting:
        return flags
    found = set(repeated)
    made = np.array([key in found for key in keys], dtype=bool)
    return pd.Series(made, index=x.index) if hasattr(x, "to_frame") or isinstance(x, pd.DataFrame) else made
