# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
df["title"] = df["name"].str.extract(r", (\w+)\.", expand=False)
df["is_mrs"] = (df["title"] == "Mrs").astype(int)
df["name_length"] = df["name"].str.len()
df["joined"] = pd.to_datetime(df["joined"])
df["month"] = df["joined"].dt.month
df["days"] = (df["joined"].max() - df["joined"]).dt.days

# %%
X = df[["is_mrs", "name_length", "month", "days"]]
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of text_and_dates, extracted from text_and_dates.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import to_datetime
from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df["title"] = df["name"].str.extract(r", (\w+)\.", expand=False)
    df["is_mrs"] = (df["title"] == "Mrs").astype(int)
    df["name_length"] = df["name"].str.len()
    df["joined"] = to_datetime(learned, "to_datetime_joined", df["joined"])
    df["month"] = df["joined"].dt.month
    df["days"] = (learned("joined_max", lambda: df["joined"].max()) - df["joined"]).dt.days

    X = df[["is_mrs", "name_length", "month", "days"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of text_and_dates sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("joined", "name")
