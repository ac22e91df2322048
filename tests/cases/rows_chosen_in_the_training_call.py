# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

df = pd.read_csv("data.csv")
df["fold"] = -1
for number, (_, held_out) in enumerate(KFold(4, shuffle=True, random_state=0).split(df)):
    df.loc[held_out, "fold"] = number

# %%
X = df[["spend", "visits"]].to_numpy()
y = df["churned"].to_numpy()
X = np.append(arr=np.ones((len(X), 1)).astype(int), values=X, axis=1)
chosen = df["fold"] != 0

# %%
model = LogisticRegression()
model.fit(X[chosen], y[chosen])
print(model.score(X[~chosen], y[~chosen]))

# output
"""Features of rows_chosen_in_the_training_call, extracted from rows_chosen_in_the_training_call.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None
    chosen = None

    if learned.fitting:
        df["fold"] = -1
        for number, (_, held_out) in enumerate(KFold(4, shuffle=True, random_state=0).split(df)):
            df.loc[held_out, "fold"] = number

    X = df[["spend", "visits"]].to_numpy()
    if learned.labelled:
        y = df["churned"].to_numpy()
    X = np.append(arr=np.ones((len(X), 1)).astype(int), values=X, axis=1)
    if learned.fitting:
        chosen = df["fold"] != 0

    return (X[chosen] if learned.fitting else X), (y[chosen] if learned.fitting else y)


class Features(LearnedTransformer):
    """What the model of rows_chosen_in_the_training_call sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("spend", "visits")
