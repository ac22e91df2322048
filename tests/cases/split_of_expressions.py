# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
df = pd.read_csv("data.csv")[["plan", "visits", "spend", "churned"]].dropna()

# %%
df["left"] = df["churned"]
X_train, X_test, y_train, y_test = train_test_split(
    StandardScaler().fit_transform(pd.get_dummies(df.drop(["churned", "left"], axis="columns"))), df["churned"], random_state=1
)
model = LogisticRegression().fit(X_train, y_train)

# output
"""Features of split_of_expressions, extracted from split_of_expressions.py.

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


def prepare(rows: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    if learned.fitting:
        df = rows[["plan", "visits", "spend", "churned"]].dropna()
        X_train, X_test, y_train, y_test = train_test_split(
            learned.fit_transform("standard_scaler", StandardScaler(), get_dummies(learned, "get_dummies_drop_churned", df.drop(["churned"], axis="columns"))), df["churned"], random_state=1
        )
    else:
        df = rows[["plan", "visits", "spend", "churned"]]
        X_train = learned.fit_transform("standard_scaler", StandardScaler(), get_dummies(learned, "get_dummies_drop_churned", df.drop(["churned"], axis="columns")))
        y_train = df["churned"]

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of split_of_expressions sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("plan", "spend", "visits")
