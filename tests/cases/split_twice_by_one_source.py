# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier
np.random.seed(3)
df = pd.read_csv("data.csv")
df["spend"] = df["spend"].fillna(df["spend"].mean())
df.sample(4)

# %%
X = df[["visits", "spend"]]
y = df["churned"]
X_train, X_test, y_train, y_test = train_test_split(X, y)
first = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X_train, y_train)

# %%
X_train, X_test, y_train, y_test = train_test_split(X, y)
model = LogisticRegression(max_iter=500)
model.fit(X_train, y_train)

# %%
print(model.predict(X_test))

# output
"""Features of split_twice_by_one_source, extracted from split_twice_by_one_source.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    if learned.fitting:
        np.random.seed(3)
    df["spend"] = df["spend"].fillna(learned("spend_mean", lambda: df["spend"].mean()))
    if learned.fitting:
        df.sample(4)

    X = df[["visits", "spend"]]
    if learned.labelled:
        y = df["churned"]
    if learned.fitting:
        X_train, X_test, y_train, y_test = train_test_split(X, y)
        X_train, X_test, y_train, y_test = train_test_split(X, y)
    else:
        X_train = X
        y_train = y

    return X_train, y_train


class Features(LearnedTransformer):
    """What the model of split_twice_by_one_source sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("spend", "visits")
