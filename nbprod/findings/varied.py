"""Answers of a model that a loop compares with the labels in another way in each round: at each of some thresholds."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbprod.analysis import Analysis
from nbprod.analysis.values import Event, Fact, Time
from nbprod.notebook.parsed import nodes_below


def varied_in_loops(analysis: Analysis) -> frozenset[int]:
    """The events whose predictions are varied by a loop that they stand outside of, while the labels stay as they are.

    `for t in thresholds: f1_score(y_test, proba > t)`; not `for k in classes: roc_curve(y_test[:, k], proba[:, k])`.
    """
    events = analysis.events
    found: set[int] = set()
    for event in events:
        if event.kind != "metric":
            continue
        made = {-1 - number for fact in event.facts for number in fact.learned_at if number < 0}
        for loop in _loops(analysis, event):
            if analysis.run.notes[id(loop.iter)].time < Time.ROW and _varies(analysis, event, loop):
                found |= {number for number in made if not _is_within(analysis, events[number], loop)}
    return frozenset(found)


def _loops(analysis: Analysis, event: Event) -> Iterator[ast.For | ast.comprehension]:
    """The loops that a call stands in, those within its own statement included."""
    program, at = analysis.program, event.statement
    for part in nodes_below(program.statements[at].node):
        if isinstance(part, ast.ListComp | ast.DictComp | ast.GeneratorExp | ast.SetComp) and _holds(part, event.node):
            yield part.generators[0]
    for place in program.around(at):
        if isinstance(place.node, ast.For) and id(place.node.iter) in analysis.run.notes:
            yield place.node


def _varies(analysis: Analysis, event: Event, loop: ast.For | ast.comprehension) -> bool:
    """Whether the predictions that a metric is given depend on the round, and its labels do not."""
    given = [*event.node.args, *(keyword.value for keyword in event.node.keywords)]
    if len(given) != len(event.facts):
        return False
    pairs = [(node, fact) for node, fact in zip(given, event.facts, strict=True) if fact.rows is not None]
    answers = [pair for pair in pairs if _is_predicted(pair[1])]
    labels = [pair for pair in pairs if not _is_predicted(pair[1])]
    return (
        bool(answers)
        and bool(labels)
        and any(_depends(analysis, *pair, loop) for pair in answers)
        and not any(_depends(analysis, *pair, loop) for pair in labels)
    )


def _is_predicted(fact: Fact) -> bool:
    return any(number < 0 for number in fact.learned_at)


def _depends(analysis: Analysis, node: ast.expr, fact: Fact, loop: ast.For | ast.comprehension) -> bool:
    """Whether a value is made of what a loop binds."""
    if isinstance(loop, ast.comprehension):
        bound = {part.id for part in nodes_below(loop.target) if isinstance(part, ast.Name)}
        return any(isinstance(part, ast.Name) and part.id in bound for part in nodes_below(node))
    number = analysis.run.by_node[id(loop)].id
    return bool(fact.fit >> number & 1)


def _is_within(analysis: Analysis, event: Event, loop: ast.For | ast.comprehension) -> bool:
    """Whether a call is made in each round of a loop."""
    if isinstance(loop, ast.comprehension):
        return any(_holds(part, event.node) for part in _around(analysis, event, loop))
    number = analysis.run.by_node[id(loop)].id
    return number in (event.statement, event.top) or analysis.program.is_within(event.statement, number)


def _around(analysis: Analysis, event: Event, loop: ast.comprehension) -> Iterator[ast.AST]:
    for part in nodes_below(analysis.program.statements[event.statement].node):
        if loop in getattr(part, "generators", ()):
            yield part


def _holds(outer: ast.AST, inner: ast.AST) -> bool:
    return any(part is inner for part in nodes_below(outer))
