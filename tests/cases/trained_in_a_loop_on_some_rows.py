# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier
df = pd.read_csv("data.csv")
df["spend"] = df["spend"].fillna(df["spend"].mean())

# %%
X = df[["visits", "spend"]]
y = df["churned"]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)

# %%
models = [LogisticRegression(max_iter=500), DecisionTreeClassifier(max_depth=3, random_state=0)]
accuracies = []
for model in models:
    model.fit(X_train[:100], y_train[:100])
    predicted = model.predict(X_train)
    accuracies.append(accuracy_score(y_train, predicted))
    print(model, accuracy_score(y_test, model.predict(X_test)))

# output
"""Features of trained_in_a_loop_on_some_rows, extracted from trained_in_a_loop_on_some_rows.py.

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
    if learned.fitting:
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
    else:
        X_train = X
        y_train = y

    return (X_train[:100] if learned.fitting else X_train), (y_train[:100] if learned.fitting else y_train)


class Features(LearnedTransformer):
    """What the model of trained_in_a_loop_on_some_rows sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("spend", "visits")
