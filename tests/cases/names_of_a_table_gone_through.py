# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")

# %%
def coded(table):
    texts = table.select_dtypes(exclude="number")
    for column in texts:
        table[column] = table[column].astype("category").cat.codes
    rest = table.drop(columns=["sex", "plan"])
    for column in rest:
        table[column] = table[column].fillna(0)
    return table

# %%
X = coded(df[["sex", "plan", "visits", "income"]].copy())
y = df["churned"]
model = LogisticRegression(max_iter=1000).fit(X, y)

# output
"""Features of names_of_a_table_gone_through, extracted from names_of_a_table_gone_through.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import category_codes
from .runtime.learned import Learned, LearnedTransformer



def coded(table, learned):
    texts = table.select_dtypes(exclude="number")
    for column in texts:
        table[column] = category_codes(learned, "astype_category_cat", table[column].astype("category"))
    rest = table.drop(columns=["sex", "plan"])
    for column in rest:
        table[column] = table[column].fillna(0)
    return table


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    X = coded(df[["sex", "plan", "visits", "income"]].copy(), learned=learned)
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of names_of_a_table_gone_through sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("income", "plan", "sex", "visits")
