# data: customers.csv customers_new.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
train = pd.read_csv("data.csv")
new = pd.read_csv("customers_new.csv")

# %%
both = pd.concat([train, new], keys=["train", "new"])
both["age"] = both["age"].fillna(both["age"].mean())
both["plan_code"] = both["plan"].factorize()[0]
known = both[both["churned"].notnull()]

# %%
X = known[["age", "plan_code"]]
y = known["churned"]
model = LogisticRegression()
model.fit(X, y)

# output
"""Features of tables_taken_apart_by_the_target, extracted from tables_taken_apart_by_the_target.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import factorize, together
from .runtime.learned import Learned, LearnedTransformer


def prepare(train: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    new = None
    y = None

    if learned.fitting:
        new = pd.read_csv("customers_new.csv")

    both = together(learned, "both", lambda: pd.concat([train, new], keys=["train", "new"]), train)
    both["age"] = both["age"].fillna(learned("age_mean", lambda: both["age"].mean()))
    both["plan_code"] = factorize(learned, "plan_factorize", both["plan"])[0]
    if learned.fitting:
        known = both[both["churned"].notnull()]
    else:
        known = both

    X = known[["age", "plan_code"]]
    if learned.labelled:
        y = known["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of tables_taken_apart_by_the_target sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "plan")
