"""What fitted models answer for the features of one row, written as Python without the estimator.

Sums are made in the estimator's own order where it has one, so that trees give its answers to the bit. Linear models
multiply matrices, whose order of sums no two rows share: they agree but for the last bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .writing import written


@dataclass
class Model:
    """The text of a model: functions, constants and tables that it needs, and the expression of its answer.

    `fields` are the names of the features in it. `exact` says whether answers are equal to the bit. `scores` names what
    the answer is made of, and `chances` is the expression of the classes' probabilities from them, where there is one.
    """

    answer: str = ""
    scores: str = ""
    chances: str = ""
    fields: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    tables: list[Any] = field(default_factory=list)
    exact: bool = True


class UncompiledError(Exception):
    """A model that is asked as it is, and why."""


MOST_NODES = 400
"""Nodes of a tree that is written as branches; a larger one is walked in a table."""

MOST_DEPTH = 80
MOST_INLINE = 20_000
"""Nodes of all trees that stand in one function; of more, each tree is a function of its own."""


def model_text(model: Any, width: int) -> Model:
    """The text of a fitted model over so many features. Raises UncompiledError."""
    name = type(model).__name__
    write = MODELS.get(name)
    if write is None or not type(model).__module__.startswith("sklearn."):
        raise UncompiledError(f"{name} itself is asked")
    if getattr(model, "n_features_in_", width) != width:
        raise UncompiledError(f"a {name} of {model.n_features_in_} features, not {width}")
    fields = [f"f{place}" for place in range(width)]
    made = write(model, fields)
    made.fields = fields
    return made


def _decision(coefficients: Any, intercept: float, features: list[str]) -> str:
    terms = [f"{float(c)!r} * {x}" for c, x in zip(coefficients, features)]
    return " + ".join([*terms, repr(float(intercept))]).replace("+ -", "- ")


def _linear(model: Any, features: list[str]) -> Model:
    if np.ndim(model.coef_) != 1 and np.shape(model.coef_)[0] != 1:
        raise UncompiledError("several targets")
    intercept = float(np.ravel(model.intercept_)[0]) if np.ndim(model.intercept_) else float(model.intercept_)
    statement = f"z = {_decision(np.ravel(model.coef_), intercept, features)}"
    return Model("finite(z)", statements=[statement], exact=False)


def _linear_classes(model: Any, features: list[str]) -> Model:
    classes = model.classes_.tolist()
    made = Model(exact=False, constants={"CLASSES": classes})
    coefficients = np.atleast_2d(model.coef_)
    intercepts = np.broadcast_to(np.ravel(model.intercept_), (len(coefficients),))
    if len(coefficients) == 1:
        made.statements.append(f"z = finite({_decision(coefficients[0], intercepts[0], features)})")
        made.answer = f"{classes[1]!r} if z > 0 else {classes[0]!r}"
        _with_chances(made, ["z"], _chances_of_linear(model))
        return made
    names = []
    for place, (row, intercept) in enumerate(zip(coefficients, intercepts)):
        names.append(f"z{place}")
        made.statements.append(f"z{place} = finite({_decision(row, intercept, features)})")
    made.answer = f"CLASSES[first_of_largest(({', '.join(names)}))]"
    _with_chances(made, names, _chances_of_linear(model))
    return made


def _with_chances(made: Model, scores: list[str], function: str | None) -> None:
    """Probabilities by a function of rows.py over the scores; none where there is no such function."""
    if function is not None:
        made.scores = ", ".join(scores) if len(scores) == 1 else f"{', '.join(scores)},"
        made.chances = f"{function}(z)" if len(scores) == 1 else f"{function}(({', '.join(scores)}))"


def _chances_of_linear(model: Any) -> str | None:
    """The function that makes probabilities of a linear model's scores, where it has any."""
    name, several = type(model).__name__, len(model.classes_) > 2
    way = getattr(model, "multi_class", "auto")
    if name == "LinearDiscriminantAnalysis":
        return "softmax" if several else "logistic"
    if name == "SGDClassifier" and model.loss in ("log_loss", "log"):
        return "against_the_rest" if several else "logistic"
    if name not in ("LogisticRegression", "LogisticRegressionCV") or (way == "multinomial" and not several):
        return None
    if not several:
        return "logistic"
    return "against_the_rest" if way == "ovr" or model.solver == "liblinear" else "softmax"


# --- trees -------------------------------------------------------------------------------------------------------


