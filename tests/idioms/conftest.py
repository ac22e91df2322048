"""Serving forms as a package has them, and what each must hold on rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbprod.codegen.runtime.sites import Learned
from nbprod.idiom import known_idioms, serving_source

Form = Callable[..., Any]  # (learned, frame) → what the notebook's expression gives on the frame


@pytest.fixture(scope="session")
def serving() -> SimpleNamespace:
    """All serving forms, executed from the source that packages get."""
    source = serving_source([idiom.function for idiom, _ in known_idioms().values()])
    namespace: dict[str, Any] = {"np": np, "pd": pd, "Any": Any}
    exec(compile("from __future__ import annotations\n" + source, "idioms.py", "exec"), namespace)
    return SimpleNamespace(**namespace)


@pytest.fixture
def check() -> Callable[..., Learned]:
    return check_idiom


@pytest.fixture
def same() -> Callable[[Any, Any], None]:
    return assert_same


def check_idiom(frame: pd.DataFrame, notebook: Callable[[pd.DataFrame], Any], form: Form) -> Learned:
    """A serving form gives in fit what the notebook gives, and each row the same whatever else is in the batch."""
    learned, expected = fitted(frame, notebook, form)
    assert_rows(frame, expected, learned, form)
    return learned


def fitted(frame: pd.DataFrame, notebook: Callable[[pd.DataFrame], Any], form: Form) -> tuple[Learned, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = notebook(frame.copy())
        learned = Learned()
        made = form(learned, frame.copy())
    assert_same(made, expected)
    return learned, expected


def assert_rows(frame: pd.DataFrame, expected: Any, learned: Learned, form: Form) -> None:
    order = np.random.default_rng(0).permutation(len(frame))
    batches = [np.arange(len(frame)), order, order[: len(frame) // 2], *([place] for place in range(len(frame))), []]
    for batch in batches:
        rows = frame.iloc[batch]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = form(learned.replay(), rows.copy())
        assert_same(made, taken(expected, batch), index_matters=len(rows) > 0)


def taken(whole: Any, places: Any) -> Any:
    """Some rows of a result; the first of a tuple is by row, the rest is learned."""
    if isinstance(whole, tuple):
        return (taken(whole[0], places), *whole[1:])
    if isinstance(whole, (pd.Series, pd.DataFrame)):
        return whole.iloc[places]
    return whole[np.asarray(places, dtype=int)]


def assert_same(made: Any, expected: Any, index_matters: bool = True) -> None:
    """Equal to the bit, with types, dtypes, names and columns."""
    assert type(made) is type(expected)
    match expected:
        case tuple():
            assert len(made) == len(expected)
            for one, other in zip(made, expected, strict=True):
                assert_same(one, other, index_matters)
        case pd.DataFrame():
            pd.testing.assert_frame_equal(made, expected, check_exact=True, check_index_type=index_matters)
        case pd.Series():
            pd.testing.assert_series_equal(made, expected, check_exact=True, check_index_type=index_matters)
        case pd.Index():
            pd.testing.assert_index_equal(made, expected)
        case np.ma.MaskedArray() | np.ndarray():
            assert made.dtype == expected.dtype
            np.testing.assert_array_equal(np.asarray(made), np.asarray(expected))
        case pd.Categorical():
            pd.testing.assert_extension_array_equal(made, expected)
        case _:
            assert made == expected or (made != made and expected != expected)
