# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression

# %%
def load(path):
    """The table without what nobody needs, and its gaps filled."""
    table = pd.read_csv(path)
    table = table.drop(columns=["name", "note"])
    table["age"] = table["age"].fillna(table["age"].median())
    return table

# %%
df = load("data.csv")
X, y = df[["age", "visits"]], df["churned"]
model = LogisticRegression().fit(X, y)
model.predict(X)

# output
"""Features of read_and_changed_in_a_function, extracted from read_and_changed_in_a_function.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .runtime.learned import Learned, LearnedTransformer



def load(path, learned):
    """The table without what nobody needs, and its gaps filled."""
    table = learned.rows
    table = table.drop(columns=["name", "note"])
    table["age"] = table["age"].fillna(learned("age_median", lambda: table["age"].median()))
    return table


def prepare(rows: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    df = load("data.csv", learned=learned)
    X, y = df[["age", "visits"]], df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of read_and_changed_in_a_function sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "visits")
