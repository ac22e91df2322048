# data: customers.csv
# %%
import pandas as pd
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, train_test_split
from sklearn.tree import DecisionTreeClassifier
df = pd.read_csv("data.csv")
df["spend"] = df["spend"].fillna(df["spend"].mean())

# %%
X = df[["visits", "spend"]].values
y = df["churned"].values
for depth, (train, test) in enumerate(KFold(n_splits=3).split(X), start=1):
    X_train, X_test = X[train], X[test]
    y_train, y_test = y[train], y[test]
    model = DecisionTreeClassifier(max_depth=2, random_state=0)
    model.fit(X_train, y_train)
    print(model.score(X_test, y_test))

# output
"""Features of trained_on_the_last_fold, extracted from trained_on_the_last_fold.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.model_selection import KFold

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df["spend"] = df["spend"].fillna(learned("spend_mean", lambda: df["spend"].mean()))

    X = df[["visits", "spend"]].values
    if learned.labelled:
        y = df["churned"].values
    if learned.fitting:
        for depth, (train, test) in enumerate(KFold(n_splits=3).split(X), start=1):
            X_train, X_test = X[train], X[test]
            y_train, y_test = y[train], y[test]
    else:
        X_train = X
        y_train = y

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of trained_on_the_last_fold sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("spend", "visits")
