"""What functions of NumPy do to the values of a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from . import operations as op
from .columns import COLUMN_METHODS
from .nodes import (
    FLOAT,
    NUMBERS,
    Lost,
    Node,
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
            return op.arithmetic(method, *values)
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
    if name == "where" and len(args) == 3 and isinstance(shadow, np.ndarray) and shadow.ndim == 1:
        value = op.chosen(*map(value_of, args))
        kind = op.kind_of_values(pd.Series(shadow))
        if isinstance(value, Node) and kind != value.kind and {kind, value.kind} <= NUMBERS:
            value = op.cast(value, shadow.dtype, shadow.dtype)
        elif isinstance(value, Node) and kind != value.kind:
            value = lost("np.where makes texts of other values")
        return standing(shadow, with_line(value))
    if name == "select" and len(args) >= 2:
        default = args[2] if len(args) > 2 else options.get("default", 0)
        value = value_of(default)
        for condition, choice in reversed(list(zip(args[0], args[1]))):
            value = op.chosen(value_of(condition), value_of(choice), value)
        kind = op.kind_of_values(pd.Series(shadow))
        if isinstance(value, Node) and kind != value.kind:
            value = op.cast(value, shadow.dtype, shadow.dtype) if {kind, value.kind} <= NUMBERS else lost("np.select")
        return standing(shadow, with_line(value))
    if name in ("hstack", "column_stack", "concatenate", "append"):
        sides = (
            list(args[0]) if name != "append" else [options.get("arr", *args[:1]), options.get("values", *args[1:2])]
        )
        axis = options.get(
            "axis",
            args[-1]
            if name in ("concatenate", "append") and isinstance(args[-1:], tuple) and args and isinstance(args[-1], int)
            else 0,
        )
        if shadow.ndim == 2 and (name in ("hstack", "column_stack") or axis == 1):
            values: list[Value] = []
            for each in sides:
                values += cells_of(each)
            if len(values) == shadow.shape[1]:
                return standing(shadow, values)
    if name in ("round", "around") and isinstance(args[0], Column):
        return standing(
            shadow, op.rounded(args[0].value, int(args[1]) if len(args) > 1 else options.get("decimals", 0))
        )
    if name == "clip" and isinstance(args[0], Column):
        bounds = [*args[1:], *options.values()]
        return standing(
            shadow, op.clipped(args[0].value, *(None if each is None else value_of(each) for each in bounds))
        )
    if isinstance(shadow, np.ndarray) and shadow.ndim == 2:
        return standing(shadow, [lost(f"np.{name}")] * shadow.shape[1])
    if isinstance(shadow, (np.ndarray, pd.Series, pd.DataFrame)) and len(shadow):
        return standing(shadow, None, (), f"np.{name}")
    raise UntraceableError(f"np.{name} takes values out of a table")


def cells_of(thing: Any) -> list[Value]:
    """The values of the columns of a table, of a column, or of an array that is no stand-in."""
    if isinstance(thing, (Frame, Block)):
        return list(thing.cells)
    if isinstance(thing, np.ndarray) and thing.ndim == 2:
        return [value_of(thing[:, at]) for at in range(thing.shape[1])]
    return [value_of(thing)]
