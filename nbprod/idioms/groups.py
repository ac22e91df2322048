"""A statistic of each row's group: the statistic by group is learned.

Notebook: df["mean_fare"] = df.groupby("port")["fare"].transform("mean")
Fit:      compute as the notebook does; keep the statistic of each group
Serve:    look it up by the row's group; missing for a group that training did not see
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbprod.idiom import Idiom

if TYPE_CHECKING:
    import pandas as pd

IDIOMS = (Idiom("groupby-transform", "group_statistic", method=True),)


def group_statistic(learned: Any, name: str, grouped: Any, statistic: Any, *args: Any, **options: Any) -> pd.Series:
    """`grouped.transform(statistic)` with the statistics of the training rows."""
    rows = grouped.obj
    keys = list(grouped.grouper.names if hasattr(grouped, "grouper") else grouped._grouper.names)
    by_group = learned(name, lambda: grouped.agg(statistic, *args, **options))
    if isinstance(by_group, pd.DataFrame):
        raise TypeError("a statistic of one column can be looked up by group, not of several at once")
    frame = grouped._selected_obj if rows is None else rows
    source = grouped._obj_with_exclusions if frame is None else frame
    values = source if isinstance(source, pd.DataFrame) else grouped.obj
    if len(keys) == 1:
        return values[keys[0]].map(by_group)
    wanted = pd.MultiIndex.from_frame(values[keys])
    return pd.Series(by_group.reindex(wanted).to_numpy(), index=values.index)
