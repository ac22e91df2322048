"""`divergent-test-path`: the rows that a model is tested on are prepared in another way than those it learns from."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy

from nbprod.analysis import Analysis
from nbprod.analysis.interpreter import Learning
from nbprod.analysis.methods import FILLS
from nbprod.analysis.values import Event, Fact
from nbprod.findings.places import finding_at, listed, related_at, text_of
from nbprod.findings.rules.leakage import harmful
from nbprod.model.finding import Finding, Related, Severity
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan
from nbprod.model.program import Statement
from nbprod.notebook.parsed import nodes_below


def find(_notebook: Notebook, analysis: Analysis, _plan: FeaturePlan | None) -> Iterator[Finding]:
    """The findings of the rule `divergent-test-path`."""
    fits: dict[int, Event] = {}
    for event in analysis.events:
        if event.kind == "fit" and event.kindof == "predictor":
            fits[event.obj] = event
        elif event.kind in ("predict", "score") and event.obj in fits:
            yield from _compare(analysis, fits[event.obj], event)


def _compare(analysis: Analysis, fit: Event, use: Event) -> Iterator[Finding]:
    learned_from, rows = fit.facts[0].rows, use.facts[0].rows
    if learned_from is None or rows is None or not fit.columns or set(fit.columns) != set(use.columns):
        return
    # The other side of a split, or a file of its own, such as the test file of a competition; tables that were written
    # down by hand have roots below zero, and no way at all.
    if rows.side != "test" and (rows.root == learned_from.root or min(rows.root, learned_from.root) < 0):
        return
    which = "test rows" if rows.root == learned_from.root else "rows of the other table"
    differing = sorted(name for name in fit.columns if fit.columns[name].digest != use.columns[name].digest)
    if not differing:
        if rows.root != learned_from.root:
            yield from _of_themselves(analysis, fit, use, which)
        return
    related = tuple(_where_they_part(analysis, fit.columns[differing[0]], use.columns[differing[0]], which))
    yield finding_at(
        analysis,
        use.statement,
        "divergent-test-path",
        Severity.WARNING,
        f"the {which} are prepared in another way than the training rows: {listed(differing)}",
        f"apply to the {which} what was done to the training rows, with what was learned from them",
        related,
    )


def _of_themselves(analysis: Analysis, fit: Event, use: Event, which: str) -> Iterator[Finding]:
    """The same steps on both tables, where what the other one takes was learned from its own rows."""
    rows = use.facts[0].rows
    assert rows is not None
    found: dict[str, Learning] = {}
    for name in sorted(fit.columns):
        for number in sorted(use.columns[name].learned_at - fit.columns[name].learned_at):
            learning = analysis.run.learnings[number] if number >= 0 else None
            if learning is None or learning.rows is None or learning.rows.root != rows.root:
                continue
            if (harmful(learning.what) or _numbers(learning.what)) and learning.what not in FILLS:
                found.setdefault(name, learning)
    if not found:
        return
    causes = dict.fromkeys(learning.statement for learning in found.values())
    yield finding_at(
        analysis,
        use.statement,
        "divergent-test-path",
        Severity.WARNING,
        f"the {which} are prepared with what was learned from themselves, not from the training rows: "
        f"{listed(list(found))}",
        f"learn from the training rows alone, and apply that to the {which}",
        tuple(related_at(analysis, one, f"learned from these rows: {text_of(analysis, one)}") for one in causes),
    )


def _numbers(what: str) -> bool:
    """Whether something numbers the values there are, so that other rows may give a value another number."""
    return what.removeprefix("fit:") in CODES


CODES = frozenset({"cat-codes", "categorical-codes", "factorize", "series-factorize", "LabelEncoder", "OrdinalEncoder"})


def _where_they_part(analysis: Analysis, train: Fact, test: Fact, which: str) -> Iterator[Related]:
    """The first statement on one way alone that has no like on the other, whatever the tables are called there."""
    for here, there, whose in ((test, train, which), (train, test, "training rows")):
        shape_here, shape_there = (_shape, _learning_shape) if here is test else (_learning_shape, _shape)
        mine = _served(analysis, here.serve & ~there.serve)
        known = {shape_there(statement.node) for statement in _served(analysis, there.serve)}
        first = next((each for each in mine if shape_here(each.node) not in known), None)
        if first is not None:
            text = text_of(analysis, first.id)
            yield related_at(analysis, first.id, f"on the way of the {whose} alone: {text}")
            return


def _served(analysis: Analysis, bits: int) -> list[Statement]:
    """The statements among these that rows go through after they were read, without those around others."""
    others = {statement.parent for statement in analysis.program.statements}
    others |= {event.statement for event in analysis.events if event.kind == "read"}
    return [each for each in analysis.program.statements if bits >> each.id & 1 and each.id not in others]


def _shape(node: ast.stmt) -> str:
    """A statement without the names in it."""
    nameless = deepcopy(node)
    for part in nodes_below(nameless):
        if isinstance(part, ast.Name):
            part.id = ""
    return ast.dump(nameless)


def _learning_shape(node: ast.stmt) -> str:
    """The same for training rows: `fit_transform` there is what `transform` is elsewhere."""
    return _shape(node).replace("attr='fit_transform'", "attr='transform'")
