# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
df = pd.read_csv("data.csv")
df["spend"] = df["spend"].fillna(df["spend"].mean())

# %%
y = df["churned"]
for columns in [["visits"], ["visits", "spend"]]:
    X = df[columns]
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    model = DecisionTreeClassifier(max_depth=len(columns), random_state=0)
    model.fit(X_train, y_train)
    print(columns, model.score(X_test, y_test))

# output
"""Features of trained_with_the_columns_of_the_last_round, extracted from trained_with_the_columns_of_the_last_round.py.

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

    if learned.labelled:
        y = df["churned"]
    for columns in [["visits"], ["visits", "spend"]]:
        X = df[columns]
        if learned.fitting:
            X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
        else:
            X_train = X
            X_test = X
            y_train = y
            y_test = y

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of trained_with_the_columns_of_the_last_round sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("spend", "visits")
