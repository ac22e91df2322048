# data: customers.csv customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
first = pd.read_csv("data.csv")
second = pd.read_csv("customers.csv")

# %%
first["shop"] = 0
second["shop"] = 1
df = pd.concat([first, second], ignore_index=True)

# %%
df["spend"] = df["spend"].fillna(df["spend"].mean())
X = df[["visits", "spend", "shop"]]
y = df["churned"]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
model = LogisticRegression(max_iter=500).fit(X_train, y_train)

# %%
print(model.predict(X_test))

# output
"""Features of files_put_together_as_raw_rows, extracted from files_put_together_as_raw_rows.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df["spend"] = df["spend"].fillna(learned("spend_mean", lambda: df["spend"].mean()))
    X = df[["visits", "spend", "shop"]]
    if learned.labelled:
        y = df["churned"]
    if learned.fitting:
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    else:
        X_train = X
        y_train = y

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of files_put_together_as_raw_rows sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("shop", "spend", "visits")
