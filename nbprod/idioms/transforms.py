"""A function of whole columns: the statistics that it asks its column for are learned.

Notebook: df["fare"] = df["fare"].transform(lambda x: (x - x.mean()) / x.std())
Fit:      transform as the notebook does; keep the statistics in the order in which the function asks for them
Serve:    run the function on the rows at hand, with those statistics
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom
from nbprod.idioms.statistics import with_statistics

if TYPE_CHECKING:
    import pandas as pd

IDIOMS = (Idiom("transform", "transform", method=True),)


def transform(learned: Any, name: str, x: Any, func: Any, axis: Any = 0, *args: Any, **options: Any) -> Any:
    """`x.transform(func)` with the statistics of the training rows, for a series or each column of a frame."""

    def work(values: pd.Series) -> Any:
        return func(values, *args, **options)

    def statistics() -> Any:
        found: dict[Any, Any] = {}
        for column, values in columns_of(x):
            found[column] = []
            if callable(func):
                with_statistics(work, values, found[column])
        made = x.transform(func, axis, *args, **options)
        for place in range(min(len(x), 3)):
            one = transformed(x.iloc[[place]], func, axis, args, options, found)
            if not one.astype(object).equals(made.iloc[[place]].astype(object)):
                raise TypeError(
                    "transform() needs the other rows for each row, and a row that is served comes alone; "
                    "compute what it needs to know of them in a statement of its own"
                )
        return found

    found = learned(name, statistics)
    if learned.fitting:
        return x.transform(func, axis, *args, **options)
    return transformed(x, func, axis, args, options, found)


def columns_of(x: Any) -> list[tuple[Any, pd.Series]]:
    """A series, or the columns of a frame, with their names."""
    return list(x.items()) if isinstance(x, pd.DataFrame) else [("", x)]


def transformed(x: Any, func: Any, axis: Any, args: Any, options: Any, found: dict[Any, Any]) -> Any:
    """`x.transform(func)` with these statistics by column."""
    if not callable(func) or axis not in (0, "index"):
        return x.transform(func, axis, *args, **options)

    def work(values: pd.Series) -> Any:
        return func(values, *args, **options)

    made = {column: with_statistics(work, values, found[column], replay=True) for column, values in columns_of(x)}
    return pd.DataFrame(made, index=x.index, columns=x.columns) if isinstance(x, pd.DataFrame) else made[""]
