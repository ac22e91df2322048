"""A statistic of each row's group, or a value worked out with it: the statistics by group are learned.

Notebook: df["mean_fare"] = df.groupby("port")["fare"].transform("mean")
          df["age"] = df.groupby("class")["age"].transform(lambda x: x.fillna(x.median()))
Fit:      transform as the notebook does; keep the statistics of each group
Serve:    look them up by the row's group; a group that training did not see has none, so that they are missing
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom
from nbprod.idioms.learned_values import hashable, series_of
from nbprod.idioms.statistics import with_statistics

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

IDIOMS = (Idiom("groupby-transform", "group_transform", method=True),)


def group_transform(learned: Any, name: str, grouped: Any, func: Any, *args: Any, **options: Any) -> Any:
    """`grouped.transform(func)` with the statistics of the groups of the training rows."""
    rows = grouped.obj
    groups = {hashable(key): places for key, places in grouped.indices.items()}

    def work(values: pd.Series) -> Any:
        return func(values, *args, **{key: value for key, value in options.items() if not key.startswith("engine")})

    def tables() -> dict[str, Any]:
        made = grouped.transform(func, *args, **options)
        if isinstance(made, pd.Series):
            return group_table(func, work, groups, rows, made)
        if not made.columns.is_unique:
            raise TypeError(f"groupby().transform gives two columns of one name: {made.columns.tolist()}")
        return {"columns": {column: group_table(func, work, groups, rows[column], made[column]) for column in made}}

    learnt = learned(name, tables)
    if learned.fitting:
        return grouped.transform(func, *args, **options)
    if "columns" not in learnt:
        return by_group(work, groups, rows, learnt).rename(rows.name if isinstance(rows, pd.Series) else None)
    made = {column: by_group(work, groups, rows[column], table) for column, table in learnt["columns"].items()}
    return pd.DataFrame(made, index=rows.index, columns=list(made))


def group_table(func: Any, work: Any, groups: dict[Any, Any], rows: Any, made: pd.Series) -> dict[str, Any]:
    """What `func` makes of a group: one value for all its rows, or else the statistics that it asks the group for."""
    by_order = ("rank", "ngroup", "cumcount", "cumsum", "cumprod", "cummax", "cummin")
    by_neighbour = ("shift", "diff", "pct_change", "ffill", "bfill", "fillna")
    statistics: dict[Any, list[Any]] = {key: [] for key in groups}
    one_value = not (isinstance(func, str) and func in (*by_order, *by_neighbour))
    if callable(func):
        results = [with_statistics(work, rows.iloc[at].rename(key), statistics[key]) for key, at in groups.items()]
        one_value = all(np.ndim(result) == 0 for result in results)
    if one_value:
        values = made.tolist()
        table = {"values": {key: values[places[0]] for key, places in groups.items()}, "dtype": made.dtype}
        if by_group(work, groups, made, table).equals(made.rename(None)):
            return table
    elif callable(func):
        table = {"statistics": statistics, "dtype": made.dtype}
        present = rows.notna().to_numpy()
        alone = [{key: at[present[at] == flag][:1] for key, at in groups.items()} for flag in (True, False)]
        parts = [groups, *alone, {key: at[-1:] for key, at in groups.items()}]
        if all(same_rows(by_group(work, part, rows, table), made, part) for part in parts):
            return table
    raise TypeError(
        f"groupby().transform({repr(func) if isinstance(func, str) else ''}) needs the other rows of the group, "
        "and a row that is served comes alone: use statistics of the group, such as x.mean()"
    )


def by_group(work: Any, groups: dict[Any, Any], rows: Any, table: dict[str, Any]) -> pd.Series:
    """Each row's value by the table of its group; missing where the table doesn't have the group."""
    nothing = float("nan")
    made = np.full(len(rows), nothing, dtype=object)
    for key, places in groups.items():
        if "values" in table:
            made[places] = table["values"].get(key, nothing)
        elif len(places):
            values, statistics = rows.iloc[places].rename(key), table["statistics"].get(key)
            if statistics is not None:
                result = with_statistics(work, values, statistics, replay=True)
            else:
                known: list[Any] = next(iter(table["statistics"].values()), [])
                absent = [pd.Series([nothing]) if isinstance(one, pd.Series) else nothing for one in known]
                try:
                    result = with_statistics(work, values, absent, replay=True)
                except (KeyError, IndexError, TypeError, ValueError):
                    result = nothing
            made[places] = np.asarray(result, dtype=object)
    return series_of(made, table["dtype"], rows.index)


def same_rows(made: pd.Series, expected: pd.Series, groups: dict[Any, Any]) -> bool:
    """Whether two series are equal at the places of these groups."""
    places = [place for part in groups.values() for place in part]
    made, expected = made.iloc[places].astype(object), expected.iloc[places].astype(object)
    return bool(made.equals(expected.rename(None)))
