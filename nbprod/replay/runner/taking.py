"""The notebook's own trained model in place of a second training that would give the same one."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .sameness import is_same

MODEL = ".model.skops"
SETTINGS = ("_sklearn_output_config", "_metadata_request")
"""What scikit-learn keeps of an estimator beside its parameters, set by `set_output` and `set_fit_request`."""


@dataclass(frozen=True)
class Trained:
    """What a training left behind: the file of the estimator, its class, and what it was given.

    `reason` says why it can't be taken, where that is known before another training begins.
    """

    path: Path
    estimator: str
    X: Any
    y: Any
    reason: str = ""


def trained_in(folder: Path, entry: dict[str, Any], call: Any) -> Trained:
    """What a captured training left behind."""
    path = folder / (entry["stem"] + MODEL)
    reason = ""
    if call.others:
        named = [argument_of(entry["estimator"], int(name)) if name.isdigit() else name for name in call.others]
        reason = f"the training is given {', '.join(named)} beside rows and labels"
    elif not path.is_file():
        reason = entry.get("not_taken", "the run did not keep the trained model")
    return Trained(path, entry["estimator"], call.X, call.y, reason)


def argument_of(estimator: str, position: int) -> str:
    """What `fit` of a class calls its argument at a position; the place alone where the class does not say."""
    kind = class_of(estimator)
    return _argument_of(kind.fit, position) if hasattr(kind, "fit") else f"argument {position + 1}"


def _argument_of(fit: Any, position: int) -> str:
    try:
        _, *named = inspect.signature(fit).parameters.values()  # the first is the estimator
    except (TypeError, ValueError):
        named = []
    kept = [one.name for one in named if one.kind is one.POSITIONAL_OR_KEYWORD]
    return kept[position] if position < len(kept) else f"argument {position + 1}"


class Taking:
    """Takes the trained estimator where one of its class and parameters is about to be trained on the same values.

    The values are those that the package made of the raw rows. An estimator of the same class with the same parameters
    learns the same from them, unless it goes on from an earlier training (`warm_start`), which is never taken.
    """

    def __init__(self, trained: Trained | None, load: Callable[[Path], Any]) -> None:
        self.trained = trained
        self.load = load
        self.taken = False
        self.reason = (trained.reason if trained else "") or "the package trains no estimator of this class"

    @contextmanager
    def in_place_of_training(self) -> Iterator[None]:
        """While this lasts, `fit` of the estimator's class takes what it can."""
        trained = self.trained
        kind: Any = None if trained is None or trained.reason else class_of(trained.estimator)
        if trained is None or not hasattr(kind, "fit"):
            yield
            return
        original, is_own = kind.fit, "fit" in vars(kind)

        @functools.wraps(original)
        def fit(estimator: Any, *arguments: Any, **options: Any) -> Any:
            if not self.taken and type(estimator) is kind:
                self.reason = self._take(trained, original, estimator, arguments, options)
                if self.taken:
                    return estimator
            return original(estimator, *arguments, **options)

        kind.fit = fit
        try:
            yield
        finally:
            if is_own:
                kind.fit = original
            else:
                del kind.fit

    def _take(
        self, trained: Trained, fit: Any, estimator: Any, arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> str:  # fmt: skip
        """Take the trained one; the reason where that may not be."""
        try:
            given = dict(zip(("X", "y"), arguments), **options)
            further = [_argument_of(fit, at) for at in range(2, len(arguments))] + sorted(given.keys() - {"X", "y"})
            if further:
                return f"the package's training is given {', '.join(further)} beside rows and labels"
            if not (is_same(given.get("X"), trained.X) and is_same(given.get("y"), trained.y)):
                return "the package trains on other values than the notebook, or on values of another kind"
            reason = why_another(estimator, self.model)
            if not reason:
                take_over(estimator, self.model)
                self.taken = True
            return reason
        except Exception as fault:  # noqa: BLE001 - whatever can't be read or compared can be trained; the reason is told
            return f"the trained model can't be taken: {type(fault).__name__}: {fault}"

    @functools.cached_property
    def model(self) -> Any:
        """The trained estimator, read when one of its class is trained on its values."""
        assert self.trained is not None
        return self.load(self.trained.path)


def class_of(name: str) -> Any:
    """The class of a library by its full name; None for one of the notebook's own, and for one within another."""
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except Exception:  # noqa: BLE001 - a library may raise anything while it is imported; the package will tell
        return None


def why_another(estimator: Any, trained: Any) -> str:
    """Why training `estimator` may give another one than `trained` is; empty where it gives the same."""
    if type(estimator) is not type(trained):
        return f"the notebook's model is a {type(trained).__name__}"
    goes_on = [name for name, value in estimator.get_params(deep=True).items() if _is_warm(name) and value]
    if goes_on:
        return f"the training goes on from an earlier one: {goes_on[0]} is set"
    name = other_parameter(estimator, trained)
    if name:
        return f"{name} is another than the notebook's by now, or of a kind that is not compared"
    for one, other in pairs(estimator, trained):
        if not all(is_same(vars(one).get(setting), vars(other).get(setting)) for setting in SETTINGS):
            return f"a {type(one).__name__} has other settings than the notebook's"
        if one is not estimator and is_trained(one) and not is_same(vars(one), vars(other)):
            return f"a {type(one).__name__} within has been trained before, and may differ from the notebook's"
    return ""


def _is_warm(name: str) -> bool:
    return name.rpartition("__")[2] == "warm_start"


def other_parameter(estimator: Any, trained: Any) -> str:
    """The innermost parameter that is not the same in both, empty where all are. What was learned does not count."""
    one, other = (each.get_params(deep=False) for each in (estimator, trained))
    if one.keys() == other.keys() and all(_same_parameters(one[name], other[name]) for name in one):
        return ""
    one, other = (each.get_params(deep=True) for each in (estimator, trained))
    names: list[str] = [name for name in one if name not in other or not _same_parameters(one[name], other[name])]
    names = names or [name for name in other if name not in one]
    return max(reversed(names), key=lambda name: name.count("__"), default="a parameter")


def _same_parameters(one: Any, other: Any) -> bool:
    """Whether two parameters are equal; of estimators within, again the parameters count."""
    if type(one) is not type(other):
        return False
    if is_estimator(one):
        return not other_parameter(one, other)
    if isinstance(one, dict):
        return is_same(list(one), list(other)) and _same_parameters(list(one.values()), list(other.values()))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_same_parameters, one, other))
    # A generator of random numbers has drawn some by now, and what else there is can't be looked into.
    return is_same(one, other)


