"""Which raw values may be missing in a request although training had them all: the notebook's own code is asked."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

PROBES = 4
# Estimators that hold the one that was fitted.
_WRAPPED = ("best_estimator_", "regressor_")


def with_handled(features: Any, model: Any) -> dict[str, Any]:
    """The observed part of the contract, in which columns that the notebook's code fills are nullable and `filled`.

    A column of which training had every value is emptied in a few training rows. Its code handles that when the
    features come out in the same kinds of columns, the model answers, and what reaches the estimator proper (behind
    the imputers of a pipeline) misses no value that it had before.
    """
    rows = features.schema_.template if features.anchors_ is None else features.anchors_.iloc[:PROBES]
    needed = {str(label) for label in features.required_columns()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an emptied column is no news of the notebook's
        usual = _matrices(features, model, rows)
        columns = [
            {**column, "nullable": True, "filled": True}
            if usual is not None
            and column["name"] in needed
            and not column["nullable"]
            and _is_handled(_matrices(features, model, _emptied(rows, position)), usual)
            else {**column, "filled": column.get("filled", False)}
            for position, column in enumerate(features.observed_["columns"])
        ]
    return {**features.observed_, "columns": columns}


def _matrices(features: Any, model: Any, rows: Any) -> tuple[Any, Any] | None:
    """What the features give the model, and what reaches the estimator proper; None where the code raises."""
    try:
        matrix = features.model_input(rows)
        model.predict(matrix)
        return matrix, _last_input(model, matrix)
    except Exception:  # noqa: BLE001 - the notebook's code may raise anything for a value it never met
        return None


def _last_input(model: Any, matrix: Any) -> Any:
    """The matrix behind all steps of a scikit-learn Pipeline but the last."""
    for name in _WRAPPED:
        model = getattr(model, name, model)
    if not hasattr(model, "steps"):
        return matrix
    for _, step in model.steps[:-1]:
        matrix = step.transform(matrix) if hasattr(step, "transform") else matrix
    return _last_input(model.steps[-1][1], matrix)


def _emptied(rows: Any, position: int) -> Any:
    changed = rows.copy()
    changed.isetitem(position, pd.Series([None] * len(rows), index=rows.index, dtype=object))
    return changed


def _is_handled(made: tuple[Any, Any] | None, usual: tuple[Any, Any]) -> bool:
    if made is None or _kinds(made[0]) != _kinds(usual[0]):
        return False
    now, before = _missing(made[1]), _missing(usual[1])
    return now.shape == before.shape and not (now & ~before).any()


def _kinds(matrix: Any) -> list[bool]:
    """Which columns are numbers."""
    dtypes = list(matrix.dtypes) if isinstance(matrix, pd.DataFrame) else [matrix.dtype]
    return [pd.api.types.is_numeric_dtype(dtype) for dtype in dtypes]


def _missing(matrix: Any) -> Any:
    dense = matrix.toarray() if hasattr(matrix, "tocsr") else matrix
    return np.asarray(pd.isna(dense))
