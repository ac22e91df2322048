"""The names under which a notebook keeps what it measured of its model."""

from __future__ import annotations

import ast

from nbprod.analysis.analyse import Analysis, all_statements
from nbprod.analysis.scopes import bound_names
from nbprod.model.notebook import Notebook, Role

MEASURES = frozenset({"metric", "score", "cross-validation"})
"""Events that measure a model."""


def measured_names(notebook: Notebook, analysis: Analysis) -> tuple[str, ...]:
    """Names that the cells of evaluation assign at their top level, and whose value hangs on a measure of a model.

    What they hold is known when the notebook has run: a number, or a dict of numbers.
    """
    measures = 0
    for event in analysis.events:
        if event.kind in MEASURES:
            measures |= 1 << event.statement
    found: dict[str, None] = {}
    for cell in notebook.cells:
        if cell.role is not Role.EVALUATE or cell.fault is not None:
            continue
        for statement in analysis.program.tops[cell.index]:
            if isinstance(statement.node, ast.Assign | ast.AnnAssign | ast.For | ast.AugAssign):
                found.update(dict.fromkeys(sorted(bound_names(statement.node))))
    state = analysis.run.state.names
    return tuple(
        name
        for name in found
        if name in state and all_statements(analysis.run.data(state[name])) & measures and not name.startswith("_")
    )
