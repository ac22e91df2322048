# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")
y = df["churned"]
df = df.drop(["churned", "id", "name", "note", "joined", "phone", "code"], axis=1)

# %%
numbers = df.select_dtypes(exclude=["object"]).columns
texts = df.select_dtypes(include=["object"]).columns
of_numbers = df[numbers].fillna(df[numbers].median())
of_texts = df[texts].fillna("none")

# %%
parts = [pd.get_dummies(of_texts, drop_first=True), np.log1p(of_numbers.abs())]
X = pd.concat(parts, axis=1)

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of columns_parted_by_type, extracted from columns_parted_by_type.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .idioms import get_dummies
from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    if learned.labelled:
        y = df["churned"]
    df = df.drop(["churned", "id", "name", "note", "joined", "phone", "code"], axis=1)

    numbers = learned("numbers", lambda: df.select_dtypes(exclude=["object"]).columns)
    texts = learned("texts", lambda: df.select_dtypes(include=["object"]).columns)
    of_numbers = df[numbers].fillna(learned("df_median", lambda: df[numbers].median()))
    of_texts = df[texts].fillna("none")

    parts = [get_dummies(learned, "parts_get_dummies", of_texts, drop_first=True), np.log1p(of_numbers.abs())]
    X = pd.concat(parts, axis=1)

    return X, y


class Features(LearnedTransformer):
    """What the model of columns_parted_by_type sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "city", "income", "plan", "score", "sex", "spend", "visits")
