"""Boosted trees by the training functions of XGBoost and LightGBM: `xgb.train(params, xgb.DMatrix(X, label=y))`.

They are not served, but what they learn from and what they are tested on counts for leakage.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import calls, networks
from nbprod.analysis.validation import EARLY
from nbprod.analysis.values import NONE, Fact, Obj, Value, combine, with_refusals

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

MATRIX = "matrix"
"""The name of rows in the form of such a library, with the rows and their labels as parts."""

TRAINING = ("dtrain", "train_set")
VALIDATION = ("evals", "valid_sets")
PLACE_OF_VALIDATION = 3


def matrix(run: Interpreter, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """`xgb.DMatrix(X, label=y)`, `lgb.Dataset(X, y)`: rows and labels."""
    made = calls.unknown_call(run, Value("lib", name=name), args, kwargs, name)
    rows = args[0] if args else kwargs.get("data", NONE)
    labels = args[1] if len(args) > 1 else kwargs.get("label", NONE)
    return replace(made, name=MATRIX, parts=(rows, labels))


def refused_rows(run: Interpreter, node: ast.Call, given: Value) -> tuple[Value, Value]:
    """Rows and labels of `model.fit(Pool(X, y))`, refused: what is served are rows of a table."""
    rows, labels = given.parts
    bit = run.refuse(
        node,
        "rows-of-a-library",
        "the model is fitted on rows in a form of the library's own (Pool), and what is served are rows of a table",
        "fit it on the table instead: .fit(X, y, cat_features=…) trains the same model",
    )
    return replace(rows, fact=with_refusals(rows.fact, bit)), labels


def train(run: Interpreter, node: ast.Call, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """A model that is trained on such rows, and what it is validated on where that says when the training stops."""
    given = args[1] if len(args) > 1 else next((kwargs[key] for key in TRAINING if key in kwargs), NONE)
    facts = calls.facts_of(run, args, kwargs)
    settings = [run.data(value) for value in (*args[:1], *args[2:3], *(v for k, v in kwargs.items() if k == "params"))]
    made = replace(combine("new:Booster", settings), rows=None)
    model = run.new(Obj("network", made, type=name.partition(".")[0] + ".Booster"), Fact(serve=run.serve, fit=run.fit))
    rows, labels = _parts(given)
    networks.learn_from(run, node, model, rows, labels, facts)
    if EARLY in kwargs or "callbacks" in kwargs:
        sets = kwargs[key] if (key := _key(kwargs)) else (args[PLACE_OF_VALIDATION:] or [NONE])[0]
        for each in run.elements(sets) or []:
            one = each if each.name == MATRIX else next(iter(run.elements(each) or []), each)
            if one.name == MATRIX:
                networks.validated_on(run, node, model, *_parts(one))
    return model


def _key(kwargs: Mapping[str, Value]) -> str:
    return next((key for key in VALIDATION if key in kwargs), "")


def _parts(given: Value) -> tuple[Value, Value]:
    """The rows and labels of a matrix; what is none is rows, of which no labels are known."""
    return (given.parts[0], given.parts[1]) if given.name == MATRIX else (given, NONE)
