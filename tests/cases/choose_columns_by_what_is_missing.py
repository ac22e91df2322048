# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
y = df["churned"]
X = df.drop(columns=["churned", "id", "name"])
few_gaps = [column for column in X.columns if X[column].isna().mean() < 0.3]
X = X[few_gaps]
words = X.select_dtypes(exclude="number").columns
X = X.drop(columns=words)
skewed = [column for column in X.columns if X[column].skew() > 1]
for column in skewed:
    X[column] = np.log1p(X[column])
X = X.fillna(0)

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of choose_columns_by_what_is_missing, extracted from choose_columns_by_what_is_missing.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    if learned.labelled:
        y = df["churned"]
    X = df.drop(columns=["churned", "id", "name"])
    few_gaps = learned("few_gaps", lambda: [column for column in X.columns if X[column].isna().mean() < 0.3])
    X = X[few_gaps]
    words = learned("words", lambda: X.select_dtypes(exclude="number").columns)
    X = X.drop(columns=words)
    skewed = learned("skewed", lambda: [column for column in X.columns if X[column].skew() > 1])
    for column in skewed:
        X[column] = np.log1p(X[column])
    X = X.fillna(0)

    return X, y


class Features(LearnedTransformer):
    """What the model of choose_columns_by_what_is_missing sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = (
        "age",
        "city",
        "code",
        "income",
        "joined",
        "note",
        "phone",
        "plan",
        "score",
        "sex",
        "spend",
        "visits",
    )
