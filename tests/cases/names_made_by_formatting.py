# data: homes.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
df = pd.read_csv("data.csv")

# %%
for column in ["Area", "LotArea"]:
    df[f"{column}_log"] = np.log1p(df[column].fillna(df[column].median()))
df = df.rename(columns={"YearBuilt": "Year"})
df["age"] = 2025 - df.pop("Year")

# %%
X = df[["Area_log", "LotArea_log", "age"]]
y = df["Price"]

# %%
model = LinearRegression()
model.fit(X, y)

# output
"""Features of names_made_by_formatting, extracted from names_made_by_formatting.py.

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

    for column in ["Area", "LotArea"]:
        df[f"{column}_log"] = np.log1p(df[column].fillna(learned("median", lambda: df[column].median(), key=column)))
    df = df.rename(columns={"YearBuilt": "Year"})
    df["age"] = 2025 - df.pop("Year")

    X = df[["Area_log", "LotArea_log", "age"]]
    if learned.labelled:
        y = df["Price"]

    return X, y


class Features(LearnedTransformer):
    """What the model of names_made_by_formatting sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("Price",)
    required = ("Area", "LotArea", "YearBuilt")
