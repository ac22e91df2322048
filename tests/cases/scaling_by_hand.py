# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
visits = df["visits"]
df["visits_z"] = (visits - visits.mean()) / visits.std()
df["visits_01"] = (visits - visits.min()) / (visits.max() - visits.min())

# %%
X = df[["visits_z", "visits_01"]]
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of scaling_by_hand, extracted from scaling_by_hand.py.

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

    visits = df["visits"]
    df["visits_z"] = (visits - learned("visits_mean", lambda: visits.mean())) / learned("visits_std", lambda: visits.std())
    df["visits_01"] = (visits - learned("visits_min", lambda: visits.min())) / (learned("visits_max_min", lambda: visits.max() - visits.min()))

    X = df[["visits_z", "visits_01"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of scaling_by_hand sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("visits",)
