"""`preprocessing-leakage`: what prepares the training rows was learned from rows that the model is tested on.

Source of the definition: Yang et al., Data Leakage in Notebooks: Static Detection and Better Processes, ASE 2022.
"""

from __future__ import annotations

from collections.abc import Iterator

from nbprod.analysis import Analysis
from nbprod.analysis.interpreter import Learning
from nbprod.analysis.values import Event, Fact
from nbprod.findings.places import finding_at, related_at, text_of
from nbprod.model.finding import Finding, Severity
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan

UNHARMFUL = frozenset(
    {
        "len",
        "width",
        "get_dummies",
        "cat-codes",
        "factorize",
        "to_datetime",
        "fit:LabelEncoder",
        "fit:OneHotEncoder",
        "fit:OrdinalEncoder",
        "groupby.ngroups",
        "unique",
        "nunique",
    }
)


def find(_notebook: Notebook, analysis: Analysis, _plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `preprocessing-leakage`."""
    tested = [e for e in analysis.events if e.kind in ("predict", "score") and _side(e.facts[0]) == "test"]
    for fit in analysis.events:
        if fit.kind != "fit" or fit.kindof != "predictor" or _side(fit.facts[0]) != "train":
            continue
        if not any(use.obj == fit.obj for use in tested):
            continue
        causes = list(_causes(analysis, fit))
        if not causes:
            continue
        related = tuple(
            related_at(analysis, cause.statement, f"learned from all rows: {text_of(analysis, cause.statement)}")
            for cause in causes
        )
        yield finding_at(
            analysis,
            fit.statement,
            "preprocessing-leakage",
            Severity.WARNING,
            "the training rows were prepared with something learned from the test rows too",
            "split first, learn from the training rows, and apply it to both",
            related,
        )


def _side(fact: Fact) -> str:
    return fact.rows.side if fact.rows is not None else "all"


def _causes(analysis: Analysis, fit: Event) -> Iterator[Learning]:
    """What was learned before the split from rows that it later sets apart, once a statement."""
    numbers = fit.facts[0].learned_at
    for fact in fit.columns.values():
        numbers |= fact.learned_at
    rows = fit.facts[0].rows
    seen: set[int] = set()
    for number in sorted(numbers):
        learning = analysis.run.learnings[number]
        if learning.rows is None or rows is None or learning.rows.root != rows.root or learning.rows.side != "all":
            continue
        if learning.what not in UNHARMFUL and learning.statement not in seen:
            seen.add(learning.statement)
            yield learning