def _as_float64(threshold: float) -> float:
    """The threshold for an `x` of 64 bits where the tree compares `float32(x)`: the largest that is not above it."""
    low = np.float32(threshold)
    if float(low) > threshold:
        low = np.nextafter(low, np.float32(-np.inf))
    above = np.nextafter(low, np.float32(np.inf))
    middle = (float(low) + float(above)) / 2
    return middle if np.float32(middle) == low else float(np.nextafter(middle, -np.inf))


@dataclass(frozen=True)
class _Tree:
    left: Any
    right: Any
    feature: Any
    threshold: list[float]
    missing_left: Any
    values: list[Any]


def _tree_of(tree: Any, values: list[Any]) -> _Tree:
    thresholds = [_as_float64(each) if left >= 0 else 0.0 for each, left in zip(tree.threshold, tree.children_left)]
    missing = getattr(tree, "missing_go_to_left", np.zeros(tree.node_count))
    return _Tree(tree.children_left, tree.children_right, tree.feature, thresholds, missing, values)


def _branches(tree: _Tree, name: str, arguments: Sequence[str]) -> str:
    """A function that walks a tree, as branches."""
    lines = [f"def {name}({', '.join(arguments)}):"]

    def write(node: int, depth: int) -> None:
        pad = "    " * depth if depth < 90 else " " * (depth + 270)
        if tree.left[node] < 0:
            lines.append(f"{pad}return {written(tree.values[node])}")
            return
        lines.append(f"{pad}if {_test(tree, node, arguments)}:")
        write(int(tree.left[node]), depth + 1)
        write(int(tree.right[node]), depth)

    write(0, 1)
    return "\n".join(lines)


def _inlined(tree: _Tree, fields: Sequence[str], leaf: Callable[[Any], str]) -> list[str]:
    """The statements that go through a tree, and at its end do what `leaf` says of the value: no call is made."""
    lines: list[str] = []

    def write(node: int, pad: str) -> None:
        if tree.left[node] < 0:
            lines.append(f"{pad}{leaf(tree.values[node])}")
            return
        lines.append(f"{pad}if {_test(tree, node, fields)}:")
        write(int(tree.left[node]), f"{pad} ")
        lines.append(f"{pad}else:")
        write(int(tree.right[node]), f"{pad} ")

    write(0, "")
    return lines


def _test(tree: _Tree, node: int, fields: Sequence[str]) -> str:
    """Whether a row goes to the left; what is missing goes where the tree has learned to send it."""
    x, threshold = fields[tree.feature[node]], written(tree.threshold[node])
    return f"not {x} > {threshold}" if tree.missing_left[node] else f"{x} <= {threshold}"


def _summed(
    made: Model,
    trees: list[_Tree],
    features: list[str],
    leaf: Callable[[Any], str],
    called: Callable[[str], Sequence[str]],
) -> list[str]:
    """The statements that add up trees: `leaf` adds a value that is known, `called` that of an expression."""
    nodes = [len(tree.left) for tree in trees]
    if sum(nodes) <= MOST_INLINE and max(nodes) <= MOST_NODES and all(_depth(tree) < MOST_DEPTH for tree in trees):
        return [line for tree in trees for line in _inlined(tree, features, leaf)]
    return [line for call in _calls(made, trees, features) for line in called(call)]


def _walked(tree: _Tree) -> list[Any]:
    """A tree as a table: feature, threshold, left, right and where missing ones go; of a leaf None and its value."""
    return [
        (
            int(tree.feature[at]),
            tree.threshold[at],
            int(tree.left[at]),
            int(tree.right[at]),
            int((tree.left if tree.missing_left[at] else tree.right)[at]),
        )
        if tree.left[at] >= 0
        else (None, tree.values[at], 0, 0, 0)
        for at in range(len(tree.left))
    ]


def _calls(made: Model, trees: list[_Tree], features: list[str]) -> list[str]:
    """The expressions of what the trees give, with the functions and tables that they need.

    A table is no part of the text: Python takes seconds to compile the tables of a large forest.
    """
    calls = []
    for number, tree in enumerate(trees, len(made.functions) + len(made.constants)):
        used = sorted({int(tree.feature[at]) for at in range(len(tree.left)) if tree.left[at] >= 0})
        if len(tree.left) <= MOST_NODES and _depth(tree) < MOST_DEPTH:
            name = f"tree_{number}"
            names = [features[at] for at in used]
            at = {feature: place for place, feature in enumerate(used)}
            own = _Tree(tree.left, tree.right, [at.get(int(each), 0) for each in tree.feature], tree.threshold,
                        tree.missing_left, tree.values)  # fmt: skip
            made.functions.append(_branches(own, name, names))
            calls.append(f"{name}({', '.join(names)})")
        else:
            calls.append(f"walk(TABLES[{len(made.tables)}], given)")
            made.tables.append(_walked(tree))
    if any(each.startswith("walk(") for each in calls):
        made.statements.append(f"given = ({', '.join(features)},)")
    return calls


