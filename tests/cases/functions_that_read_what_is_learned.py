# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")
df["city"] = df["city"].fillna("none")

# %%
counts = df.groupby("city")["city"].agg("count")
rare = counts[counts < 10].index.tolist()

# %%
# Cities with few rows are one.
def kept(city):
    for each in rare:
        if city == each:
            return "other"
    return city

def code(city):
    return len(kept(city)) + offset

offset = 3
df["place"] = df["city"].apply(kept).map({"other": 1.0}).fillna(0.0)
df["length"] = df["city"].apply(lambda city: code(city))

# %%
X = df[["visits", "place", "length"]]
model = LogisticRegression(max_iter=1000)
model.fit(X, df["churned"])

# output
"""Features of functions_that_read_what_is_learned, extracted from functions_that_read_what_is_learned.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .runtime.learned import Learned, LearnedTransformer

offset = 3


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    df["city"] = df["city"].fillna("none")

    counts = learned("counts", lambda: df.groupby("city")["city"].agg("count"))
    rare = counts[counts < 10].index.tolist()

    # Cities with few rows are one.
    def kept(city):
        for each in rare:
            if city == each:
                return "other"
        return city

    def code(city):
        return len(kept(city)) + offset

    df["place"] = df["city"].apply(kept).map({"other": 1.0}).fillna(0.0)
    df["length"] = df["city"].apply(lambda city: code(city))

    X = df[["visits", "place", "length"]]

    return X, df["churned"]


class Features(LearnedTransformer):
    """What the model of functions_that_read_what_is_learned sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("city", "visits")
