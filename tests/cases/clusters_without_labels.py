# data: customers.csv
# %%
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.preprocessing import MinMaxScaler
df = pd.read_csv("data.csv").dropna(subset=["spend"])

# %%
X = MinMaxScaler().fit_transform(df[["visits", "spend"]])
groups = KMeans(n_clusters=3, n_init=10, random_state=1)
df["group"] = groups.fit_predict(X)

# output
"""Features of clusters_without_labels, extracted from clusters_without_labels.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.preprocessing import MinMaxScaler

from .runtime.learned import Learned, LearnedTransformer


def prepare(rows: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    if learned.fitting:
        df = rows.dropna(subset=["spend"])
    else:
        df = rows

    X = learned.fit_transform("min_max_scaler", MinMaxScaler(), df[["visits", "spend"]])

    return X, None


class Features(LearnedTransformer):
    """What the model of clusters_without_labels sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    required = ("spend", "visits")
