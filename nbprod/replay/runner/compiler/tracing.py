"""The feature code run once on stand-ins, so that each feature comes out as an expression over one row."""

from __future__ import annotations

import ast
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .idioms import IDIOMS
from .nodes import BOOLEAN, FLOAT, INTEGER, MOMENT, TEXT, Lost, Node, Value, constant
from .pandas_calls import Numpy, Pandas
from .tables import (
    Frame,
    Standing,
    UntraceableError,
    bare,
    cells_of,
    holds_stand_in,
    passed_through,
    standing,
)
from .transformers import clustered, transformed


@dataclass(frozen=True)
class Traced:
    """The features of one row in the order of the matrix, with their names; `stopped` says why there are none.

    `fields` are those that a row must have, whether or not a feature is made of them.
    """

    names: tuple[str, ...]
    matrix: Any = None
    stopped: Lost | None = None
    fields: tuple[Node, ...] = ()

    @property
    def cells(self) -> list[Value]:
        """The values of the matrix's columns."""
        return cells_of(self.matrix)


def traced(features: Any) -> Traced:
    """Follow the feature code of fitted `features`."""
    names = tuple(features.output_names_)
    rows = _few_rows(features)
    try:
        values = _raw_values(features, rows)
        matrix = _run(features, rows, values)
    except UntraceableError as fault:
        return Traced(names, None, Lost(str(fault), _line_of(fault)))
    except Exception as fault:  # noqa: BLE001 - a stand-in is no table, whatever the notebook's code makes of that
        return Traced(names, None, Lost(f"{type(fault).__name__}: {fault}", _line_of(fault)))
    if not isinstance(matrix, Standing):
        return Traced(names, None, Lost("the matrix is not made of the rows"))
    return Traced(names, matrix, fields=tuple(each for each in values if isinstance(each, Node) and each.raw))


def _line_of(fault: BaseException) -> int | None:
    line, place = None, fault.__traceback__
    while place is not None:
        if place.tb_frame.f_globals.get("__nbprod_traced__") == "features":
            line = place.tb_lineno
        place = place.tb_next
    return line


def _few_rows(features: Any) -> Any:
    """Training rows in their dtypes."""
    template = features._conformed(features.schema_.template)
    if features.anchors_ is None:
        return template
    return pd.concat([template, features.anchors_], ignore_index=template.index.names == [None])


def _run(features: Any, rows: Any, values: list[Value]) -> Any:
    learned = TracedLearned(features.learned_.replay())
    learned.real.rows = rows.copy()
    learned.rows = Frame(rows, values)
    own = type(features)
    path, package = own.prepare.__code__.co_filename, own.__module__.rpartition(".")[0]
    namespace = _namespace(Path(path), package, "features")
    return namespace["Features"].prepare(learned.rows, learned)[0]


def _raw_values(features: Any, rows: Any) -> list[Value]:
    seen = {column["name"]: column for column in features.observed_["columns"]}
    required = {str(label) for label in features.required_columns()}
    values: list[Value] = []
    for at, label in enumerate(rows.columns):
        kind = features.schema_.kinds[at]
        column = seen.get(str(label), {})
        is_optional = bool(column.get("nullable", True))
        if kind in ("integer", "boolean") and column.get("filled", False):
            is_optional = False  # training has no gaps: a row with one is left to the code that fills it
        known = {"integer": INTEGER, "number": FLOAT, "text": TEXT, "boolean": BOOLEAN}.get(kind)
        known = MOMENT if kind == "datetime" and isinstance(rows.dtypes.iloc[at], np.dtype) else known
        if str(label) not in required:
            stand_in = rows.iloc[:, at]
            if stand_in.isna().all():
                values.append(constant(np.nan if known in (FLOAT, INTEGER) else None))
            elif stand_in.nunique(dropna=False) == 1:
                values.append(constant(stand_in.iloc[0]))
            else:
                values.append(Lost(f"{label} is no column of a request"))
        elif known is None or (known in (INTEGER, BOOLEAN) and is_optional) or not isinstance(label, str):
            values.append(Lost(f"raw column {label} of kind {kind}"))
        else:
            values.append(Node("record", known, optional=is_optional and known == TEXT, raw=label,
                               nullable=is_optional))  # fmt: skip
    return values


