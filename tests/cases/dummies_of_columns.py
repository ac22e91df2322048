# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
df["age"] = df["age"].fillna(0)
df = pd.get_dummies(df, columns=["plan", "sex"], drop_first=True)

# %%
X = df.drop(columns=["id", "name", "city", "code", "joined", "note", "phone", "churned", "income", "score", "spend"])
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of dummies_of_columns, extracted from dummies_of_columns.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import get_dummies
from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df["age"] = df["age"].fillna(0)
    df = get_dummies(learned, "df_get_dummies", df, columns=["plan", "sex"], drop_first=True)

    X = df.drop(columns=["id", "name", "city", "code", "joined", "note", "phone", "churned", "income", "score", "spend"])
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of dummies_of_columns sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "plan", "sex", "visits")
