"""The methods and operators of a whole table, or of a two-dimensional array."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pandas as pd

from . import operations as op
from .columns import COLUMN_METHODS, call_on_column
from .nodes import (
    BOOLEAN,
    FLOAT,
    INTEGER,
    Lost,
    Value,
    constant,
    derived,
    together,
)
from .notebook_functions import applied, of_row
from .numpy_calls import column_at
from .tables import (
    Block,
    Column,
    Frame,
    Records,
    Standing,
    UntraceableError,
    bare,
    computed,
    lost,
    passed_through,
    standing,
    value_of,
    with_line,
)


def call_on_frame(frame: Any, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """`frame.name(*args, **options)` of a table or a two-dimensional array."""
    if options.get("inplace"):
        rest = {key: each for key, each in options.items() if key != "inplace"}
        made = call_on_frame(frame, name, args, rest)
        frame.__dict__.update(shadow=made.shadow, cells=made.cells)
        return None
    return _method(frame, name, args, options)


ACROSS = {"sum", "mean", "min", "max", "any", "all", "prod", "median", "std", "nunique", "count"}
BY_COLUMN = {
    "fillna",
    "astype",
    "replace",
    "clip",
    "abs",
    "round",
    "isna",
    "isnull",
    "notna",
    "notnull",
    "isin",
    "where",
    "mask",
}
SAME_COLUMNS = {
    "to_numpy",
    "copy",
    "reset_index",
    "toarray",
    "todense",
    "tocsr",
    "set_axis",
    "add_prefix",
    "add_suffix",
}
CHOOSING = {"drop", "filter", "reindex", "select_dtypes", "sort_index", "merge", "join", "get"} | SAME_COLUMNS
"""Methods that choose columns, or put further ones beside them, and change no value."""


def _method(frame: Any, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A method of a table."""
    if name in ("apply", "transform", "pipe", "assign", "applymap", "map"):
        return _called(frame, name, args, options)
    if name in BY_COLUMN and isinstance(frame, Frame):
        return _by_column(frame, name, args, options)
    if name.strip("_").removeprefix("r") in op.ARITHMETIC or name.strip("_") in op.COMPARISONS:
        return _with_operand(frame, name, args, options)
    if name == "groupby" and args and isinstance(frame, Frame):
        from .idioms import Grouped

        return Grouped(frame, args[0], dict(options))
    if name == "to_dict" and isinstance(frame, Frame) and _oriented(*args, **options) == "records":
        return Records(frame)
    if name == "pop":
        value = frame.cells.pop(frame.place_of(args[0]))
        return Column(frame.shadow.pop(args[0]), value)
    shadow = getattr(frame.shadow, name)(*bare(args), **bare(options))
    axis = options.get("axis", args[0] if args else 0)
    if name in ACROSS and axis in (1, "columns"):
        value = _across(frame, name, options) if len(args) <= 1 else lost(f".{name}() with arguments by their place")
        return standing(shadow, with_line(value))
    if name == "rename" and isinstance(shadow, pd.DataFrame) and shadow.shape == frame.shadow.shape:
        return standing(shadow, list(frame.cells))
    if name == "insert":
        frame.cells.insert(args[0], value_of(args[2] if len(args) > 2 else options["value"]))
        return None
    if name in SAME_COLUMNS and shadow.shape == frame.shadow.shape:
        return standing(shadow, list(frame.cells))
    if isinstance(shadow, pd.DataFrame) and len(shadow) == len(frame.shadow):
        before = (frame, *(each for each in args if isinstance(each, Standing)))
        values = passed_through(shadow, before, f".{name}()") if name in CHOOSING else None
        return standing(shadow, values, f".{name}()")
    if isinstance(shadow, (pd.Series, np.ndarray)) and len(shadow) == len(frame.shadow):
        return standing(shadow, what=f".{name}()")
    if isinstance(shadow, (pd.Index, str, tuple)) or name in ("keys", "items"):
        return shadow
    raise UntraceableError(f".{name}() takes values out of a table")


def _oriented(orient: Any = "dict", **options: Any) -> Any:
    """The form that `to_dict` gives a table; none that is told where a further argument says more."""
    return None if options else orient


