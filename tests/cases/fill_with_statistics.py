# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
# ages first
df["age"] = df["age"].fillna(df["age"].median())
df["spend"] = df["spend"].fillna(df["spend"].mean())
df["city"] = df["city"].fillna(df["city"].mode()[0])
df["in_bern"] = (df["city"] == "Bern").astype(int)
df["no_note"] = df["note"].isna().astype(int)

# %%
X = df[["age", "spend", "in_bern", "no_note"]]
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of fill_with_statistics, extracted from fill_with_statistics.py.

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

    # ages first
    df["age"] = df["age"].fillna(learned("age_median", lambda: df["age"].median()))
    df["spend"] = df["spend"].fillna(learned("spend_mean", lambda: df["spend"].mean()))
    df["city"] = df["city"].fillna(learned("city_mode", lambda: df["city"].mode()[0]))
    df["in_bern"] = (df["city"] == "Bern").astype(int)
    df["no_note"] = df["note"].isna().astype(int)

    X = df[["age", "spend", "in_bern", "no_note"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of fill_with_statistics sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "city", "note", "spend")
