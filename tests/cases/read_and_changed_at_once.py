# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

# %%
df = pd.read_csv("data.csv")[["age", "visits", "churned"]].rename(columns={"age": "years"})
df["years"] = df["years"].fillna(df["years"].mean())

# %%
X_train, X_test, y_train, y_test = train_test_split(df[["years", "visits"]], df["churned"], random_state=1)
model = LogisticRegression().fit(X_train, y_train)
model.score(X_test, y_test)

# output
"""Features of read_and_changed_at_once, extracted from read_and_changed_at_once.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split

from .runtime.learned import Learned, LearnedTransformer


def prepare(rows: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    df = rows[["age", "visits", "churned"]].rename(columns={"age": "years"})
    df["years"] = df["years"].fillna(learned("years_mean", lambda: df["years"].mean()))

    if learned.fitting:
        X_train, X_test, y_train, y_test = train_test_split(df[["years", "visits"]], df["churned"], random_state=1)
    else:
        X_train = df[["years", "visits"]]
        y_train = df["churned"]

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of read_and_changed_at_once sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "visits")
