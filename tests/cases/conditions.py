# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
df["big"] = np.where(df["visits"] > df["visits"].median(), 1, 0)
df["level"] = 0
df.loc[df["visits"] > 3, "level"] = 1
df["tier"] = np.select([df["plan"] == "pro", df["plan"] == "basic"], [2, 1], default=0)

# %%
X = df[["big", "level", "tier"]]
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of conditions, extracted from conditions.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df["big"] = np.where(df["visits"] > learned("visits_median", lambda: df["visits"].median()), 1, 0)
    df["level"] = 0
    df.loc[df["visits"] > 3, "level"] = 1
    df["tier"] = np.select([df["plan"] == "pro", df["plan"] == "basic"], [2, 1], default=0)

    X = df[["big", "level", "tier"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of conditions sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("plan", "visits")
