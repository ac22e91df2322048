# data: customers.csv customers_new.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
train = pd.read_csv("data.csv")
test = pd.read_csv("customers_new.csv")
full = pd.concat([train, test], keys=["train", "test"], sort=False)

# %%
full["spend"] = full["spend"].fillna(full["spend"].median())
full["sex"] = full["sex"].map({"female": 0, "male": 1})
full = pd.get_dummies(full, columns=["plan"])

# %%
known = full.loc["train"]
new = full.loc["test"].drop(columns="churned")
columns = ["sex", "spend", "plan_basic", "plan_plus"]
model = LogisticRegression(max_iter=2000)
model.fit(known[columns], known["churned"].astype(int))
answers = model.predict(new[columns])

# output
"""Features of tables_put_together_with_keys, extracted from tables_put_together_with_keys.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import get_dummies, together
from .runtime.learned import Learned, LearnedTransformer

columns = ["sex", "spend", "plan_basic", "plan_plus"]


def prepare(train: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    test = None

    if learned.fitting:
        test = pd.read_csv("customers_new.csv")
    full = together(learned, "full", lambda: pd.concat([train, test], keys=["train", "test"], sort=False), train)

    full["spend"] = full["spend"].fillna(learned("spend_median", lambda: full["spend"].median()))
    full["sex"] = full["sex"].map({"female": 0, "male": 1})
    full = get_dummies(learned, "full_get_dummies", full, columns=["plan"])

    if learned.fitting:
        known = full.loc["train"]
    else:
        known = full

    return known[columns], known["churned"].astype(int)


class Features(LearnedTransformer):
    """What the model of tables_put_together_with_keys sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("plan", "sex", "spend")
