# data: customers.csv
# %%
import numpy as np
import pandas as pd
from scipy import stats
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")

# %%
df["place"] = df["visits"].rank(pct=True)
df["spend"] = df["spend"].fillna(df["spend"].median())
df["power"] = stats.boxcox(df["spend"] + 1)[0]
df["z"] = stats.zscore(df["visits"])
df["again"] = df.duplicated("city", keep=False).astype(int)

# %%
X = df[["place", "power", "z", "again"]]
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of ranks_and_powers, extracted from ranks_and_powers.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import boxcox, duplicated, rank, zscore
from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df["place"] = rank(learned, "visits_rank", df["visits"], pct=True)
    df["spend"] = df["spend"].fillna(learned("spend_median", lambda: df["spend"].median()))
    df["power"] = boxcox(learned, "boxcox_spend", df["spend"] + 1)[0]
    df["z"] = zscore(learned, "zscore_visits", df["visits"])
    df["again"] = duplicated(learned, "duplicated_city", df, "city", keep=False).astype(int)

    X = df[["place", "power", "z", "again"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of ranks_and_powers sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = (
        "age",
        "city",
        "code",
        "id",
        "income",
        "joined",
        "name",
        "note",
        "phone",
        "plan",
        "score",
        "sex",
        "spend",
        "visits",
    )
