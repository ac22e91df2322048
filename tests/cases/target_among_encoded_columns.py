# data: parts.csv
# %%
import pandas as pd
from sklearn.preprocessing import LabelEncoder
from sklearn.tree import DecisionTreeClassifier
df = pd.read_csv("data.csv")
df["size"] = (df["width"] > 0).map({True: "wide", False: "narrow"})

# %%
encoder = LabelEncoder()
for column in df.columns:
    if df[column].dtype == "object" or df[column].dtype == "str":
        df[column] = encoder.fit_transform(df[column])

# %%
X = df.drop("kind", axis=1)
y = df["kind"]
model = DecisionTreeClassifier(random_state=0)
model.fit(X, y)

# output
"""Features of target_among_encoded_columns, extracted from target_among_encoded_columns.py.

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

    df["size"] = (df["width"] > 0).map({True: "wide", False: "narrow"})

    encoder = LabelEncoder()
    for column in learned("columns", lambda: df.columns):
        if learned("dtype_object", lambda: df[column].dtype == "object" or df[column].dtype == "str", key=column):
            df[column] = learned.fit_transform("encoder", encoder, df[column], key=column)

    X = df.drop("kind", axis=1)
    if learned.labelled:
        y = df["kind"]

    return X, y


class Features(LearnedTransformer):
    """What the model of target_among_encoded_columns sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("kind",)
    required = ("depth", "height", "mass", "width")
