# data: customers.csv
# %%
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
df = pd.read_csv("data.csv")
df["spend"] = df["spend"].fillna(df["spend"].mean())

# %%
X_train, X_valid, y_train, y_valid = train_test_split(df[["visits", "spend"]], df["churned"], random_state=1)
scaler = StandardScaler()
X_train = scaler.fit_transform(X_train)
X_valid = scaler.transform(X_valid)

# %%
ratio = (y_train == 0).sum() / (y_train == 1).sum()
settings = {"max_iter": 20, "class_weight": {0: 1.0, 1: ratio}}
model = HistGradientBoostingClassifier(**settings, random_state=0)
model.fit(X_train[:50], y_train[:50], sample_weight=[1.0 + len(X_valid) / 100] * 50)
print(model.score(X_valid, y_valid))

# output
"""Features of trained_with_a_validation_set, extracted from trained_with_a_validation_set.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    df["spend"] = df["spend"].fillna(learned("spend_mean", lambda: df["spend"].mean()))

    if learned.fitting:
        X_train, X_valid, y_train, y_valid = train_test_split(df[["visits", "spend"]], df["churned"], random_state=1)
    else:
        X_train = df[["visits", "spend"]]
        y_train = df["churned"]
    scaler = StandardScaler()
    X_train = learned.fit_transform("scaler", scaler, X_train)

    if learned.fitting:
        learned.hand_over(X_valid=X_valid, scaler=scaler, y_train=y_train)

    return (X_train[:50] if learned.fitting else X_train), (y_train[:50] if learned.fitting else y_train)


class Features(LearnedTransformer):
    """What the model of trained_with_a_validation_set sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("spend", "visits")
