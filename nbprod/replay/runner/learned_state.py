"""The saved state against what the same code learns of the captured rows once more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .matrix import plain
from .outcome import Failing, Outcome
from .sameness import attributes, is_looked_into, is_same
from .subject import Subject

NAME = "learned state is what training learns"
NEAR = 1e-7
"""Of an array's largest value: processors and threads round otherwise, which grows in what is learned step by step."""


def check_learned(subject: Subject, outcome: Outcome) -> None:
    """Each value that serving reads, by site and key; only a part of them shows in the rows that a run has seen."""
    kept, fresh = _values(subject.served.features), _values(subject.fresh)
    if not subject.is_saved or kept is None or fresh is None:
        return
    for site in sorted({*kept, *fresh}):
        for key in {**fresh.get(site, {}), **kept.get(site, {})}:
            saved, learned = kept.get(site, {}).get(key, []), fresh.get(site, {}).get(key, [])
            if not is_alike(saved, learned):
                which = f"the learned value {site!r}" + ("" if key is None else f" for {key!r}")
                text = f"{which} is not what the training rows give"
                outcome.failed(NAME, Failing("serve", 0, -1, "(state)", _told(learned), _told(saved), text))
                return
    outcome.passed(NAME, f"{len(kept)} values")


def _values(features: Any) -> Any:
    return getattr(getattr(features, "learned_", None), "values", None)


def _told(values: list[Any]) -> Any:
    return plain(values[0]) if len(values) == 1 else plain(values)


def is_alike(one: Any, other: Any) -> bool:
    """Whether two learned values are the same but for rounding; what can't be looked into is taken for the same."""
    if is_same(one, other):
        return True
    if isinstance(one, (np.ndarray, np.number, float)) and isinstance(other, (np.ndarray, np.number, float)):
        return _near(np.asarray(one), np.asarray(other))
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(is_alike, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(map(is_alike, one.values(), other.values()))
    if isinstance(one, (pd.DataFrame, pd.Series)):
        return is_same(one.axes, other.axes) and all(map(is_alike, _columns(one), _columns(other)))
    library = type(one).__module__.partition(".")[0]
    if library == "sklearn":
        parts = attributes(one), attributes(other)
        return parts[0] is None or parts[1] is None or is_alike(*parts)
    return _is_of_one_text(one, other) if callable(one) else not is_looked_into(one)


def _columns(table: Any) -> list[Any]:
    columns = [table] if isinstance(table, pd.Series) else [table.iloc[:, at] for at in range(table.shape[1])]
    return [each.to_numpy() for each in columns]


def _is_of_one_text(one: Any, other: Any) -> bool:
    """Whether two functions are one of the notebook's, made at each call of the function that it stands in."""
    return bool(getattr(one, "__code__", one) == getattr(other, "__code__", other))


def _near(one: Any, other: Any) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.dtype.kind != "f":
        return one.dtype.kind == "O" and is_alike(one.ravel().tolist(), other.ravel().tolist())
    finite = np.isfinite(one)
    largest = float(np.abs(one[finite]).max(initial=0.0))
    return bool(np.allclose(one, other, rtol=0.0, atol=NEAR * largest, equal_nan=True))