def _depth(tree: _Tree) -> int:
    deepest, stack = 0, [(0, 1)]
    while stack:
        node, depth = stack.pop()
        deepest = max(deepest, depth)
        if tree.left[node] >= 0:
            stack += [(int(tree.left[node]), depth + 1), (int(tree.right[node]), depth + 1)]
    return deepest


def _ordinary(model: Any, made: Model, features: list[str]) -> None:
    """Features that the estimator refuses (no float32, and missing ones of most) are left to the package's own code."""
    check = "ordinary_or_missing" if _takes_missing(model) else "ordinary"
    made.statements.insert(0, f"{check}(({', '.join(features)},))")


def _takes_missing(model: Any) -> bool:
    """Whether an estimator takes missing numbers, as it says of itself."""
    if hasattr(model, "__sklearn_tags__"):
        return bool(model.__sklearn_tags__().input_tags.allow_nan)
    return bool(model._get_tags()["allow_nan"])


def _tree_regressor(model: Any, features: list[str]) -> Model:
    _one_output(model)
    made = Model()
    (call,) = _calls(made, [_tree_of(model.tree_, model.tree_.value[:, 0, 0].tolist())], features)
    _ordinary(model, made, features)
    made.answer = call
    return made


def _one_output(model: Any) -> None:
    if getattr(model, "n_outputs_", 1) != 1:
        raise UncompiledError("several targets")
    if getattr(model, "monotonic_cst", None) is not None:
        raise UncompiledError("monotonic constraints")


def _tree_classifier(model: Any, features: list[str]) -> Model:
    _one_output(model)
    made = Model()
    made.constants["CLASSES"] = model.classes_.tolist()
    (call,) = _calls(made, [_tree_of(model.tree_, _shares(model.tree_))], features)
    _ordinary(model, made, features)
    made.statements.append(f"p = {call}")
    made.answer, made.scores, made.chances = "CLASSES[first_of_largest(p)]", "p", "p"
    return made


def _shares(tree: Any) -> list[Any]:
    """The share of each class in each node."""
    values = tree.value[:, 0, :]
    shares = values / values.sum(axis=1, keepdims=True) if _is_counted(values) else values
    return [tuple(row) for row in shares.tolist()]


def _forest_regressor(model: Any, features: list[str]) -> Model:
    _one_output(model)
    made = Model(exact=model.n_jobs in (None, 1))
    trees = [_tree_of(each.tree_, each.tree_.value[:, 0, 0].tolist()) for each in model.estimators_]
    added = _summed(made, trees, features, *_adding_to("z"))
    _ordinary(model, made, features)
    made.statements += ["z = 0.0", *added]
    made.answer = f"z / {len(trees)}"
    return made


def _forest_classifier(model: Any, features: list[str]) -> Model:
    _one_output(model)
    made = Model(exact=model.n_jobs in (None, 1), constants={"CLASSES": model.classes_.tolist()})
    trees = [_tree_of(each.tree_, _shares(each.tree_)) for each in model.estimators_]
    totals = [f"z{place}" for place in range(len(model.classes_))]
    added = _summed(
        made,
        trees,
        features,
        lambda shares: "; ".join(f"{total} += {share!r}" for total, share in zip(totals, shares) if share),
        lambda call: [f"p = {call}", *(f"{total} += p[{place}]" for place, total in enumerate(totals))],
    )
    _ordinary(model, made, features)
    made.statements += [" = ".join(totals) + " = 0.0", *added]
    # the estimator divides by the number of trees before it looks for the largest
    made.statements.append(f"p = ({', '.join(f'{each} / {len(trees)}' for each in totals)},)")
    made.answer, made.scores, made.chances = "CLASSES[first_of_largest(p)]", "p", "p"
    return made


def _is_counted(values: Any) -> bool:
    """Whether leaves hold counts (scikit-learn before 1.3) and not shares."""
    return bool((values.sum(axis=1) > 1.5).any())


