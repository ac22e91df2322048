# data: parts.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
df["area"] = df["width"] * df["height"]
df["heavier_next"] = np.where(df["mass"].shift(-1) > df["mass"], 1, 0)
df = df[:-1]
df = df.drop(columns=["kind"])

# %%
X = df.iloc[:, :-1].values
y = df.iloc[:, -1].values
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
model = LogisticRegression(max_iter=1000)
model.fit(X_train, y_train)
print(model.score(X_test, y_test))

# output
"""Features of labels_of_rows_around, extracted from labels_of_rows_around.py.

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

    df["area"] = df["width"] * df["height"]
    if learned.fitting:
        df["heavier_next"] = np.where(df["mass"].shift(-1) > df["mass"], 1, 0)
        df = df[:-1]
    else:
        df["heavier_next"] = float("nan")
    df = df.drop(columns=["kind"])

    X = df.iloc[:, :-1].values
    if learned.fitting:
        y = df.iloc[:, -1].values
        X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
    else:
        X_train = X
        y_train = y

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of labels_of_rows_around sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    required = ("depth", "height", "mass", "width")
