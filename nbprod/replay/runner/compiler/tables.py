"""Stand-ins for the tables of the feature code: each column has the value of one row, and pandas works on a few rows.

What pandas makes of the few rows (`shadow`) tells names, dtypes and order. An operation that has no expression for a
row loses the columns that it makes; the columns that come out of it as they went in are taken for untouched.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from . import operations as op
from .nodes import FLOAT, INTEGER, Lost, Node, Value, constant, derived

WRITES_THROUGH = int(pd.__version__.partition(".")[0]) < 3 and pd.get_option("mode.copy_on_write") is not True
"""Whether `frame["a"].fillna(0, inplace=True)` changes the frame."""


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


def standing(shadow: Any, values: Any = None, what: str = "") -> Any:
    """The stand-in for what pandas made, with the values of its columns, or the value of the one.

    Without values these are lost.
    """
    if isinstance(shadow, pd.DataFrame):
        return Frame(shadow, [lost(what)] * shadow.shape[1] if values is None else list(values))
    if isinstance(shadow, (pd.Series, pd.Index)) or (isinstance(shadow, np.ndarray) and shadow.ndim == 1):
        if values is None:
            values = lost(f"{what} gives no value of one row")
        return Column(shadow, values)
    if isinstance(shadow, np.ndarray) or hasattr(shadow, "tocsr"):
        return Block(shadow, [lost(what)] * shadow.shape[1] if values is None else list(values))
    return shadow


def passed_through(shadow: pd.DataFrame, before: Sequence[Standing], what: str) -> list[Value]:
    """The values of the columns of an operation that chooses or puts together columns; those that it makes are lost.

    Of an operation that may change a value this must not be asked: a few rows do not tell.
    """
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
    """A stand-in for a table, a column or an array, which passes for what pandas works on."""

    shadow: Any
    cells: list[Value]
    __array_priority__ = 10000

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self.shadow)

    def __len__(self) -> int:
        return len(self.shadow)

    def __bool__(self) -> bool:
        raise UntraceableError("a branch over values of the rows")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise UntraceableError("values of the rows are taken out of their table")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        from .numpy_calls import ufunc_of

        return ufunc_of(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        from .numpy_calls import numpy_function

        return numpy_function(function, args, options)


class Column(Standing):
    """A column or a one-dimensional array; `of` is the table that it was taken from, with its name there."""

    def __init__(self, shadow: Any, value: Value, of: tuple[Frame, Any] | None = None) -> None:
        self.shadow = shadow
        self.value = value
        self.of = of

    def change(self, made: Column) -> None:
        """Take what a method makes in place; before pandas 3 the table has it as well."""
        before, self.shadow, self.value = self.value, made.shadow, made.value
        if self.of is not None and WRITES_THROUGH:
            frame, label = self.of
            if label in frame and frame.cells[frame.place_of(label)] is before:
                frame[label] = self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ACCESSORS:
            return accessor(self, name)
        if name == "values":
            return (
                standing(self.shadow.values, self.value)
                if isinstance(self.shadow.values, np.ndarray)
                else lost_of(self, name)
            )
        found = attribute(self.shadow, name)
        if not callable(found):
            return standing(found, what=f".{name}") if isinstance(found, (pd.Series, np.ndarray)) else found
        return lambda *args, **options: called_on(self, name, args, options)

    def __getitem__(self, key: Any) -> Any:
        made = self.shadow[bare(key)]
        if isinstance(made, type(self.shadow)) and not holds_stand_in(key):
            return standing(made, self.value if len(made) == len(self.shadow) else None, "rows taken by position")
        if isinstance(self.shadow, np.ndarray) and isinstance(made, np.ndarray) and made.ndim == 2:
            return standing(made, [self.value])
        raise UntraceableError("single values are taken out of a column")

    def __setitem__(self, key: Any, value: Any) -> None:
        self.shadow[bare(key)] = bare(value)
        self.value = set_where(self.value, key, value, self.shadow)

    def __iter__(self) -> Any:
        raise UntraceableError("a loop over the values of a column")


class Frame(Standing):
    """A table."""

    def __init__(self, shadow: pd.DataFrame, values: list[Value]) -> None:
        self.__dict__.update(shadow=shadow, cells=values)

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
        if name in LOCATORS:
            return accessor(self, name)
        if name == "values":
            return Block(self.shadow.values, list(self.cells))
        if name == "T":
            raise UntraceableError("a table is turned on its side")
        found = attribute(self.shadow, name)
        if not callable(found):
            return found
        return lambda *args, **options: called_on(self, name, args, options)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, Standing):
            return Frame(self.shadow[bare(key)], [lost("rows are chosen by their values")] * len(self.cells))
        shadow = self.shadow[key]
        if isinstance(shadow, pd.DataFrame):
            if len(shadow) != len(self.shadow):
                raise UntraceableError("rows are taken by position")
            return Frame(shadow, [self.cells[self.place_of(label)] for label in shadow.columns])
        return Column(shadow, self.cells[self.place_of(key)], (self, key))

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


class Block(Standing):
    """A two-dimensional array, or a sparse matrix."""

    def __init__(self, shadow: Any, values: list[Value]) -> None:
        self.shadow = shadow
        self.cells = values

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = attribute(self.shadow, name)
        if not callable(found):
            return found
        return lambda *args, **options: called_on(self, name, args, options)

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


class Records(Standing):
    """The rows of a table as records: `frame.to_dict("records")`."""

    def __init__(self, frame: Frame) -> None:
        self.shadow = frame.shadow.to_dict("records")
        self.frame = frame

    def __getattr__(self, name: str) -> Any:
        raise UntraceableError(f"records are taken out of a table (.{name})")

    def __getitem__(self, _: Any) -> Any:
        raise UntraceableError("a record is taken out of a table")

    def __iter__(self) -> Any:
        raise UntraceableError("a loop over the records of a table")


LOCATORS = frozenset({"loc", "iloc", "at"})
ACCESSORS = LOCATORS | {"str", "dt", "cat"}


def accessor(thing: Any, name: str) -> Any:
    """`thing.loc`, `thing.str` and the like."""
    from .dates import Dates
    from .places import Accessor, Located
    from .texts import Texts

    if name in LOCATORS:
        return Located(thing, name)
    return Accessor(thing, name) if name == "cat" else (Texts if name == "str" else Dates)(thing)


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


def cells_of(thing: Any) -> list[Value]:
    """The values of the columns of a table, of a column, or of an array that is no stand-in."""
    if isinstance(thing, (Frame, Block)):
        return list(thing.cells)
    if isinstance(thing, np.ndarray) and thing.ndim == 2:
        return [value_of(thing[:, at]) for at in range(thing.shape[1])]
    return [value_of(thing)]


def category_columns(frame: Frame) -> list[int]:
    """The places of a table's columns of categories."""
    return [at for at, dtype in enumerate(frame.shadow.dtypes) if isinstance(dtype, pd.CategoricalDtype)]


