# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

def prepare(table):
    """Fill what is missing."""
    table["spend"] = table["spend"].fillna(table["spend"].median())
    return table

def train(rows, labels, C):
    weight = (labels == 0).mean()
    return LogisticRegression(C=C, class_weight={0: 1, 1: weight}).fit(rows, labels)

def evaluate(model, rows, labels):
    return model.score(rows, labels)

# %%
df = prepare(pd.read_csv("data.csv"))
X_train, X_test, y_train, y_test = train_test_split(df[["visits", "spend"]], df["churned"], random_state=0)
model = train(X_train, y_train, C=len(df))
score = evaluate(model, X_test, y_test)
print(model.predict(X_test))

# output
"""Features of functions_named_like_those_of_the_package, extracted from functions_named_like_those_of_the_package.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split

from .runtime.learned import Learned, LearnedTransformer



def prepare(table, learned):
    """Fill what is missing."""
    table["spend"] = table["spend"].fillna(learned("spend_median", lambda: table["spend"].median()))
    return table


def prepare_rows(raw_rows: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    df = prepare(raw_rows, learned=learned)
    if learned.fitting:
        X_train, X_test, y_train, y_test = train_test_split(df[["visits", "spend"]], df["churned"], random_state=0)
    else:
        X_train = df[["visits", "spend"]]
        y_train = df["churned"]

    if learned.fitting:
        learned.hand_over(df=df)

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of functions_named_like_those_of_the_package sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare_rows)
    target_columns = ("churned",)
    required = ("spend", "visits")