def _namespace(path: Path, package: str, name: str) -> dict[str, Any]:
    """The names of a module of the package, whose pandas and NumPy make stand-ins of stand-ins."""
    namespace: dict[str, Any] = {"__name__": f"{package}.{name}", "__package__": package, "__file__": str(path)}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    exec(compile(tree, str(path), "exec"), namespace)
    namespace["__nbprod_traced__"] = name
    for key, value in list(namespace.items()):
        if value is pd:
            namespace[key] = Pandas()
        elif value is np:
            namespace[key] = Numpy()
        elif getattr(value, "__module__", "") == "pandas" and callable(value):
            namespace[key] = getattr(Pandas(), value.__name__)
    idioms = path.with_name("idioms.py")
    if name == "features" and idioms.is_file():
        own = _namespace(idioms, package, "idioms")
        own |= {key: each for key, each in IDIOMS.items() if key in own}
        for key, value in list(namespace.items()):
            if isinstance(value, types.FunctionType) and value.__module__ == f"{package}.idioms":
                namespace[key] = _idiom(own[value.__name__], value)
    return namespace


CHOOSING = frozenset({"dropna_columns", "get_dummies", "merge_lookup", "join_lookup", "together"})
"""Serving forms that choose columns, or put further ones beside them, and change no value."""


def _idiom(traceable: Any, real: Any) -> Any:
    """An idiom's function, on stand-ins; where that fails its columns are lost, and untouched ones stay."""

    def call(learned: Any, name: str, *args: Any, **options: Any) -> Any:
        if not (holds_stand_in(args) or holds_stand_in(options)):
            return real(learned, name, *args, **options)
        mark = dict(learned.taken)
        try:
            return traceable(learned, name, *args, **options)
        except Exception as fault:  # noqa: BLE001 - then pandas alone makes it
            learned.taken.clear()
            learned.taken.update(mark)
            shadow = real(learned.real, name, *bare(args), **bare(options))
            what = f"{real.__name__}: {fault}"
            if real.__name__ not in CHOOSING or not isinstance(shadow, pd.DataFrame):
                return standing(shadow, what=what)
            before = tuple(each for each in args if isinstance(each, Standing))
            return standing(shadow, passed_through(shadow, before, what))

    return call


class TracedLearned:
    """The learned values of a package, whose transformers take stand-ins."""

    fitting = False
    labelled = False
    rows: Any = None

    def __init__(self, real: Any) -> None:
        self.real = real

    @property
    def taken(self) -> Any:
        return self.real._taken

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def __call__(self, name: str, compute: Any, key: Any = None) -> Any:
        return self.real(name, compute, key=key)

    def fit(self, name: str, estimator: Any, *args: Any, key: Any = None, **options: Any) -> Any:
        return traceable(self.real.fit(name, estimator, *bare(args), key=key, **bare(options)))

    def fit_transform(self, name: str, estimator: Any, X: Any, *_: Any, key: Any = None, **__: Any) -> Any:
        return transformed(traceable(self.real._restore(name, key, estimator)), X)

    def fit_predict(self, name: str, estimator: Any, X: Any, *_: Any, key: Any = None, **__: Any) -> Any:
        return clustered(self.real._restore(name, key, estimator), X)

    def ordered(self, *_: Any) -> Any:
        raise UntraceableError("rows are put in order")


def traceable(estimator: Any) -> Any:
    """The estimator, whose `transform` takes stand-ins from now on."""

    def transform(X: Any) -> Any:
        return transformed(estimator, X) if holds_stand_in(X) else type(estimator).transform(estimator, X)

    vars(estimator)["transform"] = transform
    return estimator
