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
X_train, X_test, y_train, y_test = train_test_split(df[["visits", "spend"]], df["churned"], random_state=1)

def compare(model):
    model.fit(X_train, y_train)
    print(type(model).__name__, model.score(X_test, y_test))

for model in [LogisticRegression(max_iter=500), DecisionTreeClassifier(max_depth=3, random_state=0)]:
    compare(model)

# output
"""Features of trained_in_a_loop_over_models, extracted from trained_in_a_loop_over_models.py.

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
    df["spend"] = df["spend"].fillna(learned("spend_mean", lambda: df["spend"].mean()))

    if learned.fitting:
        X_train, X_test, y_train, y_test = train_test_split(df[["visits", "spend"]], df["churned"], random_state=1)
    else:
        X_train = df[["visits", "spend"]]
        y_train = df["churned"]

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of trained_in_a_loop_over_models sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("spend", "visits")
