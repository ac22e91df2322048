# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def prepared(path, columns):
    df = pd.read_csv(path)
    df["age"] = df["age"].fillna(df["age"].median())
    X, y = df[columns], df["churned"]
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    scaler = StandardScaler()
    X_train = scaler.fit_transform(X_train)
    X_test = scaler.transform(X_test)
    return X_train, X_test, y_train, y_test, scaler


# %%
X_train, X_test, y_train, y_test, scaler = prepared("data.csv", ["age", "spend"])

# %%
model = LogisticRegression()
model.fit(X_train, y_train)
print(np.mean(model.predict(X_test) == y_test))

# output
"""Features of one_function_prepares_both_sides, extracted from one_function_prepares_both_sides.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from .runtime.learned import Learned, LearnedTransformer



def prepared(path, columns, learned):
    df = learned.rows
    df["age"] = df["age"].fillna(learned("age_median", lambda: df["age"].median()))
    X, y = df[columns], df["churned"]
    if learned.fitting:
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    else:
        X_train = X
        X_test = X
        y_train = y
        y_test = y
    scaler = StandardScaler()
    X_train = learned.fit_transform("scaler", scaler, X_train)
    return X_train, None, y_train, None, scaler


def prepare(rows: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    X_train, X_test, y_train, y_test, scaler = prepared("data.csv", ["age", "spend"], learned=learned)

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of one_function_prepares_both_sides sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "spend")
