# data: customers.csv
# %%
import pandas as pd
from sklearn.tree import DecisionTreeClassifier
df = pd.read_csv("data.csv")

# %%
rank = df["visits"].rank(pct=True)
df["standing"] = rank
X, y = df[["standing", "visits"]], df["churned"]
model = DecisionTreeClassifier(max_depth=2).fit(X, y)

# output
"""Features of names_that_serving_forms_have, extracted from names_that_serving_forms_have.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import rank as rank_
from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    rank = rank_(learned, "rank_rank", df["visits"], pct=True)
    df["standing"] = rank
    X, y = df[["standing", "visits"]], df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of names_that_serving_forms_have sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("visits",)
