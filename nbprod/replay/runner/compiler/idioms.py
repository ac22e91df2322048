"""The serving forms of a package on stand-ins, where they are more than what pandas does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from . import dates
from . import operations as op
from .nodes import BOOLEAN, FLOAT, INTEGER, TEXT, Lost, Value, constant, derived
from .tables import Block, Column, Frame, Standing, UntraceableError, bare, lost, standing


def dummies_of(values: Any, categories: Any, dummy_na: bool = False, prefix: Any = None, prefix_sep: str = "_",
               sparse: bool = False, drop_first: bool = False, dtype: Any = None) -> Any:  # fmt: skip
    """The indicators of given categories."""
    fixed = pd.Series(pd.Categorical(bare(values), categories=categories), index=getattr(bare(values), "index", None))
    options = {"prefix": prefix, "prefix_sep": prefix_sep, "drop_first": drop_first, "dtype": dtype}
    shadow = pd.get_dummies(fixed, dummy_na=dummy_na, **options)
    if sparse or not isinstance(values, Column):
        return standing(shadow, [lost("get_dummies of sparse columns")] * shadow.shape[1])
    kept = list(categories)[1:] if drop_first else list(categories)
    made = [op.comparison("eq", values.value, constant(each)) for each in kept]
    if dummy_na:
        made.append(op.is_missing(values.value))
    return Frame(shadow, made if len(made) == shadow.shape[1] else [lost("get_dummies")] * shadow.shape[1])


def codes(value: Value, categories: Any) -> Value:
    """The place of a value among categories, -1 where it is none of them."""
    if isinstance(value, Lost):
        return value
    table = {op.plain_value(each): place for place, each in enumerate(categories)}
    return derived("{CODES}.get({0}, -1)", INTEGER, value, CODES=table)


def category_codes(learned: Any, name: str, values: Any) -> Any:
    """`cat.codes` with the categories of training."""
    categories = learned(name, lambda: None)
    shadow = pd.Series(pd.Categorical(bare(values), categories=categories).codes, index=values.shadow.index)
    return Column(shadow, codes(values.value, categories))


def factorize(learned: Any, name: str, values: Any, *_: Any, use_na_sentinel: bool = True, **__: Any) -> Any:
    """`pd.factorize` with the uniques of training."""
    uniques = learned(name, lambda: None)
    known = pd.Index(uniques)
    if not use_na_sentinel or known.hasnans:
        raise UntraceableError("factorize of missing values")
    return Column(known.get_indexer(pd.Index(bare(values))), codes(values.value, known)), uniques


def group_transform(learned: Any, name: str, grouped: Any, *_: Any, **__: Any) -> Any:
    """`groupby().transform()` with training's values of the groups."""
    learnt = learned(name, lambda: None)
    shadow = grouped.shadow_of(learnt)
    if "columns" in learnt:
        values = [_by_group(grouped, learnt["columns"][column]) for column in shadow.columns]
        return Frame(shadow, values)
    return Column(shadow, _by_group(grouped, learnt))


def _by_group(grouped: Any, table: dict[str, Any]) -> Value:
    if "values" not in table:
        return lost("groupby().transform of a function of the notebook")
    kind = op.kind_of(table["dtype"])
    if kind not in (FLOAT, INTEGER):
        return lost(f"groupby().transform to {table['dtype']} values")
    return looked_up(grouped.keys, table["values"], FLOAT)


def _key_text(count: int) -> str:
    """One key, or several as a tuple."""
    return "{0}" if count == 1 else "(" + ", ".join(f"{{{at}}}" for at in range(count)) + ")"


