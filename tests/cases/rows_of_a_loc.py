# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
df["age"] = df["age"].fillna(df["age"].mean())
grown = df.loc[df["age"] > 20, ["age", "visits", "churned"]]
grown = grown.sort_values("age").reset_index(drop=True)

# %%
X = grown[["age", "visits"]]
y = grown["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of rows_of_a_loc, extracted from rows_of_a_loc.py.

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

    df["age"] = df["age"].fillna(learned("age_mean", lambda: df["age"].mean()))
    grown = df.loc[(df["age"] > 20 if learned.fitting else slice(None)), ["age", "visits", "churned"]]
    grown = (grown.sort_values("age") if learned.fitting else grown).reset_index(drop=True)

    X = grown[["age", "visits"]]
    if learned.labelled:
        y = grown["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of rows_of_a_loc sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "visits")
