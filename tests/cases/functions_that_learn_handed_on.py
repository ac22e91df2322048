# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")

def scaled(column):
    return (column - column.min()) / (column.max() - column.min())

def filled(table):
    return table.apply(lambda column: column.fillna(column.median()))

# %%
numbers = ["age", "visits", "spend"]
df[numbers] = filled(df[numbers])
df[numbers] = df[numbers].apply(scaled)
df["above"] = df.groupby("plan")["visits"].transform(lambda v: v - v.mean())

# %%
X = df[[*numbers, "above"]].fillna(0)
model = LogisticRegression(max_iter=500)
model.fit(X, df["churned"])

# output
"""Features of functions_that_learn_handed_on, extracted from functions_that_learn_handed_on.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import group_transform
from .runtime.learned import Learned, LearnedTransformer



def scaled(column, learned):
    return (column - learned("column_min", lambda: column.min())) / (learned("column_max_min", lambda: column.max() - column.min()))


def filled(table, learned):
    return table.apply(lambda column: column.fillna(learned("column_median", lambda: column.median())))


numbers = ["age", "visits", "spend"]


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    df[numbers] = filled(df[numbers], learned=learned)
    df[numbers] = df[numbers].apply(lambda *args, **options: scaled(*args, **options, learned=learned))
    df["above"] = group_transform(learned, "groupby_plan_visits", df.groupby("plan")["visits"], lambda v: v - v.mean())

    X = df[[*numbers, "above"]].fillna(0)

    return X, df["churned"]


class Features(LearnedTransformer):
    """What the model of functions_that_learn_handed_on sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "plan", "spend", "visits")
