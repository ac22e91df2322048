"""`target-leakage`: a feature is computed from the label of its own row, which no row has when it is served.

Reported where the dataflow says so column by column: the raw column that holds the labels is among the inputs of a
feature, or a feature looks up a mean of the labels by group that was taken over the very rows that are learned from.
Labels of earlier rows (lags) are other rows' labels and are left to `not-servable`; those of rows that stand later in
the table are reported as information, since a table may go back in time.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbprod.analysis import Analysis
from nbprod.analysis.interpreter import Learning
from nbprod.analysis.populations import holds
from nbprod.analysis.tables import estimator_kind
from nbprod.analysis.values import NOTHING, Event, Fact, same_rows
from nbprod.findings.places import finding_at, listed, related_at, text_of
from nbprod.model.finding import Finding, Related, Severity
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan
from nbprod.notebook.parsed import nodes_below

USING_ALL = frozenset({"classifiers", "regressors", "columnwise"})
"""Kinds of estimators that use each column they are given."""


def find(_notebook: Notebook, analysis: Analysis, _plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `target-leakage`."""
    reported: set[int] = set()
    for event in analysis.events:
        if event.kind != "fit" or event.kindof != "predictor" or event.statement in reported or _may_select(event):
            continue
        target = _target(event)
        if target is None:
            continue
        direct = _made_of(analysis, event, target) or _itself(event, target)
        later = [] if direct else _made_of_later_rows(analysis, event, target)
        if later:
            reported.add(event.statement)
            yield _of_later_rows(analysis, event, target, later)
            continue
        means = [] if direct else list(_means_of(analysis, event, target))
        if direct or means:
            reported.add(event.statement)
            yield _direct(analysis, event, target, direct) if direct else _encoded(analysis, event, target, means)


def _may_select(event: Event) -> bool:
    """Whether the estimator may use only some columns of what it is given."""
    last = event.name.rpartition(".")[2]
    held = [name for name in event.holds if name.rpartition(".")[2] != "Pipeline"]
    return (last == "Pipeline" or last.endswith("SearchCV")) and not (held and all(map(_uses_all, held)))


def _uses_all(name: str) -> bool:
    return estimator_kind(name) in USING_ALL


def _target(event: Event) -> str | None:
    """The one raw column that the labels are made of, in their own row."""
    labels = event.facts[1] if len(event.facts) > 1 else NOTHING
    inputs = frozenset[str]() if labels.refused or not same_rows(labels.rows, event.facts[0].rows) else labels.inputs
    only = next(iter(inputs)) if len(inputs) == 1 else None
    return None if only is None or only.startswith(("$", "*")) else only


def _made_of(analysis: Analysis, event: Event, target: str) -> list[str]:
    """The features that are computed from the target, where it is one column among those that are told apart."""
    found = sorted(
        name for name, fact in event.columns.items() if name != target and ":" not in name and _is_made_of(fact, target)
    )
    if event.rest is not None:
        found = [name for name in found if not _cut_by_place(analysis, event.columns[name].fit)]
    return found if 2 * len(found) <= len(event.columns) else []


def _cut_by_place(analysis: Analysis, way: int) -> bool:
    """Whether columns were taken by their places on the way: where not all have names, it is not known which."""
    statements = analysis.program.statements
    nodes = [statements[number].node for number in range(way.bit_length()) if way >> number & 1]
    return any(
        isinstance(part, ast.Subscript)
        and isinstance(part.ctx, ast.Load)
        and isinstance(part.slice, ast.Tuple)
        and len(part.slice.elts) > 1
        and _is_place(part.slice.elts[1])
        for node in nodes
        for part in nodes_below(node)
    )


def _is_place(key: ast.expr) -> bool:
    match key:
        case ast.Slice(lower=None, upper=None):
            return False
        case ast.Constant(value=str()):
            return False
        case ast.List(elts=elts):
            return not all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in elts)
        case _:
            return True


def _itself(event: Event, target: str) -> list[str]:
    """The target among the features, where all of them are known: a selection that is made at run time may drop it."""
    fact = event.columns.get(target)
    known = event.rest is None and not event.maybe and fact is not None and fact.inputs == {target}
    return [target] if known and fact is not None and not fact.refused and not fact.assumed else []


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
    cause = _cause(analysis, event, target, names[0])
    related: tuple[Related, ...] = ()
    if cause is not None:
        what = "chosen here" if names == [target] else "computed here"
        related = (related_at(analysis, cause, f"{what}: {text_of(analysis, cause)}"),)
    return finding_at(
        analysis,
        event.statement,
        "target-leakage",
        Severity.WARNING,
        f"the target {target} is among the features"
        if names == [target]
        else f"computed from the target {target}: {listed(names)}",
        f"leave out what is computed from {target}: a row that is served has no {target} yet",
        related,
    )


def _made_of_later_rows(analysis: Analysis, event: Event, target: str) -> list[str]:
    """The features that are made of the target of rows that stand later in the table."""
    ahead = analysis.run.ahead
    return sorted(name for name, fact in event.columns.items() if fact.refused & ahead and target in fact.inputs)


def _of_later_rows(analysis: Analysis, event: Event, target: str, names: list[str]) -> Finding:
    cause = _cause(analysis, event, target, names[0])
    return finding_at(
        analysis,
        event.statement,
        "target-leakage",
        Severity.INFO,
        f"made of the {target} of rows that stand later in the table: {listed(names)}",
        "where the table goes forward in time, take earlier rows (shift(1)): later ones are not known yet",
        () if cause is None else (related_at(analysis, cause, f"computed here: {text_of(analysis, cause)}"),),
    )


def _cause(analysis: Analysis, event: Event, target: str, name: str) -> int | None:
    """The statement by which the target gets into a feature: the first on its way that reads the column by name."""
    own = event.columns[name].fit & ~event.facts[1].fit
    way = [number for number in range(min(own.bit_length(), event.statement)) if own >> number & 1]
    nodes = analysis.program.statements
    return next((number for number in way if _reads(nodes[number].node, target)), way[-1] if way else None)


def _reads(node: ast.AST, column: str) -> bool:
    """Whether a statement names a column other than to write it: `df["y"]`, `df.y`, `df.groupby("y")`."""
    written = [
        part.slice for part in nodes_below(node) if isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Store)
    ]
    return any(
        (isinstance(part, ast.Constant) and part.value == column and part not in written)
        or (isinstance(part, ast.Attribute) and part.attr == column and isinstance(part.ctx, ast.Load))
        for part in nodes_below(node)
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
