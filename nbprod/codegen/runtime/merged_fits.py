"""Fits of scikit-learn's encoders, scalers and imputers from partial results of all rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn import preprocessing
from sklearn.impute import SimpleImputer

from .asking import Asking, Refused, hold_to_doubles
from .partials import middle, mode, variance

Ask = Callable[..., Any]
"""A question about all rows: kind, frame and options to the answer."""


def of_estimators(ask: Asking) -> Iterator[tuple[Any, str, Any]]:
    """The methods of estimators that ask, with the class and the name that they stand in for."""
    for owner, fitted in (
        (preprocessing.StandardScaler, _standard),
        (preprocessing.MinMaxScaler, _extremes),
        (preprocessing.MaxAbsScaler, _extremes),
        (preprocessing.LabelEncoder, _labels),
        (preprocessing.OrdinalEncoder, _categories),
        (preprocessing.OneHotEncoder, _categories),
        (SimpleImputer, _imputer),
    ):
        yield owner, "fit", _fit(ask, owner.fit, fitted)


def _fit(ask: Asking, plain: Any, fitted: Callable[..., Any]) -> Any:
    def fit(self: Any, X: Any, _y: Any = None, sample_weight: Any = None) -> Any:
        if sample_weight is not None:
            raise Refused("it is fitted with weights")
        if hasattr(X, "tocsr"):
            raise Refused(f"a {type(self).__name__} is fitted on a sparse matrix")
        frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(X)

        def of_all_rows(kind: str, frame: Any, options: Any = None) -> Any:
            if kind != "counts":
                hold_to_doubles(frame)
            found = ask(kind, frame, options, lambda: _Here)
            if found is _Here:
                raise _Here
            return found

        try:
            fitted(
                of_all_rows, plain, self, frame, lambda rows: rows if isinstance(X, pd.DataFrame) else rows.to_numpy()
            )
        except _Here:
            plain(self, X)
        return self

    return fit


class _Here(Exception):
    """It is the same on all parts, so it is no question of all rows."""


def fit_then_transform(encoder: Any, y: Any) -> Any:
    """`LabelEncoder.fit_transform` by its `fit`, which asks."""
    return encoder.fit(y).transform(y)


def _standard(ask: Ask, plain: Any, scaler: Any, frame: Any, as_given: Any) -> None:
    found = ask("moments", frame)
    count, mean = found["count"].to_numpy(dtype="int64"), found["mean"].to_numpy(dtype="float64")
    plain(scaler, as_given(pd.DataFrame([mean, mean], columns=frame.columns)))
    of_all = variance(found, 0).to_numpy()
    scaler.n_samples_seen_ = count if len(set(count.tolist())) > 1 else count[0]
    if scaler.with_mean or scaler.with_std:
        scaler.mean_ = mean
    if scaler.with_std:
        scaler.var_ = of_all
        # scikit-learn's rule for a column that is constant but for rounding (`_is_constant_feature`)
        least = np.finfo(np.float64).eps
        constant = of_all <= count * least * of_all + (count * mean * least) ** 2
        scaler.scale_ = np.where(constant, 1.0, np.sqrt(of_all))


def _extremes(ask: Ask, plain: Any, scaler: Any, frame: Any, as_given: Any) -> None:
    found = ask("moments", frame)
    rows = pd.DataFrame([found["min"].to_list(), found["max"].to_list()], columns=frame.columns)
    plain(scaler, as_given(rows.astype("float64")))
    scaler.n_samples_seen_ = int(found["count"].max())


def _labels(ask: Ask, plain: Any, encoder: Any, frame: Any, _as_given: Any) -> None:
    (counts,) = ask("counts", frame)
    plain(encoder, counts.index.to_series(index=range(len(counts)), name=frame.columns[0]))


def _categories(ask: Ask, plain: Any, encoder: Any, frame: Any, as_given: Any) -> None:
    if getattr(encoder, "min_frequency", None) is not None or getattr(encoder, "max_categories", None) is not None:
        raise Refused(f"a {type(encoder).__name__} puts rare categories together")
    columns = ask("counts", frame)
    longest = max((len(counts) for counts in columns), default=0)
    padded = {
        at: counts.index.to_series(index=range(len(counts))).reindex(np.minimum(range(longest), len(counts) - 1)).array
        for at, counts in enumerate(columns)
    }
    rows = pd.DataFrame(padded)
    rows.columns = frame.columns
    plain(encoder, as_given(rows))


def _imputer(ask: Ask, plain: Any, imputer: Any, frame: Any, as_given: Any) -> None:
    if imputer.add_indicator or not (isinstance(imputer.missing_values, float) and math.isnan(imputer.missing_values)):
        raise Refused("a SimpleImputer marks what it fills, or fills what is not NaN")
    if imputer.strategy == "median":
        values: list[Any] = [middle(*each) for (each,) in ask("order", frame, {"q": [0.5]})]
    elif imputer.strategy == "mean":
        values = ask("moments", frame)["mean"].to_list()
    elif imputer.strategy == "most_frequent":
        values = [mode(counts).iloc[0] if counts.index.notna().any() else None for counts in ask("counts", frame)]
    elif imputer.strategy == "constant":
        plain(imputer, as_given(_a_row_of(frame, [count > 0 for count in ask("moments", frame.notna())["sum"]])))
        return
    else:
        raise Refused(f"a SimpleImputer by {imputer.strategy} does not merge")
    plain(imputer, as_given(pd.DataFrame([values], columns=frame.columns)))


def _a_row_of(frame: Any, has_values: list[bool]) -> Any:
    """One row of the columns' dtypes, with any value where a column has values and none where it has not."""
    columns = {}
    for at, some in enumerate(has_values):
        dtype = frame.dtypes.iloc[at]
        value = (0 if dtype.kind in "iuf" else "") if some else None
        columns[at] = pd.Series([value], dtype=dtype if dtype.kind in "iuf" else object)
    return pd.DataFrame(columns).set_axis(frame.columns, axis=1)
