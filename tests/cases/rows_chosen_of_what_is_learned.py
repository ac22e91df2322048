# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")[["plan", "visits", "spend", "churned"]]

# %%
df = pd.get_dummies(df, columns=["plan"]).dropna()
X, y = df.fillna(df.median())[df["visits"] > 2].drop(columns="churned"), df[df["visits"] > 2]["churned"]
model = LogisticRegression(max_iter=500).fit(X, y)

# output
"""Features of rows_chosen_of_what_is_learned, extracted from rows_chosen_of_what_is_learned.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import get_dummies
from .runtime.learned import Learned, LearnedTransformer


def prepare(rows: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    df = rows[["plan", "visits", "spend", "churned"]]

    if learned.fitting:
        df = get_dummies(learned, "get_dummies_plan", df, columns=["plan"]).dropna()
    else:
        df = get_dummies(learned, "get_dummies_plan", df, columns=["plan"])
    X, y = (df.fillna(learned("df_median", lambda: df.median()))[df["visits"] > 2] if learned.fitting else df.fillna(learned("df_median", lambda: df.median()))).drop(columns="churned"), (df[df["visits"] > 2] if learned.fitting else df)["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of rows_chosen_of_what_is_learned sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("plan", "spend", "visits")
