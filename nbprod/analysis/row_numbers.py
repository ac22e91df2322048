"""The number of a row: its place in `for i in range(len(df))` and `enumerate(df["a"])`, its label in `df.iterrows()`.

A row that is served has another number than in training, so that a number may do no more than choose the row itself:
`df["a"][i]`, `df.loc[i, "a"]`, `df.iloc[i]`. So it does where what is chosen from holds the same rows in the same
order and, where a label chooses, calls them by the same labels. Anything else that is made of a number is refused.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import labels, tabular, views
from nbprod.analysis.state import with_rows
from nbprod.analysis.values import Fact, Time, Value, combine, digest_of, same_rows, traced

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

KIND = "row-number"
PLACE, LABEL, ANY = "place", "label", "any"
"""What a number is; the name of its value. `ANY` may be that of some rows only, or of one after another."""

_BY_PLACE = frozenset({"iloc", "iat"})


def number(run: Interpreter, node: ast.AST, counted: Fact, what: str) -> Value:
    """The number of a row, with the rows that it counts; whatever is not chosen by it is refused."""
    bit = run.refuse(
        node,
        "loop-over-rows",
        "it is made of the number of a row (its place or its label), or chosen by a number of which the row may be "
        "another",
        "go through the columns themselves (for a, b in zip(df['a'], df['b'])), or number the rows anew first "
        "(df = df.reset_index(drop=True))",
    )
    fact = Fact(Time.ROW, fit=counted.fit, digest=digest_of("row-number"), rows=counted.rows, refused=bit)
    return Value(KIND, fact, name=what)


def chosen(run: Interpreter, base: Value, key: Value) -> Value | None:
    """`df["a"][i]`, `df.loc[i, "a"]` and the like, where `i` is the number of a row; None for other keys."""
    found = next((part for part in (key, *key.parts) if part.kind == KIND), None)
    if found is None:
        return None
    indexed = base.parts[0] if base.kind == "indexer" else base
    made = _of_the_row(run, base, indexed, key, found) if _has_its_row(run, base, indexed, found) else None
    if made is not None:
        return made
    return run.scalar(combine("by-number", (run.data(indexed), found.fact)))


def write(run: Interpreter, base: Value, key: Value, value: Value) -> bool:
    """`df["a"][i] = …`, `df.loc[i, "a"] = …` and the like where `i` is the number of that row; False for others.

    Each row then has in that column what it is given or what it had, which the tests before the write decide.
    """
    found = next((part for part in (key, *key.parts) if part.kind == KIND), None)
    indexed = base.parts[0] if base.kind == "indexer" else base
    if found is None or not run.per_row or not _has_its_row(run, base, indexed, found):
        return False
    given = (run.data(value), *run.looked_at)
    if key is found and indexed.kind in ("series", "array"):
        obj = run.obj(indexed)
        made = traced(with_rows(combine("set", (run.data(indexed), *given)), obj.rows), run.serve, run.fit)
        views.write_through(run, indexed, made)
        run.write(indexed.obj, replace(obj, fact=made, columns={}, rest=None))
        return True
    match key.parts:
        case (first, column) if first is found and indexed.kind == "frame" and base.kind == "indexer":
            name = _column_name(run, base, indexed, column)
            if name is not None:
                tabular.set_column(run, indexed, name, Value("scalar", combine("set", given)), mask=given)
                return True
    return False


def _of_the_row(run: Interpreter, base: Value, indexed: Value, key: Value, found: Value) -> Value | None:
    """What a table has in the row of that number; None where that is not a value."""
    match key.parts:
        case (first, column) if first is found and indexed.kind == "frame" and base.kind == "indexer":
            name = _column_name(run, base, indexed, column)
            return None if name is None else tabular.of_row(run, tabular.column(run, indexed, name))
    if key is not found:
        return None
    if indexed.kind == "frame":
        return Value("row", parts=(indexed,)) if base.kind == "indexer" else None
    return tabular.of_row(run, run.data(indexed))


def _column_name(run: Interpreter, base: Value, indexed: Value, column: Value) -> str | None:
    if base.name not in _BY_PLACE:
        return column.const if column.is_const and isinstance(column.const, str) else None
    obj = run.obj(indexed)
    run.counted.extend((name, fact.serve) for name, fact in obj.columns.items())
    names = list(obj.columns) if obj.rest is None and obj.maybe is None else []
    at = column.const if column.is_const and type(column.const) is int else len(names)
    return names[at] if -len(names) <= at < len(names) else None


def _has_its_row(run: Interpreter, base: Value, indexed: Value, found: Value) -> bool:
    """Whether the row that a number chooses of a table is the one that it counts, by its label or by its place."""
    if indexed.kind not in ("frame", "series", "array") or indexed.obj < 0 or found.name == ANY:
        return False
    rows = run.obj(indexed).rows if indexed.kind == "frame" else run.data(indexed).rows
    counted = found.fact.rows
    if rows is None or counted is None or not same_rows(rows, counted):
        return False
    by_place = base.name in _BY_PLACE if base.kind == "indexer" else indexed.kind == "array"
    if by_place:
        return found.name == PLACE or labels.are_places(counted)
    return labels.are_places(rows) if found.name == PLACE else labels.are_shared(rows, counted)


def row_of(run: Interpreter, row: Value, name: str) -> Value:
    """A row's value in one column; the row may have been bound to a name first (`row = df.iloc[i]`)."""
    return tabular.of_row(run, traced(tabular.column(run, row.parts[0], name), row.fact.serve, row.fact.fit))
