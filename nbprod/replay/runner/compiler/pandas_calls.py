"""pandas as the traced code sees it: functions and classes of it that take stand-ins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from . import dates
from . import operations as op
from .nodes import (
    FLOAT,
    NUMBERS,
    TEXT,
    Lost,
    constant,
    derived,
)
from .tables import (
    Block,
    Column,
    Frame,
    UntraceableError,
    bare,
    cells_of,
    holds_stand_in,
    lost,
    passed_through,
    standing,
    value_of,
    with_line,
)


def _cut(
    x: Any, bins: Any, right: bool = True, labels: Any = None, include_lowest: bool = False, **options: Any
) -> Any:
    asked = {"right": right, "labels": labels, "include_lowest": include_lowest, **options}
    for name, default in (("precision", 3), ("duplicates", "raise"), ("ordered", True), ("retbins", False)):
        if options.get(name, default) == default:
            options.pop(name, None)
    shadow = pd.cut(bare(x), bins, **asked)
    if options or labels is None or np.ndim(bins) != 1 or not isinstance(x, Column):
        return standing(shadow, lost("pd.cut without given edges and labels"))
    made = shadow.dtype if labels is False else np.dtype(object)
    return standing(shadow, with_line(op.binned(x.value, bins, labels, right, include_lowest, made)))


def _isna(thing: Any) -> Any:
    return thing.isna() if hasattr(thing, "isna") else standing(pd.isna(bare(thing)), op.is_missing(thing.value))


def _to_numeric(arg: Any, errors: str = "raise", **options: Any) -> Any:
    shadow = pd.to_numeric(bare(arg), errors=errors, **options)
    value = arg.value
    if isinstance(value, Lost) or value.kind in NUMBERS:
        return standing(shadow, value)
    if options or errors not in PARSERS or value.kind != TEXT or shadow.dtype != np.float64:
        return standing(shadow, lost("pd.to_numeric of texts"))
    return standing(shadow, derived(f"{PARSERS[errors]}({{0}})", FLOAT, value))


def _to_datetime(arg: Any, errors: str = "raise", dayfirst: bool = False, format: Any = None, **options: Any) -> Any:
    shadow = pd.to_datetime(bare(arg), errors=errors, dayfirst=dayfirst, format=format, **options)
    return standing(shadow, what="pd.to_datetime") if options else dates.read(arg, shadow, format)


PARSERS = {"raise": "parsed", "coerce": "parsed_or_missing"}
"""What reads a number from a text, by what `pd.to_numeric` does with one that is none."""


def _frame(data: Any = None, index: Any = None, columns: Any = None, **options: Any) -> Any:
    shadow = pd.DataFrame(bare(data), index=bare(index), columns=bare(columns), **options)
    if isinstance(data, Block):
        return Frame(shadow, list(data.cells))
    if isinstance(data, Frame):
        return standing(shadow, passed_through(shadow, (data,), "pd.DataFrame"), "pd.DataFrame")
    if isinstance(data, Column):
        return Frame(shadow, [data.value])
    if isinstance(data, dict) and columns is None:
        return Frame(shadow, [value_of(each) for each in data.values()])
    return standing(shadow, what="pd.DataFrame")


def _series(data: Any = None, *args: Any, **options: Any) -> Any:
    shadow = pd.Series(bare(data), *bare(args), **bare(options))
    if isinstance(data, Column):
        return Column(shadow, data.value)
    return standing(shadow, value_of(shadow))


def _categorical(values: Any, categories: Any = None, ordered: Any = None, **_: Any) -> Any:
    shadow = pd.Series(pd.Categorical(bare(values), categories=categories, ordered=ordered))
    if categories is None or isinstance(values.value, Lost):
        return Column(shadow, values.value)
    known = op.among(values.value, categories)
    return Column(shadow, op.chosen(known, values.value, constant(None)))


def _concat(objs: Any, axis: Any = 0, **options: Any) -> Any:
    sides = list(objs)
    shadow = pd.concat(bare(sides), axis=axis, **options)
    if axis not in (1, "columns"):
        raise UntraceableError("tables are put one below the other")
    values = [value for each in sides for value in cells_of(each)]
    return standing(shadow, values if len(values) == shadow.shape[1] else None, "pd.concat")


class _Class(type):
    """A class that makes stand-ins of stand-ins, and of which pandas' own are instances."""

    real: Any
    make: Any

    def __call__(cls, *args: Any, **options: Any) -> Any:
        if holds_stand_in(args) or holds_stand_in(options):
            return cls.make(*args, **options)
        return cls.real(*args, **options)

    def __instancecheck__(cls, thing: Any) -> bool:
        return isinstance(thing, cls.real)

    def __getattr__(cls, name: str) -> Any:
        found = getattr(cls.real, name)
        if not callable(found):
            return found

        def call(*args: Any, **options: Any) -> Any:
            """`pd.DataFrame.copy(table)` is the table's own `copy()`."""
            if args and isinstance(args[0], cls.real) and holds_stand_in(args[:1]):
                return getattr(args[0], name)(*args[1:], **options)
            return found(*args, **options)

        return call


def class_for(real: Any, make: Any) -> Any:
    """A class that stands for one of pandas in the traced code."""
    return _Class(real.__name__, (), {"real": real, "make": staticmethod(make)})


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "cut": _cut, "isna": _isna, "isnull": _isna, "notna": lambda thing: ~_isna(thing),
    "notnull": lambda thing: ~_isna(thing), "to_numeric": _to_numeric, "to_datetime": _to_datetime, "concat": _concat,
    "DataFrame": class_for(pd.DataFrame, _frame), "Series": class_for(pd.Series, _series),
    "Categorical": class_for(pd.Categorical, _categorical),
}  # fmt: skip


class Pandas:
    """pandas as the traced code sees it."""

    __nbprod_real__ = pd

    def __getattr__(self, name: str) -> Any:
        own = FUNCTIONS.get(name)
        if isinstance(own, type):
            return own
        real = getattr(pd, name)
        if isinstance(real, type) or not callable(real):
            return real

        def call(*args: Any, **options: Any) -> Any:
            if not (holds_stand_in(args) or holds_stand_in(options)):
                return real(*args, **options)
            if own is not None:
                return own(*args, **options)
            shadow = real(*bare(args), **bare(options))
            if isinstance(shadow, (pd.Series, pd.DataFrame, np.ndarray, pd.Index)):
                return standing(shadow, what=f"pd.{name}")
            raise UntraceableError(f"pd.{name} takes values out of a table")

        return call


class Numpy:
    """NumPy as the traced code sees it: a table is made an array without taking its values out."""

    __nbprod_real__ = np

    def __getattr__(self, name: str) -> Any:
        real = getattr(np, name)
        return _as_array if name in ("array", "asarray") else real


def _as_array(thing: Any, *args: Any, **options: Any) -> Any:
    """`np.array(table)`: what `to_numpy` gives."""
    if isinstance(thing, (Frame, Column)) and not args and not options:
        return thing.to_numpy()
    if isinstance(thing, Block) and isinstance(thing.shadow, np.ndarray) and not args and not options:
        return Block(thing.shadow.copy(), list(thing.cells))
    return np.array(thing, *args, **options)
