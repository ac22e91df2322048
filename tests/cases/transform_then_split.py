# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
df["age"] = df["age"].fillna(df["age"].mean())
df["spend"] = np.log1p(df["spend"].fillna(0))
junk = df["visits"] ** 2
df["unused"] = junk

# %%
X = df[["age", "spend"]]
y = df["churned"]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)

# %%
model = LogisticRegression()
model.fit(X_train, y_train)
predicted = model.predict(X_test)

# output
"""Features of transform_then_split, extracted from transform_then_split.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df["age"] = df["age"].fillna(learned("age_mean", lambda: df["age"].mean()))
    df["spend"] = np.log1p(df["spend"].fillna(0))

    X = df[["age", "spend"]]
    if learned.labelled:
        y = df["churned"]
    if learned.fitting:
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)
    else:
        X_train = X
        y_train = y

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of transform_then_split sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "spend")
