"""`multi-test-leakage`: the same test rows compare several models, and no other rows test the one that is chosen.

Source of the definition: Yang et al., Data Leakage in Notebooks: Static Detection and Better Processes, ASE 2022.
Folds of a cross-validation are rows of their own in each round and do not count; neither do rows that a model only
predicts for, such as those of a competition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nbprod.analysis import Analysis
from nbprod.analysis.populations import meet, overlap
from nbprod.analysis.values import Event
from nbprod.findings.places import finding_at, related_at, text_of
from nbprod.findings.trials import Trial, Use, is_fold, places, trials
from nbprod.model.finding import Finding, Severity
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan

SHOWN = 6
"""Related places of a finding, at most."""


def find(_notebook: Notebook, analysis: Analysis, _plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `multi-test-leakage`."""
    tests = [
        (trial, use)
        for trial in trials(analysis)
        for use in trial.uses
        if not overlap(trial.rows, use.rows) and not is_fold(analysis, use)
    ]
    repeated = [test for test in tests if test[1].scored and _others(test, tests)]
    if not repeated or any(_independent(use, repeated) for _, use in tests):
        return
    trial, _ = repeated[-1]
    events = [use.event for _, use in repeated]
    yield _finding(analysis, trial.fit, events)


def _others(test: tuple[Trial, Use], tests: Sequence[tuple[Trial, Use]]) -> bool:
    """Whether another model is scored on the same rows."""
    return any(
        other.scored and trial.fit.obj != test[0].fit.obj and meet(other.rows, test[1].rows) for trial, other in tests
    )


def _independent(use: Use, repeated: Sequence[tuple[Trial, Use]]) -> bool:
    """Whether a use asks about rows that compared no models."""
    return not any(meet(use.rows, other.rows) for _, other in repeated)


def _finding(analysis: Analysis, fit: Event, events: Sequence[Event]) -> Finding:
    return finding_at(
        analysis,
        fit.statement,
        "multi-test-leakage",
        Severity.WARNING,
        "the same test rows compare several models, so the score of the best of them is too good",
        "compare models by cross-validation or on validation rows, and keep the test rows for the one chosen",
        tuple(
            related_at(analysis, at, f"tested on the same rows: {text_of(analysis, at)}")
            for at in places(events)[:SHOWN]
        ),
    )
