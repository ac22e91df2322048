# data: sales.csv stores.csv
# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
sales = pd.read_csv("data.csv")
stores = pd.read_csv("stores.csv")

# %%
# stores without a known distance are as far away as the others
stores["distance"] = stores["distance"].fillna(stores["distance"].median())
stores = stores.rename(columns={"class": "size"})
sales = pd.merge(sales, stores, on="store", how="left")

# %%
sales["area"] = sales["area"].fillna(sales["area"].mean())
sales["distance"] = sales["distance"].fillna(0)
sales["big"] = (sales["size"] == 1).astype(int)
sales["per_area"] = sales["customers"] / sales["area"]
X = sales[["promo", "per_area", "distance", "big"]]
y = sales["units"]
model = LinearRegression().fit(X, y)

# output
"""Features of lookup_in_a_second_file, extracted from lookup_in_a_second_file.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import merge_lookup
from .runtime.learned import Learned, LearnedTransformer


def prepare(sales: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    stores = None
    y = None

    if learned.fitting:
        stores = pd.read_csv("stores.csv")
        # stores without a known distance are as far away as the others
        stores["distance"] = stores["distance"].fillna(stores["distance"].median())
        stores = stores.rename(columns={"class": "size"})
    sales = merge_lookup(learned, "stores", sales, lambda: stores, on="store", how="left")

    sales["area"] = sales["area"].fillna(learned("area_mean", lambda: sales["area"].mean()))
    sales["distance"] = sales["distance"].fillna(0)
    sales["big"] = (sales["size"] == 1).astype(int)
    sales["per_area"] = sales["customers"] / sales["area"]
    X = sales[["promo", "per_area", "distance", "big"]]
    if learned.labelled:
        y = sales["units"]

    return X, y


class Features(LearnedTransformer):
    """What the model of lookup_in_a_second_file sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("units",)
    required = ("customers", "promo", "store")
