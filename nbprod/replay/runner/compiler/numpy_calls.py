"""What functions of NumPy do to the values of a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from . import operations as op
from .columns import COLUMN_METHODS
from .nodes import (
    FLOAT,
    NUMBERS,
    Lost,
    Value,
    derived,
    together,
)
from .tables import (
    Block,
    Column,
    Frame,
    UntraceableError,
    bare,
    cells_of,
    computed,
    lost,
    standing,
    value_of,
    with_line,
)

UFUNCS = {
    "add": "__add__", "subtract": "__sub__", "multiply": "__mul__", "divide": "__truediv__",
    "true_divide": "__truediv__", "floor_divide": "__floordiv__", "remainder": "__mod__", "power": "__pow__",
    "negative": "__neg__", "absolute": "__abs__", "less": "__lt__", "less_equal": "__le__", "greater": "__gt__",
    "greater_equal": "__ge__", "equal": "__eq__", "not_equal": "__ne__", "logical_and": "__and__",
    "logical_or": "__or__", "bitwise_and": "__and__", "bitwise_or": "__or__", "invert": "__invert__",
    "logical_not": "__invert__", "isnan": "isna",
}  # fmt: skip
"""Functions of NumPy that are operations of columns."""

ELEMENTWISE = frozenset({
    "log", "log2", "log10", "log1p", "exp", "exp2", "expm1", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh",
    "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "cbrt", "floor", "ceil", "trunc", "rint", "sign", "radians",
    "degrees", "deg2rad", "rad2deg", "reciprocal", "arctan2", "hypot", "float_power", "fmod", "square",
})  # fmt: skip
"""Functions of NumPy of numbers, which the row's code calls as well: other libraries round the last bit otherwise."""


def ufunc_of(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A function of NumPy over columns."""
    if method != "__call__" or options:
        raise UntraceableError(f"np.{ufunc.__name__}.{method}")
    wide = [each for each in inputs if isinstance(each, (Frame, Block))]
    shadow = ufunc(*bare(inputs))
    name = ufunc.__name__
    if wide:
        parts = [[column_at(each, at) for each in inputs] for at in range(len(wide[0].cells))]
        return standing(shadow, [_ufunc_value(name, part, shadow) for part in parts])
    return standing(shadow, _ufunc_value(name, list(inputs), shadow))


def column_at(thing: Any, at: int) -> Any:
    """The column at a place of a table, or what stands for it in each: an element, or a value for all."""
    if isinstance(thing, (Frame, Block)):
        shadow = thing.shadow.iloc[:, at] if isinstance(thing, Frame) else np.asarray(thing.shadow)[:, at]
        return Column(shadow, thing.cells[at])
    if isinstance(thing, np.ndarray) and thing.ndim == 1:
        return thing[at]
    return thing


def _ufunc_value(name: str, inputs: list[Any], shadow: Any) -> Value:
    values = [value_of(each) for each in inputs]
    if name in UFUNCS:
        method = UFUNCS[name].strip("_")
        if method in op.ARITHMETIC:
            return computed(op.arithmetic(method, *values), shadow)
        if method in op.COMPARISONS:
            return op.comparison(method, *values)
        if method in op.LOGIC:
            return op.logic(method, *values)
        value: Value = COLUMN_METHODS[UFUNCS[name]](values[0], shadow)
        return value
    numbers = together(*map(op.number, values))
    if isinstance(numbers, Lost):
        return numbers
    if name == "sqrt":
        return derived("sqrt({0})", FLOAT, *numbers)
    if name in ("maximum", "minimum"):
        left, right = numbers
        kind = FLOAT if FLOAT in (left.kind, right.kind) else left.kind
        sign = ">" if name == "maximum" else "<"
        # a missing one of the two goes on
        return derived(f"{{0}} if {{0}} {sign} {{1}} or {{0}} != {{0}} else {{1}}", kind, left, right)
    if name in ELEMENTWISE:
        made = np.asarray(shadow).dtype
        if made != np.dtype("float64"):
            return lost(f"np.{name} of {numbers[0].kind} values")
        return derived(f"float(np.{name}({', '.join(f'{{{at}}}' for at in range(len(numbers)))}))", FLOAT, *numbers)
    return lost(f"np.{name}")


def numpy_function(function: Any, args: Any, options: Any) -> Any:
    """A function of NumPy that is none of elements alone."""
    name = function.__name__
    shadow = function(*bare(tuple(args)), **bare(options))
    own = FUNCTIONS.get(name)
    if own is not None:
        made = own(shadow, *args, **options)
        if made is not None:
            return standing(shadow, list(map(with_line, made)) if isinstance(made, list) else with_line(made))
    if isinstance(shadow, (np.ndarray, pd.Series, pd.DataFrame)) and np.ndim(shadow) and len(shadow):
        return standing(shadow, what=f"np.{name}")
    raise UntraceableError(f"np.{name} takes values out of a table")


def _where(shadow: Any, condition: Any, *choices: Any) -> Value | None:
    if len(choices) != 2 or np.ndim(shadow) != 1:
        return None
    return _in_kind_of(op.chosen(*map(value_of, (condition, *choices))), shadow, "np.where")


def _select(shadow: Any, condlist: Any, choicelist: Any, default: Any = 0) -> Value:
    value = value_of(default)
    for condition, choice in reversed(list(zip(condlist, choicelist))):
        value = op.chosen(value_of(condition), value_of(choice), value)
    return _in_kind_of(value, shadow, "np.select")


def _in_kind_of(value: Value, shadow: Any, what: str) -> Value:
    """A choice in the one kind that the array has for all of its values."""
    kind = op.kind_of_values(pd.Series(shadow))
    if isinstance(value, Lost) or kind == value.kind:
        return value
    return op.cast(value, shadow.dtype, shadow.dtype) if {kind, value.kind} <= NUMBERS else lost(what)


def _side_by_side(shadow: Any, parts: Any, *_: Any, **__: Any) -> list[Value] | None:
    values = [each for part in parts for each in cells_of(part)]
    return values if np.ndim(shadow) == 2 and len(values) == shadow.shape[1] else None


def _concatenate(shadow: Any, parts: Any, axis: int = 0) -> list[Value] | None:
    return _side_by_side(shadow, parts) if axis in (1, -1) else None


def _append(shadow: Any, arr: Any, values: Any, axis: int | None = None) -> list[Value] | None:
    return _side_by_side(shadow, (arr, values)) if axis in (1, -1) else None


def _round(_: Any, a: Any, decimals: int = 0) -> Value | None:
    return op.rounded(a.value, decimals) if isinstance(a, Column) else None


def _clip(_: Any, a: Any, a_min: Any = None, a_max: Any = None, **options: Any) -> Value | None:
    bounds = options.pop("min", a_min), options.pop("max", a_max)
    if options or not isinstance(a, Column):
        return None
    return op.clipped(a.value, *(None if each is None else value_of(each) for each in bounds))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "where": _where,
    "select": _select,
    "hstack": _side_by_side,
    "column_stack": _side_by_side,
    "concatenate": _concatenate,
    "append": _append,
    "round": _round,
    "around": _round,
    "clip": _clip,
}
"""What the functions make of a row, None where that is not known, by what NumPy made and what it was given."""
