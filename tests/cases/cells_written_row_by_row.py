# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")
typical = {"basic": 30, "plus": 40, "pro": 50}

# %%
df["age"] = df["age"].fillna(-1)
for i in range(len(df)):
    if df.loc[i, "age"] < 0:
        df.loc[i, "age"] = typical.get(df.loc[i, "plan"], 35)

# %%
df["group"] = 0
for label, row in df.iterrows():
    family = row["visits"] + 1
    if row["age"] > 60:
        df.at[label, "group"] = 2
    elif family > 3:
        df.at[label, "group"] = 1

# %%
for i in df.index:
    df.loc[i, "visits"] = df.loc[i, "visits"] * 2

# %%
X = df[["age", "group", "visits"]]
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of cells_written_row_by_row, extracted from cells_written_row_by_row.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .runtime.learned import Learned, LearnedTransformer

typical = {"basic": 30, "plus": 40, "pro": 50}


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df["age"] = df["age"].fillna(-1)
    for i in range(len(df)):
        if df.loc[i, "age"] < 0:
            df.loc[i, "age"] = typical.get(df.loc[i, "plan"], 35)

    df["group"] = 0
    for label, row in df.iterrows():
        family = row["visits"] + 1
        if row["age"] > 60:
            df.at[label, "group"] = 2
        elif family > 3:
            df.at[label, "group"] = 1

    for i in df.index:
        df.loc[i, "visits"] = df.loc[i, "visits"] * 2

    X = df[["age", "group", "visits"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of cells_written_row_by_row sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "plan", "visits")
