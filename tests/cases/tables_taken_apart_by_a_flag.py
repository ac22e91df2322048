# data: customers.csv customers_new.csv
# %%
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
train = pd.read_csv("data.csv")
new = pd.read_csv("customers_new.csv")

# %%
train["is_train"] = 1
new["is_train"] = 0
for part in [train, new]:
    part["visits"] = part["visits"].fillna(0)
both = pd.concat([new, train], ignore_index=True)
both["spend_z"] = (both["spend"] - both["spend"].mean()) / both["spend"].std()
both["age"] = both["age"].fillna(both.groupby("plan")["age"].transform("median"))

# %%
train_rows = both[both["is_train"] == 1]
X = train_rows[["spend_z", "age", "visits"]]
y = train_rows["churned"].astype(int)
model = RandomForestClassifier(n_estimators=5, random_state=0)
model.fit(X, y)

# output
"""Features of tables_taken_apart_by_a_flag, extracted from tables_taken_apart_by_a_flag.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import group_transform, together
from .runtime.learned import Learned, LearnedTransformer


def prepare(train: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    new = None
    y = None

    if learned.fitting:
        new = pd.read_csv("customers_new.csv")
        train["is_train"] = 1
        new["is_train"] = 0
    for part in ([train, new] if learned.fitting else [train]):
        part["visits"] = part["visits"].fillna(0)
    both = together(learned, "both", lambda: pd.concat([new, train], ignore_index=True), train)
    both["spend_z"] = (both["spend"] - learned("spend_mean", lambda: both["spend"].mean())) / learned("spend_std", lambda: both["spend"].std())
    both["age"] = both["age"].fillna(group_transform(learned, "groupby_plan_age", both.groupby("plan")["age"], "median"))

    if learned.fitting:
        train_rows = both[both["is_train"] == 1]
    else:
        train_rows = both
    X = train_rows[["spend_z", "age", "visits"]]
    if learned.labelled:
        y = train_rows["churned"].astype(int)

    return X, y


class Features(LearnedTransformer):
    """What the model of tables_taken_apart_by_a_flag sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "plan", "spend", "visits")
