"""Bins: edges that are computed from the data are learned.

Notebook: df["band"] = pd.qcut(df["fare"], 4, labels=False)
Fit:      cut the training rows as the notebook does; keep the edges
Serve:    pd.cut at those edges; a value outside of them is missing, as it would be there
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom
from nbprod.idioms.learned_values import listed

if TYPE_CHECKING:
    import pandas as pd

IDIOMS = (Idiom("qcut", "qcut"), Idiom("cut", "cut"))


def qcut(
    learned: Any,
    name: str,
    x: Any,
    q: Any,
    labels: Any = None,
    retbins: bool = False,
    precision: int = 3,
    duplicates: str = "raise",
) -> Any:
    """`pd.qcut` at the quantiles of the training rows."""
    edges = learned(name, lambda: listed(pd.qcut(x, q, labels=False, retbins=True, duplicates=duplicates)[1]))
    if learned.fitting:
        return pd.qcut(x, q, labels, retbins, precision, duplicates)
    return pd.cut(x, edges, labels=labels, retbins=retbins, precision=precision, include_lowest=True)


def cut(
    learned: Any,
    name: str,
    x: Any,
    bins: Any,
    right: bool = True,
    labels: Any = None,
    retbins: bool = False,
    precision: int = 3,
    include_lowest: bool = False,
    duplicates: str = "raise",
    ordered: bool = True,
) -> Any:
    """`pd.cut` into bins whose edges come from the range of the training rows."""
    options: dict[str, Any] = {"right": right, "include_lowest": include_lowest, "duplicates": duplicates}
    edges = learned(name, lambda: listed(pd.cut(x, bins, labels=False, retbins=True, **options)[1]))
    where = bins if learned.fitting else edges
    return pd.cut(x, where, labels=labels, retbins=retbins, precision=precision, ordered=ordered, **options)
