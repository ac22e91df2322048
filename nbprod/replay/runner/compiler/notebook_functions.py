"""Functions of the notebook that get the values of a row, or the row itself: the row's code calls them, too."""

from __future__ import annotations

import ast
import builtins
import types
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from . import operations as op
from .nodes import (
    BOOLEAN,
    DELTA,
    FLOAT,
    INTEGER,
    MOMENT,
    TEXT,
    Lost,
    Node,
    Value,
    derived,
    literal,
)
from .sources import UnwrittenError, definition_of
from .tables import (
    Column,
    Frame,
    lost,
    standing,
    with_line,
)


def applied(column: Column, name: str, function: Any, *args: Any, **options: Any) -> Any:
    """A function of the notebook called for each value: the row's code calls it, too."""
    shadow = getattr(column.shadow, name)(function, *args, **options)
    if not isinstance(shadow, pd.Series):
        return standing(shadow, what=f".{name}()")
    value = column.value
    na_action = options.pop("na_action", None)
    options.pop("convert_dtype", None)
    if args or options or na_action is not None:
        return standing(shadow, lost(f".{name}() with further arguments"))
    if isinstance(value, Lost):
        return standing(shadow, value)
    if isinstance(function, type) and function in (float, int, str, bool):
        casts = {float: "float64", int: "int64", str: str, bool: bool}
        return standing(shadow, with_line(op.cast(value, casts[function], shadow.dtype)))
    if isinstance(function, types.BuiltinFunctionType) and vars(builtins).get(function.__name__) == function:
        asked = lost(f".{name}() of what may be missing") if value.optional else value
        return standing(shadow, with_line(called(f"{function.__name__}({{0}})", shadow, [asked])))
    if value.kind in (MOMENT, DELTA) and not _takes_plain_dates(function, column.shadow, shadow):
        return standing(shadow, lost(f".{name}() of a function that takes dates as pandas has them"))
    if not isinstance(function, types.FunctionType):
        return standing(shadow, lost(f".{name}() of {getattr(function, '__name__', type(function).__name__)}"))
    given = "BLANK if {0} is None else {0}" if value.optional else "{0}"
    constants: dict[str, Any] = {"FUNCTION": function}
    if value.optional:
        blank = next((each for each in column.shadow.tolist() if pd.isna(each)), np.nan)
        constants["BLANK"] = None if blank is None else np.nan
        given = given.replace("BLANK", "{BLANK}")
    return standing(shadow, with_line(called(f"{{FUNCTION}}({given})", shadow, [value], **constants)))


def _takes_plain_dates(function: Any, column: Any, made: Any) -> bool:
    """Whether a function gives of Python's dates what it gives of pandas', for the few rows that there are."""
    try:
        plain = pd.Series([function(each) for each in column.dt.to_pydatetime()], index=made.index)
    except Exception:  # noqa: BLE001 - whatever it raises, it takes no such date
        return False
    return bool(plain.equals(made))


def of_row(frame: Frame, function: Any, shadow: Any) -> Value:
    """A function of the notebook of a whole row: it gets the columns that its text names, or all to take by place."""
    named = _names_in(function.__code__)
    labels = [label for label in frame.shadow.columns if label in named]
    row = "Row"
    if not labels and _takes_places(function):
        labels, row = list(frame.shadow.columns), "PlacedRow"
    values: list[Value] = [frame.cells[frame.place_of(label)] for label in labels]
    if not labels or any(isinstance(each, Node) and each.optional for each in values):
        return lost("a function of a row whose columns are not named in it, or may be missing")
    dtypes = set(frame.shadow.dtypes)
    if all(isinstance(each, np.dtype) and each.kind in "iuf" for each in dtypes) and len(dtypes) > 1:
        values = [op.cast(each, "float64", np.dtype("float64")) for each in values]
    given = ", ".join(f"{literal(label)}: {{{at}}}" for at, label in enumerate(labels))
    return called("{FUNCTION}(" + row + "({" + given + "}))", shadow, values, FUNCTION=function)


def _takes_places(function: Any) -> bool:
    """Whether a function takes the values of its row by their places: `row[0]`, `row.iloc[0]`, `a, b = row`."""
    try:
        definition = definition_of(function)
    except UnwrittenError:
        return False
    first = definition.args.args[0].arg if definition.args.args else ""
    return any(_takes_place(node, first) for node in ast.walk(definition))


def _takes_place(node: ast.AST, row: str) -> bool:
    if isinstance(node, ast.Assign):
        return isinstance(node.targets[0], ast.Tuple) and _is_name(node.value, row)
    if not isinstance(node, ast.Subscript):
        return False
    if isinstance(node.value, ast.Attribute):
        return node.value.attr == "iloc" and _is_name(node.value.value, row)
    return _is_name(node.value, row) and isinstance(node.slice, ast.Constant) and type(node.slice.value) is int


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _names_in(code: Any) -> set[Any]:
    """The texts and names that a function's code has, and those of functions within it."""
    within = [each for each in code.co_consts if hasattr(each, "co_consts")]
    return {*code.co_names, *filter(lambda each: isinstance(each, str), code.co_consts)}.union(*map(_names_in, within))


READ_AS = {FLOAT: "real", TEXT: "text_or_none", BOOLEAN: "truth", INTEGER: "integer"}


def called(text: str, shadow: Any, values: Sequence[Value], **constants: Any) -> Value:
    """What a function of the notebook gives, held to the kind that it gave in training."""
    kind = op.kind_of_values(shadow)
    if kind not in READ_AS:
        return lost(f"a function that gives {shadow.dtype} values")
    optional = kind == TEXT and bool(shadow.isna().any())
    reader = READ_AS[kind] if kind != TEXT or optional else "text_given"
    return derived(f"{reader}({text})", kind, *values, optional=optional, **constants)