def _by_column(frame: Frame, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A method that does the same to each column, or what a dict says for it."""
    shadow = getattr(frame.shadow, name)(*bare(args), **bare(options))
    values: list[Value] = []
    for at, label in enumerate(frame.shadow.columns):
        own_args, own_options = list(args), dict(options)
        by = own_args[0] if own_args else own_options.get("value", own_options.get("dtype", own_options.get("values")))
        if isinstance(by, (dict, pd.Series)) and name in ("fillna", "astype", "isin", "round"):
            if label not in by:
                values.append(constant(False) if name == "isin" else frame.cells[at])
                continue
            own_args, own_options = [by[label]], {}
        elif name == "replace" and _is_nested(args, options):
            table = {**dict(zip(["to_replace"], args)), **options}["to_replace"]
            if label not in table:
                values.append(frame.cells[at])
                continue
            own_args, own_options = [table[label]], {key: each for key, each in options.items() if key != "to_replace"}
        elif name in ("where", "mask") and not own_options:
            own_args = [_part(each, label) for each in own_args]
        if any(isinstance(each, (Frame, Block, pd.DataFrame)) for each in (*own_args, *own_options.values())):
            values.append(lost(f".{name}() of one table by another"))
            continue
        column = Column(frame.shadow.iloc[:, at], frame.cells[at])
        values.append(call_on_column(column, name, tuple(own_args), own_options).value)
    return standing(shadow, values)


def _is_nested(args: tuple[Any, ...], options: dict[str, Any]) -> bool:
    """Whether values are replaced by column: `df.replace({"sex": {"male": 0, "female": 1}})`."""
    table = args[0] if len(args) == 1 else options.get("to_replace")
    return isinstance(table, dict) and bool(table) and all(isinstance(each, dict) for each in table.values())


def _part(thing: Any, label: Any) -> Any:
    """The column of a table that stands beside another of this name; anything else as it is."""
    if not isinstance(thing, Frame) or label not in thing.shadow.columns:
        return thing
    return Column(thing.shadow[label], thing.cells[thing.place_of(label)])


def _with_operand(frame: Any, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    other = args[0]
    shadow = getattr(frame.shadow, name)(bare(other), **options)
    if options:
        return standing(shadow, [lost(f".{name}() with {', '.join(options)}")] * shadow.shape[1])
    values: list[Value] = []
    for at, label in enumerate(shadow.columns if isinstance(frame, Frame) else range(shadow.shape[1])):
        if isinstance(frame, Frame) and (label not in frame.shadow.columns or shadow.shape[1] != len(frame.cells)):
            values.append(lost(f".{name}() of tables with other columns"))
            continue
        place = frame.place_of(label) if isinstance(frame, Frame) else at
        if isinstance(other, Frame) and isinstance(frame, Frame):
            side = Column(other.shadow[label], other.cells[other.place_of(label)])
        elif isinstance(other, pd.Series) and isinstance(frame, Frame):
            side = other.get(label)
        elif isinstance(other, Block) or (isinstance(other, np.ndarray) and other.ndim):
            side = column_at(other, at)
        elif isinstance(other, Column):
            values.append(lost(f".{name}() of a table and a column"))
            continue
        else:
            side = other
        value = COLUMN_METHODS[name](column_at(frame, place).value, None, side)
        values.append(with_line(computed(value, column_at(standing(shadow), at).shadow)))
    return standing(shadow, values)


def _across(frame: Any, name: str, options: dict[str, Any]) -> Value:
    """A statistic over the columns of a row."""
    values = together(*map(op.number, frame.cells))
    if isinstance(values, Lost):
        return values
    count = len(values)
    if set(options) - {"axis"} or not count:
        return lost(f".{name}(axis=1) with " + ", ".join(options))
    if all(each.kind == BOOLEAN for each in values) and name in ("any", "all"):
        return derived(
            f" {'or' if name == 'any' else 'and'} ".join(f"{{{at}}}" for at in range(count)), BOOLEAN, *values
        )
    listed = "(" + ", ".join(f"{{{at}}}" for at in range(count)) + ("," if count == 1 else "") + ")"
    is_float = any(each.kind == FLOAT for each in values)
    if name in ("min", "max"):
        return derived(f"{name}_of({listed})" if is_float else f"{name}({listed})",
                       FLOAT if is_float else INTEGER, *values)  # fmt: skip
    if name in ("sum", "mean"):
        if not is_float and name == "sum":
            return derived("whole(sum(" + listed + "))", INTEGER, *values)
        return derived(f"{name}_of({listed})", FLOAT, *values)
    return lost(f".{name}(axis=1)")


def _called(frame: Any, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Functions of the notebook over a table."""
    if name == "pipe":
        return args[0](frame, *args[1:], **options)
    if name == "assign":
        made = Frame(frame.shadow.copy(), list(frame.cells))
        for label, value in options.items():
            made[label] = value(made) if callable(value) else value
        return made
    if (
        name in ("apply", "transform")
        and options.get("axis", 0) in (0, "index")
        and len(args) == 1
        and callable(args[0])
    ):
        made = Frame(frame.shadow.copy(), list(frame.cells))
        for at, label in enumerate(frame.shadow.columns):
            result = args[0](Column(frame.shadow.iloc[:, at], frame.cells[at]))
            if not isinstance(result, Column):
                raise UntraceableError(f".{name}() of a table to what is no column")
            made[label] = result
        return made
    if name in ("applymap", "map") and len(args) == 1 and callable(args[0]) and not options:
        made = Frame(frame.shadow.copy(), list(frame.cells))
        for at, label in enumerate(frame.shadow.columns):
            made[label] = applied(Column(frame.shadow.iloc[:, at], frame.cells[at]), "map", args[0])
        return made
    shadow = getattr(frame.shadow, name)(*bare(args), **bare(options))
    by_row = isinstance(frame, Frame) and options.get("axis") in (1, "columns") and set(options) == {"axis"}
    if by_row and isinstance(shadow, pd.Series) and isinstance(args[0], types.FunctionType) and len(args) == 1:
        return standing(shadow, with_line(of_row(frame, args[0], shadow)))
    if isinstance(shadow, (pd.Series, pd.DataFrame)) and len(shadow) == len(frame.shadow):
        return standing(shadow, what=f".{name}(axis=1)")
    raise UntraceableError(f".{name}() takes values out of a table")
