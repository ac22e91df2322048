# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils import resample, shuffle
df = pd.read_csv("data.csv")
df["spend"] = df["spend"].fillna(df["spend"].median())

# %%
minority = df[df["churned"] == 1]
majority = df[df["churned"] == 0]
more = resample(minority, replace=True, n_samples=len(majority), random_state=42)
df = pd.concat([majority, more])
df = shuffle(df, random_state=1).reset_index(drop=True)

# %%
X = df[["visits", "spend"]]
y = df["churned"]
X = StandardScaler().fit_transform(X)
model = LogisticRegression()
model.fit(X, y)

# output
"""Features of rows_repeated_to_balance, extracted from rows_repeated_to_balance.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.preprocessing import StandardScaler
from sklearn.utils import resample, shuffle

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df["spend"] = df["spend"].fillna(learned("spend_median", lambda: df["spend"].median()))

    if learned.fitting:
        minority = df[df["churned"] == 1]
        majority = df[df["churned"] == 0]
        more = resample(minority, replace=True, n_samples=len(majority), random_state=42)
        df = pd.concat([majority, more])
    else:
        majority = df
        df = majority
    df = (shuffle(df, random_state=1) if learned.fitting else df).reset_index(drop=True)

    X = df[["visits", "spend"]]
    if learned.labelled:
        y = df["churned"]
    X = learned.fit_transform("standard_scaler", StandardScaler(), X)

    return X, y


class Features(LearnedTransformer):
    """What the model of rows_repeated_to_balance sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("spend", "visits")