def looked_up(keys: list[Value], table: dict[Any, Any], kind: str) -> Value:
    """The value of a table by one key or several; missing where it has none for it."""
    for each in keys:
        if isinstance(each, Lost):
            return each
    plain = {(tuple(map(op.plain_value, key)) if isinstance(key, tuple) else op.plain_value(key)):
             (float(value) if kind == FLOAT else value) for key, value in table.items()}  # fmt: skip
    place = _key_text(len(keys))
    if len(keys) == 1 and any(isinstance(key, tuple) for key in plain):
        place = "({0},)"
    nothing = "NAN" if kind == FLOAT else "None"
    return derived(f"{{TABLE}}.get({place}, {nothing})", kind, *keys, optional=kind != FLOAT, TABLE=plain)


def merge_lookup(
    learned: Any, name: str, rows: Any, table: Any, *args: Any, first: bool = False, **options: Any
) -> Any:
    """A merge with a table of the training."""
    found = learned(name, table) if callable(table) else table
    options.pop("how", None)
    if args or first or not isinstance(found, pd.DataFrame):
        raise UntraceableError("a merge with the table on the left, or with arguments by their place")
    if set(options) - {"on", "left_on", "right_on", "right_index"}:
        raise UntraceableError(f"a merge with {', '.join(options)}")
    on = options.get("on")
    shared = [column for column in rows.shadow.columns if column in found.columns]
    left, right = (_as_list(_first_given(options.get(side), on, shared)) for side in ("left_on", "right_on"))
    shadow = rows.shadow.merge(found, how="left", sort=False, **options)
    return _joined(learned, name, rows, left, found, None if options.get("right_index") else right, shadow)


def _first_given(*values: Any) -> Any:
    return next(each for each in values if each is not None)


def join_lookup(learned: Any, name: str, rows: Any, table: Any, *args: Any, on: Any = None, **options: Any) -> Any:
    """A join with a table of the training."""
    found = learned(name, table) if callable(table) else table
    options.pop("how", None)
    if on is None or args or options:
        raise UntraceableError("a join by the index, or with further options")
    found = found.to_frame() if isinstance(found, pd.Series) else found
    shadow = rows.shadow.join(found, on=on, how="left", sort=False)
    return _joined(learned, name, rows, _as_list(on), found, None, shadow)


def _as_list(names: Any) -> list[Any]:
    return list(names) if isinstance(names, (list, tuple, pd.Index)) else [names]


def _joined(learned: Any, name: str, rows: Any, left: list[Any], found: pd.DataFrame, right: list[Any] | None,
            shadow: pd.DataFrame) -> Any:  # fmt: skip
    keys = [rows.cells[rows.place_of(each)] for each in left]
    several = right is not None and len(right) > 1
    index = found.index if right is None else pd.MultiIndex.from_frame(found[right]) if several else found[right[0]]
    entries = [
        tuple(map(op.plain_value, each)) if isinstance(each, tuple) else op.plain_value(each) for each in index.tolist()
    ]
    learned.without_partner[name] = np.zeros(len(shadow), dtype=bool)
    values: list[Value] = []
    for label in shadow.columns:
        if label in rows.shadow.columns:
            values.append(rows.cells[rows.place_of(label)])
        elif label in found.columns:
            values.append(_of_table(keys, entries, found[label]))
        elif right and label in right:
            values.append(keys[right.index(label)])
        else:
            values.append(lost(f"a joined column {label!r} of two names"))
    return Frame(shadow, values)


def _of_table(keys: list[Value], entries: list[Any], column: pd.Series) -> Value:
    """A column of a lookup table for the row's key. A row without partner raises: the package tells of it."""
    for each in keys:
        if isinstance(each, Lost):
            return each
    kind = op.kind_of_values(column)
    if kind not in (FLOAT, INTEGER, TEXT, BOOLEAN):
        return lost(f"a looked up column of {column.dtype}")
    items = [None if op.is_missing_value(each) and kind != FLOAT else op.plain_value(each) for each in column.tolist()]
    place = _key_text(len(keys))
    optional = kind != FLOAT and any(each is None for each in items)
    return derived(f"{{TABLE}}[{place}]", kind, *keys, optional=optional, TABLE=dict(zip(entries, items)))


