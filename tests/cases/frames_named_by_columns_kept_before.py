# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
df = pd.read_csv("data.csv")
df = df.drop(["name", "code", "joined", "note", "phone"], axis=1)
df = pd.get_dummies(df, columns=["sex", "plan"]).drop("city", axis=1).fillna(0)

# %%
X = df.loc[:, df.columns != "churned"]
y = df.loc[:, df.columns == "churned"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
columns = X_train.columns
scaler = StandardScaler()
scaled = pd.DataFrame(data=scaler.fit_transform(X_train), columns=columns)
kept = ["age", "spend", "sex_male"]
model = LogisticRegression().fit(scaled[kept], y_train.values.ravel())

# output
"""Features of frames_named_by_columns_kept_before, extracted from frames_named_by_columns_kept_before.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from .idioms import get_dummies
from .runtime.learned import Learned, LearnedTransformer

kept = ["age", "spend", "sex_male"]


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df = df.drop(["name", "code", "joined", "note", "phone"], axis=1)
    df = get_dummies(learned, "df_get_dummies", df, columns=["sex", "plan"]).drop("city", axis=1).fillna(0)

    X = df.loc[:, df.columns != "churned"]
    if learned.labelled:
        y = df.loc[:, df.columns == "churned"]
    if learned.fitting:
        X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
    else:
        X_train = X
        y_train = y
    columns = learned("columns", lambda: X_train.columns)
    scaler = StandardScaler()
    scaled = pd.DataFrame(data=learned.fit_transform("scaler", scaler, X_train), columns=columns)

    return scaled[kept], y_train.values.ravel() if learned.labelled else None


class Features(LearnedTransformer):
    """What the model of frames_named_by_columns_kept_before sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "sex", "spend")
