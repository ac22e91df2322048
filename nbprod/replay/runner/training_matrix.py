"""The training itself: the package's own matrix and labels against the notebook's, position by position."""

from __future__ import annotations

from typing import Any

import numpy as np

from .compare import Comparison, compare, tolerance
from .matrix import Matrix, matrix_of
from .outcome import Failing, Outcome, described
from .subject import Subject


def check_fit(subject: Subject, reference: Matrix, names: tuple[str, ...], outcome: Outcome) -> Any:
    """The package's training matrix and labels, position by position; returns which rows are equal."""
    nothing = np.zeros(reference.rows, dtype=bool)
    try:
        matrix, labels = subject.fit_rows()
        made = matrix_of(matrix)
    except Exception as error:  # noqa: BLE001 - the package under test may raise anything; it is reported
        failing = Failing("fit", 0, -1, "(training)", None, None, described(error), None, error)
        outcome.failed("training matrix", failing)
        return nothing
    comparison = compare(reference, made, subject.allowed(reference))
    outcome.max_error = max(outcome.max_error, comparison.max_error)
    if comparison.equal:
        outcome.passed("training matrix", f"{reference.rows} rows, {reference.width} columns")
    else:
        outcome.failed("training matrix", _fit_failing(subject, reference, made, comparison, names))
        if comparison.structure:
            return nothing
    y = subject.captures.fit.y
    if y is not None:
        wanted, got = matrix_of(y), matrix_of(labels if labels is not None else [])
        of_labels = compare(wanted, got, tolerance(wanted), strict=False)
        if of_labels.equal:
            outcome.passed("training labels", f"{wanted.rows} labels")
        else:
            outcome.failed(
                "training labels", _fit_failing(subject, wanted, got, of_labels, ("(labels)",) * wanted.width)
            )
            return ~comparison.unequal & ~of_labels.unequal if not of_labels.structure else nothing
    return ~comparison.unequal


def _fit_failing(
    subject: Subject, reference: Matrix, made: Matrix, comparison: Comparison, names: tuple[str, ...]
) -> Failing:
    if comparison.structure:
        row = -1
        name = comparison.name or ("(rows)" if reference.rows != made.rows else "(columns)")
        if reference.rows != made.rows and reference.index is not None and made.index is not None:
            apart = reference.index.symmetric_difference(made.index)
            row = _position(subject.raw.index, apart[0]) if len(apart) else -1
        if reference.names != made.names and comparison.name and reference.named:
            wanted: Any = comparison.name if comparison.name in reference.names else None
            return Failing("fit", 0, row, name, wanted, _other_name(made, comparison), comparison.structure)
        shape = [reference.rows, reference.width], [made.rows, made.width]
        return Failing("fit", 0, row, name, *shape, comparison.structure)
    at = int(np.flatnonzero(comparison.unequal)[0])
    column = int(comparison.first[at])
    row = _position(subject.raw.index, reference.index[at]) if reference.index is not None else -1
    if row < 0 and made.index is not None:
        row = _position(subject.raw.index, made.index[at])
    return Failing("fit", 0, row, names[column], reference.value(at, column), made.value(at, column))


def _other_name(made: Matrix, comparison: Comparison) -> Any:
    if comparison.name not in made.names:
        return None
    return made.names[comparison.column] if 0 <= comparison.column < made.width else comparison.name


def _position(index: Any, label: Any) -> int:
    return int(index.get_indexer([label])[0]) if index.is_unique else -1


def by_transform(subject: Subject, outcome: Outcome) -> Matrix | None:
    """What serving has to give for the training rows, where that is not what the model was trained on; else None.

    A transformer may compute `fit_transform` in another way than `transform`: PCA before scikit-learn 1.5 rounds
    otherwise, a target encoder means to give other values. The training itself is compared with `fit_transform`.
    """
    if not subject.differing:
        return None
    outcome.observed = True
    names = ", ".join(f"{name} (by up to {apart:.1e})" for name, apart in subject.differing.items())
    outcome.passed("training rows as transform gives them", f"fit_transform and transform differ: {names}")
    return matrix_of(subject.fit_rows_by_transform())
