# data: customers.csv
# %%
import pandas as pd
from math import *
from numpy import *
from sklearn.linear_model import *
from sklearn.preprocessing import *
df = pd.read_csv("data.csv")

# %%
def rounded(value):
    return floor(value * pi)

# %%
df["often"] = df["visits"].apply(rounded)
df["place"] = sqrt(df["visits"])
df[["often", "place"]] = StandardScaler().fit_transform(df[["often", "place"]])

# %%
X, y = df[["often", "place"]], df["churned"]
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of names_of_star_imports, extracted from names_of_star_imports.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from numpy import floor, pi, sqrt
from sklearn.preprocessing import StandardScaler

from .runtime.learned import Learned, LearnedTransformer



def rounded(value):
    return floor(value * pi)


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    df["often"] = df["visits"].apply(rounded)
    df["place"] = sqrt(df["visits"])
    df[["often", "place"]] = learned.fit_transform("standard_scaler", StandardScaler(), df[["often", "place"]])

    X, y = df[["often", "place"]], df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of names_of_star_imports sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("visits",)
