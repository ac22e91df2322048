"""What XGBoost's estimators answer for one row, from the trees that they save as JSON (`save_raw`).

XGBoost compares and adds in 32 bits. Thresholds are written for numbers of 64 bits, and sums are rounded as XGBoost
rounds them, so that scores, and regressions without a link, are equal to the bit. What goes through `expf` may part in
the last bit of 32: by `TOLERANCE`, the share of an answer. A class that such a bit would decide is left to the package.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from .model import Model, UncompiledError
from .nodes import FLOAT, Value, derived
from .tables import Frame, UntraceableError, category_columns, cells_of
from .trees import Tree, added, as_float64, in_32_bits, prepare

TOLERANCE = 2.5e-7
"""Two units in the last place of 32 bits."""

LEAST = 1e-6
"""Scores nearer than this to zero, or to each other, may have chances that are equal in 32 bits."""

IDENTITY = frozenset(
    {"reg:squarederror", "reg:linear", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror",
     "reg:quantileerror", "binary:logitraw", "rank:pairwise", "rank:ndcg", "rank:map"}
)  # fmt: skip
LOGISTIC = frozenset({"reg:logistic", "binary:logistic"})
EXPONENTIAL = frozenset({"count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft"})


def _classifier(model: Any, fields: list[str]) -> Model:
    made, totals, objective = _scores(model, fields)
    count = int(model.n_classes_)
    if len(totals) == 1 and objective == "binary:logistic" and count == 2:
        made.answer = f"1 if decided(z, {LEAST!r}) > 0 else 0"
        made.give_chances(["z"], "logistic_32")
    elif len(totals) == count and objective in ("multi:softprob", "multi:softmax"):
        largest = "first_of_largest({})" if objective == "multi:softmax" else f"clearly_largest({{}}, {LEAST!r})"
        made.answer = largest.format(f"({', '.join(totals)})")
        made.give_chances(totals, "softmax_32")
    else:
        raise UncompiledError(f"boosting of {count} classes with the objective {objective}")
    made.tolerance = TOLERANCE
    return made


def _regressor(model: Any, fields: list[str]) -> Model:
    made, totals, objective = _scores(model, fields)
    if len(totals) != 1:
        raise UncompiledError("several targets")
    if objective in IDENTITY:
        made.answer = "z"
        return made
    if objective == "binary:hinge":
        made.answer = "1.0 if z > 0 else 0.0"
        return made
    if objective not in LOGISTIC | EXPONENTIAL:
        raise UncompiledError(f"boosting with the objective {objective}")
    made.answer = "logistic_32(z)[1]" if objective in LOGISTIC else "single(exp(z))"
    made.exact, made.tolerance = False, TOLERANCE
    return made


def _scores(model: Any, fields: list[str]) -> tuple[Model, list[str], str]:
    """The scores of a model as statements, their names, and the objective."""
    document = json.loads(bytes(model.get_booster().save_raw("json")))
    learner = document["learner"]
    objective = str(learner["objective"]["name"])
    booster = _booster_of(learner)
    if booster is None:
        raise UncompiledError(f"boosting with {learner['gradient_booster']['name']}")
    count = max(int(learner["learner_model_param"]["num_class"]), 1)
    if int(learner["learner_model_param"].get("num_target", 1)) > 1:
        raise UncompiledError("several targets")
    places, weights = booster["tree_info"], learner["gradient_booster"].get("weight_drop")
    if any(int(each["tree_param"]["size_leaf_vector"]) > 1 for each in booster["trees"]):
        raise UncompiledError("several targets")
    trees = [_tree_of(each) for each in booster["trees"]]
    firsts = _firsts(model, document, len(fields), count)
    if weights is not None:
        trees = [_weighted(tree, firsts[at], weight) for tree, at, weight in zip(trees, places, weights)]
    kept = _kept(model, booster, count)
    made = Model()
    totals = ["z"] if count == 1 else [f"z{place}" for place in range(count)]
    made.statements += _missing(model, fields)
    prepare(made, trees[:kept], fields)
    for place, (total, first) in enumerate(zip(totals, firsts)):
        own = [tree for tree, at in zip(trees[:kept], places) if at == place]
        made.statements += [f"{total} = {first!r}", *added(made, own, fields, [total], in_32_bits(total))]
    return made, totals, objective


def _booster_of(learner: dict[str, Any]) -> dict[str, Any] | None:
    """The trees of a model, within `gbtree` where dropped trees have weights; None where it has none."""
    found = learner["gradient_booster"]
    found = found.get("gbtree", found)
    model: dict[str, Any] = found.get("model", {})
    return model if "trees" in model else None


def _kept(model: Any, booster: dict[str, Any], count: int) -> int:
    """How many trees answer: those up to the best round where training has stopped early, as `predict` takes them."""
    best = model.get_booster().attributes().get("best_iteration")
    if best is None:
        return len(booster["trees"])
    rounds = int(best) + 1
    if "iteration_indptr" in booster:
        return int(booster["iteration_indptr"][rounds])
    return rounds * count * int(booster["gbtree_model_param"]["num_parallel_tree"])


def given_to_xgboost(model: Any, matrix: Any) -> list[Value]:
    """The values of a matrix as XGBoost takes them: of categories its own numbers, of sparse ones no zeros.

    A category that training has not is left to the library, which refuses it.
    """
    cells = cells_of(matrix)
    if isinstance(matrix, Frame):
        places = category_columns(matrix)
        known = _categories(model) if places else []
        for at in places:
            if at >= len(known) or not known[at]:
                raise UntraceableError("columns of categories that the model does not know by name")
            codes = {each: float(code) for code, each in enumerate(known[at])}
            cells[at] = derived("{CODES}[{0}]", FLOAT, cells[at], CODES=codes)
    elif hasattr(matrix, "tocsr"):
        return [derived("NAN if {0} == 0 else {0}", FLOAT, cell) for cell in cells]
    return cells


def _categories(model: Any) -> list[list[Any]]:
    """The categories of each column as the model keeps them (XGBoost 3.1 and later), in the order of their numbers."""
    booster = _booster_of(json.loads(bytes(model.get_booster().save_raw("json")))["learner"])
    found: list[list[Any]] = []
    for column in (booster or {}).get("cats", {}).get("enc", []):
        values, ends = column["values"], column.get("offsets")
        if ends is None:
            found.append(list(values))
        else:
            if any(each < 0 for each in values):
                raise UntraceableError("categories with letters beyond ASCII, which XGBoost cuts in the wrong places")
            found.append([bytes(values[start:end]).decode() for start, end in zip(ends, ends[1:])])
    return found


def _tree_of(tree: dict[str, Any]) -> Tree:
    """A tree of XGBoost: it goes to the left below a threshold, and to the right where a node has the category."""
    left, right = list(tree["left_children"]), list(tree["right_children"])
    default_left = [bool(each) for each in tree["default_left"]]
    choices: dict[int, frozenset[Any]] = {}
    for node, start, size in zip(tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"]):
        members = tree["categories"][start : start + size]
        choices[node] = frozenset([*members, *([] if default_left[node] else [None])])
        left[node], right[node] = right[node], left[node]
    values = [_single(each) for each in tree["split_conditions"]]
    below = [float(np.nextafter(np.float32(each), np.float32(-np.inf))) for each in values]
    thresholds = [as_float64(each) if left[at] >= 0 and at not in choices else 0.0 for at, each in enumerate(below)]
    return Tree(left, right, tree["split_indices"], thresholds, default_left, values, choices)


def _single(value: Any) -> float:
    return float(np.float32(value))


def _weighted(tree: Tree, first: float, weight: float) -> Tree:
    """A tree whose values have a weight, as XGBoost gives them one: to what the tree adds to what it begins with."""
    one, factor = np.float32(first), np.float32(weight)
    values = [_single((np.float32(one + np.float32(value)) - one) * factor) for value in tree.values]
    return replace(tree, values=values)


def _firsts(model: Any, document: dict[str, Any], width: int, count: int) -> list[float]:
    """What the scores begin with: the leaves of the document are set to zero, and the library is asked for the rest.

    The document has it behind the link (`base_score`), and releases of XGBoost write it in other ways.
    """
    booster = _booster_of(document["learner"])
    assert booster is not None
    for tree in booster["trees"]:
        tree["split_conditions"] = [
            0.0 if left < 0 else each for left, each in zip(tree["left_children"], tree["split_conditions"])
        ]
    own = model.get_booster()
    empty = type(own)(model_file=bytearray(json.dumps(document).encode()))
    row = np.full((1, width), np.nan, dtype=np.float32)
    margins = empty.inplace_predict(row, predict_type="margin", validate_features=False)
    return [float(each) for each in np.ravel(margins)[:count]]


def _missing(model: Any, fields: list[str]) -> list[str]:
    """The statements for a number that stands for what is missing."""
    stands = model.missing
    if stands is None or stands != stands:
        return []
    low = as_float64(float(np.nextafter(np.float32(stands), np.float32(-np.inf))))
    high = as_float64(float(np.float32(stands)))
    return [f"{each} = NAN if {low!r} < {each} <= {high!r} else {each}" for each in fields]


XGBOOST: dict[str, Callable[[Any, list[str]], Model]] = {
    "XGBClassifier": _classifier,
    "XGBRegressor": _regressor,
    "XGBRFClassifier": _classifier,
    "XGBRFRegressor": _regressor,
    "XGBRanker": _regressor,
}
