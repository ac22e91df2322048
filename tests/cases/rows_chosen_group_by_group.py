# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")
df["spend"] = df["spend"].fillna(0)
df["city"] = df["city"].fillna("none")

# %%
def without_far_ones(df):
    out = pd.DataFrame()
    for city, part in df.groupby("city"):
        mean, spread = np.mean(part.spend), np.std(part.spend)
        part = part.copy()
        part["many"] = part["visits"] * 2
        near = part[(part.spend > mean - 2 * spread) & (part.spend <= mean + 2 * spread)]
        out = pd.concat([out, near], ignore_index=True)
    return out

df = without_far_ones(df)

# %%
def without_cheap_ones(df):
    cheap = np.array([])
    for city, part in df.groupby("city"):
        means = {}
        for plan, inner in part.groupby("plan"):
            means[plan] = {"mean": np.mean(inner.spend), "count": inner.shape[0]}
        for plan, inner in part.groupby("plan"):
            known = means.get("basic")
            if known and known["count"] > 5:
                cheap = np.append(cheap, inner[inner.spend < 0.2 * known["mean"]].index.values)
    return df.drop(cheap, axis="index")

df = without_cheap_ones(df)

# %%
X = df[["visits", "spend", "many"]]
y = df["churned"]
model = LogisticRegression(max_iter=1000)
model.fit(X, y)

# output
"""Features of rows_chosen_group_by_group, extracted from rows_chosen_group_by_group.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .runtime.learned import Learned, LearnedTransformer



def without_far_ones(df, learned):
    out = pd.DataFrame()
    if learned.fitting:
        for city, part in df.groupby("city"):
            mean, spread = np.mean(part.spend), np.std(part.spend)
            part = part.copy()
            part["many"] = part["visits"] * 2
            near = part[(part.spend > mean - 2 * spread) & (part.spend <= mean + 2 * spread)]
            out = pd.concat([out, near], ignore_index=True)
    else:
        part = df
        part = part.copy()
        part["many"] = part["visits"] * 2
        near = part
        out = near
    return out


def without_cheap_ones(df, learned):
    if learned.fitting:
        cheap = np.array([])
        for city, part in df.groupby("city"):
            means = {}
            for plan, inner in part.groupby("plan"):
                means[plan] = {"mean": np.mean(inner.spend), "count": inner.shape[0]}
            for plan, inner in part.groupby("plan"):
                known = means.get("basic")
                if known and known["count"] > 5:
                    cheap = np.append(cheap, inner[inner.spend < 0.2 * known["mean"]].index.values)
    return (df.drop(cheap, axis="index") if learned.fitting else df)


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df["spend"] = df["spend"].fillna(0)
    if learned.fitting:
        df["city"] = df["city"].fillna("none")

    df = without_far_ones(df, learned=learned)

    df = without_cheap_ones(df, learned=learned)

    X = df[["visits", "spend", "many"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of rows_chosen_group_by_group sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("spend", "visits")
