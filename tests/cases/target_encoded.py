# data: parts.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import LabelEncoder
df = pd.read_csv("data.csv")

# %%
encoder = LabelEncoder()
y = encoder.fit_transform(df["kind"])
X = df[["width", "height"]]

# %%
model = LogisticRegression().fit(X, y)

# output
"""Features of target_encoded, extracted from target_encoded.py.

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

    if learned.labelled:
        encoder = LabelEncoder()
        y = learned.fit_transform("encoder", encoder, df["kind"])
    X = df[["width", "height"]]

    return X, y


class Features(LearnedTransformer):
    """What the model of target_encoded sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("kind",)
    required = ("height", "width")
