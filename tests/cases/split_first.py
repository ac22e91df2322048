# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
df = pd.read_csv("data.csv")

# %%
train, test = train_test_split(df, test_size=0.3, random_state=1)
train = train.copy()
test = test.copy()

# %%
middle = train["age"].median()
train["age"] = train["age"].fillna(middle)
test["age"] = test["age"].fillna(middle)
for part in [train, test]:
    part["spend"] = part["spend"].fillna(0)
    part["per_visit"] = part["spend"] / (part["visits"] + 1)

# %%
features = ["age", "per_visit"]
scaler = StandardScaler()
X_train = scaler.fit_transform(train[features])
X_test = scaler.transform(test[features])
y_train, y_test = train["churned"], test["churned"]

# %%
model = LogisticRegression()
model.fit(X_train, y_train)
print(model.score(X_test, y_test))

# output
"""Features of split_first, extracted from split_first.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from .runtime.learned import Learned, LearnedTransformer

features = ["age", "per_visit"]


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y_train = None

    if learned.fitting:
        train, test = train_test_split(df, test_size=0.3, random_state=1)
    else:
        train = df
        test = df
    train = train.copy()

    middle = learned("middle", lambda: train["age"].median())
    train["age"] = train["age"].fillna(middle)
    for part in [train]:
        part["spend"] = part["spend"].fillna(0)
        part["per_visit"] = part["spend"] / (part["visits"] + 1)

    scaler = StandardScaler()
    X_train = learned.fit_transform("scaler", scaler, train[features])
    if learned.labelled:
        y_train, y_test = train["churned"], test["churned"]

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of split_first sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "spend", "visits")
