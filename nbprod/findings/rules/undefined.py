"""`undefined-name`: a name is read that no cell before it defines, so a clean run from the top fails there."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbprod.analysis import Analysis
from nbprod.findings.places import finding_at
from nbprod.model.finding import Finding, Related, Severity
from nbprod.model.notebook import Cell, Notebook, Role
from nbprod.model.plan import FeaturePlan
from nbprod.notebook.parsed import parsed


def find(notebook: Notebook, analysis: Analysis, _plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `undefined-name`."""
    broken = {name for cell in notebook.cells if cell.fault for name in cell.code.split()}
    declared = {name for cell in notebook.cells if cell.role is Role.PARAMETERS for name in _declared(cell)}
    masked = {name for cell in notebook.cells for magic in cell.magics for name in magic.assigns}
    defined: dict[str, int] = {}
    for index, effects in enumerate(analysis.effects):
        for name in effects.defines:
            defined.setdefault(name, index)
    seen = set(notebook.given_names)
    for name, statement, _line in analysis.run.undefined:
        if name in seen or name in masked or name in broken or name in declared:
            continue
        seen.add(name)
        later = defined.get(name)
        place = analysis.program.statements[statement]
        if later is not None and later > place.cell:
            yield finding_at(
                analysis,
                statement,
                "undefined-name",
                Severity.ERROR,
                f"{name} is used here, and defined only in a later cell",
                "move the definition up, or this cell down",
                (Related(later, 1, f"{name} is defined in this cell"),),
            )
        elif later is None:
            yield finding_at(
                analysis,
                statement,
                "undefined-name",
                Severity.ERROR,
                f"{name} is used here, and no cell defines it",
                "a cell that defined it may have been deleted: add it again",
            )


def _declared(cell: Cell) -> Iterator[str]:
    """Parameters without a default, which a run gives their value."""
    for node in parsed(cell.code).body if cell.fault is None else ():
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), value=None):
                yield name
