"""Columns chosen by a test of their names, which each table answers for itself: `df.loc[:, df.columns != "y"]`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import tabular
from nbprod.analysis.values import Fact, Time, Value, combine, digest_of

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

KIND = "column-mask"
"""A truth value for each column. Its name says whether the named columns are kept or left out, its parts hold the
index of all columns and the names."""


def compared(run: Interpreter, op: str, operands: Sequence[Value]) -> Value | None:
    """`df.columns == "y"` and `df.columns != "y"`; None for other comparisons."""
    if op not in ("Eq", "NotEq") or len(operands) != 2:
        return None
    index, name = operands
    if index.kind != "index" or not index.parts or not isinstance(name.const, str):
        return None
    return _mask(run, index, [name], "keep" if op == "Eq" else "drop")


def is_in(run: Interpreter, index: Value, given: Value) -> Value | None:
    """`df.columns.isin(["a", "b"])`; None where the names are not known."""
    names = run.strings(given)
    if names is None or given.kind == "str" or not index.parts or run.data(given).time is not Time.CONSTANT:
        return None
    return _mask(run, index, [run.constant(name) for name in names], "keep", run.data(given))


def kept(run: Interpreter, index: Value, names: Sequence[str]) -> Value:
    """A test of names that these columns pass."""
    return _mask(run, index, [run.constant(name) for name in names], "keep")


def _mask(run: Interpreter, index: Value, names: Sequence[Value], name: str, given: Fact | None = None) -> Value:
    parts = [name.fact for name in names] if given is None else [given]
    of_names = combine(name, parts)
    fact = replace(of_names, serve=of_names.serve | index.fact.serve, fit=of_names.fit | run.data(index).fit)
    return Value(KIND, fact, name=name, parts=(index, *names))


def inverted(mask: Value) -> Value:
    """`~mask`."""
    name = "drop" if mask.name == "keep" else "keep"
    return replace(mask, name=name, fact=replace(mask.fact, digest=digest_of("not", mask.fact.digest)))


def columns_of(run: Interpreter, base: Value, mask: Value) -> Value | None:
    """`base.loc[:, mask]`; None where the mask is that of another table, or may name columns that are not there."""
    index, *wanted = mask.parts
    if index.parts[0].obj != base.obj or base.kind != "frame":
        return None
    names = [str(name.const) for name in wanted]
    obj = run.obj(base)
    if mask.name == "drop":
        return tabular.drop_columns(run, base, names, mask.fact, in_place=False)
    if obj.rest is None:
        names = [name for name in obj.columns if name in names]
    return tabular.select(run, base, names, mask.fact) if obj.rest is None or len(names) == 1 else None


def names_of(index: Value, mask: Value) -> list[str] | None:
    """The columns of an index that is known which a mask chooses."""
    if not index.is_const or index.maybe:
        return None
    named = {name.const for name in mask.parts[1:]}
    return [name for name in index.const if (name in named) is (mask.name == "keep")]