def _boosted(model: Any, features: list[str], *, classes: Any = None) -> Model:
    """Gradient boosting of trees that learn from what is left."""
    if model.init_ == "zero" or type(model.init_).__name__ not in ("DummyClassifier", "DummyRegressor"):
        raise UncompiledError("boosting that begins with another model")
    firsts = np.ravel(model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32))).tolist()
    rate = model.learning_rate
    trees = [
        [_tree_of(each.tree_, (rate * each.tree_.value[:, 0, 0]).tolist()) for each in model.estimators_[:, place]]
        for place in range(model.estimators_.shape[1])
    ]
    made = _added_up(trees, firsts, features, classes, model.loss if classes is not None else "")
    _ordinary(model, made, features)
    return made


def _added_up(
    trees: list[list[_Tree]], firsts: list[float], features: list[str], classes: Any, loss: str = "log_loss"
) -> Model:
    """A score of trees that are added to what boosting begins with, or one for each class."""
    made = Model()
    totals = ["z"] if len(trees) == 1 else [f"z{place}" for place in range(len(trees))]
    for total, first, own in zip(totals, firsts, trees):
        leaf, called = _adding_to(total)
        added = _summed(made, own, features, leaf, called)
        made.statements += [f"{total} = {first!r}", *added]
    if classes is None:
        made.answer = "z"
    elif len(trees) == 1:
        made.answer = _class_of_score(classes)
    else:
        made.constants["CLASSES"] = classes.tolist()
        made.answer = f"CLASSES[clearly_largest(({', '.join(totals)}))]"
    if classes is not None and loss in ("log_loss", "deviance"):
        _with_chances(made, totals, "logistic" if len(trees) == 1 else "softmax")
    return made


def _adding_to(total: str) -> tuple[Callable[[Any], str], Callable[[str], Sequence[str]]]:
    """What adds a value, and what adds that of an expression."""
    return lambda value: f"{total} += {written(value)}", lambda call: [f"{total} += {call}"]


def _class_of_score(classes: Any) -> str:
    no, yes = classes.tolist()
    return f"{yes!r} if decided(z) > 0 else {no!r}"


def _histogram(model: Any, features: list[str], *, classes: Any = None) -> Model:
    """Histogram gradient boosting: thresholds in float64, and a side for what is missing."""
    if model.is_categorical_ is not None or getattr(model, "_preprocessor", None) is not None:
        raise UncompiledError("boosting over categories")
    if classes is None and type(model._loss).__name__ not in ("HalfSquaredError", "AbsoluteError", "PinballLoss"):
        raise UncompiledError(f"boosting with the loss {type(model._loss).__name__}")
    trees = [
        [_of_histogram(stage[place].nodes) for stage in model._predictors] for place in range(len(model._predictors[0]))
    ]
    return _added_up(trees, np.ravel(model._baseline_prediction).tolist(), features, classes)


def _of_histogram(nodes: Any) -> _Tree:
    left = np.where(nodes["is_leaf"].astype(bool), -1, nodes["left"].astype(int))
    right, feature = nodes["right"].astype(int), nodes["feature_idx"].astype(int)
    thresholds, values = nodes["num_threshold"].tolist(), nodes["value"].tolist()
    return _Tree(left, right, feature, thresholds, nodes["missing_go_to_left"], values)


MODELS: dict[str, Callable[[Any, list[str]], Model]] = {
    **dict.fromkeys(
        ("LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV", "Lars", "LassoLars",
         "BayesianRidge", "ARDRegression", "SGDRegressor", "LinearSVR", "HuberRegressor", "TheilSenRegressor"), _linear,
    ),
    **dict.fromkeys(
        ("LogisticRegression", "LogisticRegressionCV", "SGDClassifier", "LinearSVC", "RidgeClassifier",
         "RidgeClassifierCV", "Perceptron", "PassiveAggressiveClassifier", "LinearDiscriminantAnalysis"),
        _linear_classes,
    ),
    "DecisionTreeRegressor": _tree_regressor, "ExtraTreeRegressor": _tree_regressor,
    "DecisionTreeClassifier": _tree_classifier, "ExtraTreeClassifier": _tree_classifier,
    "RandomForestRegressor": _forest_regressor, "ExtraTreesRegressor": _forest_regressor,
    "RandomForestClassifier": _forest_classifier, "ExtraTreesClassifier": _forest_classifier,
    "GradientBoostingRegressor": _boosted,
    "GradientBoostingClassifier": lambda model, features: _boosted(model, features, classes=model.classes_),
    "HistGradientBoostingRegressor": _histogram,
    "HistGradientBoostingClassifier": lambda model, features: _histogram(model, features, classes=model.classes_),
}  # fmt: skip
