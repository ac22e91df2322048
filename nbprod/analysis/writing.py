"""Models that a notebook writes into a file or hands to a registry: `joblib.dump(model, path)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from nbprod.analysis.values import NONE, Event, Value

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

DUMPS = frozenset(
    f"{module}.{function}"
    for module in ("cloudpickle", "dill", "joblib", "pickle", "sklearn.externals.joblib", "skops.io")
    for function in ("dump", "dumps")
)
"""Functions that are given an object first."""

OF_REGISTRY = frozenset({"log_model", "save_model"})
"""Functions of a module of MLflow, such as `mlflow.sklearn`, that are given a model first."""

METHODS = frozenset({"save_model"})
"""Methods by which a model of a library writes itself."""


def is_writing(name: str) -> bool:
    """Whether a function of this qualified name writes the object that it is given first."""
    package, _, rest = name.partition(".")
    return name in DUMPS or (package == "mlflow" and rest.rpartition(".")[2] in OF_REGISTRY)


def written(run: Interpreter, node: ast.Call, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> None:
    """Note each estimator that is written, alone or in a list, tuple or dict."""
    given = args[0] if args else next(iter(kwargs.values()), NONE)
    for value in _estimators(run, given):
        run.event(Event("keep", run.at, run.top, node, name, obj=value.obj))


def _estimators(run: Interpreter, value: Value) -> Iterator[Value]:
    if value.kind == "estimator":
        yield value
    elif value.kind == "dict" and value.obj >= 0:
        yield from (part for part in run.obj(value).items.values() if part.kind == "estimator")
    elif value.kind in ("list", "tuple"):
        yield from (part for part in run.elements(value) or () if part.kind == "estimator")
