"""Stand-ins for the tables of the feature code: each column has the value of one row, and pandas works on a few rows.

What pandas makes of the few rows (`shadow`) tells names, dtypes and order. An operation that has no expression for a
row loses the columns that it makes; the columns that come out of it as they went in are taken for untouched.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from . import operations as op
from .nodes import FLOAT, TEXT, Lost, Node, Value, constant, derived, literal, unless_missing


class UntraceableError(Exception):
    """The feature code can't be followed for one row, and why."""


def lost(reason: str) -> Lost:
    """A value that is lost at the line of the feature code that is at work."""
    return Lost(reason, line_of_code())


def line_of_code() -> int | None:
    """The line of the feature code that is at work."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__nbprod_traced__"):
            return frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return None


def bare(value: Any) -> Any:
    """A value without stand-ins: what pandas works on."""
    if isinstance(value, Standing):
        return value.shadow
    if type(value) in (list, tuple):
        return type(value)(map(bare, value))
    if type(value) is dict:
        return {key: bare(each) for key, each in value.items()}
    return value


def holds_stand_in(value: Any) -> bool:
    """Whether a value is a stand-in, or holds one."""
    if isinstance(value, Standing):
        return True
    if type(value) in (list, tuple, dict):
        return any(map(holds_stand_in, value.values() if isinstance(value, dict) else value))
    return False


def standing(shadow: Any, values: Any = None, before: tuple[Standing, ...] = (), what: str = "") -> Any:
    """The stand-in for what pandas made, with the values of its columns, or the value of the one.

    Without values these are those of the columns that came out untouched.
    """
    if isinstance(shadow, pd.DataFrame):
        return Frame(shadow, untouched(shadow, before, what) if values is None else list(values))
    if isinstance(shadow, (pd.Series, pd.Index)) or (isinstance(shadow, np.ndarray) and shadow.ndim == 1):
        if values is None:
            values = lost(f"{what} gives no value of one row")
        return Column(shadow, values)
    if isinstance(shadow, np.ndarray) or hasattr(shadow, "tocsr"):
        return Block(shadow, [lost(what)] * shadow.shape[1] if values is None else list(values))
    return shadow


def untouched(shadow: pd.DataFrame, before: tuple[Standing, ...], what: str) -> list[Value]:
    """The values of the columns that came out of an operation as they went in; the others are lost."""
    found: list[Value] = []
    known = [(label, each.shadow.iloc[:, at], each.cells[at]) for each in before if isinstance(each, Frame)
             for at, label in enumerate(each.shadow.columns)]  # fmt: skip
    known += [(each.shadow.name, each.shadow, each.value) for each in before
              if isinstance(each, Column) and isinstance(each.shadow, pd.Series)]  # fmt: skip
    reason = lost(what)
    for at, label in enumerate(shadow.columns):
        same = [value for name, column, value in known
                if type(name) is type(label) and name == label and column.dtype == shadow.dtypes.iloc[at]
                and column.equals(shadow.iloc[:, at])]  # fmt: skip
        found.append(same[-1] if same else reason)
    return found


class Standing:
    """A stand-in for a table, a column or an array."""

    shadow: Any
    cells: list[Value]

    def __len__(self) -> int:
        return len(self.shadow)

    def __bool__(self) -> bool:
        raise UntraceableError("a branch over values of the rows")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise UntraceableError("values of the rows are taken out of their table")


class Column(Standing):
    """A column or a one-dimensional array."""

    def __init__(self, shadow: Any, value: Value) -> None:
        self.shadow = shadow
        self.value = value

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self.shadow)

    __array_priority__ = 10000

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        from .functions import ufunc_of

        return ufunc_of(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        from .functions import numpy_function

        return numpy_function(function, args, options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "cat" and isinstance(self.shadow.dtype, pd.CategoricalDtype):
            return Accessor(self, name)
        if name == "str":
            return Texts(self)
        if name in ("loc", "iloc", "at"):
            return Located(self, name)
        if name == "values":
            return (
                standing(self.shadow.values, self.value)
                if isinstance(self.shadow.values, np.ndarray)
                else lost_of(self, name)
            )
        if name in ("dt", "cat"):
            return Accessor(self, name)
        found = attribute(self.shadow, name)
        if not callable(found):
            return standing(found, None, (self,), f".{name}") if isinstance(found, (pd.Series, np.ndarray)) else found
        return lambda *args, **options: call_on_column(self, name, args, options)

    def __getitem__(self, key: Any) -> Any:
        made = self.shadow[bare(key)]
        if isinstance(made, type(self.shadow)) and not holds_stand_in(key):
            return standing(made, self.value if len(made) == len(self.shadow) else None, (), "rows taken by position")
        if isinstance(self.shadow, np.ndarray) and isinstance(made, np.ndarray) and made.ndim == 2:
            return standing(made, [self.value])
        raise UntraceableError("single values are taken out of a column")

    def __setitem__(self, key: Any, value: Any) -> None:
        self.shadow[bare(key)] = bare(value)
        self.value = set_where(self.value, key, value, self.shadow)

    def __iter__(self) -> Any:
        raise UntraceableError("a loop over the values of a column")


def attribute(shadow: Any, name: str) -> Any:
    """An attribute of what pandas works on, where it tells nothing of single values."""
    if name.startswith("_") or name in ("array", "data", "flat", "base", "attrs"):
        raise UntraceableError(f"values of the rows are taken out of their table (.{name})")
    return getattr(shadow, name)


def lost_of(column: Column, name: str) -> Any:
    """Raise for an attribute whose values would leave their column."""
    raise UntraceableError(f".{name} of {column.shadow.dtype}")


def value_of(thing: Any) -> Value:
    """The value of one row of an operand: of a column, or of a constant."""
    if isinstance(thing, Column):
        return thing.value
    if isinstance(thing, (pd.Series, np.ndarray, list)) and not isinstance(thing, str):
        items = pd.unique(pd.Series(thing)).tolist() if len(thing) else []
        if len(items) == 1 and isinstance(thing, (pd.Series, np.ndarray)):
            return constant(items[0])
        return lost("an array that is not made of the rows")
    return constant(thing)


def set_where(value: Value, key: Any, new: Any, shadow: Any) -> Value:
    """The value of a column after `column[key] = new`."""
    if isinstance(key, Column) and key.shadow.dtype == bool:
        made = op.chosen(key.value, value_of(new), value)
        return as_kind(made, shadow)
    if isinstance(key, slice) and key == slice(None):
        return as_kind(value_of(new), shadow)
    return lost("values set at places that are no mask")


def as_kind(value: Value, shadow: Any) -> Value:
    """The value in the kind that the column has: whole numbers become floats beside floats."""
    if isinstance(value, Node) and value.kind != FLOAT and op.kind_of(shadow.dtype) == FLOAT and not value.optional:
        return op.cast(value, "float64", np.dtype("float64"))
    return value


def call_on_column(column: Column, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """`column.name(*args, **options)`."""
    if options.get("inplace"):
        rest = {key: each for key, each in options.items() if key != "inplace"}
        made = call_on_column(column, name, args, rest)
        column.shadow, column.value = made.shadow, made.value
        return None
    function = COLUMN_METHODS.get(name)
    if name in ("apply", "map", "transform") and args and callable(args[0]):
        from .functions import applied

        return applied(column, name, *args, **options)
    shadow = getattr(column.shadow, name)(*bare(args), **bare(options))
    if function is None:
        if isinstance(shadow, (pd.Series, pd.DataFrame, np.ndarray, pd.Index)):
            return standing(shadow, None, (column,), f".{name}()")
        if name in ("tolist", "item", "to_list") or np.ndim(shadow) == 0:
            raise UntraceableError(f".{name}() takes values out of a column")
        return shadow
    try:
        value = function(column.value, shadow, *args, **options)
    except (TypeError, ValueError, AttributeError, KeyError) as fault:
        value = lost(f".{name}(): {fault}")
    return standing(shadow, with_line(value))


def with_line(value: Any) -> Any:
    """The value; one that is lost says where."""
    if isinstance(value, Lost) and value.line is None:
        return Lost(value.reason, line_of_code())
    return value


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


def _replace(value: Value, made: Any, to_replace: Any = None, value_: Any = None, **options: Any) -> Value:
    to = options.pop("value", value_)
    if options.pop("regex", False) or options:
        return Lost("replace by " + ", ".join(options or ["pattern"]))
    if isinstance(to_replace, dict):
        if any(isinstance(each, dict) for each in to_replace.values()):
            return Lost("replace by nested dict")
        return op.replaced(value, to_replace, made)
    keys = list(to_replace) if isinstance(to_replace, (list, tuple, np.ndarray)) else [to_replace]
    news = list(to) if isinstance(to, (list, tuple, np.ndarray)) else [to] * len(keys)
    if len(keys) != len(news):
        return Lost("replace by lists of two lengths")
    return op.replaced(value, dict(zip(keys, news)), made)


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

OPERATORS = [
    *(f"__{name}__" for name in (*op.ARITHMETIC, *op.COMPARISONS, *op.LOGIC, "invert", "neg", "abs")),
    *(f"__r{name}__" for name in op.ARITHMETIC),
]
for _name in OPERATORS:

    def _operator(self: Any, *others: Any, _name: str = _name) -> Any:
        if others and isinstance(others[0], (Frame, Block)) and isinstance(self, Column):
            return NotImplemented
        return (call_on_frame if isinstance(self, (Frame, Block)) else call_on_column)(self, _name, others, {})

    setattr(Standing, _name, _operator)


class Texts:
    """`.str` of a column."""

    def __init__(self, column: Column) -> None:
        self.column = column

    def __getitem__(self, key: Any) -> Any:
        return self._call("__getitem__", (key,), {})

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **options: self._call(name, args, options)

    def _call(self, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        shadow = getattr(self.column.shadow.str, name)(*args, **options)
        if name in ("split", "rsplit") and not options.get("expand") and isinstance(shadow, pd.Series):
            return Parts(self.column, name, args, options, shadow)
        if not isinstance(shadow, pd.Series):
            return standing(shadow, None, (self.column,), f".str.{name}()")
        try:
            value = op.text_method(name, self.column.value, args, options, shadow.dtype)
        except (TypeError, ValueError, AttributeError) as fault:
            value = lost(f".str.{name}(): {fault}")
        return standing(shadow, with_line(value))


class Parts(Column):
    """What `.str.split` gives: lists, of which one part is taken next."""

    def __init__(self, column: Column, name: str, args: tuple[Any, ...], options: dict[str, Any], shadow: Any) -> None:
        super().__init__(shadow, lost(f".str.{name}() without taking one part"))
        self.__dict__["split"] = (column, name, args, options)

    def __getattr__(self, name: str) -> Any:
        return PartsTexts(self) if name == "str" else super().__getattr__(name)


class PartsTexts:
    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def __getitem__(self, key: Any) -> Any:
        return self.get(key)

    def get(self, key: Any) -> Any:
        column, name, args, options = self.parts.__dict__["split"]
        shadow = self.parts.shadow.str[key]
        value = column.value
        pat = options.get("pat", args[0] if args else None)
        plain = pat is None or (isinstance(pat, str) and len(pat) == 1)
        if (
            isinstance(value, Node)
            and value.kind == TEXT
            and isinstance(key, int)
            and plain
            and set(options) <= {"pat", "n"}
        ):
            times = options.get("n", args[1] if len(args) > 1 else -1)
            split = f"{{0}}.{name}({literal(pat)}{'' if times in (-1, 0) else f', {times}'})[{key}]"
            return standing(shadow, unless_missing(split, TEXT, value))
        return standing(shadow, value if isinstance(value, Lost) else lost(f".str.{name}()"))

    def __getattr__(self, name: str) -> Any:
        raise UntraceableError(f".str.split().str.{name}")


class Accessor:
    """`.dt` and `.cat` of a column: nothing of it has an expression yet."""

    def __init__(self, column: Column, name: str) -> None:
        self.column, self.name = column, name

    def __getattr__(self, name: str) -> Any:
        found = getattr(getattr(self.column.shadow, self.name), name)
        what = f".{self.name}.{name}"
        if callable(found):
            return lambda *args, **options: standing(found(*bare(args), **bare(options)), None, (self.column,), what)
        return standing(found, None, (self.column,), what)


class Frame(Standing):
    """A table."""

    def __init__(self, shadow: pd.DataFrame, values: list[Value]) -> None:
        self.__dict__.update(shadow=shadow, cells=values)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return pd.DataFrame

    __array_priority__ = 10000
    __array_ufunc__ = Column.__array_ufunc__
    __array_function__ = Column.__array_function__

    def place_of(self, label: Any) -> int:
        place = self.shadow.columns.get_loc(label)
        if not isinstance(place, int):
            raise UntraceableError(f"two columns are named {label!r}")
        return place

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self.shadow.columns and name not in dir(pd.DataFrame):
            return self[name]
        if name in ("loc", "iloc", "at"):
            return Located(self, name)
        if name == "values":
            return Block(self.shadow.values, list(self.cells))
        if name == "T":
            raise UntraceableError("a table is turned on its side")
        found = attribute(self.shadow, name)
        if not callable(found):
            return found
        return lambda *args, **options: call_on_frame(self, name, args, options)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, Standing):
            return Frame(self.shadow[bare(key)], [lost("rows are chosen by their values")] * len(self.cells))
        shadow = self.shadow[key]
        if isinstance(shadow, pd.DataFrame):
            if len(shadow) != len(self.shadow):
                raise UntraceableError("rows are taken by position")
            return Frame(shadow, [self.cells[self.place_of(label)] for label in shadow.columns])
        return Column(shadow, self.cells[self.place_of(key)])

    def __setitem__(self, key: Any, new: Any) -> None:
        if isinstance(key, Standing):
            self.shadow[bare(key)] = bare(new)
            self.__dict__["cells"] = [lost("values set by a mask of the whole table")] * self.shadow.shape[1]
            return
        keys = list(key) if isinstance(key, (list, pd.Index, np.ndarray)) else [key]
        self.shadow[key] = bare(new)
        for at, label in enumerate(keys):
            self.put(label, part_of(new, at, len(keys)))

    def put(self, label: Any, value: Value) -> None:
        """Note the value of a column that pandas has set, named after it."""
        place = self.place_of(label)
        value = as_kind(with_line(value), self.shadow.iloc[:, place])
        if isinstance(value, Node) and value.label is None and value.raw is None and not value.is_atom:
            value = Node(
                value.text,
                value.kind,
                value.args,
                value.optional,
                value.constants,
                label=str(label),
                line=line_of_code(),
            )
        if len(self.cells) == self.shadow.shape[1]:
            self.cells[place] = value
        else:
            self.cells.insert(place, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "columns":
            self.shadow.columns = bare(value)
        elif name == "index":
            self.shadow.index = bare(value)
        elif name in self.shadow.columns:
            self[name] = value
        else:
            object.__setattr__(self, name, value)

    def __delitem__(self, label: Any) -> None:
        del self.cells[self.place_of(label)]
        del self.shadow[label]

    def __contains__(self, label: Any) -> bool:
        return label in self.shadow.columns

    def __iter__(self) -> Any:
        return iter(self.shadow.columns)


def part_of(new: Any, at: int, count: int) -> Value:
    """The value of the column at a place of what several columns are set to."""
    if isinstance(new, (Frame, Block)):
        return new.cells[at]
    if isinstance(new, Column) and count == 1:
        return new.value
    if isinstance(new, (list, tuple)) and count > 1 and len(new) == count:
        return value_of(new[at])
    return value_of(new) if not isinstance(new, pd.DataFrame) else lost("a table that is not made of the rows")


class Block(Standing):
    """A two-dimensional array, or a sparse matrix."""

    def __init__(self, shadow: Any, values: list[Value]) -> None:
        self.shadow = shadow
        self.cells = values

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self.shadow)

    __array_priority__ = 10000
    __array_ufunc__ = Column.__array_ufunc__
    __array_function__ = Column.__array_function__

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = attribute(self.shadow, name)
        if not callable(found):
            return found
        return lambda *args, **options: call_on_frame(self, name, args, options)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple) and len(key) == 2 and key[0] == slice(None) and not holds_stand_in(key):
            made = self.shadow[key]
            values = np.array([*self.cells, None], dtype=object)[:-1][key[1]]
            return standing(made, values if isinstance(values, (Node, Lost)) else list(values))
        raise UntraceableError("values are taken out of an array")

    def __setitem__(self, key: Any, new: Any) -> None:
        self.shadow[bare(key)] = bare(new)
        if isinstance(key, tuple) and len(key) == 2 and key[0] == slice(None) and isinstance(key[1], int):
            self.cells[key[1]] = value_of(new)
        else:
            self.cells[:] = [lost("values set in an array")] * len(self.cells)


class Located:
    """`.loc`, `.iloc` and `.at`."""

    def __init__(self, thing: Any, name: str) -> None:
        self.thing, self.name = thing, name

    def __getitem__(self, key: Any) -> Any:
        thing = self.thing
        rows, columns = key if isinstance(key, tuple) else (key, None)
        if isinstance(thing, Column):
            raise UntraceableError(f".{self.name} takes values out of a column")
        if rows == slice(None) if not isinstance(rows, Standing) else False:
            shadow = getattr(thing.shadow, self.name)[:, bare(columns)]
            places = pd.Series(range(thing.shadow.shape[1]), index=thing.shadow.columns)
            taken = places.iloc[columns] if self.name == "iloc" else places.loc[bare(columns)]
            values = [thing.cells[at] for at in np.atleast_1d(np.asarray(taken)).tolist()]
            return standing(shadow, values if isinstance(shadow, pd.DataFrame) else values[0])
        raise UntraceableError("rows are taken out of a table")

    def __setitem__(self, key: Any, new: Any) -> None:
        thing = self.thing
        getattr(thing.shadow, self.name)[bare(key)] = bare(new)
        if isinstance(thing, Column):
            thing.value = set_where(thing.value, key, new, thing.shadow)
            return
        rows, columns = key if isinstance(key, tuple) else (key, slice(None))
        if self.name == "iloc":
            labels = (
                list(thing.shadow.columns[columns]) if not isinstance(columns, int) else [thing.shadow.columns[columns]]
            )
        elif isinstance(columns, slice):
            labels = list(thing.shadow.loc[:, columns].columns)
        else:
            labels = list(columns) if isinstance(columns, (list, pd.Index)) else [columns]
        for at, label in enumerate(labels):
            place = thing.place_of(label)
            column = thing.shadow.iloc[:, place]
            before: Value = thing.cells[place] if len(thing.cells) == thing.shadow.shape[1] else constant(np.nan)
            thing.put(label, _set_at(before, rows, part_of(new, at, len(labels)), column))


def _set_at(before: Value, rows: Any, new: Value, column: Any) -> Value:
    if isinstance(rows, Column) and rows.shadow.dtype == bool:
        return as_kind(op.chosen(rows.value, new, before), column)
    if isinstance(rows, slice) and rows == slice(None):
        return new
    return lost("values set at rows that no mask chooses")


def call_on_frame(frame: Any, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """`frame.name(*args, **options)` of a table or a two-dimensional array."""
    if options.get("inplace"):
        rest = {key: each for key, each in options.items() if key != "inplace"}
        made = call_on_frame(frame, name, args, rest)
        frame.__dict__.update(shadow=made.shadow, cells=made.cells)
        return None
    from .functions import frame_method

    return frame_method(frame, name, args, options)
