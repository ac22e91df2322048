# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

def runtime(table):
    """How long a customer has been there, in hours."""
    return table["visits"] * 1.5

def serving(values, limit):
    return values.clip(upper=limit)

# %%
df = pd.read_csv("data.csv")
df["hours"] = runtime(df)
state = df["hours"].mean()
df["hours"] = serving(df["hours"], 2 * state)
X_train, X_test, y_train, y_test = train_test_split(df[["visits", "hours"]], df["churned"], random_state=0)
model = LogisticRegression(max_iter=500).fit(serving(X_train, 5000), y_train)
print(accuracy_score(y_test, model.predict(serving(X_test, 5000))))

# output
"""Features of names_of_the_folders_of_a_package, extracted from names_of_the_folders_of_a_package.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split

from .runtime.learned import Learned, LearnedTransformer



def runtime(table):
    """How long a customer has been there, in hours."""
    return table["visits"] * 1.5


def serving(values, limit):
    return values.clip(upper=limit)


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    df["hours"] = runtime(df)
    state = learned("state", lambda: df["hours"].mean())
    df["hours"] = serving(df["hours"], 2 * state)
    if learned.fitting:
        X_train, X_test, y_train, y_test = train_test_split(df[["visits", "hours"]], df["churned"], random_state=0)
    else:
        X_train = df[["visits", "hours"]]
        y_train = df["churned"]

    return serving(X_train, 5000), y_train


class Features(LearnedTransformer):
    """What the model of names_of_the_folders_of_a_package sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("visits",)
