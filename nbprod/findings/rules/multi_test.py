"""`multi-test-leakage`: the same test rows choose among models, and no other rows test the one that is chosen.

Rows choose where several models that learn the same labels are scored on them, or where they are the validation rows
of the training call (`validation_data`, `eval_set` with early stopping), which say when to stop.
Source of the definition: Yang et al., Data Leakage in Notebooks: Static Detection and Better Processes, ASE 2022.
Folds of a cross-validation are rows of their own in each round and do not count; neither do rows that a model only
predicts for, such as those of a competition. Rows that were used before the choice do not test what is chosen.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from nbprod.analysis import Analysis
from nbprod.analysis.populations import apart, meet
from nbprod.analysis.values import Event, Rows
from nbprod.findings.places import finding_at, related_at, text_of
from nbprod.findings.trials import Trial, Use, is_fold, places, trials
from nbprod.model.finding import Finding, Severity
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan

SHOWN = 6
"""Related places of a finding, at most."""

Test = tuple[Trial, Use]


def find(_notebook: Notebook, analysis: Analysis, _plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `multi-test-leakage`."""
    tests = [
        (trial, use)
        for trial in trials(analysis)
        for use in trial.uses
        if not meet(trial.rows, use.rows) and not is_fold(analysis, use)
    ]
    repeated = _repeated(tests)
    if repeated and not any(_independent(use, repeated) for _, use in tests):
        yield _finding(analysis, repeated)


def _repeated(tests: Sequence[Test]) -> list[Test]:
    """The scores on rows that choose among models, in the order of the calls."""
    by_rows: dict[Rows, list[Test]] = {}
    for test in tests:
        by_rows.setdefault(test[1].rows, []).append(test)
    found: list[Test] = []
    for rows, own in by_rows.items():
        same = [test for other, those in by_rows.items() if other is rows or meet(rows, other) for test in those]
        guided = _distinct(trial for trial, use in same if use.event.kind == "validate")
        scored = _distinct(trial for trial, use in same if use.scored)
        found.extend(test for test in own if _chooses(test, guided, scored))
    return sorted(found, key=lambda test: test[1].at)


def _distinct(some: Iterable[Trial]) -> list[Trial]:
    return list({id(trial): trial for trial in some}.values())


def _chooses(test: Test, guided: Sequence[Trial], scored: Sequence[Trial]) -> bool:
    """Whether rows that test a model say when the training of a model stops, or score another model as well."""
    trial, use = test
    if use.event.kind == "validate":
        return False
    return any(_same_labels(trial, other) for other in guided) or (
        use.scored and any(_same_labels(trial, other) and _is_other(trial, other) for other in scored)
    )


def _same_labels(a: Trial, b: Trial) -> bool:
    return not a.labels or not b.labels or not a.labels.isdisjoint(b.labels)


def _is_other(a: Trial, b: Trial) -> bool:
    """Whether two trials are of different models, and not of one that was trained alike, or further, at two places."""
    if a.fit.result is None or b.fit.result is None or a.fit.result.digest != b.fit.result.digest:
        return a.fit is not b.fit
    if a.fit.obj != b.fit.obj:
        return a.fit.statement == b.fit.statement
    return a.rows != b.rows and _starts_anew(a.fit)


def _starts_anew(fit: Event) -> bool:
    """Whether a training call forgets what the estimator learned before."""
    return fit.kindof == "predictor" and isinstance(fit.node.func, ast.Attribute) and fit.node.func.attr == "fit"


def _independent(use: Use, repeated: Sequence[Test]) -> bool:
    """Whether a use asks, after a choice, about rows that took no part in it: rows that are scored, or that were read.

    Rows that the notebook made up show how the model is called.
    """
    if use.at < repeated[0][1].at or not (use.scored or use.rows.root >= 0):
        return False
    return all(apart(use.rows, rows) for rows in {other.rows for _, other in repeated})


def _finding(analysis: Analysis, repeated: Sequence[Test]) -> Finding:
    trial, last = repeated[-1]
    several = any(_is_other(trial, other) for other, _ in repeated)
    validations = [use.event for use in trial.uses if use.event.kind == "validate" and meet(use.rows, last.rows)]
    events = [*([] if several else validations), *(use.event for _, use in repeated)]
    return finding_at(
        analysis,
        trial.fit.statement,
        "multi-test-leakage",
        Severity.WARNING,
        "the same test rows compare several models, so the score of the best of them is too good"
        if several
        else "the test rows are the validation rows of the training too, so the score is too good",
        "compare models by cross-validation or on validation rows, and keep the test rows for the one chosen"
        if several
        else "set validation rows apart from the training rows, and keep the test rows for one score at the end",
        tuple(
            related_at(analysis, at, f"tested on the same rows: {text_of(analysis, at)}")
            for at in places(events)[:SHOWN]
        ),
    )
