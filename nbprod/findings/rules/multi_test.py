"""`multi-test-leakage`: the same test rows choose among models, and no other rows test the one that is chosen.

Rows choose where several models that learn the same labels are scored on them, where they are the validation rows
of the training call (`validation_data`, `eval_set` with early stopping), which say when to stop, or where a loop
compares a model's answers for them with the labels in several ways (thresholds).
Source of the definition: Yang et al., Data Leakage in Notebooks: Static Detection and Better Processes, ASE 2022.
Folds of a cross-validation are rows of their own in each round and do not count; neither do rows that a model only
predicts for, such as those of a competition. Rows that were used before the choice do not test what is chosen. Where
another part of the table was set aside and nothing has used it, the rows that compare the models are validation rows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from nbprod.analysis import Analysis
from nbprod.analysis.populations import apart, meet, parts, seen_by
from nbprod.analysis.values import Event, Rows, same_rows
from nbprod.findings.draws import draw_of, unseeded_splits
from nbprod.findings.places import finding_at, related_at, text_of
from nbprod.findings.trials import Trial, Use, is_fold, places, trials
from nbprod.findings.varied import varied_in_loops
from nbprod.model.finding import Finding, Severity
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan

SHOWN = 6
"""Related places of a finding, at most."""


WITH_LABELS = frozenset({"evaluate", "fit", "metric", "score", "validate"})
"""Calls that are given labels beside rows: of parts of which nobody knows how they were made, other parts."""


SEVERAL_MODELS = (
    "the same test rows compare several models, so the score of the best of them is too good",
    "compare models by cross-validation or on validation rows, and keep the test rows for the one chosen",
)
VALIDATED = (
    "the validation rows of the training are its test rows too: no other rows test the model",
    "set validation rows apart from the training rows, and keep the test rows for one score at the end",
)
SEVERAL_WAYS = (
    "a loop compares the answers for the test rows with their labels in several ways, so the best score is too good",
    "choose the threshold on validation rows or by cross-validation, and keep the test rows for the one chosen",
)
"""What is said, and the way out, by what the test rows choose."""


class Test(Struct, frozen=True):
    """A use of a model on rows that it did not learn from. `again`: a loop makes the same split in each round.

    `varied`: a loop compares its answers with the labels in another way in each round, such as at each threshold.
    `draw` is the split without a seed that drew the rows.
    """

    trial: Trial
    use: Use
    again: bool = False
    varied: bool = False
    draw: int = -1


def find(_notebook: Notebook, analysis: Analysis, _plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `multi-test-leakage`."""
    made = trials(analysis)
    tests = list(_tests(analysis, made))
    left = _left(analysis, made)
    saved = _saved(analysis)
    for repeated in _by_task(_repeated(tests)):
        chosen_by = {test.use.rows for test in repeated}
        if any(_independent(test, repeated, chosen_by, saved) for test in tests):
            continue
        if not any(_is_part(rows, chosen_by) for rows in left):
            yield _finding(analysis, repeated)


def _tests(analysis: Analysis, made: Sequence[Trial]) -> Iterator[Test]:
    seeded = {event.statement for event in analysis.events if event.kind == "split" and _is_seeded(event.node)}
    varied = varied_in_loops(analysis)
    unseeded = unseeded_splits(analysis)
    for trial in made:
        for use in trial.uses:
            if seen_by(trial.rows, use.rows):
                continue
            fold = is_fold(analysis, use)
            if not fold or (use.rows.split in seeded and use.rows.chain[-1].startswith("split:")):
                yield Test(trial, use, fold, use.at in varied, draw_of(unseeded, use.rows, use.at))


def _is_seeded(call: ast.Call) -> bool:
    given = next((keyword.value for keyword in call.keywords if keyword.arg == "random_state"), None)
    return isinstance(given, ast.Constant) and given.value is not None


def _left(analysis: Analysis, made: Sequence[Trial]) -> list[Rows]:
    """The rows that the notebook has at its end that no model learned from or was tested on, nor labels of those."""
    used = {rows for trial in made for rows in (trial.rows, *(use.rows for use in trial.uses))}
    events = [event for event in analysis.events if event.kind in WITH_LABELS]
    used |= {fact.rows for event in events for fact in event.facts if fact.rows is not None}
    values = [value for value in analysis.run.state.names.values() if value.obj >= 0]
    held = {rows for value in values if (rows := analysis.run.data(value).rows) is not None and rows.chain}
    return [rows for rows in held if _is_part(rows, used)]


def _is_part(rows: Rows, others: Iterable[Rows]) -> bool:
    """Whether rows are another part of the table of some others: of the same split, or by place."""
    same = [other for other in others if other.root == rows.root]
    return bool(same) and all(parts(rows, other) for other in same)


