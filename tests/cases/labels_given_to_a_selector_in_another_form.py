# data: customers.csv
# %%
import pandas as pd
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")

# %%
X = df[["age", "visits", "spend", "income"]].fillna(0)
y = df["churned"]

# %%
best = SelectKBest(k=2)
best.fit(X, y.to_frame()["churned"])
X = best.transform(X)

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of labels_given_to_a_selector_in_another_form, extracted from labels_given_to_a_selector_in_another_form.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.feature_selection import SelectKBest

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    X = df[["age", "visits", "spend", "income"]].fillna(0)
    if learned.labelled:
        y = df["churned"]

    best = SelectKBest(k=2)
    learned.fit("best", best, X, (y.to_frame()["churned"] if learned.fitting else None))
    X = best.transform(X)

    return X, y


class Features(LearnedTransformer):
    """What the model of labels_given_to_a_selector_in_another_form sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "income", "spend", "visits")
