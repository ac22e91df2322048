"""Vectors at the thresholds of a compiled model: of conditions in its text, and of trees in tables."""

from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from nbprod.codegen.runtime.rows import module_of
from nbprod.replay.runner.thresholds import at_thresholds, model_alone, on_boundaries

TEXT = """
def features(record):
    return (record["a"], record["b"],)


def predict(record):
    f0, f1, = features(record)
    z = (1.0 if f1 <= -2.5 else 2.0) if not f0 > 0.5 else 3.0
    return z
"""
WALKED = """
def features(record):
    return (record["a"], record["b"],)


def predict(record):
    f0, f1, = features(record)
    given = (f0, f1,)
    return walk(TABLES[0], given)
"""
TABLE = [(0, 0.5, 1, 2), (1, -2.5, 3, 4), (None, 3.0), (None, 1.0), (None, 2.0)]

OF_A = [(math.nextafter(0.5, 0), 7.0), (0.5, 7.0), (math.nextafter(0.5, 1), 7.0)]
OF_B = [(0.0, math.nextafter(-2.5, -3)), (0.0, -2.5), (0.0, math.nextafter(-2.5, 0))]


@pytest.mark.parametrize("text, tables", [pytest.param(TEXT, [], id="text"), pytest.param(WALKED, [TABLE], id="table")])
@pytest.mark.parametrize(
    "vectors, expected",
    [
        pytest.param([(1.0, 7.0)], OF_A, id="only the thresholds that a row comes to"),
        pytest.param([(1.0, 7.0), (0.0, 9.0)], [*OF_A, *OF_B], id="the first row that comes to each"),
        pytest.param([], [], id="no rows"),
    ],
)
def test_a_vector_is_moved_to(
    text: str, tables: list[object], vectors: list[tuple[float, ...]], expected: list[tuple[float, ...]]
) -> None:
    module = module_of(text, tables)

    assert at_thresholds(module, ast.parse(text), vectors) == expected
    assert module.predict({"a": 0.0, "b": 0.0}) == 2.0


def test_a_deep_tree_is_gone_through() -> None:
    depth = 3000
    inner = [row for at in range(depth) for row in ((0, float(at), 2 * at + 1, 2 * at + 2), (None, float(at)))]
    module = module_of(WALKED, [[*inner, (None, -1.0)]])

    moved = at_thresholds(module, ast.parse(WALKED), [(depth, 0.0)])

    assert [vector[0] for vector in moved[1::3]] == list(range(depth))


@pytest.mark.parametrize(
    "estimator, labels",
    [
        pytest.param(LogisticRegression(), 2, id="two classes"),
        pytest.param(LogisticRegression(), 3, id="several classes"),
        pytest.param(LinearRegression(), 3, id="no classifier"),
        pytest.param(DecisionTreeClassifier(), 3, id="no linear one"),
    ],
)
def test_vectors_are_moved_to_where_two_classes_are_alike(estimator: Any, labels: int) -> None:
    vectors = np.random.default_rng(0).normal(size=(60, 3))
    estimator.fit(vectors, np.arange(60) % labels)

    moved = on_boundaries(estimator, [*vectors.tolist(), [np.nan, 0.0, 1.0]])

    if not isinstance(estimator, LogisticRegression):
        assert moved == []
        return
    chances = np.sort(estimator.predict_proba(moved), axis=1)
    is_alike = np.abs(chances[:, -1] - chances[:, -2]) < 1e-12
    assert is_alike.all() if labels == 2 else is_alike.any()
    changed = (np.array(moved) != vectors).sum(axis=0)
    assert (changed > 0).all()
    assert changed.sum() <= 60


def test_a_model_answers_for_vectors() -> None:
    module = module_of(TEXT)
    ask, chances = model_alone(module, TEXT)

    assert ask is not None
    assert [ask(vector) for vector in (*OF_A, *OF_B)] == [2.0, 2.0, 3.0, 1.0, 1.0, 2.0]
    assert chances is None


def test_a_row_whose_model_is_asked_as_it_is_has_no_thresholds() -> None:
    text = TEXT[: TEXT.index("def predict")]

    assert at_thresholds(module_of(text), ast.parse(text), [(0.0, 0.0)]) == []
    assert model_alone(module_of(text), text) == (None, None)
