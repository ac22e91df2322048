# data: parts.csv
# %%
import pandas as pd
from sklearn.preprocessing import LabelEncoder
from sklearn.tree import DecisionTreeClassifier
df = pd.read_csv("data.csv")
df["size"] = (df["width"] > 0).map({True: "wide", False: "narrow"})

# %%
for column in df.select_dtypes(exclude="number").columns:
    encoder = LabelEncoder()
    encoder.fit(df[column])
    df[column] = encoder.transform(df[column])
    df[column] = df[column].astype(int)

# %%
X = df.drop("kind", axis=1)
y = df["kind"]
model = DecisionTreeClassifier(random_state=0)
model.fit(X, y)

# output
"""Features of target_among_encoded_columns_fitted_first, extracted from target_among_encoded_columns_fitted_first.py.

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

    for column in learned("select_dtypes_number_columns", lambda: df.select_dtypes(exclude="number").columns):
        encoder = LabelEncoder()
        learned.fit("encoder", encoder, df[column], key=column)
        df[column] = encoder.transform(df[column])
        df[column] = df[column].astype(int)

    X = df.drop("kind", axis=1)
    if learned.labelled:
        y = df["kind"]

    return X, y


class Features(LearnedTransformer):
    """What the model of target_among_encoded_columns_fitted_first sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("kind",)
    required = ("depth", "height", "mass", "width")
