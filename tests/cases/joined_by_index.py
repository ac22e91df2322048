# data: sales.csv stores.csv
# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
sales = pd.read_csv("data.csv")
stores = pd.read_csv("stores.csv").set_index("store")

# %%
sales = sales.join(stores.drop(columns="region"), on="store", rsuffix="_of_store")
sales["area"] = sales["area"].fillna(500)

# %%
model = LinearRegression()
model.fit(sales[["promo", "area"]], sales["units"])

# output
"""Features of joined_by_index, extracted from joined_by_index.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import join_lookup
from .runtime.learned import Learned, LearnedTransformer


def prepare(sales: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    stores = None

    if learned.fitting:
        stores = pd.read_csv("stores.csv").set_index("store")

    sales = join_lookup(learned, "stores", sales, lambda: stores.drop(columns="region"), on="store", rsuffix="_of_store")
    sales["area"] = sales["area"].fillna(500)

    return sales[["promo", "area"]], sales["units"]


class Features(LearnedTransformer):
    """What the model of joined_by_index sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("units",)
    required = ("promo", "store")
