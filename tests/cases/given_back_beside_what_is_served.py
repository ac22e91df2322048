# data: customers.csv
# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
customers = pd.read_csv("data.csv")

# %%
def parts(df):
    X = df[["visits", "income", "score", "churned"]]
    unknown = X[X["score"].isnull()]
    X = X.dropna(subset=["score"])
    y = X["churned"]
    X = X.drop(columns="churned")
    unknown = unknown.drop(columns="churned")
    names = list(X.columns)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
    return X_train.fillna(0), X_test.fillna(0), y_train, y_test, unknown, names

# %%
X_train, X_test, y_train, y_test, unknown, names = parts(customers)
model = RandomForestClassifier(5, random_state=0).fit(X_train, y_train)
print(model.score(X_test, y_test), len(unknown), names)

# output
"""Features of given_back_beside_what_is_served, extracted from given_back_beside_what_is_served.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split

from .runtime.learned import Learned, LearnedTransformer



def parts(df, learned):
    X = df[["visits", "income", "score", "churned"]]
    if learned.fitting:
        X = X.dropna(subset=["score"])
    y = X["churned"]
    X = X.drop(columns="churned")
    if learned.fitting:
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
    else:
        X_train = X
        X_test = X
        y_train = y
        y_test = y
    return X_train.fillna(0), None, y_train, None, None, None


def prepare(customers: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    X_train, X_test, y_train, y_test, unknown, names = parts(customers, learned=learned)

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of given_back_beside_what_is_served sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("income", "score", "visits")
