# data: sales.csv stores.csv
# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
sales = pd.read_csv("data.csv")
stores = pd.read_csv("stores.csv")

# %%
df = pd.merge(stores[["store", "class", "area"]], sales[["store", "promo", "customers", "units"]])
df["dense"] = df["customers"] / df["area"].fillna(400)

# %%
X = df[["promo", "dense", "class"]].fillna(0)
model = LinearRegression().fit(X, df["units"])

# output
"""Features of rows_on_the_right_of_a_join, extracted from rows_on_the_right_of_a_join.py.

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

    if learned.fitting:
        stores = pd.read_csv("stores.csv")

    df = merge_lookup(learned, "stores", sales[["store", "promo", "customers", "units"]], lambda: stores[["store", "class", "area"]], first=True)
    df["dense"] = df["customers"] / df["area"].fillna(400)

    X = df[["promo", "dense", "class"]].fillna(0)

    return X, df["units"]


class Features(LearnedTransformer):
    """What the model of rows_on_the_right_of_a_join sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("units",)
    required = ("customers", "promo", "store")
