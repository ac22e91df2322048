"""What the tables say of scikit-learn's estimators is what they do to rows: each row alone, and each column alone."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.utils import all_estimators
from threadpoolctl import threadpool_limits

from nbprod.analysis.tables import estimator_kind, table

ROWS = 16
_RANDOM = np.random.default_rng(0)
X = np.abs(_RANDOM.normal(size=(ROWS, 3))) + 0.1
Y = (X[:, 0] + X[:, 1] > 1.6).astype(int)
TEXTS = np.array([" ".join(_RANDOM.choice(["red", "blue", "green", "grey"], 3)) for _ in range(ROWS)])

SETTINGS: dict[str, Callable[[], dict[str, Any]]] = {
    "ColumnTransformer": lambda: {"transformers": [("scaled", StandardScaler(), [0, 1])]},
    "FeatureUnion": lambda: {"transformer_list": [("scaled", StandardScaler())]},
    "SparseCoder": lambda: {"dictionary": np.eye(3)},
    "Pipeline": lambda: {"steps": [("scaled", StandardScaler()), ("model", LinearRegression())]},
    "VotingClassifier": lambda: {"estimators": [("one", LogisticRegression())]},
    "VotingRegressor": lambda: {"estimators": [("one", LinearRegression())]},
    "StackingClassifier": lambda: {"estimators": [("one", LogisticRegression())]},
    "StackingRegressor": lambda: {"estimators": [("one", LinearRegression())]},
    "ClassifierChain": lambda: {"estimator": LogisticRegression(), "order": [0, 1]},
    "RegressorChain": lambda: {"estimator": LinearRegression(), "order": [0, 1]},
    "PLSSVD": lambda: {"n_components": 1},
    "SelectKBest": lambda: {"k": 2},
    "GaussianRandomProjection": lambda: {"n_components": 2},
    "SparseRandomProjection": lambda: {"n_components": 2},
    "KNeighborsTransformer": lambda: {"n_neighbors": 3},
}
"""What an estimator needs where its defaults would not do for a small table."""

OF_TEXT = frozenset({"CountVectorizer", "TfidfVectorizer", "HashingVectorizer"})
OF_LABELS = frozenset({"LabelEncoder", "LabelBinarizer"})
OF_OTHERS = {
    "DictVectorizer": [{"a": float(x)} for x in X[:, 0]],
    "FeatureHasher": [{"a": float(x)} for x in X[:, 0]],
    "MultiLabelBinarizer": [[text.split()[0]] for text in TEXTS],
    "KernelCenterer": X @ X.T,
    "PatchExtractor": None,
    "IsotonicRegression": X[:, 0],
}


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def of_kinds(*kinds: str) -> Iterator[Any]:
    for name, klass in all_estimators():
        if estimator_kind(f"sklearn.{name}") in kinds and not inspect.isabstract(klass):
            yield pytest.param(klass, id=name)


def made(klass: Any) -> Any:
    """An instance with few components and a seed."""
    name = klass.__name__
    parameters = inspect.signature(klass).parameters
    settings = SETTINGS[name]() if name in SETTINGS else {}
    small = {"random_state": 0, "n_estimators": 3, "max_iter": 30, "cv": 2, "n_init": 1, "n_features": 16}
    settings = {**{key: value for key, value in small.items() if key in parameters}, **settings}
    for role in ("estimator", "estimators", "regressor"):
        if role in parameters and parameters[role].default in (inspect.Parameter.empty, None) and role not in settings:
            settings[role] = (
                LogisticRegression() if "Classifier" in name or name in ("RFE", "RFECV") else LinearRegression()
            )
    return klass(**settings)


def operand(klass: Any) -> Any:
    name = klass.__name__
    if name in OF_OTHERS:
        return OF_OTHERS[name]
    return TEXTS if name in OF_TEXT else Y if name in OF_LABELS else X


def fitted(klass: Any, rows: Any) -> Any:
    estimator = made(klass)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return estimator.fit(rows, Y)
        except TypeError:
            return estimator.fit(rows)


def dense(result: Any) -> np.ndarray:
    return np.asarray(result.todense() if sparse.issparse(result) else result)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("klass", list(of_kinds("columnwise", "mixing")))
def test_a_transformer_gives_each_row_alone_what_it_gives_among_others(klass: Any) -> None:
    rows = operand(klass)
    if rows is None:
        pytest.skip("of pictures")
    estimator = fitted(klass, rows)
    whole = dense(estimator.transform(rows))
    assert len(whole) == ROWS
    alone = np.vstack([dense(estimator.transform(rows[place : place + 1])).reshape(1, -1) for place in range(ROWS)])
    np.testing.assert_allclose(alone, whole.reshape(ROWS, -1), rtol=1e-7, atol=1e-9)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("klass", list(of_kinds("columnwise")))
def test_a_columnwise_transformer_looks_at_each_column_alone(klass: Any) -> None:
    if klass.__name__ in OF_LABELS:
        pytest.skip("of one column")
    other = np.column_stack([X[:, 0], X[::-1, 1] * 2, X[:, 2]])
    one, two = (dense(fitted(klass, rows).transform(rows)) for rows in (X, other))
    assert one.shape == X.shape
    np.testing.assert_array_equal(one[:, [0, 2]], two[:, [0, 2]])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("klass", list(of_kinds("classifiers", "regressors", "clusterers", "detectors")))
def test_a_model_gives_each_row_alone_what_it_gives_among_others(klass: Any) -> None:
    estimator = fitted_model(klass)
    if estimator is None:
        pytest.skip("wants labels of its own kind")
    rows = operand(klass)
    whole = np.asarray(estimator.predict(rows))
    alone = np.concatenate([np.atleast_1d(estimator.predict(rows[place : place + 1])) for place in range(ROWS)])
    np.testing.assert_allclose(alone.reshape(whole.shape), whole, rtol=1e-6, atol=1e-9)


def fitted_model(klass: Any) -> Any:
    for labels in (
        (np.column_stack([Y, 1 - Y]),)
        if "Chain" in klass.__name__
        else (Y, np.column_stack([Y, 1 - Y]), np.abs(X[:, 0]) + 1, np.column_stack([X[:, 0], X[:, 1]]))
    ):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return made(klass).fit(operand(klass), labels)
        except (ValueError, TypeError):
            continue
    return None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("klass", list(of_kinds("training-only")))
def test_what_is_for_training_only_gives_nothing_to_another_row(klass: Any) -> None:
    assert not hasattr(made(klass), "transform")
    assert not hasattr(made(klass), "predict")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("klass", list(of_kinds("batchwise")))
def test_what_settles_a_batch_gives_a_row_alone_other_digits(klass: Any) -> None:
    estimator = fitted(klass, X)
    alone = np.vstack([estimator.transform(X[place : place + 1]) for place in range(ROWS)])
    assert not np.array_equal(alone, estimator.transform(X))


def test_every_installed_estimator_is_tabled() -> None:
    assert [name for name, _ in all_estimators() if table("sklearn")["estimators"].get(name) is None] == []