def computed(value: Value, shadow: Any) -> Value:
    """A number that was computed, lost where its dtype has less room or fewer digits than Python's numbers.

    What dates are made of has 32 bits, and what is computed of it is held within these.
    """
    dtype = getattr(shadow, "dtype", None)
    if dtype == np.dtype("int32") and isinstance(value, Node) and value.kind == INTEGER:
        return derived("within_32_bits({0})", INTEGER, value)
    narrow = (
        isinstance(dtype, np.dtype) and dtype.kind in "iuf" and dtype not in (np.dtype("int64"), np.dtype("float64"))
    )
    return lost(f"arithmetic in {dtype}") if narrow and isinstance(value, Node) else value


def with_line(value: Any) -> Any:
    """The value; one that is lost says where."""
    if isinstance(value, Lost) and value.line is None:
        return Lost(value.reason, line_of_code())
    return value


def part_of(new: Any, at: int, count: int) -> Value:
    """The value of the column at a place of what several columns are set to."""
    if isinstance(new, (Frame, Block)):
        return new.cells[at]
    if isinstance(new, Column) and count == 1:
        return new.value
    if isinstance(new, (list, tuple)) and count > 1 and len(new) == count:
        return value_of(new[at])
    return value_of(new) if not isinstance(new, pd.DataFrame) else lost("a table that is not made of the rows")


def called_on(thing: Any, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """`thing.name(*args, **options)`."""
    from .columns import call_on_column
    from .frames import call_on_frame

    return (call_on_column if isinstance(thing, Column) else call_on_frame)(thing, name, args, options)


def _operator(name: str) -> Any:
    def call(self: Any, *others: Any) -> Any:
        if isinstance(self, Column) and others and isinstance(others[0], (Frame, Block)):
            return NotImplemented
        return called_on(self, name, others, {})

    return call


for _name in op.OPERATORS:
    setattr(Standing, _name, _operator(_name))
