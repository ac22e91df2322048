# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
df["age"] = df["age"].fillna(df["age"].median())
df["age_band"] = pd.cut(df["age"], bins=[0, 30, 50, 200], labels=[0, 1, 2]).astype(int)
df["visit_band"] = pd.qcut(df["visits"], 3, labels=False, duplicates="drop")
df["age_quarter"] = pd.cut(df["age"], 4, labels=False)

# %%
X = df[["age_band", "visit_band", "age_quarter"]]
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of bins, extracted from bins.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import cut, qcut
from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df["age"] = df["age"].fillna(learned("age_median", lambda: df["age"].median()))
    df["age_band"] = pd.cut(df["age"], bins=[0, 30, 50, 200], labels=[0, 1, 2]).astype(int)
    df["visit_band"] = qcut(learned, "qcut_visits_drop", df["visits"], 3, labels=False, duplicates="drop")
    df["age_quarter"] = cut(learned, "cut_age", df["age"], 4, labels=False)

    X = df[["age_band", "visit_band", "age_quarter"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of bins sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "visits")
