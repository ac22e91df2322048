"""The model of a compiled row at its own thresholds: vectors that stand on them, and one step beside.

Of a linear classifier they stand between two classes, where the order of a sum would decide.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from types import ModuleType
from typing import Any

import numpy as np

from .edges import around

STEPS = (64, 256, 1024)
"""Vectors after which the thresholds that were met are numbers again: most vectors come to the same ones."""

FIELD = re.compile(r"f(\d+)")
Vector = Sequence[Any]
Ask = Callable[[Any], Any]


class Threshold(float):
    """A threshold that keeps the first vector that is compared with it.

    Comparisons come here, though it stands on their right: Python asks the class that is the more special one first.
    """

    feature: int
    met: dict[int, tuple[Threshold, Vector]]
    at_hand: list[Vector]

    def __new__(cls, value: float, feature: int, met: dict[int, Any], at_hand: list[Vector]) -> Threshold:
        made = super().__new__(cls, value)
        made.feature, made.met, made.at_hand = feature, met, at_hand
        return made

    def __ge__(self, value: float) -> bool:
        return self._plain() >= value

    def __gt__(self, value: float) -> bool:
        return self._plain() > value

    def __le__(self, value: float) -> bool:
        return self._plain() <= value

    def __lt__(self, value: float) -> bool:
        return self._plain() < value

    @property
    def to_compare(self) -> float:
        """Itself until a vector has come to it, the number alone from then on: nothing compares as fast."""
        return float(self) if id(self) in self.met else self

    def _plain(self) -> float:
        self.met.setdefault(id(self), (self, self.at_hand[0]))
        return float(self)

    def __hash__(self) -> int:
        return id(self)


def at_thresholds(module: ModuleType, text: ast.Module, vectors: Sequence[Vector]) -> list[tuple[Any, ...]]:
    """Vectors as the model gets them, moved to each threshold that some of `vectors` comes to, and to its neighbours.

    `module` is the compiled row of the parsed `text`, which is changed. A threshold that none of the vectors comes to
    is left out.
    """
    met: dict[int, tuple[Threshold, Vector]] = {}
    at_hand: list[Vector] = [()]
    made = _Marking(met, at_hand)
    tree = made.visit(text)
    own = _alone(module, compile(ast.fix_missing_locations(tree), "row.py", "exec"))
    tables = [_Table(table, met, at_hand) for table in own["TABLES"]]
    ask = _answering(own)
    if ask is None:
        return []
    for start, end in zip((0, *STEPS), (*STEPS, len(vectors))):
        own.update({name: mark.to_compare for name, mark in made.names.items()})
        own["TABLES"] = [table.nested() for table in tables]
        for vector in vectors[start:end]:
            at_hand[0] = vector
            with suppress(Exception):  # what the compiled row leaves is no part of it
                ask(vector)
    return [
        (*vector[: each.feature], value, *vector[each.feature + 1 :])
        for each, vector in met.values()
        for value in around(float(each))
    ]


def on_boundaries(estimator: Any, vectors: Sequence[Vector]) -> list[tuple[float, ...]]:
    """Vectors moved to where the two largest scores of a linear classifier, or its score and zero, are all but equal.

    Each is moved along one feature, the next one along the next. Of another estimator there are none.
    """
    weights = getattr(estimator, "coef_", None)
    if not vectors or not hasattr(estimator, "classes_") or not isinstance(weights, np.ndarray) or weights.ndim != 2:
        return []
    given = np.array(vectors, dtype=np.float64)
    given = given[np.isfinite(given).all(axis=1)]
    if not len(given) or weights.shape[1] != given.shape[1]:
        return []
    scores = given @ weights.T + estimator.intercept_
    first, second = np.argsort(scores, axis=1)[:, :-3:-1].T if len(weights) > 1 else np.zeros((2, len(given)), int)
    normals = weights[first] - (weights[second] if len(weights) > 1 else 0.0)
    every = np.arange(len(given))
    distances = scores[every, first] - (scores[every, second] if len(weights) > 1 else 0.0)
    moved = []
    for at, (vector, normal, distance) in enumerate(zip(given, normals, distances)):
        along = np.flatnonzero(normal)
        if len(along):
            vector[along[at % len(along)]] -= distance / normal[along[at % len(along)]]
            moved.append(tuple(vector.tolist()))
    return [vector for vector in moved if np.isfinite(vector).all()]


def model_alone(module: ModuleType, text: str) -> tuple[Ask | None, Ask | None]:
    """What a compiled row answers for a vector, and its probabilities; None where the text has no such function.

    The answer is that of the last estimator, before any turning back into the target's units.
    """
    own = _alone(module, compile(text, "row.py", "exec"))
    return _answering(own), own.get("probabilities")


def _answering(own: dict[str, Any]) -> Ask | None:
    return own.get("score") or own.get("predict")


def estimator_answers(estimator: Any, vectors: Sequence[Vector]) -> Iterator[tuple[Any, Any]]:
    """The answers of an estimator of scikit-learn for vectors, with the probabilities where it gives any, else None."""
    nameless = copy.copy(estimator)
    vars(nameless).pop("feature_names_in_", None)
    given = np.array(vectors, dtype=np.float64)
    answers = nameless.predict(given).tolist()
    chances = nameless.predict_proba(given).tolist() if hasattr(nameless, "predict_proba") else [None] * len(answers)
    return zip(answers, chances)


def _alone(module: ModuleType, code: Any) -> dict[str, Any]:
    own = {name: value for name, value in vars(module).items() if name not in ("predict", "score", "probabilities")}
    exec(code, own)
    own["vector" if "vector" in own else "features"] = lambda vector: vector
    return own


class _Marking(ast.NodeTransformer):
    """Puts a `Threshold` in the place of each number that a feature is compared with."""

    def __init__(self, met: dict[int, Any], at_hand: list[Vector]) -> None:
        self.names: dict[str, Threshold] = {}
        self.met, self.at_hand = met, at_hand

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        found = FIELD.fullmatch(node.left.id) if isinstance(node.left, ast.Name) else None
        number = _number(node.comparators[0]) if found is not None and len(node.ops) == 1 else None
        if found is None or number is None or not isinstance(node.ops[0], (ast.LtE, ast.Gt, ast.Lt, ast.GtE)):
            return node
        name = f"threshold_{len(self.names)}"
        self.names[name] = Threshold(number, int(found[1]), self.met, self.at_hand)
        return ast.Compare(node.left, node.ops, [ast.Name(name, ast.Load())])


def _number(node: ast.AST) -> float | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _number(node.operand)
        return None if number is None else -number
    return float(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) else None


class _Table:
    """A tree as `rows.nested` makes it, with a `Threshold` for each number; however deep it is."""

    def __init__(self, root: Any, met: dict[int, Any], at_hand: list[Vector]) -> None:
        self.root = root
        self.nodes: dict[int, Any] = {}
        stack = [root]
        while stack:
            node = stack.pop()
            if type(node) is tuple and id(node) not in self.nodes:
                self.nodes[id(node)] = node
                stack.extend(node[2:])
        self.marks = {
            place: Threshold(threshold, feature, met, at_hand)
            for place, (feature, threshold, *_) in self.nodes.items()
            if type(threshold) is not list
        }

    def nested(self) -> Any:
        """The tree with what there is to compare with now in the place of each number."""
        made: dict[int, Any] = {}
        for place, (feature, threshold, *children) in reversed(list(self.nodes.items())):
            mark = self.marks[place].to_compare if place in self.marks else threshold
            made[place] = (feature, mark, *[made.get(id(child), child) for child in children])
        return made.get(id(self.root), self.root)
