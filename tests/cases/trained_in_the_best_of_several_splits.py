# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
df = pd.read_csv("data.csv")
df["spend"] = df["spend"].fillna(df["spend"].mean())

# %%
X = df[["visits", "spend"]]
y = df["churned"]
best = 0
for seed in range(4):
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    one = DecisionTreeClassifier(max_depth=3, random_state=0)
    one.fit(X_train, y_train)
    score = one.score(X_test, y_test)
    if score > best:
        best, model = score, one

# %%
print(best, model.predict(X))

# output
"""Features of trained_in_the_best_of_several_splits, extracted from trained_in_the_best_of_several_splits.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    df["spend"] = df["spend"].fillna(learned("spend_mean", lambda: df["spend"].mean()))

    X = df[["visits", "spend"]]
    if learned.labelled:
        y = df["churned"]
    for seed in range(4):
        if learned.fitting:
            X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
        else:
            X_train = X
            X_test = X
            y_train = y
            y_test = y

    if learned.fitting:
        learned.hand_over(X=X, y=y)

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of trained_in_the_best_of_several_splits sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("spend", "visits")
