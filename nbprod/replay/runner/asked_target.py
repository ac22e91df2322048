"""Whether a request needs the target: where the plan did not know it, one of the raw columns may be what labels say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .captured import Block
from .outcome import Failing, Outcome
from .subject import Subject

FEW = 20
"""Classes, at most: with more, rows of their own tell what a column is as well as labels do."""


def check_target(subject: Subject, trained: Block, served: Any, outcome: Outcome) -> None:
    """A raw column that requests need and that says what the labels say is the target, which no request has.

    `trained` is the training matrix, found again among the raw rows at the positions `served`.
    """
    features = subject.served.features
    match = trained.match
    if features.target_columns or trained.call.y is None or subject.together:
        return
    targets = _targets_of(trained.call.y)
    if match is None or not targets or len(match.positions) != len(targets[0]):
        return
    found = match.positions >= 0  # rows that training made up, as SMOTE does, stand for no raw row
    rows = subject.raw.iloc[served[match.positions[found]]]
    for name in features.required_columns():
        if name in rows.columns and any(_says_the_same(rows[name], labels[found]) for labels in targets):
            text = (
                f"a request needs {name}, which says what the labels say: name the columns where they are read "
                "(names=…, or a header), and take the labels by their name, y = df['…']"
            )
            sides = "what it predicts", "a field that a request must have"
            outcome.failed("what a request needs", Failing("serve", 0, -1, str(name), *sides, text))
            return


def _targets_of(labels: Any) -> list[Any]:
    """The labels of each target, of which a model may have several."""
    if isinstance(labels, pd.DataFrame):
        return [labels.iloc[:, place].to_numpy() for place in range(labels.shape[1])]
    values = np.asarray(labels)
    return [values] if values.ndim == 1 else list(values.T) if values.ndim == 2 else []


def _says_the_same(column: Any, labels: Any) -> bool:
    """Whether a column has the labels' values, their order, or one value for each of a few classes."""
    values, labels = column.to_numpy(), pd.Series(labels)
    if values.dtype == labels.dtype and bool((values == labels.to_numpy()).all()):
        return bool(labels.nunique() > 1)
    pairs = len(pd.DataFrame({"a": values, "b": labels}).drop_duplicates())
    kinds = labels.nunique(), pd.Series(values).nunique()
    if 1 < kinds[0] <= FEW:
        return kinds == (pairs, pairs)
    if not all(np.issubdtype(each.dtype, np.number) for each in (values, labels)) or kinds[0] <= FEW:
        return False
    own, other = pd.Series(values).rank().to_numpy(), labels.rank().to_numpy()
    return bool((own == other).all() or (own == len(own) + 1 - other).all())
