"""`target-leakage`: a feature is computed from the label of its own row, which no row has when it is served.

Reported where the dataflow says so column by column: the raw column that holds the labels is among the inputs of a
feature, or a feature looks up a mean of the labels by group that was taken over the very rows that are learned from.
Labels of earlier rows (lags) are other rows' labels and are left to `not-servable`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbprod.analysis import Analysis
from nbprod.analysis.interpreter import Learning
from nbprod.analysis.populations import holds
from nbprod.analysis.values import Event, Fact
from nbprod.findings.places import finding_at, listed, related_at, text_of
from nbprod.model.finding import Finding, Related, Severity
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan


def find(_notebook: Notebook, analysis: Analysis, _plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `target-leakage`."""
    reported: set[int] = set()
    for event in analysis.events:
        if event.kind != "fit" or event.kindof != "predictor" or event.statement in reported or _may_select(event):
            continue
        target = _target(event)
        if target is None:
            continue
        direct = _made_of(event, target)
        means = [] if direct else list(_means_of(analysis, event, target))
        if direct or means:
            reported.add(event.statement)
            yield _direct(analysis, event, target, direct) if direct else _encoded(analysis, event, target, means)


def _may_select(event: Event) -> bool:
    """Whether the estimator may use only some columns of what it is given."""
    last = event.name.rpartition(".")[2]
    return last == "Pipeline" or last.endswith("SearchCV")


def _target(event: Event) -> str | None:
    """The one raw column that the labels are made of."""
    inputs = event.facts[1].inputs if len(event.facts) > 1 else frozenset[str]()
    only = next(iter(inputs)) if len(inputs) == 1 else None
    return None if only is None or only.startswith(("$", "*")) else only


def _made_of(event: Event, target: str) -> list[str]:
    """The features that are computed from the target, where it is one column among those that are told apart.

    The target itself is left out: a selection of columns that is only known when it runs may leave it out as well.
    """
    found = sorted(
        name for name, fact in event.columns.items() if name != target and ":" not in name and _is_made_of(fact, target)
    )
    return found if 2 * len(found) <= len(event.columns) else []


def _is_made_of(fact: Fact, target: str) -> bool:
    return target in fact.inputs and "*" not in fact.inputs and not fact.refused and not fact.assumed


def _means_of(analysis: Analysis, event: Event, target: str) -> Iterator[Learning]:
    """What was taken of the labels by group over the rows that the model learns from, once a statement."""
    rows = event.facts[0].rows
    numbers = {n for fact in event.columns.values() if target in fact.learns for n in fact.learned_at if n >= 0}
    seen: set[int] = set()
    for number in sorted(numbers):
        learning = analysis.run.learnings[number]
        if learning.statement in seen or not _groups(learning.node, target):
            continue
        if rows is not None and learning.rows is not None and holds(learning.rows, rows):
            seen.add(learning.statement)
            yield learning


def _groups(node: ast.AST, target: str) -> bool:
    """Whether a call is a statistic by group of the column that holds the labels: `df.groupby(k)["y"].mean()`."""
    chosen = node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
    match chosen:
        case ast.Subscript(value=ast.Call(func=ast.Attribute(attr="groupby")), slice=ast.Constant(value=name)):
            return name == target
        case ast.Attribute(value=ast.Call(func=ast.Attribute(attr="groupby")), attr=name):
            return name == target
        case _:
            return False


def _direct(analysis: Analysis, event: Event, target: str, names: list[str]) -> Finding:
    own = event.columns[names[0]].fit & ~event.facts[1].fit
    last = own.bit_length() - 1
    related: tuple[Related, ...] = ()
    if 0 <= last < event.statement:
        related = (related_at(analysis, last, f"computed here: {text_of(analysis, last)}"),)
    return finding_at(
        analysis,
        event.statement,
        "target-leakage",
        Severity.WARNING,
        f"computed from the target {target}: {listed(names)}",
        f"leave out what is computed from {target}: a row that is served has no {target} yet",
        related,
    )


def _encoded(analysis: Analysis, event: Event, target: str, means: list[Learning]) -> Finding:
    return finding_at(
        analysis,
        event.statement,
        "target-leakage",
        Severity.INFO,
        f"a statistic of the target {target} by group was taken over the rows that are learned from, "
        "so each row holds a share of its own label",
        "encode out of fold (sklearn.preprocessing.TargetEncoder does)",
        tuple(related_at(analysis, mean.statement, text_of(analysis, mean.statement)) for mean in means),
    )
