# data: sales.csv deliveries.csv
# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
sales = pd.read_csv("data.csv")
deliveries = pd.read_csv("deliveries.csv")

# %%
late = deliveries.groupby("store")["late"].agg(["mean", "max"])
late.columns = ["late_mean", "late_max"]
sales = sales.merge(late.reset_index(), on="store", how="left")
fresh = deliveries[deliveries["kind"] == "fresh"].groupby("store").agg(fresh=("pallets", "sum"))
sales = sales.join(fresh, on="store")
sales[["late_mean", "late_max", "fresh"]] = sales[["late_mean", "late_max", "fresh"]].fillna(0)

# %%
X = sales[["promo", "late_mean", "late_max", "fresh"]]
y = sales["units"]
model = LinearRegression()
model.fit(X, y)

# output
"""Features of lookup_of_counts_by_key, extracted from lookup_of_counts_by_key.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import join_lookup, merge_lookup
from .runtime.learned import Learned, LearnedTransformer


def prepare(sales: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    deliveries = None
    y = None

    if learned.fitting:
        deliveries = pd.read_csv("deliveries.csv")

    late = learned("late", lambda: deliveries.groupby("store")["late"].agg(["mean", "max"]))
    late.columns = ["late_mean", "late_max"]
    sales = merge_lookup(learned, "late", sales, late.reset_index(), on="store", how="left")
    fresh = learned("fresh", lambda: deliveries[deliveries["kind"] == "fresh"].groupby("store").agg(fresh=("pallets", "sum")))
    sales = join_lookup(learned, "fresh", sales, fresh, on="store")
    sales[["late_mean", "late_max", "fresh"]] = sales[["late_mean", "late_max", "fresh"]].fillna(0)

    X = sales[["promo", "late_mean", "late_max", "fresh"]]
    if learned.labelled:
        y = sales["units"]

    return X, y


class Features(LearnedTransformer):
    """What the model of lookup_of_counts_by_key sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("units",)
    required = ("promo", "store")
