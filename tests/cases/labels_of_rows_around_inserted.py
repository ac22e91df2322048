# data: parts.csv
# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
df = pd.read_csv("data.csv").drop(columns="kind")

# %%
df.insert(0, 'next', df["mass"].shift(-1))
df.loc[:, "after"] = df["mass"].shift(-2)
df = df.dropna()

# %%
X, y = df.iloc[:, 1:-1], df["next"]
model = LinearRegression()
model.fit(X, y)

# output
"""Features of labels_of_rows_around_inserted, extracted from labels_of_rows_around_inserted.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .runtime.learned import Learned, LearnedTransformer


def prepare(rows: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    df = rows.drop(columns="kind")

    if learned.fitting:
        df.insert(0, 'next', df["mass"].shift(-1))
        df.loc[:, "after"] = df["mass"].shift(-2)
        df = df.dropna()
    else:
        df.insert(0, 'next', float("nan"))
        df.loc[:, "after"] = float("nan")

    X, y = df.iloc[:, 1:-1], df["next"]

    return X, y


class Features(LearnedTransformer):
    """What the model of labels_of_rows_around_inserted sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    required = ("depth", "height", "mass", "width")
