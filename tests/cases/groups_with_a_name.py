# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")

# %%
def fill(table):
    for each in [table]:
        ages = each.groupby(["sex", "plan"])["age"]
        each["age"] = ages.transform(lambda of_group: of_group.fillna(of_group.mean()))
    return table


df = fill(df)
cities = df.groupby("city")
typical = cities["visits"].mean()
df["visits_there"] = df["city"].map(typical)
plans = df.groupby("plan")["income"]
df["income_of_plan"] = plans.transform("mean")

# %%
X = df[["age", "visits_there", "income_of_plan"]].fillna(0)
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of groups_with_a_name, extracted from groups_with_a_name.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from .idioms import group_transform
from .runtime.learned import Learned, LearnedTransformer



def fill(table, learned):
    for each in [table]:
        ages = each.groupby(["sex", "plan"])["age"]
        each["age"] = group_transform(learned, "transform_fillna_mean", ages, lambda of_group: of_group.fillna(of_group.mean()))
    return table


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    cities = None
    y = None

    df = fill(df, learned=learned)
    if learned.fitting:
        cities = df.groupby("city")
    typical = learned("typical", lambda: cities["visits"].mean())
    df["visits_there"] = df["city"].map(typical)
    plans = df.groupby("plan")["income"]
    df["income_of_plan"] = group_transform(learned, "transform_mean", plans, "mean")

    X = df[["age", "visits_there", "income_of_plan"]].fillna(0)
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of groups_with_a_name sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "city", "plan", "sex")
