# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
SCALE = True
df["age"] = df["age"].fillna(df["age"].median())
if SCALE:
    df["age"] = df["age"] / 100
else:
    df["age"] = df["age"] - 50
if df["spend"].isna().any():
    df["spend"] = df["spend"].fillna(df["spend"].mean())
try:
    df["visits"] = df["visits"].astype(float)
except ValueError:
    print("visits are no numbers")

# %%
X = df[["age", "spend", "visits"]]
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of branches, extracted from branches.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .runtime.learned import Learned, LearnedTransformer

SCALE = True


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df["age"] = df["age"].fillna(learned("age_median", lambda: df["age"].median()))
    if SCALE:
        df["age"] = df["age"] / 100
    if learned("spend_isna_any", lambda: df["spend"].isna().any()):
        df["spend"] = df["spend"].fillna(learned("spend_mean", lambda: df["spend"].mean()))
    try:
        df["visits"] = df["visits"].astype(float)
    except ValueError:
        pass

    X = df[["age", "spend", "visits"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of branches sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "spend", "visits")
