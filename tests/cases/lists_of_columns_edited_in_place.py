# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")
df = df.fillna(df.median(numeric_only=True))

# %%
strength = df.corr(numeric_only=True)["churned"].abs().sort_values(ascending=False)
strongest = strength.head(4).index.tolist()
strongest.remove("churned")
numbers = df.select_dtypes("number").columns.tolist()
numbers.remove("churned")
numbers.remove("id")
wanted = df[strongest + ["churned"]].copy()

# %%
X = wanted.drop("churned", axis=1)
X["spread"] = df[numbers].max(axis=1) - df[numbers].min(axis=1)
y = wanted["churned"]
model = LogisticRegression(max_iter=500).fit(X, y)

# output
"""Features of lists_of_columns_edited_in_place, extracted from lists_of_columns_edited_in_place.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df = df.fillna(learned("df_median", lambda: df.median(numeric_only=True)))

    strength = learned("strength", lambda: df.corr(numeric_only=True)["churned"].abs().sort_values(ascending=False))
    strongest = strength.head(4).index.tolist()
    strongest.remove("churned")
    numbers = learned("numbers", lambda: df.select_dtypes("number").columns.tolist())
    numbers.remove("churned")
    numbers.remove("id")
    wanted = df[strongest + ["churned"]].copy()

    X = wanted.drop("churned", axis=1)
    X["spread"] = df[numbers].max(axis=1) - df[numbers].min(axis=1)
    if learned.labelled:
        y = wanted["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of lists_of_columns_edited_in_place sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = (
        "age",
        "city",
        "code",
        "id",
        "income",
        "joined",
        "name",
        "note",
        "phone",
        "plan",
        "score",
        "sex",
        "spend",
        "visits",
    )
