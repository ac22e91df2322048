# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import LabelEncoder
df = pd.read_csv("data.csv")

# %%
encoder = LabelEncoder()
for column in ["sex", "plan"]:
    df[column] = encoder.fit_transform(df[column])

# %%
X = df[["sex", "plan", "visits"]]
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of label_encoder_for_each_column, extracted from label_encoder_for_each_column.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.preprocessing import LabelEncoder

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    encoder = LabelEncoder()
    for column in ["sex", "plan"]:
        df[column] = learned.fit_transform("encoder", encoder, df[column], key=column)

    X = df[["sex", "plan", "visits"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of label_encoder_for_each_column sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("plan", "sex", "visits")
