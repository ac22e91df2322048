"""Ranks: which rank each value has among the training rows is learned.

Notebook: df["fare_rank"] = df["fare"].rank(pct=True)
Fit:      rank the training rows as the notebook does; keep each value with its rank
Serve:    look the rank up; a value that training did not see gets the middle between the ranks of its neighbours, one
          below or above all others the rank of the nearest
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom
from nbprod.idioms.learned_values import series_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

IDIOMS = (Idiom("rank", "rank", method=True), Idiom("rankdata", "rankdata"))


def rank(learned: Any, name: str, x: Any, axis: Any = 0, **options: Any) -> Any:
    """`x.rank` among the training rows, for a series or each column of a frame."""
    if axis in (1, "columns"):
        return x.rank(axis=axis, **options)

    def tables() -> Any:
        ranks = x.rank(axis=axis, **options)
        if isinstance(x, pd.Series):
            return ranks_by_value(x, ranks)
        return {column: ranks_by_value(x[column], ranks[column]) for column in ranks}

    learnt = learned(name, tables)
    if learned.fitting:
        return x.rank(axis=axis, **options)
    if isinstance(x, pd.Series):
        return looked_up_rank(x, learnt)
    return pd.DataFrame({column: looked_up_rank(x[column], table) for column, table in learnt.items()}, index=x.index)


def rankdata(learned: Any, name: str, a: Any, method: str = "average", **options: Any) -> Any:
    """`scipy.stats.rankdata` among the training rows, for one column."""
    from scipy import stats

    values = pd.Series(np.asarray(a))
    table = learned(name, lambda: ranks_by_value(values, pd.Series(stats.rankdata(a, method, **options))))
    if learned.fitting:
        return stats.rankdata(a, method, **options)
    return looked_up_rank(values, table).to_numpy()


def ranks_by_value(values: pd.Series, ranks: pd.Series) -> dict[str, Any]:
    """The distinct values in order, the rank of each, and the rank of what is missing."""
    missing = values.isna()
    known = pd.DataFrame({"value": values[~missing], "rank": ranks[~missing]}).drop_duplicates().sort_values("value")
    if known["value"].duplicated().any():
        raise TypeError("rank(method='first') gives equal values different ranks by their order, which one row has not")
    rank_of_missing = ranks[missing].unique()
    if len(rank_of_missing) > 1:
        raise TypeError("missing values have different ranks by their order, which one row has not")
    return {
        "values": known["value"].to_numpy(),
        "ranks": known["rank"].to_numpy(),
        "missing": rank_of_missing.tolist()[0] if len(rank_of_missing) else float("nan"),
        "dtype": ranks.dtype,
    }


def looked_up_rank(values: pd.Series, table: dict[str, Any]) -> pd.Series:
    """The rank of each value in such a table."""
    known, ranks = table["values"], table["ranks"]
    missing = values.isna().to_numpy()
    made = np.full(len(values), table["missing"], dtype=object)
    if len(known):
        asked = values[~missing].to_numpy()
        left, right = (np.searchsorted(known, asked, side) for side in ("left", "right"))
        below, above = ranks[np.maximum(left - 1, 0)], ranks[np.minimum(left, len(ranks) - 1)]
        between = np.where(left == 0, above, np.where(left == len(known), below, (below + above) / 2))
        made[~missing] = np.where(right > left, above, between)
    return series_of(made, table["dtype"], values.index, values.name)
