# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import LabelEncoder, normalize
df = pd.read_csv("data.csv")

# %%
# One encoder object for two columns: each column needs its own.
df[["city", "plan"]] = df[["city", "plan"]].astype(str).apply(LabelEncoder().fit_transform)
df["sex_code"] = pd.Categorical(df["sex"]).codes
codes = {}
for number, value in enumerate(df["code"].unique()):
    codes[value] = number
df["code_number"] = df["code"].map(codes)

# %%
df["old"] = np.zeros(len(df))
df.loc[df["age"] > 50, "old"] = 1
numbers = df[["age", "visits", "spend"]].dropna(axis=1)
unit = normalize(df[["visits"]], axis=0)

# %%
low, high = df["visits"].mean(), df["visits"].max()
df["place"] = (df["visits"] - low) / (high - low)
X = pd.concat([df[["city", "plan", "sex_code", "code_number", "old", "place"]], numbers], axis=1)
X["unit"] = unit
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of encoders_and_columns, extracted from encoders_and_columns.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.preprocessing import LabelEncoder

from .idioms import apply_fit_transform, codes_of_categorical, dropna_columns, normalize_columns
from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    # One encoder object for two columns: each column needs its own.
    df[["city", "plan"]] = apply_fit_transform(learned, "city_plan_astype", df[["city", "plan"]].astype(str), LabelEncoder().fit_transform)
    df["sex_code"] = codes_of_categorical(learned, "Categorical_sex_codes", pd.Categorical(df["sex"]))
    codes = {}
    for number, value in enumerate(learned("code_unique", lambda: df["code"].unique())):
        codes[value] = number
    df["code_number"] = df["code"].map(codes)

    df["old"] = np.zeros(len(df))
    df.loc[df["age"] > 50, "old"] = 1
    numbers = dropna_columns(learned, "numbers_dropna_columns", df[["age", "visits", "spend"]], axis=1)
    unit = normalize_columns(learned, "unit_normalize_columns", df[["visits"]], axis=0)

    low, high = learned("visits_mean", lambda: df["visits"].mean()), learned("visits_max", lambda: df["visits"].max())
    df["place"] = (df["visits"] - low) / (high - low)
    X = pd.concat([df[["city", "plan", "sex_code", "code_number", "old", "place"]], numbers], axis=1)
    X["unit"] = unit
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of encoders_and_columns sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "city", "code", "plan", "sex", "spend", "visits")