class Grouped(Standing):
    """`groupby` of a table, as the serving forms of groups take it."""

    def __init__(self, frame: Any, by: Any, options: dict[str, Any], column: Any = None) -> None:
        self.frame, self.by, self.options, self.column = frame, by, options, column
        grouped = frame.shadow.groupby(bare(by), **options)
        self.shadow = grouped if column is None else grouped[column]
        names = _as_list(by)
        self.keys = [each.value if isinstance(each, Column) else frame.cells[frame.place_of(each)] for each in names]

    def __getitem__(self, key: Any) -> Grouped:
        return Grouped(self.frame, self.by, self.options, key)

    def __getattr__(self, name: str) -> Any:
        if name in self.frame.shadow.columns:
            return self[name]
        raise UntraceableError(f"groupby().{name}")

    def shadow_of(self, learnt: Any) -> Any:
        made = self.shadow.transform("first")
        if isinstance(made, pd.Series):
            return made.astype(learnt["dtype"]) if learnt.get("dtype") is not None else made
        return made


def dataset(learned: Any, name: str, _loader: Any, rows: Any, return_X_y: bool = False, as_frame: bool = False) -> Any:
    """What a loader of scikit-learn gives, made of raw rows; the target is in no request."""
    known = {key: value for key, value in learned(name, lambda: None).items() if key != "order"}
    data: Any = rows[[column for column in rows.shadow.columns if column != "target"]]
    target: Any = Column(pd.Series(np.full(len(rows.shadow), np.nan)), lost("the target"))
    if "target" in rows.shadow.columns:
        target = rows["target"]
    if not as_frame:
        data, target = Block(data.shadow.to_numpy(), list(data.cells)), Column(target.shadow.to_numpy(), target.value)
    return (data, target) if return_X_y else Bunch(data=data, target=target, frame=rows if as_frame else None, **known)


def add_constant(learned: Any, name: str, data: Any, prepend: bool = True, *_: Any, **__: Any) -> Any:
    """`add_constant` that adds a column where training did."""
    table: Any = Frame(data.shadow.to_frame(), [data.value]) if isinstance(bare(data), pd.Series) else data
    if not isinstance(table, (Frame, Block)):
        raise UntraceableError("add_constant of one column of an array")
    if not learned(name, lambda: None):
        return table
    one = constant(1.0)
    values = [one, *table.cells] if prepend else [*table.cells, one]
    if isinstance(table, Frame):
        ones = pd.DataFrame({"const": 1.0}, index=table.shadow.index)
        return Frame(pd.concat([ones, table.shadow] if prepend else [table.shadow, ones], axis=1), values)
    column = np.ones(len(table.shadow))
    return Block(np.column_stack([column, table.shadow] if prepend else [table.shadow, column]), values)


def to_datetime(learned: Any, name: str, arg: Any, **options: Any) -> Any:
    """`pd.to_datetime` with the format that the training rows have."""
    learnt = learned(name, lambda: None)
    date_format = learnt["format"] or options.get("format")
    if set(options) - {"format", "errors", "dayfirst"} or not isinstance(learnt["dtype"], np.dtype):
        raise UntraceableError(f"pd.to_datetime with {', '.join(options) or learnt['dtype']}")
    shadow = pd.to_datetime(bare(arg), **{**options, "format": date_format}).astype(learnt["dtype"])
    return dates.read(arg, shadow, date_format)


IDIOMS: dict[str, Callable[..., Any]] = {
    "add_constant": add_constant, "dummies_of": dummies_of, "factorize": factorize,
    "category_codes": category_codes, "codes_of_categorical": category_codes,
    "to_datetime": to_datetime,
    "dataset": dataset, "group_transform": group_transform, "merge_lookup": merge_lookup, "join_lookup": join_lookup,
}  # fmt: skip
