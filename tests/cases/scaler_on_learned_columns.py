# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import LabelEncoder, StandardScaler
df = pd.read_csv("data.csv")

# %%
X = df[["age", "visits", "city"]].copy()
X["age"] = X["age"].fillna(X["age"].median())
y = df["churned"]
texts = X.select_dtypes(include=["object", "string"]).columns.tolist()
numbers = X.select_dtypes(include=["int64", "float64"]).columns.tolist()

# %%
for name in texts:
    encoder = LabelEncoder()
    X[name] = encoder.fit_transform(X[name].astype(str))
scaler = StandardScaler()
X[numbers] = scaler.fit_transform(X[numbers])

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of scaler_on_learned_columns, extracted from scaler_on_learned_columns.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.preprocessing import LabelEncoder, StandardScaler

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    X = df[["age", "visits", "city"]].copy()
    X["age"] = X["age"].fillna(learned("age_median", lambda: X["age"].median()))
    if learned.labelled:
        y = df["churned"]
    texts = learned("texts", lambda: X.select_dtypes(include=["object", "string"]).columns.tolist())
    numbers = learned("numbers", lambda: X.select_dtypes(include=["int64", "float64"]).columns.tolist())

    for name in texts:
        encoder = LabelEncoder()
        X[name] = learned.fit_transform("encoder", encoder, X[name].astype(str), key=name)
    scaler = StandardScaler()
    X[numbers] = learned.fit_transform("scaler", scaler, X[numbers])

    return X, y


class Features(LearnedTransformer):
    """What the model of scaler_on_learned_columns sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "city", "visits")
