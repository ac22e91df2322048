"""The notebook's own trained model in place of a second training that would give the same one."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

MODEL = ".model.skops"
PLAIN = (str, int, float, bool, bytes, complex, type(None))


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
        reason = f"the training is given {', '.join(call.others)} beside rows and labels"
    elif not path.is_file():
        reason = entry.get("not_taken", "the run did not keep the trained model")
    return Trained(path, entry["estimator"], call.X, call.y, reason)


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
        if trained is None or kind is None:
            yield
            return
        original, is_own = kind.fit, "fit" in vars(kind)

        @functools.wraps(original)
        def fit(estimator: Any, *arguments: Any, **options: Any) -> Any:
            if not self.taken and type(estimator) is kind:
                self.reason = self._take(trained, estimator, arguments, options)
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

    def _take(self, trained: Trained, estimator: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> str:
        """Take the trained one; the reason where that may not be."""
        given = dict(zip(("X", "y"), arguments), **options)
        if len(arguments) > 2 or not set(given) <= {"X", "y"}:
            return "the package's training is given more than rows and labels"
        pairs = [(given.get("X"), trained.X), (given.get("y"), trained.y)]
        if not all(is_same(one, other) for one, other in pairs):
            return "the package trains on other values than the notebook, or on values of another kind"
        try:
            model = self.load(trained.path)
        except Exception as fault:  # noqa: BLE001 - whatever a file does not give back can be trained
            return f"the trained model can't be read: {fault}"
        if not same_parameters(estimator, model):
            return "the notebook's model has other parameters by now, or goes on from an earlier training"
        vars(estimator).update(vars(model))
        self.taken = True
        return ""


def class_of(name: str) -> Any:
    """The class of a library by its full name; None for one of the notebook's own, and for one within another."""
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError):
        return None


def same_parameters(estimator: Any, trained: Any) -> bool:
    """Whether both are of one class with the same parameters, which tell of the whole training."""
    if type(estimator) is not type(trained):
        return False
    one, other = (each.get_params(deep=True) for each in (estimator, trained))
    goes_on = any(name.rpartition("__")[2] == "warm_start" and value for name, value in one.items())
    return not goes_on and one.keys() == other.keys() and all(_same_value(one[name], other[name]) for name in one)


def _same_value(one: Any, other: Any) -> bool:
    """Whether two parameters are equal; those of estimators within are parameters of their own."""
    if type(one) is not type(other):
        return False
    if isinstance(one, PLAIN):
        return bool(one == other) or (one != one and other != other)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_same_value, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same_value(one[name], other[name]) for name in one)
    if isinstance(one, (np.ndarray, np.generic, pd.DataFrame, pd.Series, pd.Index)):
        return is_same(one, other)
    if isinstance(one, type) or callable(one):
        return one is other
    # A generator of random numbers has drawn some by now, and what else there is can't be looked into.
    return hasattr(one, "get_params") and same_parameters(one, other)


def is_same(one: Any, other: Any) -> bool:
    """Whether two matrices or columns of labels are the same to the bit, with their types, names and index."""
    if type(one) is not type(other):
        return False
    if one is None:
        return True
    if isinstance(one, pd.DataFrame):
        return one.columns.equals(other.columns) and list(one.dtypes) == list(other.dtypes) and _same_rows(one, other)
    if isinstance(one, pd.Series):
        return bool(one.name == other.name and one.dtype == other.dtype) and _same_rows(one, other)
    if isinstance(one, pd.Index):
        return bool(one.identical(other))
    if isinstance(one, (np.ndarray, np.generic)):
        return _same_array(np.asarray(one), np.asarray(other))
    if hasattr(one, "tocsr"):
        first, second = one.tocsr(), other.tocsr()
        parts = ("data", "indices", "indptr")
        return one.shape == other.shape and all(_same_array(getattr(first, p), getattr(second, p)) for p in parts)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_same_value, one, other))
    return False


def _same_rows(one: Any, other: Any) -> bool:
    return bool(one.index.equals(other.index) and one.equals(other))


def _same_array(one: Any, other: Any) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.dtype == object:
        return bool(pd.DataFrame(one.reshape(len(one), -1)).equals(pd.DataFrame(other.reshape(len(other), -1))))
    return np.ascontiguousarray(one).tobytes() == np.ascontiguousarray(other).tobytes()
