"""Which values count as the same, and which do not."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_matrix, csc_matrix, csr_array, csr_matrix, lil_matrix
from scipy.stats import uniform
from sklearn.gaussian_process.kernels import RBF, ConstantKernel
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, make_scorer
from sklearn.model_selection import KFold, LeaveOneOut, StratifiedKFold
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import Bunch

from nbprod.replay.runner.sameness import is_same

ROWS = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1, 0, 1]})
LABELS = pd.Series([0, 0, 1], name="y")
PAIRS = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", "y"])
DAYS = pd.date_range("2024-01-01", periods=3)


def objects(*items: Any, shape: tuple[int, ...] | None = None) -> Any:
    made = np.empty(len(items), dtype=object)
    made[:] = items
    return made if shape is None else made.reshape(shape)


def column(*items: Any, dtype: Any = None) -> pd.DataFrame:
    return pd.DataFrame({"a": pd.Series(items, dtype=dtype)})


def choices(*items: str | None, of: str, ordered: bool = False) -> pd.DataFrame:
    return column(*items, dtype=pd.CategoricalDtype(list(of), ordered))


SAME = {
    "a frame": lambda: ROWS.copy(),
    "a frame whose names stand twice": lambda: ROWS.set_axis(["a", "a"], axis=1),
    "a frame without rows": lambda: ROWS[:0],
    "a series": lambda: LABELS.copy(),
    "missing numbers": lambda: np.array([1.0, np.nan]),
    "missing numbers of a frame": lambda: column(1.0, np.nan),
    "objects": lambda: objects("a", None, 1, np.nan, pd.NA, pd.NaT),
    "one object": lambda: objects("a", shape=()),
    "objects in rows and columns": lambda: objects("a", "b", 1.0, 2.0, shape=(2, 2)),
    "text": lambda: np.array(["a", "bc"]),
    "a column of text": lambda: column("a", None, dtype="string"),
    "text of pyarrow": lambda: column("a", None, dtype="string[pyarrow]"),
    "numbers of pyarrow": lambda: column(1.5, None, dtype="double[pyarrow]"),
    "numbers that may be NA": lambda: column(1, None, dtype="Int64"),
    "choices": lambda: choices("a", "b", of="abc"),
    "choices, of which one is missing": lambda: choices("a", None, of="abc"),
    "an array of choices": lambda: pd.Categorical(["a", "b"]),
    "days": lambda: pd.DataFrame({"a": DAYS}, index=DAYS),
    "days with a zone": lambda: pd.DataFrame({"a": DAYS.tz_localize("Europe/Zurich")}),
    "months": lambda: column(*pd.period_range("2024-01", periods=3, freq="M")),
    "intervals": lambda: column(*pd.interval_range(0, 3)),
    "few values among zeros": lambda: column(0.0, 0.0, 1.0, dtype=pd.SparseDtype(float, 0.0)),
    "an index of several levels": lambda: pd.Series([1.0, 2.0], index=PAIRS),
    "fields": lambda: np.array([(True, 1.5), (False, np.nan)], dtype=[("event", bool), ("time", float)]),
    "complex numbers": lambda: np.array([1j, complex("nan")]),
    "times": lambda: np.array(["2024-01-01", "NaT"], dtype="M8[ns]"),
    "times with a zone": lambda: [pd.Timestamp(0, tz="UTC"), datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)],
    "sparse rows": lambda: csr_matrix(np.eye(3)),
    "sparse columns": lambda: csc_matrix(np.eye(3)),
    "sparse cells": lambda: coo_matrix(np.eye(3)),
    "a list": lambda: [1, 0.5, "a", (None, b"b"), {"k": {1, 2}}, range(3)],
    "nothing": lambda: None,
    "a part of the columns": lambda: slice(0, 2, None),
    "numbers of NumPy": lambda: [np.float32(0.5), np.int8(1), np.datetime64("2024-01-01")],
    "a decimal": lambda: decimal.Decimal("1.0"),
    "a function": lambda: f1_score,
    "folds": lambda: StratifiedKFold(4, shuffle=True, random_state=1),
    "folds without parameters": lambda: LeaveOneOut(),
    "a scorer": lambda: make_scorer(f1_score, average="macro"),
    "a kernel": lambda: ConstantKernel(2.0) * RBF([1.0, 2.0]),
    "an estimator that is trained": lambda: LogisticRegression().fit(ROWS, LABELS),
}

OTHER: dict[str, tuple[Any, Any]] = {
    "the sign of zero in an array": (np.array([0.0]), np.array([-0.0])),
    "the sign of zero in a frame": (column(0.0, 1.0), column(-0.0, 1.0)),
    "the sign of zero in a series": (pd.Series([0.0]), pd.Series([-0.0])),
    "the sign of zero among objects": (column(0.0, "a", dtype=object), column(-0.0, "a", dtype=object)),
    "the sign of zero in a list": ([0.0], [-0.0]),
    "the sign of zero in numbers that may be NA": (column(0.0, dtype="Float64"), column(-0.0, dtype="Float64")),
    "the sign of zero in numbers of pyarrow": (
        column(0.0, dtype="double[pyarrow]"),
        column(-0.0, dtype="double[pyarrow]"),
    ),
    "the sign of zero in a sparse column": (
        column(1.0, 0.0, dtype=pd.SparseDtype(float, 1.0)),
        column(1.0, -0.0, dtype=pd.SparseDtype(float, 1.0)),
    ),
    "the sign of zero in a sparse matrix": (
        csr_matrix(([0.0], [0], [0, 1]), shape=(1, 1)),
        csr_matrix(([-0.0], [0], [0, 1]), shape=(1, 1)),
    ),
    "the sign of zero in an index": (pd.Series([1], index=[0.0]), pd.Series([1], index=[-0.0])),
    "the sign of zero in a complex number": (np.array([complex(1, 0.0)]), np.array([complex(1, -0.0)])),
    "the sign of zero in a parameter": ({"C": 0.0}, {"C": -0.0}),
    "the last bit": (column(1.0), column(np.nextafter(1.0, 2.0))),
    "other dtypes": (ROWS, ROWS.astype("float32")),
    "whole numbers of another width": (ROWS, ROWS.astype({"b": "int32"})),
    "an index of another type": (ROWS, ROWS.set_axis(pd.Index([0, 1, 2]), axis=0)),
    "an index of other values": (ROWS, ROWS.set_axis(range(1, 4))),
    "an index of another name": (ROWS, ROWS.rename_axis("n")),
    "levels of an index": (pd.Series([1, 2], index=PAIRS), pd.Series([1, 2], index=PAIRS.set_names(["x", "z"]))),
    "names of columns": (ROWS, ROWS.set_axis(["a", "c"], axis=1)),
    "names of columns of another type": (ROWS.set_axis([0, 1], axis=1), ROWS.set_axis(["0", "1"], axis=1)),
    "columns in another order": (ROWS, ROWS[["b", "a"]]),
    "another column": (ROWS, ROWS[["a"]]),
    "the name of a series": (LABELS, LABELS.rename("z")),
    "a frame and an array": (ROWS, ROWS.to_numpy()),
    "objects": (objects("a", 1), objects("a", 2)),
    "objects of another type": (objects("a", 1), objects("a", True)),
    "numbers of NumPy among objects": (objects(1.0), objects(np.float64(1.0))),
    "missing objects of another kind": (objects("a", None), objects("a", np.nan)),
    "one object": (objects("a", shape=()), objects("b", shape=())),
    "objects in another shape": (objects(1, 2, shape=(1, 2)), objects(1, 2, shape=(2, 1))),
    "objects that can't be looked into": (objects(object()), objects(object())),
    "categories in another order": (choices("a", "b", of="ab"), choices("a", "b", of="ba")),
    "a category that no row has": (choices("a", "b", of="ab"), choices("a", "b", of="abc")),
    "ordered choices": (choices("a", of="ab"), choices("a", of="ab", ordered=True)),
    "other choices": (choices("a", "b", of="ab"), choices("b", "a", of="ab")),
    "the storage of text": (column("a", dtype="string[python]"), column("a", dtype="string[pyarrow]")),
    "what is NA": (column(1, None, dtype="Int64"), column(1, 0, dtype="Int64")),
    "a zone": (
        pd.DataFrame({"a": DAYS.tz_localize("UTC")}),
        pd.DataFrame({"a": DAYS.tz_localize("Europe/Zurich")}),
    ),
    "the unit of times": (DAYS.as_unit("ns").to_numpy(), DAYS.as_unit("s").to_numpy()),
    "the zone of a time": (pd.Timestamp(0, tz="UTC"), pd.Timestamp(0, tz="Europe/London")),
    "which side of an interval is closed": (pd.Interval(0, 1, "left"), pd.Interval(0, 1, "right")),
    "sparse values": (csr_matrix(np.eye(3)), csr_matrix(2 * np.eye(3))),
    "a sparse matrix and an array": (csr_matrix(np.eye(3)), csr_array(np.eye(3))),
    "sparse formats": (csr_matrix(np.eye(3)), csc_matrix(np.eye(3))),
    "a sparse format that is not compared": (lil_matrix(np.eye(3)), lil_matrix(np.eye(3))),
    "a list": ([1, 0, 1], [1, 0, 0]),
    "the length of a list": ([1, 0], [1, 0, 0]),
    "a list and a tuple": ([1, 0], (1, 0)),
    "nothing and labels": (None, LABELS),
    "a decimal with another place": (decimal.Decimal("1.0"), decimal.Decimal("1.00")),
    "another part of the columns": (slice(0, 2), slice(0, 3)),
    "sets of true and one": ({1}, {True}),
    "masked values": (np.ma.array([1, 2]), np.ma.array([1, 2])),
    "functions": (f1_score, accuracy_score),
    "folds": (KFold(3), KFold(4)),
    "folds of another kind": (KFold(3), StratifiedKFold(3)),
    "folds with a generator": (
        KFold(3, shuffle=True, random_state=np.random.RandomState(0)),
        KFold(3, shuffle=True, random_state=np.random.RandomState(0)),
    ),
    "kernels": (RBF(1.0), RBF(2.0)),
    "scorers": (make_scorer(f1_score), make_scorer(f1_score, average="macro")),
    "a dictionary with attributes": (Bunch(a=1), Bunch(a=2)),
    "distributions": (uniform(0, 1), uniform(0, 1)),
    "what was learned": (LogisticRegression().fit(ROWS, LABELS), LogisticRegression().fit(ROWS, 1 - LABELS)),
    "what is trained and what is not": (LogisticRegression().fit(ROWS, LABELS), LogisticRegression()),
    "a tree, whose nodes can't be looked into": (
        DecisionTreeClassifier(random_state=0).fit(ROWS, LABELS),
        DecisionTreeClassifier(random_state=0).fit(ROWS, LABELS),
    ),
}


@pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in SAME.items()])
def test_the_same(make: Any) -> None:
    one, other = make(), make()
    assert is_same(one, other)


@pytest.mark.parametrize("one, other", [pytest.param(*pair, id=name) for name, pair in OTHER.items()])
def test_another(one: Any, other: Any) -> None:
    assert not is_same(one, other)
    assert not is_same(other, one)


def test_a_missing_number_is_as_good_as_another() -> None:
    odd = np.array([0x7FF8000000000001, 0x7FF8000000000000], dtype="u8").view("f8")
    assert odd[:1].tobytes() != odd[1:].tobytes()
    assert is_same(odd[:1], odd[1:])
    assert is_same(pd.Series(odd[:1]), pd.Series(odd[1:]))
    assert is_same(float(odd[0]), float(odd[1]))
