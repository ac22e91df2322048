"""Running an author's function on rows with statistics of other rows, which the function asks its argument for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def with_statistics(function: Any, values: pd.Series, statistics: list[Any], replay: bool = False) -> Any:
    """`function(values)`; the statistics it asks `values` for are appended to the list, or in replay taken from it.

    In replay a statistic that the list does not have is missing.
    """
    taken = iter(list(statistics))
    inside: list[str] = []

    def statistic(reduction: str) -> Any:
        plain = getattr(pd.Series, reduction)

        def asked(self: Any, *args: Any, **options: Any) -> Any:
            if inside:
                return plain(self, *args, **options)
            if replay:
                return next(taken, float("nan"))
            inside.append(reduction)
            try:
                value = plain(self, *args, **options)
            finally:
                inside.pop()
            value = pd.Series(value) if isinstance(value, pd.Series) else value
            statistics.append(value.item() if isinstance(value, np.generic) else value)
            return value

        return asked

    def chosen(selection: str) -> Any:
        plain = getattr(pd.Series, selection)
        return lambda self, *args, **options: asking(plain(self, *args, **options))

    def of_results(_: Any) -> Any:
        return pd.Series

    reductions = (
        "mean", "median", "mode", "min", "max", "sum", "std", "var", "sem", "skew", "kurt", "prod", "quantile",
        "count", "nunique", "unique", "value_counts", "any", "all", "idxmin", "idxmax", "describe", "agg",
    )  # fmt: skip
    overridden = {one: statistic(one) for one in reductions}
    overridden.update((one, chosen(one)) for one in ("dropna", "isna", "isnull", "notna", "notnull"))
    asking = type("Series", (pd.Series,), {**overridden, "_constructor": property(of_results)})
    return function(asking(values))
