# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
df = pd.read_csv("data.csv")

# %%
def clean(data):
    """What both parts get."""
    data = data.copy()
    data["sex"] = data["sex"].map({"female": 1, "male": 0})
    data["spend"] = data["spend"].fillna(0)
    data.drop(columns=["name", "note"], inplace=True)
    return data

train, test = train_test_split(df, random_state=3)
train, test = clean(train), clean(test)

# %%
features = ["sex", "spend", "visits"]
model = LogisticRegression()
model.fit(train[features], train["churned"])
predicted = model.predict(test[features])

# output
"""Features of steps_in_functions_for_both, extracted from steps_in_functions_for_both.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split

from .runtime.learned import Learned, LearnedTransformer



def clean(data):
    """What both parts get."""
    data = data.copy()
    data["sex"] = data["sex"].map({"female": 1, "male": 0})
    data["spend"] = data["spend"].fillna(0)
    data.drop(columns=["name", "note"], inplace=True)
    return data


features = ["sex", "spend", "visits"]


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    if learned.fitting:
        train, test = train_test_split(df, random_state=3)
    else:
        train = df
        test = df
    train, test = clean(train), clean(test)

    return train[features], train["churned"]


class Features(LearnedTransformer):
    """What the model of steps_in_functions_for_both sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("sex", "spend", "visits")
