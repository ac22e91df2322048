# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
df = df.dropna(subset=["spend"])
df = df[df["visits"] > 0].copy()
df.drop_duplicates(inplace=True)
df["age"] = df["age"].fillna(df["age"].mean())

# %%
X = df[["age", "visits", "spend"]]
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of rows_dropped_before_learning, extracted from rows_dropped_before_learning.py.

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

    if learned.fitting:
        df = df.dropna(subset=["spend"])
    df = (df[df["visits"] > 0] if learned.fitting else df).copy()
    if learned.fitting:
        df.drop_duplicates(inplace=True)
    df["age"] = df["age"].fillna(learned("age_mean", lambda: df["age"].mean()))

    X = df[["age", "visits", "spend"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of rows_dropped_before_learning sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "spend", "visits")
