"""What functions of pandas and NumPy, of tables, and of the notebook do to the value of one row."""

from __future__ import annotations

import builtins
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from . import operations as op
from .nodes import BOOLEAN, FLOAT, INTEGER, NUMBERS, TEXT, Lost, Node, Value, constant, derived, literal, together
from .tables import (
    COLUMN_METHODS,
    Block,
    Column,
    Frame,
    Standing,
    UntraceableError,
    bare,
    call_on_column,
    holds_stand_in,
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
        parts = [[_column(each, at) for each in inputs] for at in range(len(wide[0].cells))]
        return standing(shadow, [_ufunc_value(name, part, shadow) for part in parts])
    return standing(shadow, _ufunc_value(name, list(inputs), shadow))


def _column(thing: Any, at: int) -> Any:
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


def applied(column: Column, name: str, function: Any, *args: Any, **options: Any) -> Any:
    """A function of the notebook called for each value: the row's code calls it, too."""
    shadow = getattr(column.shadow, name)(function, *args, **options)
    if not isinstance(shadow, pd.Series):
        return standing(shadow, None, (column,), f".{name}()")
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
    if not isinstance(function, types.FunctionType):
        return standing(shadow, lost(f".{name}() of {getattr(function, '__name__', type(function).__name__)}"))
    given = "BLANK if {0} is None else {0}" if value.optional else "{0}"
    constants: dict[str, Any] = {"FUNCTION": function}
    if value.optional:
        blank = next((each for each in column.shadow.tolist() if pd.isna(each)), np.nan)
        constants["BLANK"] = None if blank is None else np.nan
        given = given.replace("BLANK", "{BLANK}")
    return standing(shadow, with_line(called(f"{{FUNCTION}}({given})", shadow, [value], **constants)))


ACROSS = {"sum", "mean", "min", "max", "any", "all", "prod", "median", "std", "nunique", "count"}
BY_COLUMN = {"fillna", "astype", "replace", "clip", "abs", "round", "isna", "isnull", "notna", "notnull", "isin"}


def frame_method(frame: Any, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
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
    if name == "pop":
        value = frame.cells.pop(frame.place_of(args[0]))
        return Column(frame.shadow.pop(args[0]), value)
    shadow = getattr(frame.shadow, name)(*bare(args), **bare(options))
    axis = options.get("axis", args[0] if args else 0)
    if name in ACROSS and axis in (1, "columns"):
        return standing(shadow, with_line(_across(frame, name, options)))
    if name == "rename" and isinstance(shadow, pd.DataFrame) and shadow.shape == frame.shadow.shape:
        return standing(shadow, list(frame.cells))
    if name == "insert":
        frame.cells.insert(args[0], value_of(args[2] if len(args) > 2 else options["value"]))
        return None
    if name in (
        "to_numpy",
        "copy",
        "reset_index",
        "toarray",
        "todense",
        "tocsr",
        "set_axis",
        "add_prefix",
        "add_suffix",
    ):
        same = shadow.shape == frame.shadow.shape
        return standing(shadow, list(frame.cells)) if same else standing(shadow, None, (frame,), f".{name}()")
    if isinstance(shadow, pd.DataFrame) and len(shadow) == len(frame.shadow):
        return standing(shadow, None, (frame, *(each for each in args if isinstance(each, Standing))), f".{name}()")
    if isinstance(shadow, (pd.Series, np.ndarray)) and len(shadow) == len(frame.shadow) and name != "isin":
        return standing(shadow, None, (), f".{name}()")
    if isinstance(shadow, (pd.Index, str, tuple)) or name in ("keys", "items"):
        return shadow
    raise UntraceableError(f".{name}() takes values out of a table")


def _by_column(frame: Frame, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A method that does the same to each column, or what a dict says for it."""
    shadow = getattr(frame.shadow, name)(*bare(args), **bare(options))
    values: list[Value] = []
    for at, label in enumerate(frame.shadow.columns):
        own_args, own_options = list(args), dict(options)
        by = own_args[0] if own_args else own_options.get("value", own_options.get("dtype"))
        if isinstance(by, (dict, pd.Series)) and name in ("fillna", "astype"):
            if label not in by:
                values.append(frame.cells[at])
                continue
            own_args, own_options = [by[label]], {}
        elif isinstance(by, (Standing, pd.DataFrame)):
            values.append(lost(f".{name}() of one table by another"))
            continue
        column = Column(frame.shadow.iloc[:, at], frame.cells[at])
        values.append(call_on_column(column, name, tuple(own_args), own_options).value)
    return standing(shadow, values)


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
            side = _column(other, at)
        elif isinstance(other, Column):
            values.append(lost(f".{name}() of a table and a column"))
            continue
        else:
            side = other
        value = COLUMN_METHODS[name](_column(frame, place).value, None, side)
        values.append(with_line(value))
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
        return standing(shadow, with_line(_of_row(frame, args[0], shadow)))
    if isinstance(shadow, (pd.Series, pd.DataFrame)) and len(shadow) == len(frame.shadow):
        return standing(shadow, None, (), f".{name}(axis=1)")
    raise UntraceableError(f".{name}() takes values out of a table")


def _of_row(frame: Frame, function: Any, shadow: Any) -> Value:
    """A function of the notebook of a whole row: it gets the columns that its text names."""
    named = _names_in(function.__code__)
    labels = [label for label in frame.shadow.columns if label in named]
    values: list[Value] = [frame.cells[frame.place_of(label)] for label in labels]
    if not labels or any(isinstance(each, Node) and each.optional for each in values):
        return lost("a function of a row whose columns are not named in it, or may be missing")
    dtypes = set(frame.shadow.dtypes)
    if all(isinstance(each, np.dtype) and each.kind in "iuf" for each in dtypes) and len(dtypes) > 1:
        values = [op.cast(each, "float64", np.dtype("float64")) for each in values]
    given = ", ".join(f"{literal(label)}: {{{at}}}" for at, label in enumerate(labels))
    return called("{FUNCTION}(Row({" + given + "}))", shadow, values, FUNCTION=function)


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


# --- pandas ------------------------------------------------------------------------------------------------------


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
    return standing(shadow, lost("pd.to_numeric of texts"))


def _frame(data: Any = None, index: Any = None, columns: Any = None, **options: Any) -> Any:
    shadow = pd.DataFrame(bare(data), index=bare(index), columns=bare(columns), **options)
    if isinstance(data, Block):
        return Frame(shadow, list(data.cells))
    if isinstance(data, Frame):
        return standing(shadow, None, (data,), "pd.DataFrame")
    if isinstance(data, Column):
        return Frame(shadow, [data.value])
    if isinstance(data, dict) and columns is None:
        return Frame(shadow, [value_of(each) for each in data.values()])
    return standing(shadow, None, (), "pd.DataFrame")


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
    values: list[Value] = []
    for each in sides:
        values += list(each.cells) if isinstance(each, Frame) else [value_of(each)]
    return standing(shadow, values if len(values) == shadow.shape[1] else None, tuple(sides), "pd.concat")


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
        return getattr(cls.real, name)


def class_for(real: Any, make: Any) -> Any:
    """A class that stands for one of pandas in the traced code."""
    return _Class(real.__name__, (), {"real": real, "make": staticmethod(make)})


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "cut": _cut, "isna": _isna, "isnull": _isna, "notna": lambda thing: ~_isna(thing),
    "notnull": lambda thing: ~_isna(thing), "to_numeric": _to_numeric, "concat": _concat,
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
            before = tuple(each for each in args if isinstance(each, Standing))
            if isinstance(shadow, (pd.Series, pd.DataFrame, np.ndarray, pd.Index)):
                return standing(shadow, None, before, f"pd.{name}")
            raise UntraceableError(f"pd.{name} takes values out of a table")

        return call
