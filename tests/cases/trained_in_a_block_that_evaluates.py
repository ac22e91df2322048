# data: customers.csv
# %%
import warnings
import pandas as pd
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
df = pd.read_csv("data.csv")

# %%
df["age"] = df["age"].fillna(df["age"].mean())
early = df[df["id"] <= 1030].copy()
late = df[df["id"] > 1030].copy()
vectorizer = DictVectorizer(sparse=False)
X_train = vectorizer.fit_transform(early[["age", "plan"]].to_dict(orient="records"))
X_test = vectorizer.transform(late[["age", "plan"]].to_dict(orient="records"))
y_train = early["churned"].values
y_test = late["churned"].values

# %%
settings = {"max_iter": 500}
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    print(settings)
    model = LogisticRegression(**settings)
    model.fit(X_train, y_train)
    predicted = model.predict(X_test)
    accuracy = accuracy_score(y_test, predicted)
    print("accuracy", accuracy)

# output
"""Features of trained_in_a_block_that_evaluates, extracted from trained_in_a_block_that_evaluates.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.feature_extraction import DictVectorizer

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y_train = None

    df["age"] = df["age"].fillna(learned("age_mean", lambda: df["age"].mean()))
    early = (df[df["id"] <= 1030] if learned.fitting else df).copy()
    vectorizer = DictVectorizer(sparse=False)
    X_train = learned.fit_transform("vectorizer", vectorizer, early[["age", "plan"]].to_dict(orient="records"))
    if learned.labelled:
        y_train = early["churned"].values

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of trained_in_a_block_that_evaluates sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "plan")
