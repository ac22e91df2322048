"""Which statements are extracted: those that serving, labels or training need, and constants that the module takes."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from msgspec import Struct

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.mutation import mutators
from nbprod.analysis.scopes import bound_names, nodes_of
from nbprod.analysis.values import Fact, Time
from nbprod.model.program import Statement
from nbprod.plan.choosing import assigned_name
from nbprod.plan.masks import Masks
from nbprod.plan.reading import Raw

MUTATORS = frozenset(
    {"add", "append", "clear", "discard", "extend", "fit", "insert", "pop", "remove", "reverse", "setdefault"}
    | {"sort", "update"}
)


_WRITING = frozenset({ast.Subscript, ast.Attribute, ast.Call})
"""Kinds of expressions by which the object of a name may be changed."""


class Matrix(Struct, frozen=True):
    """What the model is fitted on: its columns' facts, the facts of the whole and of the labels."""

    columns: Mapping[str, Fact]
    rest: Fact | None
    whole: Fact
    labels: Fact

    @property
    def assumed(self) -> int:
        """The statements that something on the way passed through and that are merely assumed, as a bit set."""
        bits = self.whole.assumed | self.labels.assumed
        for fact in self.columns.values():
            bits |= fact.assumed
        return bits


def masks_of(analysis: Analysis, matrix: Matrix, raw: Raw) -> Masks:
    """What serving, labels and training need of the statements."""
    own = 0
    for statement in analysis.program.statements if raw.given else ():
        if statement.id == raw.statement.id or analysis.program.is_within(statement.id, raw.statement.id):
            own |= 1 << statement.id
    serve = matrix.whole.serve
    train = matrix.whole.fit | matrix.labels.fit
    for fact in (matrix.whole, matrix.labels):
        if fact.rows is not None:
            train |= fact.rows.fit
    for fact in (*matrix.columns.values(), *([] if matrix.rest is None else [matrix.rest])):
        serve |= fact.serve
        train |= fact.fit
    return Masks(serve & ~own, matrix.labels.serve & ~own, train & ~own, own)


class Placed(Struct, frozen=True):
    """Top-level statements of the slice: those that stay in order, and constants that may move to the module."""

    inline: list[Statement]
    constants: dict[str, Statement]


def module_names(analysis: Analysis, constants: Mapping[str, Statement]) -> frozenset[str]:
    """Names that mean the same in a module as where they are read: imports, definitions, constants, builtins."""
    found = {*constants, *dir(builtins)}
    for statement in analysis.program.statements:
        match statement.node:
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                found |= {alias.asname or alias.name.partition(".")[0] for alias in aliases}
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) if statement.parent == -1:
                found.add(name)
            case _:
                pass
    return frozenset(found)


def placed_statements(analysis: Analysis, top: Sequence[Statement], masks: Masks, raw: Raw) -> Placed:
    """The top-level statements of the slice, and the constants among them."""
    inline: list[Statement] = []
    constants: dict[str, Statement] = {}
    writes: dict[str, int] = {}
    for statement in top:
        for written in names_written(statement.node):
            writes[written] = writes.get(written, 0) + 1
    for statement in top:
        name = assigned_name(statement.node)
        if name is not None and writes.get(name) == 1 and _is_constant(analysis, statement):
            constants[name] = statement
            continue
        if raw.given and statement.id == raw.statement.id:
            continue
        if isinstance(statement.node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
            continue
        if masks.all >> statement.id & 1:
            inline.append(statement)
    return Placed(inline, constants)


@lru_cache(maxsize=4096)
def names_written(node: ast.stmt) -> frozenset[str]:
    """Names that a statement binds or whose object it may change."""
    names = set(bound_names(node))
    for inner in nodes_of(node):
        if type(inner) not in _WRITING:
            continue
        match inner:
            case ast.Subscript(ctx=ast.Store() | ast.Del(), value=ast.Name(id=name)):
                names.add(name)
            case ast.Attribute(ctx=ast.Store(), value=ast.Name(id=name)):
                names.add(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute)) if attribute in MUTATORS:
                names.add(name)
            case ast.Call(func=ast.Attribute(attr=called) | ast.Name(id=called), args=[ast.Name(id=name), *_]) if (
                called in _changing_functions()
            ):
                names.add(name)
    return frozenset(names)


@cache
def _changing_functions() -> frozenset[str]:
    """The last names of functions that change their first argument."""
    return frozenset(name.rpartition(".")[2] for name in mutators()["functions"]["first"])


def _is_constant(analysis: Analysis, statement: Statement) -> bool:
    value = getattr(statement.node, "value", None)
    note = analysis.run.notes.get(id(value))
    if value is None or note is None or note.time is not Time.CONSTANT:
        return False
    return note.kind in ("scalar", "str", "list", "dict", "tuple", "set", "none", "range") and not any(
        isinstance(inner, ast.Call) and not isinstance(inner.func, ast.Name) for inner in nodes_of(value)
    )
