# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
def fill(data, columns):
    """Medians for gaps."""
    data = data.copy()
    for column in columns:
        data[column] = data[column].fillna(data[column].median())
        print(column)
    return data

df = fill(df, ["age"])
df = fill(df, ["spend", "visits"])

# %%
X = df[["age", "spend", "visits"]]
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of helper_that_learns, extracted from helper_that_learns.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .runtime.learned import Learned, LearnedTransformer



def fill(data, columns, learned):
    """Medians for gaps."""
    data = data.copy()
    for column in columns:
        data[column] = data[column].fillna(learned("median", lambda: data[column].median(), key=column))
    return data


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df = fill(df, ["age"], learned=learned)
    df = fill(df, ["spend", "visits"], learned=learned)

    X = df[["age", "spend", "visits"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of helper_that_learns sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "spend", "visits")
