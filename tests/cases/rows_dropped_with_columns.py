# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")

# %%
df = df.drop(index=df[df["age"] > 60].index, columns=["city"])
df.drop(columns="plan", index=df[df["visits"].isin([0])].index, inplace=True)
df["age"] = df["age"].fillna(df["age"].mean())
X = df[["age", "visits"]]
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of rows_dropped_with_columns, extracted from rows_dropped_with_columns.py.

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

    df = df.drop(index=(df[df["age"] > 60].index if learned.fitting else []), columns=["city"])
    df.drop(columns="plan", index=(df[df["visits"].isin([0])].index if learned.fitting else []), inplace=True)
    df["age"] = df["age"].fillna(learned("age_mean", lambda: df["age"].mean()))
    X = df[["age", "visits"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of rows_dropped_with_columns sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "visits")
