# data: customers.csv
# %%
import pandas as pd
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")
df.columns = df.columns.str.upper().str.replace("SEX", "gender")

# %%
texts = list(df.dtypes[df.dtypes != "int64"].index.intersection(["gender", "CITY"]))
for c in texts:
    df[c] = df[c].str.lower().str.replace(" ", "_")
df.CHURNED = (df.CHURNED == 1).astype(int)

# %%
records = df[["gender", "CITY", "INCOME"]].fillna("none").to_dict(orient="records")
vectorizer = DictVectorizer(sparse=False)
X = vectorizer.fit_transform(records)
y = df.CHURNED.values
model = LogisticRegression(max_iter=1000).fit(X, y)

# output
"""Features of names_made_by_methods_of_text, extracted from names_made_by_methods_of_text.py.

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
    y = None

    df.columns = learned("columns_str_upper", lambda: df.columns.str.upper().str.replace("SEX", "gender"))

    texts = learned("texts", lambda: list(df.dtypes[df.dtypes != "int64"].index.intersection(["gender", "CITY"])))
    for c in texts:
        df[c] = df[c].str.lower().str.replace(" ", "_")
    df.CHURNED = (df.CHURNED == 1).astype(int)

    records = df[["gender", "CITY", "INCOME"]].fillna("none").to_dict(orient="records")
    vectorizer = DictVectorizer(sparse=False)
    X = learned.fit_transform("vectorizer", vectorizer, records)
    if learned.labelled:
        y = df.CHURNED.values

    return X, y


class Features(LearnedTransformer):
    """What the model of names_made_by_methods_of_text sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("city", "income", "sex")
