# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")[["visits", "spend", "phone", "churned"]]
df["churned"] = df["churned"].replace({0: "no", 1: "yes"})

# %%
answers = {"no": 0, "yes": 1}
for column in ["phone", "churned"]:
    df[column] = df[column].fillna("no").map(answers).astype(int)
df = df.fillna(df.median()).astype({"visits": int, "churned": "int8"})

# %%
model = LogisticRegression(max_iter=500)
model.fit(df.drop(columns="churned"), df["churned"])

# output
"""Features of target_among_mapped_columns, extracted from target_among_mapped_columns.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .runtime.learned import Learned, LearnedTransformer

answers = {"no": 0, "yes": 1}


def prepare(rows: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    df = rows[["visits", "spend", "phone", "churned"]]
    df["churned"] = df["churned"].replace({0: "no", 1: "yes"})

    for column in ["phone", "churned"]:
        df[column] = df[column].fillna("no").map(answers).astype(int)
    df = df.fillna(learned("df_median", lambda: df.median())).astype({"visits": int, "churned": "int8"})

    return df.drop(columns="churned"), df["churned"]


class Features(LearnedTransformer):
    """What the model of target_among_mapped_columns sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("phone", "spend", "visits")
