# data: customers.csv customers_new.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
train = pd.read_csv("data.csv")
test = pd.read_csv("customers_new.csv")

# %%
frames = [train, test]
full = pd.concat(frames, ignore_index=True)
full["spend"] = full["spend"].fillna(full["spend"].median())
full = pd.get_dummies(full, columns=["plan"])
columns = ["visits", "spend", "plan_basic", "plan_plus"]

# %%
X = full[: len(train)][columns]
X_new = full[len(train) :][columns]
model = LogisticRegression(max_iter=2000)
model.fit(X, train["churned"])
answers = model.predict(X_new.fillna(0))

# output
"""Features of tables_put_together_from_a_list, extracted from tables_put_together_from_a_list.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import get_dummies, together
from .runtime.learned import Learned, LearnedTransformer

columns = ["visits", "spend", "plan_basic", "plan_plus"]


def prepare(train: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    test = None

    if learned.fitting:
        test = pd.read_csv("customers_new.csv")

    frames = ([train, test] if learned.fitting else [train])
    full = together(learned, "full", lambda: pd.concat(frames, ignore_index=True), frames[0])
    full["spend"] = full["spend"].fillna(learned("spend_median", lambda: full["spend"].median()))
    full = get_dummies(learned, "full_get_dummies", full, columns=["plan"])

    X = (full[: len(train)] if learned.fitting else full)[columns]

    return X, train["churned"]


class Features(LearnedTransformer):
    """What the model of tables_put_together_from_a_list sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("plan", "spend", "visits")
