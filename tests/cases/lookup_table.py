# data: homes.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
df = pd.read_csv("data.csv")

# %%
prices = df.groupby("Zone")["LotArea"].mean()
df["zone_lot"] = df["Zone"].map(prices)
table = df.groupby("Heating").agg(rooms_mean=("Rooms", "mean")).reset_index()
df = df.merge(table, on="Heating", how="left")
df = df.assign(rooms_more=df["Rooms"] - df["rooms_mean"])
df["zone_lot"] = df["zone_lot"].fillna(0)
df["rooms_more"] = df["rooms_more"].fillna(0)

# %%
X = df[["zone_lot", "rooms_more"]]
y = df["Price"]

# %%
model = LinearRegression()
model.fit(X, y)

# output
"""Features of lookup_table, extracted from lookup_table.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    prices = learned("prices", lambda: df.groupby("Zone")["LotArea"].mean())
    df["zone_lot"] = df["Zone"].map(prices)
    table = learned("table", lambda: df.groupby("Heating").agg(rooms_mean=("Rooms", "mean")).reset_index())
    df = df.merge(table, on="Heating", how="left")
    df = df.assign(rooms_more=df["Rooms"] - df["rooms_mean"])
    df["zone_lot"] = df["zone_lot"].fillna(0)
    df["rooms_more"] = df["rooms_more"].fillna(0)

    X = df[["zone_lot", "rooms_more"]]
    if learned.labelled:
        y = df["Price"]

    return X, y


class Features(LearnedTransformer):
    """What the model of lookup_table sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("Price",)
    required = ("Heating", "Rooms", "Zone")
