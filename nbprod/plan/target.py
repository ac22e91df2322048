"""Which raw column is the target: the one that the labels are made of, or the one that they are called by.

A table whose columns nobody has named (`df.select_dtypes(…)`, `df.iloc[:, 0:36]`) is followed as one, so that labels
taken of it seem to be made of all columns of the raw table. They are called by a name then, and where the raw table has
that column it is the target: a request has none. In fit the package tries several values in its place, and where a
feature changes with it, the replay names that feature.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.scopes import bound_names
from nbprod.analysis.values import Event
from nbprod.model.program import Statement
from nbprod.plan.modelling import Given
from nbprod.plan.placing import Matrix

SAME = frozenset({"astype", "copy", "ravel", "reset_index", "to_frame", "to_numpy", "reshape"})
"""Methods behind which a column is the same, in another form."""


def target_of(analysis: Analysis, fit: Event, matrix: Matrix, columns: Sequence[str]) -> str | None:
    """The target's raw column, one of `columns`; None where the labels are made of several or are not known."""
    names = {name for name in matrix.labels.inputs if name != "*"}
    if len(names) == 1:
        return next(iter(names))
    if fit.frames:  # names of a function
        return None
    statement = analysis.program.statements[fit.top]
    name = _called(analysis, Given.of(fit.node, statement).labels, statement)
    known = names | set(columns) if "*" in matrix.labels.inputs else names
    return name if name in known and not _is_of_features(matrix, name) else None


def _is_of_features(matrix: Matrix, name: str) -> bool:
    """Whether a feature is made of a column, and not merely of a table as a whole, as the labels are."""
    facts = [*matrix.columns.values(), *([] if matrix.rest is None else [matrix.rest])] or [matrix.whole]
    return any(name in fact.inputs and not fact.inputs >= matrix.labels.inputs for fact in facts)


def _called(analysis: Analysis, node: ast.expr | None, before: Statement) -> str | None:
    """The name of the column that an expression takes from a table, whatever names it was bound to on the way."""
    match node:
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Subscript(slice=ast.List(elts=[ast.Constant(value=str(name))])):
            return name
        case ast.Attribute(attr="values", value=inner):
            return _called(analysis, inner, before)
        case ast.Call(func=ast.Attribute(attr="pop"), args=[ast.Constant(value=str(name))]):
            return name
        case ast.Call(func=ast.Attribute(attr=method, value=inner)) if method in SAME:
            return _called(analysis, inner, before)
        case ast.Attribute(attr=name, value=ast.Name()):
            return name
        case ast.Name(id=name):
            return _bound(analysis, name, before)
    return None


def _bound(analysis: Analysis, name: str, before: Statement) -> str | None:
    """The column that stands behind a name of the top level."""
    for statement in reversed(analysis.program.statements[: before.id]):
        if statement.parent != -1 or name not in bound_names(statement.node):
            continue
        match statement.node:
            case ast.Assign(targets=[ast.Name()], value=value):
                return _called(analysis, value, statement)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Call(args=operands)) if operands:
                places = [at for at, each in enumerate(names) if isinstance(each, ast.Name) and each.id == name]
                operand = places[0] * len(operands) // len(names) if places else -1
                return _called(analysis, operands[operand], statement) if operand >= 0 else None
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                pairs = zip(names, values, strict=False)
                own = next((value for each, value in pairs if isinstance(each, ast.Name) and each.id == name), None)
                return _called(analysis, own, statement)
        return None
    return None
