# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split


def divided(df, target="churned"):
    # a quarter is set aside
    return train_test_split(df[["age", "spend"]], df[target], random_state=0)


# %%
df = pd.read_csv("data.csv")
X_train, X_test, y_train, y_test = divided(df)
X_train = X_train.fillna(X_train.mean())

# %%
model = LogisticRegression().fit(X_train, y_train)

# output
"""Features of a_split_within_a_function, extracted from a_split_within_a_function.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split

from .runtime.learned import Learned, LearnedTransformer



def divided(df, target="churned", learned=None):
    if learned.fitting:
        # a quarter is set aside
        return train_test_split(df[["age", "spend"]], df[target], random_state=0)
    else:
        return df[["age", "spend"]], df[["age", "spend"]], df[target], df[target]


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    X_train, X_test, y_train, y_test = divided(df, learned=learned)
    X_train = X_train.fillna(learned("X_train_mean", lambda: X_train.mean()))

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of a_split_within_a_function sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "spend")
