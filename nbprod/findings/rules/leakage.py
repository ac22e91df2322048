"""`preprocessing-leakage`: rows were prepared with something learned from rows that the model is tested on.

Source of the definition: Yang et al., Data Leakage in Notebooks: Static Detection and Better Processes, ASE 2022.
A test row is then no row on its own: it was prepared with the rows that the model is tested on, be it that the training
rows were too, or the test rows alone (`scaler.fit_transform(X_test)`). Rows that a model only predicts for, such as
those of a competition, count as test rows, as there; the message says what they are.
An encoding of categories that looks at no label (dummies, codes, counts of values) tells next to nothing of the test
rows and is not counted, as there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from nbprod.analysis import Analysis
from nbprod.analysis.estimators import STATELESS
from nbprod.analysis.interpreter import Learning
from nbprod.analysis.populations import has_copies, of_fold, reach, seen_by, set_apart, table_of
from nbprod.analysis.values import Event, Fact, Rows
from nbprod.findings.places import finding_at, related_at, text_of
from nbprod.findings.trials import FOLDED, Trial, Use, is_fold, trials
from nbprod.model.finding import Finding, Severity
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan

UNHARMFUL = frozenset(
    {
        "add_constant", "all", "any", "cat-codes", "categorical-codes", "duplicated", "factorize", "frozenset",
        "get_dummies", "label_binarize", "len", "lookup", "ngroups", "nunique", "pick", "series-factorize", "set",
        "str-get_dummies", "to_datetime", "unique", "value_counts", "width",
    }
)  # fmt: skip
"""Operations over rows that take in which values there are, and no statistic of them."""

UNHARMFUL_ESTIMATORS = frozenset(
    {
        "AdditiveChi2Sampler", "BaseNEncoder", "BackwardDifferenceEncoder", "Binarizer", "BinaryEncoder",
        "ColumnTransformer", "DictVectorizer", "FeatureHasher", "FeatureUnion", "FunctionTransformer", "GrayEncoder",
        "HashingEncoder", "HashingVectorizer", "HelmertEncoder", "LabelBinarizer", "LabelEncoder",
        "MissingIndicator", "MultiLabelBinarizer", "Normalizer", "OneHotEncoder", "OrdinalEncoder", "Pipeline",
        "PolynomialCountSketch", "PolynomialEncoder", "PolynomialFeatures", "RBFSampler", "SumEncoder",
    }
)  # fmt: skip
"""Estimators that learn nothing of rows, or which categories there are. Those that hold others count by what they
hold."""


class _Told(NamedTuple):
    """What is said of a finding: what is wrong, the way out, and from which rows too much was learned."""

    message: str
    hint: str
    rows: str


OF_BOTH = _Told(
    "the training rows were prepared with something learned from the test rows too",
    "split first, learn from the training rows, and apply it to both",
    "all rows",
)
OF_PREDICTED = _Told(
    "the training rows were prepared with something learned from the rows that are predicted too, "
    "which are not there when the model is served",
    "learn from the training rows alone, and apply it to both",
    "both",
)
OF_TESTS = _Told(
    "the model is tested on rows that were prepared with something learned from those rows themselves",
    "learn from the training rows alone, and apply it to both",
    "the test rows",
)


def find(_notebook: Notebook, analysis: Analysis, _plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `preprocessing-leakage`."""
    reported: set[int] = set()
    for trial in trials(analysis):
        tests = [use for use in trial.uses if not seen_by(trial.rows, use.rows) and _tests(analysis, use)]
        causes = list(_causes(analysis, trial.fit.facts[0], [use.rows for use in tests]))
        known = [use for use in tests if use.scored or use.rows.root == trial.rows.root]
        own = [
            cause
            for use in known
            if not has_copies(use.rows)
            for cause in _causes(analysis, use.event.facts[0], [use.rows])
        ]
        if (causes or own) and trial.fit.statement not in reported:
            reported.add(trial.fit.statement)
            if own and not causes:
                yield _finding(analysis, trial.fit, own, OF_TESTS)
            else:
                only_asked = all(_is_unlabelled(trial, use) for use in tests)
                yield _finding(analysis, trial.fit, causes, OF_PREDICTED if only_asked else OF_BOTH)
    for event in analysis.events:
        whole = event.facts[0].rows if event.kind in FOLDED else None
        if whole is None or set_apart(whole) or has_copies(whole):
            continue
        causes = [cause for cause in _causes(analysis, event.facts[0], [whole]) if not _is_of_fold(cause)]
        if causes and event.statement not in reported:
            reported.add(event.statement)
            yield _finding(analysis, event, causes, OF_BOTH)


def _is_unlabelled(trial: Trial, use: Use) -> bool:
    """Whether a model only predicts for rows, which come from another table than those it learned from."""
    return not use.scored and use.event.kind != "validate" and table_of(use.rows) != table_of(trial.rows)


def _tests(analysis: Analysis, use: Use) -> bool:
    """Whether a use tests the model: predictions for a fold that are not scored are features for the next model."""
    return use.scored or use.event.kind == "validate" or not is_fold(analysis, use)


def _causes(analysis: Analysis, matrix: Fact, tested: Iterable[Rows]) -> Iterator[Learning]:
    """What the matrix was prepared with that was learned from rows that are tested on, once a statement."""
    rows = list(tested)
    seen: set[int] = set()
    for number in sorted(number for number in matrix.learned_at if number >= 0):
        learning = analysis.run.learnings[number]
        if learning.rows is None or learning.statement in seen or not harmful(learning.what):
            continue
        if any(reach(learning.rows, each) for each in rows):
            seen.add(learning.statement)
            yield learning


def _is_of_fold(cause: Learning) -> bool:
    """Whether something was learned from one fold, for features that are made for the others."""
    return cause.rows is not None and of_fold(cause.rows)


def harmful(what: str) -> bool:
    """Whether something learned over rows carries more than which values there are: `mean`, `fit:PCA`, …"""
    if not what.startswith("fit:"):
        return what.rpartition(".")[2] not in UNHARMFUL
    name, _, inner = what.removeprefix("fit:").partition("(")
    parts = [part for part in inner.removesuffix(")").split("+") if part]
    return name not in {*UNHARMFUL_ESTIMATORS, STATELESS} or any(harmful("fit:" + part) for part in parts)


def _finding(analysis: Analysis, event: Event, causes: Iterable[Learning], told: _Told) -> Finding:
    statements = dict.fromkeys(cause.statement for cause in causes)
    return finding_at(
        analysis,
        event.statement,
        "preprocessing-leakage",
        Severity.WARNING,
        told.message,
        told.hint,
        tuple(related_at(analysis, at, f"learned from {told.rows}: {text_of(analysis, at)}") for at in statements),
    )
