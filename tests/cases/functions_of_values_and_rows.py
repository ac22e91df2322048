# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
LIMIT = 5

def often(visits):
    return int(visits > LIMIT)

def kind(row):
    if row["plan"] == "pro" and row["visits"] > 2:
        return 2
    return 1

df["often"] = df["visits"].apply(often)
df["kind"] = df.apply(kind, axis=1)
df["half"] = df["visits"].apply(lambda v: v / 2)

# %%
X = df[["often", "kind", "half"]]
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of functions_of_values_and_rows, extracted from functions_of_values_and_rows.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .runtime.learned import Learned, LearnedTransformer

LIMIT = 5


def often(visits):
    return int(visits > LIMIT)


def kind(row):
    if row["plan"] == "pro" and row["visits"] > 2:
        return 2
    return 1


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df["often"] = df["visits"].apply(often)
    df["kind"] = df.apply(kind, axis=1)
    df["half"] = df["visits"].apply(lambda v: v / 2)

    X = df[["often", "kind", "half"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of functions_of_values_and_rows sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("plan", "visits")
