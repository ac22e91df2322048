# data: patients.csv measurements.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
people = pd.read_csv("data.csv")
measured = pd.read_csv("measurements.csv")

# %%
df = pd.merge(people, measured, on="patient")

# %%
df["age"] = df["age"].fillna(df["age"].median())
df["pressure"] = df["pressure"].fillna(df["pressure"].mean())
df["gain"] = df["weight_y"] - df["weight_x"]
X = df[["age", "pressure", "pulse", "gain"]]
model = LogisticRegression(max_iter=1000).fit(X, df["risk"])

# output
"""Features of halves_of_records_joined, extracted from halves_of_records_joined.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    df["age"] = df["age"].fillna(learned("age_median", lambda: df["age"].median()))
    df["pressure"] = df["pressure"].fillna(learned("pressure_mean", lambda: df["pressure"].mean()))
    df["gain"] = df["weight_y"] - df["weight_x"]
    X = df[["age", "pressure", "pulse", "gain"]]

    return X, df["risk"]


class Features(LearnedTransformer):
    """What the model of halves_of_records_joined sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("risk",)
    required = ("age", "pressure", "pulse", "weight_x", "weight_y")
