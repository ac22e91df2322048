# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")

# %%
df["phone"] = df["phone"].fillna("no")
df["joined"] = pd.to_datetime(df["joined"])
df["note"] = df["note"].fillna("")
df["code"] = df["code"].str.lower()
df["wide"] = df["spend"] > 100

# %%
df.drop("phone", axis=1, inplace=True)
df = df.drop(columns="joined")
del df["note"]
df["visits"] = df["visits"] + 1

# %%
y = df["churned"]
X = df.drop(["churned", "code", "wide", "id", "name", "sex", "city", "plan"], axis=1).fillna(0)

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of raw_columns_written_and_dropped, extracted from raw_columns_written_and_dropped.py.

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

    df.drop("phone", axis=1, inplace=True, errors="ignore")
    df = df.drop(columns="joined", errors="ignore")
    del df["note"]
    df["visits"] = df["visits"] + 1

    if learned.labelled:
        y = df["churned"]
    X = df.drop(["churned", "code", "wide", "id", "name", "sex", "city", "plan"], axis=1, errors="ignore").fillna(0)

    return X, y


class Features(LearnedTransformer):
    """What the model of raw_columns_written_and_dropped sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "income", "score", "spend", "visits")
