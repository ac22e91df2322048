"""The methods and operators of a column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from . import operations as op
from .nodes import (
    Lost,
    Node,
    Value,
    derived,
)
from .notebook_functions import applied
from .tables import (
    Column,
    UntraceableError,
    as_kind,
    bare,
    computed,
    lost,
    standing,
    value_of,
    with_line,
)


def call_on_column(column: Column, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """`column.name(*args, **options)`."""
    if options.get("inplace"):
        rest = {key: each for key, each in options.items() if key != "inplace"}
        column.change(call_on_column(column, name, args, rest))
        return None
    function = COLUMN_METHODS.get(name)
    if name in ("apply", "map", "transform") and args and callable(args[0]):
        return applied(column, name, *args, **options)
    shadow = getattr(column.shadow, name)(*bare(args), **bare(options))
    if function is None:
        if isinstance(shadow, (pd.Series, pd.DataFrame, np.ndarray, pd.Index)):
            return standing(shadow, what=f".{name}()")
        if name in ("tolist", "item", "to_list") or np.ndim(shadow) == 0:
            raise UntraceableError(f".{name}() takes values out of a column")
        return shadow
    try:
        value = function(column.value, shadow, *args, **options)
    except (TypeError, ValueError, AttributeError, KeyError) as fault:
        value = lost(f".{name}(): {fault}")
    if name.strip("_").removeprefix("r") in COMPUTING:
        value = computed(value, shadow)
    return standing(shadow, with_line(value))


COMPUTING = frozenset(
    {*op.ARITHMETIC, *(name.removeprefix("true") for name in op.ARITHMETIC), "multiply", "divide", "subtract", "neg"}
)
"""Methods and operators whose results are computed in the dtype of the column."""


def _fillna(value: Value, _made: Any, by: Any = None, **options: Any) -> Value:
    by = options.pop("value", by)
    options.pop("axis", None)
    if options or isinstance(by, dict):
        return Lost("fillna by " + ", ".join(options or ["dict"]))
    return op.filled(value, value_of(by))


def _astype(value: Value, made: Any, dtype: Any = None, **options: Any) -> Value:
    return op.cast(value, options.get("dtype", dtype), made.dtype)


def _map(value: Value, made: Any, arg: Any = None, **_: Any) -> Value:
    if isinstance(arg, pd.Series):
        if not arg.index.is_unique:
            return Lost("a map with a key twice")
        arg = dict(zip(arg.index.tolist(), arg.tolist()))
    if not isinstance(arg, dict):
        return Lost("a map that is no dict")
    return op.mapped(value, arg, made, str(made.dtype))


def _replace(cell: Value, made: Any, to_replace: Any = None, value: Any = None, **options: Any) -> Value:
    if options.pop("regex", False) or options:
        return Lost("replace by " + ", ".join(options or ["pattern"]))
    if isinstance(to_replace, dict):
        if any(isinstance(each, dict) for each in to_replace.values()):
            return Lost("replace by nested dict")
        return op.replaced(cell, to_replace, made)
    keys = list(to_replace) if isinstance(to_replace, (list, tuple, np.ndarray)) else [to_replace]
    news = list(value) if isinstance(value, (list, tuple, np.ndarray)) else [value] * len(keys)
    if len(keys) != len(news):
        return Lost("replace by lists of two lengths")
    return op.replaced(cell, dict(zip(keys, news)), made)


def _clip(value: Value, _made: Any, lower: Any = None, upper: Any = None, **_: Any) -> Value:
    return op.clipped(value, *(None if each is None else value_of(each) for each in (lower, upper)))


def _between(value: Value, _made: Any, left: Any, right: Any, inclusive: str = "both") -> Value:
    low = op.comparison("ge" if inclusive in ("both", "left") else "gt", value, value_of(left))
    return op.logic("and", low, op.comparison("le" if inclusive in ("both", "right") else "lt", value, value_of(right)))


def _where(value: Value, made: Any, condition: Any, other: Any = np.nan) -> Value:
    return as_kind(op.chosen(value_of(condition), value, value_of(other)), made)


def _mask(value: Value, made: Any, condition: Any, other: Any = np.nan) -> Value:
    return as_kind(op.chosen(value_of(condition), value_of(other), value), made)


def _same(value: Value, _made: Any, *_: Any, **__: Any) -> Value:
    return value


def _reshape(value: Value, made: Any, *_: Any, **__: Any) -> Any:
    return [value] if made.ndim == 2 and made.shape[1] == 1 else value if made.ndim == 1 else lost("reshape")


def _arithmetic(name: str, *, is_reflected: bool = False) -> Callable[..., Value]:
    def made(value: Value, _made: Any, other: Any, **options: Any) -> Value:
        if any(each is not None and key != "axis" for key, each in options.items()):
            return Lost(f"{name} with " + ", ".join(options))
        sides = (value_of(other), value) if is_reflected else (value, value_of(other))
        return op.arithmetic(name, *sides)

    return made


def _comparison(name: str) -> Callable[..., Value]:
    return lambda value, _made, other, **_: op.comparison(name, value, value_of(other))


def _logic(name: str) -> Callable[..., Value]:
    return lambda value, _made, other: op.logic(name, value, value_of(other))


COLUMN_METHODS: dict[str, Callable[..., Any]] = {
    "abs": lambda value, _made: derived("abs({0})", value.kind, value) if isinstance(value, Node) else value,
    "round": lambda value, _made, decimals=0: op.rounded(value, decimals),
    "fillna": _fillna,
    "astype": _astype,
    "map": _map,
    "replace": _replace,
    "isin": lambda value, _made, values: op.among(value, values),
    "isna": lambda value, _made: op.is_missing(value),
    "isnull": lambda value, _made: op.is_missing(value),
    "notna": lambda value, _made: op.negation(op.is_missing(value)),
    "notnull": lambda value, _made: op.negation(op.is_missing(value)),
    "clip": _clip,
    "between": _between,
    "where": _where,
    "mask": _mask,
    "copy": _same,
    "to_numpy": _same,
    "reset_index": _same,
    "rename": _same,
    "infer_objects": _same,
    "squeeze": _same,
    "ravel": _same,
    "flatten": _same,
    "reshape": _reshape,
    "to_frame": lambda value, _made, *_, **__: [value],
    **{name: _arithmetic(each) for each in op.ARITHMETIC for name in (f"__{each}__", each.removeprefix("true"))},
    **{f"__r{each}__": _arithmetic(each, is_reflected=True) for each in op.ARITHMETIC},
    **{f"r{each.removeprefix('true')}": _arithmetic(each, is_reflected=True) for each in op.ARITHMETIC},
    **{name: _comparison(each) for each in op.COMPARISONS for name in (f"__{each}__", each)},
    **{f"__{each}__": _logic(each) for each in op.LOGIC},
    "__invert__": lambda value, _made: op.negation(value),
    "__neg__": lambda value, _made: derived("-{0}", value.kind, value) if isinstance(value, Node) else value,
    "__abs__": lambda value, _made: derived("abs({0})", value.kind, value) if isinstance(value, Node) else value,
}
COLUMN_METHODS |= {
    "multiply": COLUMN_METHODS["mul"],
    "divide": COLUMN_METHODS["div"],
    "subtract": COLUMN_METHODS["sub"],
}
