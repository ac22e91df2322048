"""The matrix that the feature code makes: its names and dtypes in training, and the same for a few rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def output_names(matrix: Any, declared: tuple[str, ...] | None, seen: list[list[str]]) -> list[str]:
    """Names of the matrix's columns: its own, else those declared, else the last ones `seen` that are as many."""
    if isinstance(matrix, pd.DataFrame):
        return [str(label) for label in matrix.columns]
    if isinstance(matrix, pd.Series):
        return ["x0" if matrix.name is None else str(matrix.name)]
    width = matrix.shape[1] if matrix.ndim > 1 else 1
    for names in ([list(declared)] if declared else []) + seen[::-1]:
        if len(names) == width:
            return names
    return [f"x{position}" for position in range(width)]


def no_rows(matrix: Any) -> Any:
    """The matrix without its rows: what is left is its kind, columns and dtypes."""
    if hasattr(matrix, "tocsr"):
        return np.zeros((0, matrix.shape[1]), dtype=matrix.dtype)
    if isinstance(matrix, (pd.DataFrame, pd.Series)):
        return matrix.iloc[:0].reset_index(drop=True)
    return np.array(matrix[:0])


def one_each(answers: Any) -> Any:
    """A model's answers, one for each row: that of a model of one target is a number, also where it was given a table.

    `model.fit(X, df[["price"]])` has `predict` give a column of shape (rows, 1).
    """
    return answers[:, 0] if answers.ndim == 2 and answers.shape[1] == 1 else answers


def as_trained(matrix: Any, trained: Any) -> Any:
    """Training's dtypes where they hold the same values (a batch without gaps may come out as whole numbers)."""
    if isinstance(matrix, pd.DataFrame) and isinstance(trained, pd.DataFrame):
        if _is_reordered(matrix.columns, trained.columns):
            matrix = matrix[list(trained.columns)]
        if list(matrix.columns) != list(trained.columns):
            odd = [str(label) for label in matrix.columns.symmetric_difference(trained.columns)]
            raise RuntimeError(f"the feature code made other columns than in training: {', '.join(odd) or 'reordered'}")
        wanted = list(trained.dtypes)
        differing = [at for at, dtype in enumerate(matrix.dtypes) if dtype != wanted[at]]
        if differing:
            columns = {at: matrix.iloc[:, at] for at in range(matrix.shape[1])}
            columns.update({at: _same_values(columns[at], wanted[at]) for at in differing})
            labels = matrix.columns
            matrix = pd.DataFrame(columns, index=matrix.index)
            matrix.columns = labels
    elif isinstance(matrix, pd.Series) or (isinstance(matrix, np.ndarray) and isinstance(trained, np.ndarray)):
        matrix = _same_values(matrix, trained.dtype)
    return matrix


def _is_reordered(labels: Any, trained: Any) -> bool:
    """Whether these are training's labels in another order: a model knows columns by their place."""
    return list(labels) != list(trained) and labels.is_unique and set(labels) == set(trained)


def _same_values(values: Any, dtype: Any) -> Any:
    """The values in another dtype, if it has all of them exactly; else as they are."""
    if values.dtype == dtype:
        return values
    try:
        cast = values.astype(dtype)
    except (TypeError, ValueError):
        return values
    left, right = pd.Series(np.ravel(values)).astype(object), pd.Series(np.ravel(cast)).astype(object)
    same = (left == right) | (left.isna() & right.isna())
    return cast if bool(same.all()) else values


def in_order(matrix: Any, index: Any) -> Any:
    """A matrix that the feature code sorted, back in the order of the rows it was given."""
    if not isinstance(matrix, (pd.DataFrame, pd.Series)) or matrix.index.equals(index):
        return matrix
    sorted_only = index.is_unique and matrix.index.is_unique and matrix.index.isin(index).all()
    return matrix.loc[index] if sorted_only else matrix


def gaps(matrix: Any) -> Any:
    """Which values of a matrix are missing, as an array of rows and columns."""
    dense = matrix.toarray() if hasattr(matrix, "tocsr") else matrix
    missing = np.asarray(pd.isna(dense))
    return missing if missing.ndim > 1 else missing.reshape(-1, 1)


def take_rows(matrix: Any, rows: Any) -> Any:
    """Rows of a frame, an array or a sparse matrix by position."""
    return matrix.iloc[rows] if isinstance(matrix, (pd.DataFrame, pd.Series)) else matrix[rows]


def same(left: Any, right: Any) -> bool:
    """Whether two matrices hold the same values in the same kinds, missing ones included."""
    if hasattr(left, "tocsr"):
        left, right = left.tocsr(), right.tocsr()
        parts = ("data", "indices", "indptr")
        return left.shape == right.shape and all(np.array_equal(getattr(left, p), getattr(right, p)) for p in parts)
    return bool(pd.DataFrame(left).equals(pd.DataFrame(right)))


def stack(parts: list[Any]) -> Any:
    """Matrices of one kind, one below the other."""
    if isinstance(parts[0], (pd.DataFrame, pd.Series)):
        return pd.concat(parts, ignore_index=True)
    if hasattr(parts[0], "tocsr"):
        from scipy import sparse  # only where the notebook made sparse matrices

        return sparse.vstack(parts, format="csr")
    return np.concatenate(parts)
