"""The rows that the notebook held out of the training and had its model predict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from .captured import label_index, served_whole
from .compare import tolerance
from .matching import Match, match_rows
from .matrix import Column, Matrix, matrix_of
from .subject import Call, Subject

LABEL = "(label)"


def held_out_rows(subject: Subject) -> Any:
    """Where the rows of the last prediction for rows that the model was not trained on stand in the raw frame.

    An array of positions; None without any.
    """
    return trained_and_held_out(subject)[1]


def trained_and_held_out(subject: Subject) -> tuple[Any, Any]:
    """Where the rows that the model was trained on stand in the raw frame, as far as they do, and those held out.

    Arrays of positions; None for those that are not found.
    """
    known, sets = _trained_and_held_out(subject)
    return known, next(sets, None)


def sets_held_out(subject: Subject) -> list[Any]:
    """The positions of each set of rows that the notebook held out and predicted for, the last one first.

    A test set is one, and with one for tuning there are two.
    """
    _, sets = _trained_and_held_out(subject)
    return list({tuple(np.sort(each)): each for each in sets}.values())


def _trained_and_held_out(subject: Subject) -> tuple[Any, Iterator[Any]]:
    """The rows of the training, and those of each prediction for others, the last one first."""
    raw = subject.raw
    served = served_whole(subject, raw)
    if served.matrix is None:
        raise served.fault or ValueError("no row of the raw frame can be served")
    rows = raw.iloc[served.rows]
    offered = Offered(served.matrix, _labels(subject, rows), rows.index, served.rows)
    trained = offered.found(subject.captures.fit)
    free = offered.without(trained.positions) if trained is not None else offered
    known = None if trained is None else offered.at[trained.positions[trained.positions >= 0]]
    return known, _held_out(free, subject.captures.predicts)


def _held_out(free: Offered, predicts: Sequence[Call]) -> Iterator[Any]:
    for call in reversed(predicts):
        match = free.found(call) if free.at.size and call.X is not None else None
        if match is None or not match.comparison.equal or len(np.unique(match.positions)) < len(match.positions):
            continue
        yield free.at[match.positions]


class Offered:
    """Raw rows that captured ones may be: what the model is given for them, their labels, and where they stand."""

    def __init__(self, matrix: Matrix, labels: Any, index: Any, at: Any) -> None:
        self.matrix = matrix
        self.labels = labels
        self.index = index
        self.at = at

    def without(self, positions: Any) -> Offered:
        """The rows but those at `positions`; -1 stands for none."""
        rest = np.setdiff1d(np.arange(len(self.at)), positions)
        labels = None if self.labels is None else self.labels[rest]
        return Offered(self.matrix.take(rest), labels, self.index.take(rest), self.at[rest])

    def found(self, call: Call) -> Match | None:
        """Where the rows of a call stand among these.

        Rows with equal features may have other labels, which a metric tells apart: where the call was given labels,
        they are part of a row, unless the package makes others of the raw rows.
        """
        try:
            wanted = matrix_of(call.X)
        except TypeError:
            return None
        names = wanted.index if wanted.index is not None else label_index(call)
        labels = _one_column(call.y)
        if labels is not None and self.labels is not None and len(labels) == wanted.rows:
            codes, _ = pd.factorize(np.concatenate([labels, self.labels]))
            pair = _with(wanted, codes[: wanted.rows]), _with(self.matrix, codes[wanted.rows :])
            match = match_rows(*pair, self.index, names, tolerance(pair[0]))
            if match.comparison.equal:
                return match
        return match_rows(wanted, self.matrix, self.index, names, tolerance(wanted))


def _labels(subject: Subject, rows: Any) -> Any:
    """The labels that the package makes of raw rows, one for each; None where it makes none of all of them."""
    try:
        found = _one_column(subject.served.labels(rows.copy()))
    except Exception:  # noqa: BLE001 - the package's code may refuse labels of rows that nobody evaluates
        return None
    return found if found is not None and len(found) == len(rows) else None


def _one_column(labels: Any) -> Any:
    """Labels as objects, None where there is not just one for each row."""
    if labels is None:
        return None
    found = np.asarray(labels)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    return found.astype(object) if found.ndim == 1 else None


def _with(matrix: Matrix, codes: Any) -> Matrix:
    """The matrix with the numbers of the labels as one column more."""
    numbers = np.asarray(codes, dtype=np.float64) + 1  # a sparse matrix keeps no zero
    names = (*matrix.names, LABEL)
    if matrix.sparse is not None:
        from scipy import sparse

        more = sparse.csr_matrix(numbers.reshape(-1, 1))
        return replace(matrix, names=names, sparse=sparse.hstack([matrix.sparse, more]).tocsr())
    column = Column("int", numbers, np.zeros(matrix.rows, dtype=bool))
    return replace(matrix, names=names, columns=(*matrix.columns, column))
