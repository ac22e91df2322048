# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, StandardScaler
df = pd.read_csv("data.csv")
df["left"] = df["churned"].map({0: "no", 1: "yes"})

# %%
X, y = df[["visits", "spend"]].fillna(0), df["left"]
X_train, X_test, y_train, y_test = train_test_split(
    StandardScaler().fit_transform(X), LabelEncoder().fit_transform(y), random_state=1
)
model = LogisticRegression().fit(X_train, y_train)

# output
"""Features of labels_among_other_parts, extracted from labels_among_other_parts.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder, StandardScaler

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    df["left"] = df["churned"].map({0: "no", 1: "yes"})

    X, y = df[["visits", "spend"]].fillna(0), df["left"]
    if learned.fitting:
        X_train, X_test, y_train, y_test = train_test_split(
            learned.fit_transform("standard_scaler", StandardScaler(), X), learned.fit_transform("label_encoder", LabelEncoder(), y), random_state=1
        )
    else:
        X_train = learned.fit_transform("standard_scaler", StandardScaler(), X)
        y_train = learned.fit_transform("label_encoder", LabelEncoder(), y)

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of labels_among_other_parts sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("spend", "visits")
