# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
SCALE = True
df = pd.read_csv("data.csv")
df["spend"] = df["spend"].fillna(df["spend"].mean())

# %%
def evaluate(X, y):
    for seed in (1, 2):
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
        model = LogisticRegression(max_iter=500)
        model.fit(X_train, y_train)
        print(model.score(X_test, y_test))
    return model

# %%
if __name__ == "__main__":
    X = df[["visits", "spend"]]
    y = df["churned"]
    if SCALE:
        scaler = StandardScaler()
        X_scaled = pd.DataFrame(scaler.fit_transform(X), columns=X.columns)
        model = evaluate(X_scaled, y)

# output
"""Features of trained_under_a_setting, extracted from trained_under_a_setting.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from .runtime.learned import Learned, LearnedTransformer

SCALE = True


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    df["spend"] = df["spend"].fillna(learned("spend_mean", lambda: df["spend"].mean()))

    if True:
        X = df[["visits", "spend"]]
        y = df["churned"]
        if SCALE:
            scaler = StandardScaler()
            X_scaled = pd.DataFrame(learned.fit_transform("scaler", scaler, X), columns=learned("X_columns", lambda: X.columns))
    X = X_scaled

    for seed in (1, 2):
        if learned.fitting:
            X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
        else:
            X_train = X
            X_test = X
            y_train = y
            y_test = y

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of trained_under_a_setting sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("spend", "visits")
