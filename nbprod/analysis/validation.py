"""Validation rows of a training call, which say when the training stops: `eval_set` of boosted trees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from nbprod.analysis import tabular
from nbprod.analysis.values import NONE, Value

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

EARLY = "early_stopping_rounds"

BEST = "use_best_model"
"""Whether CatBoost keeps the iteration that is best on the validation rows, as it does where nothing is said."""

Note = Callable[[Value, Value], None]


def validated(run: Interpreter, base: Value, kwargs: Mapping[str, Value], note: Note) -> None:
    """Call `note` with the matrix and labels of each validation set that a training call stops by.

    XGBoost and LightGBM only report on `eval_set` where nothing stops the training early; CatBoost keeps the
    iteration that is best on it (`use_best_model`).
    """
    given = kwargs.get("eval_set", NONE)
    if given is NONE or not _stops(run, base, kwargs):
        return
    pairs = [given] if given.kind == "tuple" and not _of_pairs(run, given) else run.elements(given) or []
    for pair in pairs:
        parts = run.elements(pair) or []
        if len(parts) > 1:
            note(tabular.as_table(run, parts[0]), parts[1])


def _of_pairs(run: Interpreter, given: Value) -> bool:
    return all(part.kind in ("tuple", "list") for part in run.elements(given) or [])


def _stops(run: Interpreter, base: Value, kwargs: Mapping[str, Value]) -> bool:
    if {EARLY, "callbacks"} & kwargs.keys():
        return True
    made = next((event for event in run.events if event.kind == "construct" and event.obj == base.obj), None)
    named = dict(() if made is None else made.arguments)
    if run.obj(base).type.startswith("catboost."):
        keeps_best = kwargs.get(BEST, named.get(BEST, NONE))
        return EARLY in named or keeps_best.const is not False
    return EARLY in named
