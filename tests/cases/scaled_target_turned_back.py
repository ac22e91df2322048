# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
df = pd.read_csv("data.csv").dropna(subset=["spend"])

# %%
X_train, X_test, y_train, y_test = train_test_split(df[["visits", "income"]], df[["spend"]], random_state=1)
sc_x = StandardScaler()
sc_y = StandardScaler()
X_train = sc_x.fit_transform(X_train)
y_train = sc_y.fit_transform(y_train)
model = Ridge().fit(X_train, y_train.ravel())

# %%
predicted = model.predict(sc_x.transform(X_test))
in_units = sc_y.inverse_transform(predicted.reshape(-1, 1))
print(in_units.mean())

# output
"""Features of scaled_target_turned_back, extracted from scaled_target_turned_back.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from .runtime.learned import Learned, LearnedTransformer


def prepare(rows: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    if learned.fitting:
        df = rows.dropna(subset=["spend"])
        X_train, X_test, y_train, y_test = train_test_split(df[["visits", "income"]], df[["spend"]], random_state=1)
    else:
        df = rows
        X_train = df[["visits", "income"]]
        y_train = df[["spend"]]
    sc_x = StandardScaler()
    if learned.labelled:
        sc_y = StandardScaler()
    X_train = learned.fit_transform("sc_x", sc_x, X_train)
    if learned.labelled:
        y_train = learned.fit_transform("sc_y", sc_y, y_train)

    return X_train, y_train.ravel() if learned.labelled else None


class Features(LearnedTransformer):
    """What the model of scaled_target_turned_back sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("spend",)
    required = ("income", "visits")

    def answer(self, predicted: Any) -> Any:
        """The model's predictions in the units of the target, turned back as the notebook does it."""
        return self.learned_.turned_back("sc_y", predicted)
