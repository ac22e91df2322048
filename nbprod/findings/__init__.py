"""Leakage and notebook health: rules over the graph that the analysis made, one rule a file."""

from __future__ import annotations

from nbprod.analysis import Analysis
from nbprod.findings.rules import RULES
from nbprod.model.finding import Finding
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan

__all__ = ["find"]


def find(notebook: Notebook, analysis: Analysis, plan: FeaturePlan | None = None) -> tuple[Finding, ...]:
    """All findings about a notebook, by place. Nothing is reported without a path in the graph to show for it."""
    found = [finding for rule in RULES for finding in rule(notebook, analysis, plan)]
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: (finding.cell, finding.line, finding.rule)))
