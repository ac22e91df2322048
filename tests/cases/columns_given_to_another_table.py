# data: customers.csv customers_new.csv
# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
train = pd.read_csv("data.csv")
test = pd.read_csv("customers_new.csv")

# %%
y = train["churned"]
columns = ["sex", "plan", "visits", "income"]
train = pd.get_dummies(train[columns].fillna({"visits": 0}))
test = pd.get_dummies(test[columns].fillna({"visits": 0}))
X_train, X_test = train.align(test, join="left", axis=1, fill_value=0)

# %%
model = RandomForestClassifier(5, random_state=0).fit(X_train, y)
print(model.predict(X_test))

# output
"""Features of columns_given_to_another_table, extracted from columns_given_to_another_table.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import get_dummies
from .runtime.learned import Learned, LearnedTransformer

columns = ["sex", "plan", "visits", "income"]


def prepare(train: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    if learned.labelled:
        y = train["churned"]
    train = get_dummies(learned, "train_get_dummies", train[columns].fillna({"visits": 0}))
    X_train = train.copy()

    return X_train, y


class Features(LearnedTransformer):
    """What the model of columns_given_to_another_table sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("income", "plan", "sex", "visits")
