# data: parts.csv
# %%
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
df = pd.read_csv("data.csv")

# %%
X = df.iloc[:, :-1].values
y = df["kind"]
X = StandardScaler().fit_transform(X)
pca = PCA(n_components=2)
X = pca.fit_transform(X)

# %%
model = LogisticRegression().fit(X, y)

# output
"""Features of components_of_a_matrix, extracted from components_of_a_matrix.py.

One text prepares rows for training and for serving: what `learned` wraps is computed in fit and handed back
in transform. Change the notebook and export again rather than this file.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from .runtime.learned import Learned, LearnedTransformer


def prepare(df: pd.DataFrame, learned: Learned) -> tuple[Any, Any]:
    """Raw rows to the model's input; with the labels where the rows have a target."""
    y = None

    X = df.iloc[:, :-1].values
    if learned.labelled:
        y = df["kind"]
    X = learned.fit_transform("standard_scaler", StandardScaler(), X)
    pca = PCA(n_components=2)
    X = learned.fit_transform("pca", pca, X)

    return X, y


class Features(LearnedTransformer):
    """What the model of components_of_a_matrix sees of raw rows: fit learns from them, transform replays."""

    prepare = staticmethod(prepare)
    target_columns = ("kind",)
    required = ("depth", "height", "mass", "width")
