"""Trials of a model: a training call and what the model was asked afterwards, up to its next training call."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from msgspec import Struct

from nbprod.analysis import Analysis
from nbprod.analysis.populations import of_fold
from nbprod.analysis.values import Event, Rows
from nbprod.notebook.parsed import nodes_below

MODELS = frozenset({"predictor", "network", "regression"})
USES = frozenset({"predict", "score", "evaluate", "forward", "validate"})


FOLDED = frozenset({"cross-validation", "held-out"})
"""Calls that set some of the rows they are given apart by themselves, and test on these."""

DENSITIES = frozenset({"BayesianGaussianMixture", "GaussianMixture", "KernelDensity"})
"""Models of the rows themselves: their score is the likelihood of rows, which needs rows of a test as any other."""


class Use(Struct, frozen=True):
    """A call that asks a fitted model for predictions or a score; `at` is its place among all calls.

    `scored`: the answer is a score, or is compared with labels.
    """

    event: Event
    rows: Rows
    scored: bool
    at: int


class Trial(Struct, frozen=True):
    """A training call, with labels or of a density, and the uses of the model that it made.

    The rows of both are known; `at` is the place of the training call among all calls.
    """

    fit: Event
    rows: Rows
    uses: tuple[Use, ...]
    at: int

    @property
    def labels(self) -> frozenset[str]:
        """The raw columns that the labels are made of; empty where nothing is known of them."""
        return self.fit.facts[1].inputs if len(self.fit.facts) > 1 else frozenset()


def trials(analysis: Analysis) -> list[Trial]:
    """The trials of all models, in the order of their training calls."""
    events = analysis.events
    measured = frozenset[int]().union(*(_origins(event) for event in events if event.kind == "metric"))
    learned = frozenset[int]().union(*(_origins(event) for event in events if event.kind == "backward"))
    beside = _compared(analysis)
    current: dict[int, int] = {}
    uses: dict[int, list[Use]] = {}
    for number, event in enumerate(events):
        if event.kindof not in MODELS:
            continue
        if event.kind == "fit" or -1 - number in learned:
            current[event.obj] = number
            uses[number] = []
        elif event.kind in USES and event.obj in current and event.facts[0].rows is not None:
            trained = current[event.obj]
            told = -1 - number in measured or _are_labels(events[trained], beside.get(number, []))
            scored = _is_score(event) or (told and _learns_labels(events[trained]))
            uses[trained].append(Use(event, event.facts[0].rows, scored, number))
    return [
        Trial(events[number], rows, tuple(found), number)
        for number, found in uses.items()
        if (rows := events[number].facts[0].rows) is not None
        and (_learns_labels(events[number]) or _is_density(events[number]))
    ]


def places(events: Iterable[Event]) -> tuple[int, ...]:
    """The statements of events, each once."""
    return tuple(dict.fromkeys(event.statement for event in events))


def is_fold(analysis: Analysis, use: Use) -> bool:
    """Whether the rows were chosen within the loop that uses them, so that each round may have others."""
    statements = analysis.program.statements
    at = use.event.statement
    around = {use.event.top, at, *(place.id for place in analysis.program.around(at))}
    in_loop = any(use.rows.fit >> n & 1 and isinstance(statements[n].node, ast.For) for n in around)
    return in_loop or (of_fold(use.rows) and _is_in_comprehension(statements[use.event.statement].node, use.event.node))


def _is_in_comprehension(statement: ast.AST, call: ast.AST) -> bool:
    rounds = (
        part
        for part in nodes_below(statement)
        if isinstance(part, ast.ListComp | ast.DictComp | ast.GeneratorExp | ast.SetComp)
    )
    return any(part is call for one in rounds for part in nodes_below(one))


def _compared(analysis: Analysis) -> dict[int, list[frozenset[str]]]:
    """What predictions were put beside, by event: the raw columns of the other side."""
    found: dict[int, list[frozenset[str]]] = {}
    for number, inputs in sorted(analysis.run.compared, key=lambda one: one[0]):
        found.setdefault(-1 - number, []).append(inputs)
    return found


def _are_labels(fit: Event, beside: Iterable[frozenset[str]]) -> bool:
    """Whether labels stand among what predictions were put beside; what is not known may be labels."""
    own = fit.facts[1].inputs if len(fit.facts) > 1 else frozenset[str]()
    return any(not own or not inputs or own & inputs for inputs in beside)


def _origins(event: Event) -> frozenset[int]:
    return frozenset().union(*(fact.learned_at for fact in event.facts))


def _is_score(event: Event) -> bool:
    return event.kind == "score" or (event.kind == "evaluate" and "predict" not in str(event.const))


def _is_density(fit: Event) -> bool:
    return fit.name.rpartition(".")[2] in DENSITIES


def _learns_labels(fit: Event) -> bool:
    return fit.kindof == "network" or fit.facts[1].rows is not None or fit.facts[1].digest != "-"