def _repeated(tests: Sequence[Test]) -> list[Test]:
    """The scores on rows that choose among models, in the order of the calls."""
    by_rows: dict[tuple[Rows, int], list[Test]] = {}
    for test in tests:
        by_rows.setdefault((test.use.rows, test.draw), []).append(test)
    found: list[Test] = []
    for (rows, draw), own in by_rows.items():
        near = [those for (other, drawn), those in by_rows.items() if drawn == draw and meet(rows, other)]
        same = [test for those in near for test in those]
        guided = _distinct(test.trial for test in same if test.use.event.kind == "validate")
        scored = _distinct(test.trial for test in same if test.use.scored)
        found.extend(test for test in own if _chooses(test, guided, scored))
    return sorted(found, key=lambda test: test.use.at)


def _distinct(some: Iterable[Trial]) -> list[Trial]:
    return list({id(trial): trial for trial in some}.values())


def _chooses(test: Test, guided: Sequence[Trial], scored: Sequence[Trial]) -> bool:
    """Whether rows that score a model choose it: they say when the training of a model stops, or score another as well,
    or a loop compares its answers in several ways."""
    if test.use.event.kind == "validate" or not test.use.scored:
        return False
    return (
        test.varied
        or any(_same_labels(test.trial, other) for other in guided)
        or any(_same_labels(test.trial, other) and _is_other(test.trial, other, test.again) for other in scored)
    )


def _same_labels(a: Trial, b: Trial) -> bool:
    return not a.labels or not b.labels or not a.labels.isdisjoint(b.labels)


def _is_other(a: Trial, b: Trial, again: bool = False) -> bool:
    """Whether two trials are of different models, and not of one that was trained alike, or further, at two places.

    Rounds of a loop that splits `again` may differ in their rows, where they do not differ in their model.
    """
    if a.fit.result is None or b.fit.result is None or a.fit.result.digest != b.fit.result.digest:
        return a.fit is not b.fit
    if again:
        return False
    if a.fit.obj != b.fit.obj:
        return a.fit.statement == b.fit.statement
    return not same_rows(a.rows, b.rows) and _starts_anew(a.fit)


def _starts_anew(fit: Event) -> bool:
    """Whether a training call forgets what the estimator learned before."""
    return fit.kindof == "predictor" and isinstance(fit.node.func, ast.Attribute) and fit.node.func.attr == "fit"


def _by_task(repeated: Sequence[Test]) -> list[list[Test]]:
    """The tests apart for each task: for models of the same labels that rows of the same table test."""
    found: list[list[Test]] = []
    for test in repeated:
        group = next((group for group in found if _tests_alike(group[0], test)), None)
        if group is None:
            found.append([test])
        else:
            group.append(test)
    return found


def _tests_alike(a: Test, b: Test) -> bool:
    return a.use.rows.root == b.use.rows.root and _same_labels(a.trial, b.trial)


def _same_task(a: Trial, b: Trial) -> bool:
    return a.rows.root == b.rows.root and _same_labels(a, b)


def _saved(analysis: Analysis) -> frozenset[int]:
    """The events whose predictions were written to a file, as those for a competition are."""
    facts = [fact for event in analysis.events if event.kind == "save" for fact in event.facts]
    return frozenset(-1 - number for fact in facts for number in fact.learned_at if number < 0)


def _independent(test: Test, repeated: Sequence[Test], chosen_by: Iterable[Rows], saved: frozenset[int]) -> bool:
    """Whether rows test, after a choice, a model of the same task, and took no part in the choice.

    Such rows are scored or were read, or what is predicted for them is saved; rows that the notebook made up show how
    the model is called, those that a training is validated on tell how it went, and those that the compared models
    learned from test none of them.
    """
    use = test.use
    counts = use.scored or use.rows.root >= 0 or use.at in saved
    if use.event.kind == "validate" or use.at < repeated[0].use.at or not counts:
        return False
    compared = _distinct(one.trial for one in repeated)
    if any(meet(use.rows, other.rows) for other in compared):
        return False
    same = any(_same_task(test.trial, other) for other in compared)
    return same and all(apart(use.rows, rows) for rows in chosen_by)


def _finding(analysis: Analysis, repeated: Sequence[Test]) -> Finding:
    last = repeated[-1]
    several = any(_is_other(last.trial, test.trial, last.again) for test in repeated)
    guiding = [use.event for use in last.trial.uses if use.event.kind == "validate" and meet(use.rows, last.use.rows)]
    events = [*([] if several else guiding), *(test.use.event for test in repeated)]
    message, hint = SEVERAL_MODELS if several else VALIDATED if guiding else SEVERAL_WAYS
    return finding_at(
        analysis,
        last.trial.fit.statement,
        "multi-test-leakage",
        Severity.WARNING,
        message,
        hint,
        tuple(
            related_at(analysis, at, f"tested on the same rows: {text_of(analysis, at)}")
            for at in places(events)[:SHOWN]
        ),
    )
