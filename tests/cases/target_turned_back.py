# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv").dropna(subset=["spend"])

# %%
df["spend"] = np.log1p(df["spend"])
X_train, X_test, y_train, y_test = train_test_split(df[["visits", "income"]], df["spend"], random_state=1)
model = LinearRegression().fit(X_train, y_train)

# %%
predicted = model.predict(X_test)
in_units = np.expm1(predicted)
print(in_units.mean())

# output
"""Features of target_turned_back, extracted from target_turned_back.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from .runtime.learned import Learned, LearnedTransformer


def prepare(rows: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    if learned.fitting:
        df = rows.dropna(subset=["spend"])
    else:
        df = rows

    df["spend"] = np.log1p(df["spend"])
    if learned.fitting:
        X_train, X_test, y_train, y_test = train_test_split(df[["visits", "income"]], df["spend"], random_state=1)
    else:
        X_train = df[["visits", "income"]]
        y_train = df["spend"]

    return X_train, y_train


def answer(predicted: Any) -> Any:
    """The model's predictions in the units of the target, turned back as the notebook does it."""
    return np.expm1(predicted)


class Features(LearnedTransformer):
    """What the model of target_turned_back sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    answer = staticmethod(answer)
    target_columns = ("spend",)
    required = ("income", "visits")
