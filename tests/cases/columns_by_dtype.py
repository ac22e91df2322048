# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
y = df["churned"]
X = df.drop(columns=["churned", "id"])
numeric = X.select_dtypes(include="number").columns
X = X[numeric]
X = X.fillna(X.median())

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of columns_by_dtype, extracted from columns_by_dtype.py.

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

    if learned.labelled:
        y = df["churned"]
    X = df.drop(columns=["churned", "id"])
    numeric = learned("numeric", lambda: X.select_dtypes(include="number").columns)
    X = X[numeric]
    X = X.fillna(learned("X_median", lambda: X.median()))

    return X, y


class Features(LearnedTransformer):
    """What the model of columns_by_dtype sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = (
        "age",
        "city",
        "code",
        "income",
        "joined",
        "name",
        "note",
        "phone",
        "plan",
        "score",
        "sex",
        "spend",
        "visits",
    )
