# data: customers.csv customers_new.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
train = pd.read_csv("data.csv")
test = pd.read_csv("customers_new.csv")
rows = train.shape[0]

# %%
full = pd.concat([train, test], sort=False).reset_index(drop=True)
y = train["churned"].values
full.drop(["churned", "id"], axis=1, inplace=True)

# %%
full["age"] = full["age"].fillna(full["age"].median())
full["visits"] = full["visits"].fillna(0)
full["often"] = full["visits"].astype(str).str.len()
full["place"] = full["city"].fillna("none").map(full["city"].value_counts()).fillna(0)
full = pd.get_dummies(full, columns=["city"])
features = ["age", "visits", "often", "place"] + [c for c in full.columns if c.startswith("city_")]

# %%
X = full[features][:rows]
X_new = full[features][rows:]
model = LogisticRegression(max_iter=1000)
model.fit(X, y)
print(model.predict(X_new))

# output
"""Features of tables_put_together, extracted from tables_put_together.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import get_dummies, together
from .runtime.learned import Learned, LearnedTransformer


def prepare(train: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    test = None
    y = None

    if learned.fitting:
        test = pd.read_csv("customers_new.csv")
        rows = train.shape[0]

    full = together(learned, "full", lambda: pd.concat([train, test], sort=False), train).reset_index(drop=True)
    if learned.labelled:
        y = train["churned"].values
    full.drop(["churned", "id"], axis=1, inplace=True)

    full["age"] = full["age"].fillna(learned("age_median", lambda: full["age"].median()))
    full["visits"] = full["visits"].fillna(0)
    full["often"] = full["visits"].astype(str).str.len()
    full["place"] = full["city"].fillna("none").map(learned("city_value_counts", lambda: full["city"].value_counts())).fillna(0)
    full = get_dummies(learned, "full_get_dummies", full, columns=["city"])
    features = learned("features", lambda: ["age", "visits", "often", "place"] + [c for c in full.columns if c.startswith("city_")])

    if learned.fitting:
        X = full[features][:rows]
    else:
        X = full[features]

    return X, y


class Features(LearnedTransformer):
    """What the model of tables_put_together sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = (
        "age",
        "city",
        "code",
        "income",
        "joined",
        "name",
        "note",
        "phone",
        "plan",
        "score",
        "sex",
        "spend",
        "visits",
    )
