# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
for column in ["age", "spend", "visits"]:
    df[column] = df[column].fillna(df[column].median())  # one each
    print(column, df[column].isna().sum())

# %%
X = df[["age", "spend", "visits"]]
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of fill_in_a_loop, extracted from fill_in_a_loop.py.

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

    for column in ["age", "spend", "visits"]:
        df[column] = df[column].fillna(learned("median", lambda: df[column].median(), key=column))  # one each

    X = df[["age", "spend", "visits"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of fill_in_a_loop sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "spend", "visits")
