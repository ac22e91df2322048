"""A small package as codegen writes it, by hand: houses with numbers, gaps, categories, text and dates."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nbprod.codegen import root_files, support_files

FEATURES = '''"""Features of houses, extracted from houses.ipynb."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import FunctionTransformer, LabelEncoder, StandardScaler
from sklearn.pipeline import make_pipeline

from .runtime.learned import Learned, LearnedTransformer


class Clip(TransformerMixin, BaseEstimator):
    """Cut what is above the highest of training."""

    def fit(self, X, y=None):
        self.highest_ = np.asarray(X).max(axis=0)
        return self

    def transform(self, X):
        return np.minimum(X, self.highest_)


def prepare(df: pd.DataFrame, learned: Learned):
    # fill what is missing
    df["area"] = df["area"].fillna(learned("area_median", lambda: df["area"].median()))
    for c in ["age", "rooms"]:
        df[c] = df[c].fillna(learned("mode", lambda c=c: df[c].mode()[0], key=c))
    df["month"] = pd.to_datetime(df["sold"], format="%Y-%m-%d").dt.month
    counts = learned("counts", lambda: df["street"].value_counts())
    df["street_count"] = df["street"].map(counts).fillna(0)
    df["label"] = df["rooms"].astype(str).str.len()
    le = LabelEncoder()
    for c in ["kind", "heating"]:
        df[c] = learned.fit_transform("le", le, df[c].astype(str), key=c)
    df["garden"] = df["garden"].fillna(False).astype(int)
    X = df.drop(columns=["price", "street", "sold", "note"])
    y_train = None
    if learned.labelled:
        y_train = df["price"]
    if learned.fitting:
        X_train, X_test, y_train, y_test = train_test_split(X, y_train, test_size=0.2, random_state=0)
    else:
        X_train = X
    steps = make_pipeline(StandardScaler(), Clip(), FunctionTransformer(np.abs))
    X_train = learned.fit_transform("steps", steps, X_train)
    return X_train, y_train


class Features(LearnedTransformer):
    """Features of houses: fit learns on raw rows, transform replays on raw rows."""

    prepare = staticmethod(prepare)
    target_columns = ("price",)
    required = ("area", "age", "rooms", "kind", "heating", "garden", "street", "sold")
    output_names = ("area", "age", "rooms", "kind", "heating", "garden", "month", "street_count", "label")
'''

TRAIN = '''"""Training of houses, extracted from houses.ipynb."""

from __future__ import annotations

import pandas as pd
from sklearn.ensemble import RandomForestRegressor

from .features import Features
from .runtime.pipeline import Pipeline


def fit_model(X, y):
    """The model of the notebook."""
    model = RandomForestRegressor(n_estimators=10, random_state=0)
    model.fit(X, y)
    return model


def train(frame: pd.DataFrame) -> Pipeline:
    """Fit features and model on raw rows."""
    features = Features()
    X, y = features.fit_rows(frame)
    return Pipeline(features, fit_model(X, y))
'''

EVALUATE = '''"""Metrics of houses, extracted from houses.ipynb."""

from __future__ import annotations

import pandas as pd
from sklearn.metrics import r2_score

from .runtime.pipeline import Pipeline


def evaluate(pipeline: Pipeline, frame: pd.DataFrame) -> dict[str, float]:
    """The notebook's metrics on raw rows with their target."""
    return {"r2": float(r2_score(pipeline.labels(frame), pipeline.predict(frame)))}
'''


def assemble(folder: Path, name: str = "houses", policy: str = "flag") -> Path:
    """Write the package `name` into `folder` as the export does, not fitted; returns the version's folder."""
    version = folder / name / "v0001"
    for place, files in ((version, support_files()), (version.parent, root_files(name))):
        for file, content in files.items():
            path = place / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    texts = {"__init__.py": f'"""Version 1 of {name}."""\n', "features.py": FEATURES, "train.py": TRAIN}
    for file, text in {**texts, "evaluate.py": EVALUATE}.items():
        (version / file).write_text(text, encoding="utf-8")
    columns = ["area", "age", "rooms", "kind", "heating", "garden", "street", "sold"]
    contract = {
        "schema": 1,
        "name": name,
        "digest": "0123456789abcdef" * 2,
        "target": "price",
        "policy": policy,
        "default": 0.0,
        "open": False,
        "columns": [{"name": column, "required": True} for column in columns],
        "features": ["area", "age", "rooms", "kind", "heating", "garden", "month", "street_count", "label"],
        "dropped": [],
        "read": {"function": "pandas.read_csv", "kwargs": {"sep": ",", "na_values": ["?"]}},
    }
    (version / "contract.json").write_text(json.dumps(contract, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    ledger = {"schema": 1, "versions": [{"number": 1, "digest": contract["digest"], "aliases": ["champion"]}]}
    (version.parent / "versions.json").write_text(json.dumps(ledger), encoding="utf-8")
    return version


@contextmanager
def imported(folder: Path, name: str) -> Iterator[Any]:
    """The package `name` of a folder, which is forgotten at the end."""
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))
        for module in [module for module in sys.modules if module.partition(".")[0] == name]:
            del sys.modules[module]


def frame(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """Raw rows as `read_csv` gives them: `area` has gaps, `rooms` and `garden` have none, `note` reaches no feature."""
    random = np.random.default_rng(seed)
    area = random.normal(100, 30, rows).round(2)
    area[random.random(rows) < 0.2] = np.nan
    kind = random.choice(["flat", "house", "Ümlaut"], rows).astype(object)
    kind[random.random(rows) < 0.1] = np.nan
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 700, rows), unit="D")
    rooms = random.integers(1, 12, rows)
    return pd.DataFrame(
        {
            "area": area,
            "age": random.integers(0, 90, rows),
            "rooms": rooms,
            "kind": pd.Series(kind, dtype="str" if pd.__version__ >= "3" else object),
            "heating": random.choice(["gas", "wood"], rows),
            "garden": random.random(rows) < 0.5,
            "street": random.choice([f"street {number}" for number in range(40)], rows),
            "sold": days.strftime("%Y-%m-%d"),
            "note": [f"{number:03d}" for number in range(rows)],
            "price": (np.nan_to_num(area, nan=100) * 1000 + rooms * 5000 + random.normal(0, 500, rows)).round(),
        }
    )


@contextmanager
def on_the_path(root: Path, name: str) -> Iterator[Path]:
    """The folder of a fitted package, which can be imported for as long as the context lasts."""
    assemble(root, name)
    sys.path.insert(0, str(root))
    importlib.import_module(name).train(frame()).save()
    try:
        yield root
    finally:
        sys.path.remove(str(root))
        for each in [each for each in sys.modules if each.partition(".")[0] == name]:
            del sys.modules[each]
