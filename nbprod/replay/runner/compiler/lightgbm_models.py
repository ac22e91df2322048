"""What LightGBM's estimators answer for one row, from the trees that they tell of themselves (`dump_model`).

LightGBM compares and adds in 64 bits, so that scores are equal to the bit. What is missing goes where the node says:
by a default, or, where training has met no missing value, as zero (`Tree::NumericalDecision` of LightGBM's tree.h).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .model import Model, UncompiledError
from .nodes import FLOAT, INTEGER, Value, derived
from .operations import kind_of
from .tables import Frame, UntraceableError, category_columns, cells_of
from .trees import ZERO, Tree, added, one_by_one, prepare

LEAST = 1e-12
"""Scores nearer to zero than this may belong to either class: their chances are equal in the last bit."""

IDENTITY = frozenset(
    {"regression", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg"}
)  # fmt: skip
EXPONENTIAL = frozenset({"poisson", "gamma", "tweedie"})
OF_PREDICTION = ("pred", "is_pred", "raw_score", "is_raw", "leaf_index", "contrib", "start_iteration", "is_contrib")
"""Parameters of an estimator that change what `predict` gives begin with these."""


def _classifier(model: Any, fields: list[str]) -> Model:
    made, totals, objective, options = _scores(model, fields)
    classes = model.classes_.tolist()
    scale = float(options.get("sigmoid", 1.0))
    if len(totals) == 1:
        if objective not in ("binary", "cross_entropy") or len(classes) != 2:
            raise UncompiledError(f"boosting of {len(classes)} classes with the objective {objective}")
        made.answer = f"{classes[1]!r} if decided(z, {LEAST!r}) > 0 else {classes[0]!r}"
        made.scores, made.chances = "z", f"logistic({_scaled('z', scale)})"
        return made
    made.constants["CLASSES"] = classes
    if objective == "multiclass":
        made.give_chances(totals, "softmax")
        made.answer = f"CLASSES[clearly_largest(({', '.join(totals)}))]"
    elif objective == "multiclassova":
        scaled = ", ".join(_scaled(total, scale) for total in totals)
        made.scores, made.chances = f"{', '.join(totals)},", f"each_logistic(({scaled}))"
        made.answer = f"CLASSES[clearly_largest({made.chances})]"
    else:
        raise UncompiledError(f"boosting of {len(classes)} classes with the objective {objective}")
    return made


def _scaled(total: str, scale: float) -> str:
    return total if scale == 1 else f"{scale!r} * {total}"


def _regressor(model: Any, fields: list[str]) -> Model:
    made, totals, objective, options = _scores(model, fields)
    if len(totals) != 1:
        raise UncompiledError("several targets")
    if objective in IDENTITY:
        made.answer = "(-z * z if z < 0 else z * z)" if "sqrt" in options else "z"
    elif objective in EXPONENTIAL:
        made.answer, made.exact = "exp(z)", False
    elif objective in ("binary", "cross_entropy"):
        made.answer, made.exact = f"logistic({_scaled('z', float(options.get('sigmoid', 1.0)))})[1]", False
    else:
        raise UncompiledError(f"boosting with the objective {objective}")
    return made


def _scores(model: Any, fields: list[str]) -> tuple[Model, list[str], str, dict[str, str]]:
    """The scores of a model as statements, their names, and the objective with its options."""
    told = [name for name in model.get_params() if name.startswith(OF_PREDICTION)]
    if told:
        raise UncompiledError(f"boosting that predicts with {', '.join(told)}")
    try:
        dump = model.booster_.dump_model()
    except RecursionError:
        raise UncompiledError("trees too deep to be told") from None
    if not dump.get("objective"):
        raise UncompiledError("boosting with an objective of the notebook's own")
    objective, *rest = dump["objective"].split()
    made, count = Model(), int(dump["num_tree_per_iteration"])
    trees = [_tree_of(each["tree_structure"], fields) for each in dump["tree_info"]]
    totals = ["z"] if count == 1 else [f"z{place}" for place in range(count)]
    prepare(made, trees, fields)
    for place, total in enumerate(totals):
        own = trees[place::count]
        made.statements += [f"{total} = 0.0", *added(made, own, fields, [total], one_by_one(total))]
        if dump["average_output"]:
            made.statements.append(f"{total} /= {len(own)}")
        if any(isinstance(value, str) for tree in own for value in tree.values):
            made.statements.append(f"{total} = finite({total})")
            made.exact = False
    options = {part.partition(":")[0]: part.partition(":")[2] for part in rest}
    return made, totals, objective, options


def given_to_lightgbm(model: Any, matrix: Any) -> list[Value]:
    """The values of a matrix as LightGBM takes them: of categories it takes its own numbers, NaN for ones unknown.

    Arrays of whole numbers are given as 32 bits.
    """
    cells = cells_of(matrix)
    if isinstance(matrix, Frame):
        places = category_columns(matrix)
        known = model.booster_.pandas_categorical or []
        if len(known) != len(places):
            raise UntraceableError("columns of categories that training has not")
        for at, categories in zip(places, known):
            codes = {None: math.nan, **{each: float(code) for code, each in enumerate(categories)}}
            cells[at] = derived("{CODES}.get({0}, NAN)", FLOAT, cells[at], CODES=codes)
        return cells
    if hasattr(matrix, "tocsr") or kind_of(matrix.dtype) != INTEGER:
        return cells
    return [derived("single({0})", FLOAT, cell) for cell in cells]


def _tree_of(root: dict[str, Any], fields: list[str]) -> Tree:
    nodes, left, right = [root], [], []
    for node in nodes:  # which grows
        is_leaf = "left_child" not in node
        left.append(-1 if is_leaf else len(nodes))
        right.append(-1 if is_leaf else len(nodes) + 1)
        if not is_leaf:
            nodes += [node["left_child"], node["right_child"]]
    choices = {at: _categories(each) for at, each in enumerate(nodes) if each.get("decision_type") == "=="}
    return Tree(
        left,
        right,
        [each.get("split_feature", 0) for each in nodes],
        [0.0 if left[at] < 0 or at in choices else _threshold(each) for at, each in enumerate(nodes)],
        [left[at] >= 0 and at not in choices and _is_missing_left(each) for at, each in enumerate(nodes)],
        [_value(each, fields) if left[at] < 0 else 0.0 for at, each in enumerate(nodes)],
        choices,
        frozenset(at for at, each in enumerate(nodes) if at not in choices and each.get("missing_type") == "Zero"),
    )


def _categories(node: dict[str, Any]) -> frozenset[Any]:
    """The categories that go to the left; all else, missing ones among them, goes to the right."""
    return frozenset(int(each) for each in str(node["threshold"]).split("||"))


def _threshold(node: dict[str, Any]) -> float:
    """The threshold as it is compared: 1e300 tells of an infinite one, and numbers that are all but zero become it."""
    told = float(node["threshold"])
    if abs(told) >= 1e300:
        return math.copysign(math.inf, told)
    if 0 <= told < ZERO:
        return ZERO
    return math.nextafter(-ZERO, -math.inf) if -ZERO <= told < 0 else told


def _is_missing_left(node: dict[str, Any]) -> bool:
    if node["missing_type"] == "None":
        return bool(float(node["threshold"]) >= 0.0)
    return bool(node["default_left"])


def _value(leaf: dict[str, Any], fields: list[str]) -> float | str:
    """The value of a leaf; that of a linear one is an expression, which has a number where a feature is missing."""
    if "leaf_const" not in leaf:
        return float(leaf["leaf_value"])
    names = [fields[at] for at in leaf["leaf_features"]]
    terms = [f"{coefficient!r} * {name}" for coefficient, name in zip(leaf["leaf_coeff"], names)]
    if not terms:
        return float(leaf["leaf_const"])
    known = " and ".join(f"{name} == {name}" for name in dict.fromkeys(names))
    return f"({' + '.join([repr(leaf['leaf_const']), *terms])} if {known} else {leaf['leaf_value']!r})"


LIGHTGBM: dict[str, Callable[[Any, list[str]], Model]] = {
    "LGBMClassifier": _classifier,
    "LGBMRegressor": _regressor,
    "LGBMRanker": _regressor,
}
