# data: parts.csv
# %%
import pandas as pd
from sklearn.tree import DecisionTreeClassifier
df = pd.read_csv("data.csv")
df.insert(0, "constant", 1)
df.insert(1, "again", df["width"] * 2)

# %%
for column in df.columns:
    if df[column].nunique() == 1:
        df = df.drop(column, axis=1)
if df["mass"].isnull().mean() > 0.5:
    df = df.drop(columns="mass")
corr = df.select_dtypes("number").corr().abs()
alike = [c for number, c in enumerate(corr.columns) if (corr[c].iloc[:number] > 0.9).any()]
df = df.drop(alike, axis=1)

# %%
X = df.iloc[:, :-1].values
y = df.iloc[:, -1].values
model = DecisionTreeClassifier(random_state=0)
model.fit(X, y)

# output
"""Features of target_counted_after_learned_drops, extracted from target_counted_after_learned_drops.py.

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

    df.insert(0, "constant", 1)
    df.insert(1, "again", df["width"] * 2)

    for column in learned("columns", lambda: df.columns):
        if learned("nunique", lambda: df[column].nunique() == 1, key=column):
            df = df.drop(column, axis=1)
    if learned("mass_isnull_mean", lambda: df["mass"].isnull().mean() > 0.5):
        df = df.drop(columns="mass")
    corr = learned("corr", lambda: df.select_dtypes("number").corr().abs())
    alike = [c for number, c in enumerate(corr.columns) if (corr[c].iloc[:number] > 0.9).any()]
    df = df.drop(alike, axis=1)

    X = df.iloc[:, :-1].values
    if learned.labelled:
        y = df.iloc[:, -1].values

    return X, y


class Features(LearnedTransformer):
    """What the model of target_counted_after_learned_drops sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("kind",)
    required = ("depth", "height", "mass", "width")
