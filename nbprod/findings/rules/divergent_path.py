"""`divergent-test-path`: the rows that a model is tested on are prepared in another way than those it learns from."""

from __future__ import annotations

from collections.abc import Iterator

from nbprod.analysis import Analysis
from nbprod.analysis.values import Event
from nbprod.findings.places import finding_at, listed, related_at, text_of
from nbprod.model.finding import Finding, Related, Severity
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan


def find(_notebook: Notebook, analysis: Analysis, _plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `divergent-test-path`."""
    fits: dict[int, Event] = {}
    for event in analysis.events:
        if event.kind == "fit" and event.kindof == "predictor":
            fits[event.obj] = event
        elif event.kind in ("predict", "score") and event.obj in fits:
            yield from _compare(analysis, fits[event.obj], event)


def _compare(analysis: Analysis, fit: Event, use: Event) -> Iterator[Finding]:
    rows = use.facts[0].rows
    if rows is None or rows.side != "test" or not fit.columns or set(fit.columns) != set(use.columns):
        return
    differing = sorted(name for name in fit.columns if fit.columns[name].digest != use.columns[name].digest)
    if not differing:
        return
    extra = use.columns[differing[0]].fit & ~fit.columns[differing[0]].fit
    last = extra.bit_length() - 1
    related: tuple[Related, ...] = ()
    if 0 <= last < use.statement:
        related = (related_at(analysis, last, f"on the way of the test rows alone: {text_of(analysis, last)}"),)
    yield finding_at(
        analysis,
        use.statement,
        "divergent-test-path",
        Severity.WARNING,
        f"the test rows are prepared in another way than the training rows: {listed(differing)}",
        "apply to the test rows what was learned from the training rows",
        related,
    )
