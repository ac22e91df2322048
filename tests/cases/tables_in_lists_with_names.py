# data: customers.csv customers_new.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import LabelEncoder
train = pd.read_csv("data.csv")
test = pd.read_csv("customers_new.csv")
combine = [train, test]

# %%
for dataset in combine:
    dataset["title"] = dataset["name"].str.extract(r", (\w+)\.", expand=False)
    mean, std = dataset["age"].mean(), dataset["age"].std()
    dataset["age"] = dataset["age"].fillna(mean - std)
    dataset.loc[dataset["age"] > 50, "age"] = 50

# %%
train = train.drop(["name", "note"], axis=1)
test = test.drop(["name", "note"], axis=1)
combine = [train, test]
encoder = LabelEncoder()
for dataset in combine:
    dataset["title"] = encoder.fit_transform(dataset["title"])
    dataset["city"] = dataset["city"].map({"Bern": 0, "Chur": 1}).fillna(2).astype(int)

# %%
tables = {"train": train, "test": test}
for name, table in tables.items():
    table["spend"] = table["spend"].fillna(table["spend"].median())
    print(name, table.shape)

# %%
columns = ["title", "age", "city", "spend"]
model = LogisticRegression(max_iter=2000)
model.fit(train[columns], train["churned"])
answers = model.predict(test[columns])

# output
"""Features of tables_in_lists_with_names, extracted from tables_in_lists_with_names.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.preprocessing import LabelEncoder

from .runtime.learned import Learned, LearnedTransformer

columns = ["title", "age", "city", "spend"]


def prepare(train: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    combine = [train]

    for dataset in combine:
        dataset["title"] = dataset["name"].str.extract(r", (\w+)\.", expand=False)
        mean, std = learned("age_mean", lambda: dataset["age"].mean()), learned("age_std", lambda: dataset["age"].std())
        dataset["age"] = dataset["age"].fillna(mean - std)
        dataset.loc[dataset["age"] > 50, "age"] = 50

    train = train.drop(["name", "note"], axis=1)
    combine = [train]
    encoder = LabelEncoder()
    for dataset in combine:
        dataset["title"] = learned.fit_transform("encoder", encoder, dataset["title"])
        dataset["city"] = dataset["city"].map({"Bern": 0, "Chur": 1}).fillna(2).astype(int)

    tables = {"train": train}
    for name, table in tables.items():
        table["spend"] = table["spend"].fillna(learned("spend_median", lambda: table["spend"].median()))

    return train[columns], train["churned"]


class Features(LearnedTransformer):
    """What the model of tables_in_lists_with_names sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("age", "city", "name", "spend")
