"""`out-of-order`: the saved execution counts contradict the order of the cells in the file."""

from __future__ import annotations

from collections.abc import Iterator

from nbprod.analysis import Analysis
from nbprod.model.finding import Finding, Related, Severity
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan


def find(notebook: Notebook, analysis: Analysis, _plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `out-of-order`."""
    counted = {cell.index: cell for cell in notebook.cells if cell.execution_count is not None}
    told: set[int] = set()
    for edge in analysis.edges:
        source, target = counted.get(edge.source), counted.get(edge.target)
        if source is None or target is None or edge.target in told:
            continue
        if (source.execution_count or 0) > (target.execution_count or 0):
            told.add(edge.target)
            yield Finding(
                "out-of-order",
                Severity.WARNING,
                f"this cell was run before the cell that gives it {', '.join(edge.names)}",
                target.index,
                target.id,
                1,
                1,
                "restart the kernel and run all cells, so that the saved results are those of this order",
                (Related(source.index, 1, f"run later: [{source.execution_count}] after [{target.execution_count}]"),),
            )
