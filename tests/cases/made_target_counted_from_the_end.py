# data: homes.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")
df = df[["Area", "Rooms", "Zone", "Price"]]

# %%
df["dear"] = (df["Price"] > 300000).astype(int)
df = df.drop("Price", axis=1)
df["Zone"] = df["Zone"].astype("category").cat.codes
table = df.values

# %%
X, y = table[:, :-1], table[:, -1]
model = LogisticRegression(max_iter=1000)
model.fit(X, y)

# output
"""Features of made_target_counted_from_the_end, extracted from made_target_counted_from_the_end.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import category_codes
from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    df = df[["Area", "Rooms", "Zone", "Price"]]

    df["dear"] = (df["Price"] > 300000).astype(int)
    df = df.drop("Price", axis=1)
    df["Zone"] = category_codes(learned, "Zone_astype_category", df["Zone"].astype("category"))
    table = df.values

    X, y = table[:, :-1], table[:, -1]

    return X, y


class Features(LearnedTransformer):
    """What the model of made_target_counted_from_the_end sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("Price",)
    required = ("Area", "Rooms", "Zone")
