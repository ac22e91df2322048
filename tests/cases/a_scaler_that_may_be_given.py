# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def scaled(df, scaler=None):
    df = df[["spend", "visits"]].copy()
    if scaler is None:
        scaler = StandardScaler()
        df[df.columns] = scaler.fit_transform(df)
    else:
        df[df.columns] = scaler.transform(df)
    return df, scaler


# %%
train, test = train_test_split(pd.read_csv("data.csv"), random_state=0)
X_train, scaler = scaled(train)
X_test, _ = scaled(test, scaler)

# %%
model = LogisticRegression().fit(X_train, train["churned"])
print(model.score(X_test, test["churned"]))

# output
"""Features of a_scaler_that_may_be_given, extracted from a_scaler_that_may_be_given.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from .runtime.learned import Learned, LearnedTransformer



def scaled(df, scaler=None, learned=None):
    df = df[["spend", "visits"]].copy()
    if scaler is None:
        scaler = StandardScaler()
        df[learned("df_columns", lambda: df.columns)] = learned.fit_transform("scaler", scaler, df)
    return df, scaler


def prepare(rows: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    if learned.fitting:
        train, test = train_test_split(rows, random_state=0)
    else:
        train = rows
    X_train, scaler = scaled(train, learned=learned)

    return X_train, train["churned"]


class Features(LearnedTransformer):
    """What the model of a_scaler_that_may_be_given sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("spend", "visits")
