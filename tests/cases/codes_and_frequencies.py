# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
df["city_code"] = df["city"].astype("category").cat.codes
df["code_number"], code_names = pd.factorize(df["plan"])
counts = df["plan"].value_counts()
df["plan_count"] = df["plan"].map(counts)

# %%
X = df[["city_code", "code_number", "plan_count"]]
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of codes_and_frequencies, extracted from codes_and_frequencies.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import category_codes, factorize
from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df["city_code"] = category_codes(learned, "city_astype_category", df["city"].astype("category"))
    df["code_number"], code_names = factorize(learned, "factorize_plan", df["plan"])
    counts = learned("counts", lambda: df["plan"].value_counts())
    df["plan_count"] = df["plan"].map(counts)

    X = df[["city_code", "code_number", "plan_count"]]
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of codes_and_frequencies sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("city", "plan")