def is_estimator(value: Any) -> bool:
    """Whether a value can be fitted, as scikit-learn's estimators can."""
    return hasattr(value, "get_params") and hasattr(value, "fit") and not isinstance(value, type)


def is_trained(estimator: Any) -> bool:
    """Whether an estimator has more than its parameters make of it."""
    clone = importlib.import_module("sklearn.base").clone
    return bool(vars(estimator).keys() != vars(clone(estimator)).keys())


def pairs(estimator: Any, trained: Any) -> list[tuple[Any, Any]]:
    """Both, and the estimators within that have the same name and class."""
    one, other = (each.get_params(deep=True) for each in (estimator, trained))
    within = [(one[name], other[name]) for name in one if name in other and is_estimator(one[name])]
    return [(estimator, trained), *((a, b) for a, b in within if type(a) is type(b))]


def take_over(estimator: Any, trained: Any) -> None:
    """Give `estimator`, and those within, what the trained ones have learned; parameters stay the objects they are.

    Some trainings fit the estimators within (a pipeline its steps), others fit copies (a search): each becomes what its
    counterpart is, fitted or not.
    """
    both = pairs(estimator, trained)
    own = {id(other): one for one, other in both}
    made = []
    for one, other in both:
        parameters = other.get_params(deep=False)
        learned = {name: own.get(id(value), value) for name, value in vars(other).items() if name not in parameters}
        outdated = [name for name in vars(one).keys() - parameters.keys() - learned.keys() if name[-1:] == "_"]
        made.append((vars(one), outdated, learned))
    for attributes, outdated, learned in made:
        for name in outdated:
            del attributes[name]
        attributes.update(learned)
