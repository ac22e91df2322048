# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder
df = pd.read_csv("data.csv")

# %%
numbers = ["age", "visits"]
words = ["plan", "sex"]
prepare = ColumnTransformer([
    ("numbers", SimpleImputer(strategy="median"), numbers),
    ("words", OneHotEncoder(handle_unknown="ignore"), words),
])
X = df[numbers + words]
y = df["churned"]

# %%
model = Pipeline([("prepare", prepare), ("classify", LogisticRegression(max_iter=500))])
model.fit(X, y)

# output
"""Features of pipeline_as_the_model, extracted from pipeline_as_the_model.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .runtime.learned import Learned, LearnedTransformer

numbers = ["age", "visits"]
words = ["plan", "sex"]


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    X = df[numbers + words]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of pipeline_as_the_model sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "plan", "sex", "visits")
