# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv").dropna(subset=["spend"])

# %%
counts = df["churned"].value_counts()
fewest = counts.min()
parts = []
for label, count in counts.items():
    subset = df[df["churned"] == label]
    if count > fewest:
        subset = subset.sample(n=fewest, replace=False, random_state=42)
    parts.append(subset)
df = pd.concat(parts, axis=0).sample(frac=1, random_state=42).reset_index(drop=True)

# %%
df["share"] = df["spend"] / df["spend"].mean()
X = df[["visits", "share"]]
y = df["churned"]
model = LogisticRegression().fit(X, y)
print(model.predict(X))

# output
"""Features of drawn_class_by_class, extracted from drawn_class_by_class.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .runtime.learned import Learned, LearnedTransformer


def prepare(rows: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    parts = None
    y = None

    if learned.fitting:
        df = rows.dropna(subset=["spend"])
        counts = df["churned"].value_counts()
        fewest = counts.min()
        parts = []
        for label, count in counts.items():
            subset = df[df["churned"] == label]
            if count > fewest:
                subset = subset.sample(n=fewest, replace=False, random_state=42)
            parts.append(subset)
    else:
        df = rows
    df = (pd.concat(parts, axis=0).sample(frac=1, random_state=42) if learned.fitting else df).reset_index(drop=True)

    df["share"] = df["spend"] / learned("spend_mean", lambda: df["spend"].mean())
    X = df[["visits", "share"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of drawn_class_by_class sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("spend", "visits")
