"""`overlap-leakage`: the rows that a model is tested on, or copies of them, are among those it learns from.

Rows that were duplicated or made from others (oversampling, augmentation) before the split stand on both of its sides,
and on both sides of the folds of a cross-validation. Rows that were drawn for training (a smaller sample of the larger
class) are among those that a split of the whole table sets aside for a test. A model that is tested on its own training
rows counts where it is tested on no others, none were set apart and no cross-validation tests it; a training score
beside a test is fine.
Source of the definition: Yang et al., Data Leakage in Notebooks: Static Detection and Better Processes, ASE 2022.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nbprod.analysis import Analysis
from nbprod.analysis.populations import drawn_apart, has_copies, meet, of_one_split, overlap, set_apart
from nbprod.analysis.values import Event, Rows, same_rows
from nbprod.findings.draws import draw_of, unseeded_splits
from nbprod.findings.places import finding_at, related_at, text_of
from nbprod.findings.trials import FOLDED, Trial, Use, trials
from nbprod.model.finding import Finding, Related, Severity
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan


def find(_notebook: Notebook, analysis: Analysis, _plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `overlap-leakage`."""
    reported: set[int] = set()
    validated = {event.obj for event in analysis.events if event.kind in FOLDED}
    unseeded = unseeded_splits(analysis)
    for trial in trials(analysis):
        uses = [use for use in trial.uses if use.event.kind != "validate"]
        found = [use for use in uses if _overlaps(trial, use, unseeded) and _is_known(trial, use)]
        if trial.fit.statement in reported or not found or len(found) < len(uses):
            continue
        drawn = [use for use in found if use.scored and not overlap(trial.rows, use.rows)]
        copied = any(not meet(trial.rows, use.rows) and overlap(trial.rows, use.rows) for use in found)
        inspected = set_apart(trial.rows) or trial.fit.obj in validated
        if not copied and not drawn and (inspected or not any(use.scored for use in found)):
            continue
        reported.add(trial.fit.statement)
        if copied:
            yield _copied(analysis, trial.fit, trial.rows)
        elif drawn:
            yield _drawn(analysis, trial.fit, drawn[0].event)
        else:
            yield _same(analysis, trial.fit, next(use for use in found if use.scored).event)
    for event in analysis.events:
        rows = event.facts[0].rows if event.kind in FOLDED else None
        if rows is not None and has_copies(rows) and not set_apart(rows) and event.statement not in reported:
            reported.add(event.statement)
            yield _copied(analysis, event, rows)


def _overlaps(trial: Trial, use: Use, unseeded: Mapping[int, Sequence[int]]) -> bool:
    if overlap(trial.rows, use.rows) or drawn_apart(trial.rows, use.rows):
        return True
    learned, asked = draw_of(unseeded, trial.rows, trial.at), draw_of(unseeded, use.rows, use.at)
    return trial.rows.split != use.rows.split and min(learned, asked) >= 0 and of_one_split(trial.rows, use.rows)


def _is_known(trial: Trial, use: Use) -> bool:
    """Whether it is known which rows are used: rows that were read, or the very data that the model learned from.

    What a function that nobody knows makes of two tables may hold the rows of either.
    """
    learned, asked = trial.fit.facts[0], use.event.facts[0]
    if (learned.digest == asked.digest and same_rows(learned.rows, asked.rows)) or has_copies(trial.rows):
        return True
    return trial.rows.root >= 0 and not learned.assumed and not asked.assumed


def _sources(analysis: Analysis, rows: Rows) -> list[Event]:
    """The calls that copied rows, among the statements that chose these rows."""
    return [
        event
        for event in analysis.events
        if event.kind == "resample" and event.name.startswith("+") and rows.fit >> event.statement & 1
    ]


def _copied(analysis: Analysis, event: Event, rows: Rows) -> Finding:
    places = dict.fromkeys(source.statement for source in _sources(analysis, rows))
    folds = event.kind == "cross-validation"
    return finding_at(
        analysis,
        event.statement,
        "overlap-leakage",
        Severity.WARNING,
        "rows were copied before the folds were made, so that each fold learns from copies of the rows it is tested on"
        if folds
        else "rows were copied before the validation rows are set apart, so that copies of these are learned from"
        if event.kind == "held-out"
        else "rows were copied before the split, so that the test rows, or rows made from them, are learned from",
        "resample within each fold: put the sampler into a pipeline of imbalanced-learn"
        if folds
        else "split first, and resample the training rows alone",
        tuple(related_at(analysis, at, f"copies rows: {text_of(analysis, at)}") for at in places),
    )


def _drawn(analysis: Analysis, fit: Event, use: Event) -> Finding:
    related: tuple[Related, ...] = (
        related_at(analysis, use.statement, f"tested on rows of another split: {text_of(analysis, use.statement)}"),
    )
    return finding_at(
        analysis,
        fit.statement,
        "overlap-leakage",
        Severity.WARNING,
        "the model is tested on rows of a split that does not set apart what it learned from: some rows are in both",
        "split once, choose among the training rows alone, and test on the rows that this split sets apart",
        related,
    )


def _same(analysis: Analysis, fit: Event, use: Event) -> Finding:
    related: tuple[Related, ...] = (
        related_at(analysis, use.statement, f"tested on the same rows: {text_of(analysis, use.statement)}"),
    )
    return finding_at(
        analysis,
        fit.statement,
        "overlap-leakage",
        Severity.WARNING,
        "the model is tested on rows that it learned from, and on no others",
        "set rows apart with train_test_split, and test on those",
        related,
    )
