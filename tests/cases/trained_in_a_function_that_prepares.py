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
columns = ["sex", "visits", "spend"]

def train(part, target, C=1.0):
    """Encode, then train."""
    records = part[columns].to_dict(orient="records")
    encoder = DictVectorizer(sparse=False)
    encoded = encoder.fit_transform(records)
    model = LogisticRegression(C=C, max_iter=1000)
    model.fit(encoded, target)
    return encoder, model

def answers(part, encoder, model):
    return model.predict_proba(encoder.transform(part[columns].to_dict(orient="records")))[:, 1]

# %%
rest, test = train_test_split(df, random_state=1)
for chosen, others in KFold(n_splits=3).split(rest):
    encoder, model = train(rest.iloc[chosen], rest.iloc[chosen]["churned"], C=0.5)
encoder, model = train(rest, rest["churned"].values)
print(answers(test, encoder, model).mean())

# output
"""Features of trained_in_a_function_that_prepares, extracted from trained_in_a_function_that_prepares.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.feature_extraction import DictVectorizer
from sklearn.model_selection import train_test_split

from .runtime.learned import Learned, LearnedTransformer

columns = ["sex", "visits", "spend"]


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    df["spend"] = df["spend"].fillna(learned("spend_mean", lambda: df["spend"].mean()))

    if learned.fitting:
        rest, test = train_test_split(df, random_state=1)
    else:
        rest = df
    part, target = rest, rest["churned"].values

    records = part[columns].to_dict(orient="records")
    encoder = DictVectorizer(sparse=False)
    encoded = learned.fit_transform("encoder", encoder, records)

    return encoded, target


class Features(LearnedTransformer):
    """What the model of trained_in_a_function_that_prepares sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("sex", "spend", "visits")
