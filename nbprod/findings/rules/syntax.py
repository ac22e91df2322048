"""`syntax-error`: a cell that does not parse; the other cells are analysed without it."""

from __future__ import annotations

from collections.abc import Iterator

from nbprod.analysis import Analysis
from nbprod.model.finding import Finding, Severity
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan


def find(notebook: Notebook, _analysis: Analysis, _plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `syntax-error`."""
    for cell in notebook.cells:
        if cell.fault is not None:
            yield Finding(
                "syntax-error",
                Severity.ERROR,
                f"this cell is left out, since it does not parse: {cell.fault.message}",
                cell.index,
                cell.id,
                cell.fault.line,
                cell.fault.line,
            )
