"""`not-servable`: a statement on the way to the model that no single row can be served through."""

from __future__ import annotations

from collections.abc import Iterator

from nbprod.analysis import Analysis
from nbprod.model.finding import Finding, Severity
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan


def find(_notebook: Notebook, analysis: Analysis, plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `not-servable`."""
    for refusal in plan.refusals if plan is not None else ():
        yield Finding(
            "not-servable",
            Severity.ERROR,
            f"{refusal.construct}: {refusal.reason}",
            refusal.cell,
            analysis.program.cell_ids[refusal.cell],
            refusal.line,
            refusal.line,
            refusal.hint,
        )
