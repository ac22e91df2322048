# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
encoded = pd.get_dummies(df["city"], prefix="city")
df = pd.concat([df, encoded], axis=1)
df = df.drop(["city"], axis=1)

# %%
X = df.drop(["id", "name", "sex", "age", "plan", "spend", "income", "score", "code", "joined", "note", "phone", "churned"], axis=1)
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of dummies_side_by_side, extracted from dummies_side_by_side.py.

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

    encoded = get_dummies(learned, "encoded_get_dummies", df["city"], prefix="city")
    df = pd.concat([df, encoded], axis=1)
    df = df.drop(["city"], axis=1)

    X = df.drop(["id", "name", "sex", "age", "plan", "spend", "income", "score", "code", "joined", "note", "phone", "churned"], axis=1)
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of dummies_side_by_side sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("city", "visits")
