"""What fitted models answer for the features of one row, written as Python without the estimator.

Sums are made in the estimator's own order where it has one, so that trees give its answers to the bit. Linear models
multiply matrices, whose order of sums no two rows share: they agree but for the last bits. Where those would decide the
class, the row is left to the estimator.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from .lightgbm_models import LIGHTGBM, given_to_lightgbm
from .model import Model, UncompiledError
from .nodes import Value
from .tables import cells_of
from .trees import Tree, added, as_float64, expressions, one_by_one, prepare
from .xgboost_models import XGBOOST, given_to_xgboost


def model_text(model: Any, width: int, whole: Collection[int] = ()) -> Model:
    """The text of a fitted model over so many features. Raises UncompiledError.

    `whole` are the places of those that are whole numbers or booleans.
    """
    name = type(model).__name__
    write = LIBRARIES.get(type(model).__module__.partition(".")[0], {}).get(name)
    if write is None:
        raise UncompiledError(f"{name} itself is asked")
    if getattr(model, "n_features_in_", width) != width:
        raise UncompiledError(f"a {name} of {model.n_features_in_} features, not {width}")
    fields = [f"f{place}" for place in range(width)]
    made = write(model, fields)
    made.fields = fields
    made.statements[:0] = [f"{fields[at]} = float({fields[at]})" for at in sorted(made.compared.intersection(whole))]
    return made


def given_to(model: Any, matrix: Any) -> list[Value]:
    """The values of the columns of a matrix as a fitted model takes them. Raises UntraceableError."""
    given = {"lightgbm": given_to_lightgbm, "xgboost": given_to_xgboost}.get(type(model).__module__.partition(".")[0])
    return cells_of(matrix) if given is None else given(model, matrix)


def _decision(coefficients: Any, intercept: float, features: list[str]) -> str:
    terms = [f"{float(c)!r} * {x}" for c, x in zip(coefficients, features)]
    return " + ".join([*terms, repr(float(intercept))]).replace("+ -", "- ")


def _rounding(coefficients: Any, intercepts: Any, features: list[str]) -> str:
    """How far two scores may be apart from what they are with the terms added in any other order, as an expression.

    A sum of n products is off by at most n times the unit roundoff of the terms' sizes together (Higham, Accuracy and
    Stability of Numerical Algorithms, 2002, 3.1), and these by at most the root of n of the root of their squares.
    """
    sizes = np.minimum(np.abs(np.atleast_2d(coefficients)).max(axis=0).astype(float) ** 2, 1e300)
    last = np.clip(np.square(np.asarray(intercepts, dtype=float)).max(), 1e-300, 1e300)
    terms = [f"{size:.3g} * {x} * {x}" for size, x in zip(sizes.tolist(), features) if size]
    count = len(terms) + 1
    share = 4.04 * count * count**0.5 * 2**-53  # of the four sums; a hundredth more, for digits that are left out
    return f"{share:.3g} * sqrt({' + '.join([*terms, f'{last:.3g}'])})"


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
    least = _rounding(coefficients, intercepts, features)
    if len(coefficients) == 1:
        made.statements.append(f"z = finite({_decision(coefficients[0], intercepts[0], features)})")
        made.statements.append(f"decided(z, {least})")
        made.answer = f"{classes[1]!r} if z > 0 else {classes[0]!r}"
        made.give_chances(["z"], _chances_of_linear(model))
        return made
    names = []
    for place, (row, intercept) in enumerate(zip(coefficients, intercepts)):
        names.append(f"z{place}")
        made.statements.append(f"z{place} = finite({_decision(row, intercept, features)})")
    made.statements.append(f"apart(({', '.join(names)}), {least})")
    made.answer = f"CLASSES[first_of_largest(({', '.join(names)}))]"
    made.give_chances(names, _chances_of_linear(model))
    return made


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


def _tree_of(tree: Any, values: list[Any]) -> Tree:
    thresholds = [as_float64(each) if left >= 0 else 0.0 for each, left in zip(tree.threshold, tree.children_left)]
    missing = getattr(tree, "missing_go_to_left", np.zeros(tree.node_count))
    return Tree(tree.children_left, tree.children_right, tree.feature, thresholds, missing, values)


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
    tree = _tree_of(model.tree_, model.tree_.value[:, 0, 0].tolist())
    (made.answer,) = expressions(made, [tree], features)
    prepare(made, [tree], features)
    _ordinary(model, made, features)
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
    tree = _tree_of(model.tree_, _shares(model.tree_))
    (text,) = expressions(made, [tree], features)
    prepare(made, [tree], features)
    made.statements.append(f"p = {text}")
    _ordinary(model, made, features)
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
    prepare(made, trees, features)
    made.statements += ["z = 0.0", *added(made, trees, features, ["z"], one_by_one("z"))]
    _ordinary(model, made, features)
    made.answer = f"z / {len(trees)}"
    return made


def _forest_classifier(model: Any, features: list[str]) -> Model:
    _one_output(model)
    made = Model(exact=model.n_jobs in (None, 1), constants={"CLASSES": model.classes_.tolist()})
    trees = [_tree_of(each.tree_, _shares(each.tree_)) for each in model.estimators_]
    totals = [f"z{place}" for place in range(len(model.classes_))]
    shares = [f"p{place}" for place in range(len(totals))]
    adding = "; ".join(f"{total} += {share}" for total, share in zip(totals, shares))
    prepare(made, trees, features)
    made.statements.append(" = ".join(totals) + " = 0.0")
    made.statements += added(
        made,
        trees,
        features,
        totals,
        lambda texts: [line for text in texts for line in (f"{', '.join(shares)} = {text}", adding)],
    )
    _ordinary(model, made, features)
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
    trees: list[list[Tree]], firsts: list[float], features: list[str], classes: Any, loss: str = "log_loss"
) -> Model:
    """A score of trees that are added to what boosting begins with, or one for each class."""
    made = Model()
    totals = ["z"] if len(trees) == 1 else [f"z{place}" for place in range(len(trees))]
    prepare(made, [tree for own in trees for tree in own], features)
    for total, first, own in zip(totals, firsts, trees):
        made.statements += [f"{total} = {first!r}", *added(made, own, features, [total], one_by_one(total))]
    if classes is None:
        made.answer = "z"
    elif len(trees) == 1:
        made.answer = _class_of_score(classes)
    else:
        made.constants["CLASSES"] = classes.tolist()
        made.answer = f"CLASSES[clearly_largest(({', '.join(totals)}))]"
    if classes is not None and loss in ("log_loss", "deviance"):
        made.give_chances(totals, "logistic" if len(trees) == 1 else "softmax")
    return made


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


def _of_histogram(nodes: Any) -> Tree:
    left = np.where(nodes["is_leaf"].astype(bool), -1, nodes["left"].astype(int))
    right, feature = nodes["right"].astype(int), nodes["feature_idx"].astype(int)
    thresholds, values = nodes["num_threshold"].tolist(), nodes["value"].tolist()
    return Tree(left, right, feature, thresholds, nodes["missing_go_to_left"], values)


SKLEARN: dict[str, Callable[[Any, list[str]], Model]] = {
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

LIBRARIES = {"sklearn": SKLEARN, "lightgbm": LIGHTGBM, "xgboost": XGBOOST}
