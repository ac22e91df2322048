# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
df = pd.read_csv("data.csv")

# %%
df["age"] = df["age"].fillna(df["age"].median())
numbers = ["age", "visits"]
scaler = StandardScaler()
df[numbers] = scaler.fit_transform(df[numbers])

# %%
X = df[["age", "visits"]]
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of scaler_on_some_columns, extracted from scaler_on_some_columns.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.preprocessing import StandardScaler

from .runtime.learned import Learned, LearnedTransformer

numbers = ["age", "visits"]


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df["age"] = df["age"].fillna(learned("age_median", lambda: df["age"].median()))
    scaler = StandardScaler()
    df[numbers] = learned.fit_transform("scaler", scaler, df[numbers])

    X = df[["age", "visits"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of scaler_on_some_columns sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "visits")
