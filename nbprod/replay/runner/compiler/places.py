"""`.loc`, `.iloc` and `.at`, by which values are taken and set, and the accessor of categories."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from . import operations as op
from .nodes import (
    Value,
    constant,
)
from .tables import (
    Column,
    Standing,
    UntraceableError,
    as_kind,
    bare,
    lost,
    part_of,
    set_where,
    standing,
)


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


class Accessor:
    """`.cat` of a column: nothing of it has an expression yet."""

    def __init__(self, column: Column, name: str) -> None:
        self.column, self.name = column, name

    def __getattr__(self, name: str) -> Any:
        found = getattr(getattr(self.column.shadow, self.name), name)
        what = f".{self.name}.{name}"
        if callable(found):
            return lambda *args, **options: standing(found(*bare(args), **bare(options)), what=what)
        return standing(found, what=what)
