# data: sales.csv stores.csv
# %%
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
sales = pd.read_csv("data.csv")
stores = pd.read_csv("stores.csv").rename(columns={"store": "number"})

# %%
sales = sales.merge(stores[["number", "region", "area"]], left_on="store", right_on="number")
by_region = sales.groupby("region")["units"].mean().reset_index(name="region_units")
sales = sales.merge(by_region, on="region")
sales = pd.get_dummies(sales, columns=["region"])

# %%
X = sales.drop(columns=["day", "store", "number", "units"]).fillna(-1)
model = RandomForestRegressor(n_estimators=5, random_state=0).fit(X, sales["units"])

# output
"""Features of inner_join_leaves_rows_out_of_training, extracted from inner_join_leaves_rows_out_of_training.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import get_dummies, merge_lookup
from .runtime.learned import Learned, LearnedTransformer


def prepare(sales: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    stores = None

    if learned.fitting:
        stores = pd.read_csv("stores.csv").rename(columns={"store": "number"})

    sales = merge_lookup(learned, "stores", sales, lambda: stores[["number", "region", "area"]], left_on="store", right_on="number")
    by_region = learned("by_region", lambda: sales.groupby("region")["units"].mean().reset_index(name="region_units"))
    sales = sales.merge(by_region, on="region", how="inner" if learned.fitting else "left")
    sales = get_dummies(learned, "sales_get_dummies", sales, columns=["region"])

    X = sales.drop(columns=["day", "store", "number", "units"]).fillna(-1)

    return X, sales["units"]


class Features(LearnedTransformer):
    """What the model of inner_join_leaves_rows_out_of_training sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("units",)
    required = ("customers", "price", "promo", "store")
