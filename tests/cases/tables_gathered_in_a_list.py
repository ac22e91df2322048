# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import LabelEncoder
df = pd.read_csv("data.csv")

# %%
def encoded(table, column):
    encoder = LabelEncoder()
    codes = encoder.fit_transform(table[column])
    return encoder, pd.DataFrame({column + "_code": codes})

# %%
made = []
for column in ["plan", "sex"]:
    result = encoded(df, column)
    made.append({"encoder": result[0], "table": result[1], "column": column})

# %%
tables = [df[["visits"]]]
tables.extend([each["table"] for each in made if each["column"] in ["plan", "sex"]])
X = pd.concat(tables, axis=1)
y = df["churned"]

# %%
model = LogisticRegression(max_iter=500)
model.fit(X, y)

# output
"""Features of tables_gathered_in_a_list, extracted from tables_gathered_in_a_list.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.preprocessing import LabelEncoder

from .runtime.learned import Learned, LearnedTransformer



def encoded(table, column, learned):
    encoder = LabelEncoder()
    codes = learned.fit_transform("encoder", encoder, table[column])
    return encoder, pd.DataFrame({column + "_code": codes})


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    made = []
    for column in ["plan", "sex"]:
        result = encoded(df, column, learned=learned)
        made.append({"encoder": learned("value", lambda: result[0]), "table": result[1], "column": column})

    tables = [df[["visits"]]]
    tables.extend([each["table"] for each in made if each["column"] in ["plan", "sex"]])
    X = pd.concat(tables, axis=1)
    if learned.labelled:
        y = df["churned"]

    return X, y


class Features(LearnedTransformer):
    """What the model of tables_gathered_in_a_list sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("churned",)
    required = ("plan", "sex", "visits")
