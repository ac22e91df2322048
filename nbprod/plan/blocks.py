"""A loop or a call that trains, taken as it stands.

A loop that keeps the best of several models, or a function that trains with what it computes itself: the statement of
the top level is what trains. It can be extracted as such where it prepares no features, is given matrix and labels, and
leaves the model under a name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from msgspec import Struct

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.scopes import bound_names, free_names
from nbprod.analysis.values import Event, Time, Value
from nbprod.model.plan import Step
from nbprod.model.program import Statement
from nbprod.plan.masks import Masks
from nbprod.plan.modelling import Given, pruned_step, trained_step
from nbprod.plan.placing import names_written
from nbprod.plan.rewriting import Rewriter
from nbprod.plan.training import NotApartError, Training, arguments_of_call


class Block(Struct, frozen=True):
    """A statement of the top level that trains: the model's name after it, what it is given, what it needs.

    `functions` are those that have to be defined where it runs; `best_of` is set where it chooses among several models.
    """

    statement: Statement
    name: str
    given: Given
    functions: tuple[Statement, ...]
    own: int
    best_of: str | None


def best_of_several(analysis: Analysis, fit: Event) -> str | None:
    """The name under which a loop keeps one of the models that it trains, whichever does best."""
    for name, value in analysis.run.state.names.items():
        if name != fit.text and value.obj == fit.obj and value.ident >= 0 and value.kind == "estimator":
            asked = [e.text for e in analysis.events if e.kind in ("predict", "score") and e.top > fit.top]
            return None if fit.text in asked and name not in asked else name
    return None


def block_of(analysis: Analysis, training: Training, masks: Masks, leaving: int = 0) -> Block:
    """The statement that trains, as it stands, with those that tell when it is left (a bit set).

    Raises NotApartError where it can't be extracted as such.
    """
    fit = training.fit
    top = training.path[0]
    _hold_to_training(analysis, training, masks)
    best = best_of_several(analysis, fit)
    name = best or _name_after(analysis, fit)
    if name is None:
        raise NotApartError("the model has no name afterwards")
    if best and any(_differs(event, fit) for event in _trained_in(analysis, top)):
        raise NotApartError("the models among which one is chosen are trained on different features")
    own = (analysis.run.data(analysis.run.state.names[name]).fit | leaving | 1 << top.id) & ~masks.all | 1 << top.id
    return Block(top, name, _given(training), tuple(_closures(analysis, training)), own, best)


def block_steps(analysis: Analysis, rewriter: Rewriter, block: Block, before: Sequence[Statement]) -> list[Step]:
    """The statements `before` the block that only training needs, the functions that it calls, and the block."""
    block.given.call_them(rewriter, block.given.names)
    leading = [statement for statement in before if statement is not block.statement]
    steps = [trained_step(analysis, rewriter, statement) for statement in (*leading, *block.functions)]
    return [*steps, pruned_step(analysis, rewriter, block.statement, block.own)]


def _hold_to_training(analysis: Analysis, training: Training, masks: Masks) -> None:
    """Raises NotApartError where features are prepared in the block, or in a function that it calls."""
    bodies = [frame.function for frame in training.fit.frames]
    for statement in analysis.program.statements:
        inside = any(node is statement.node for body in bodies if body is not None for node in ast.walk(body))
        if inside and statement.node not in bodies and masks.all >> statement.id & 1:
            raise NotApartError("features are prepared in the same function")


def _name_after(analysis: Analysis, fit: Event) -> str | None:
    """A name that the model has at the end."""
    names = [name for name, value in analysis.run.state.names.items() if value.obj == fit.obj]
    return fit.text if fit.text in names else next(iter(names), None)


def _trained_in(analysis: Analysis, top: Statement) -> Iterator[Event]:
    return (e for e in analysis.events if e.kind == "fit" and e.kindof == "predictor" and e.top == top.id)


def _differs(event: Event, fit: Event) -> bool:
    return [fact.digest for fact in event.facts] != [fact.digest for fact in fit.facts]


def _given(training: Training) -> Given:
    """Matrix and labels as the statement of the top level gives them to the training call."""
    given = Given.of(training.fit.node, training.path[-1])
    for number in reversed(range(len(training.fit.frames))):
        frame = training.fit.frames[number]
        function = frame.function
        if not isinstance(function, ast.FunctionDef) or frame.call is None:
            raise NotApartError("it stands in a lambda or in a method of a class")
        arguments = arguments_of_call(function, frame.call)
        matrix = _from_outside(given.matrix, function, arguments)
        labels = None if given.labels is None else _from_outside(given.labels, function, arguments)
        given = Given(matrix, labels, training.path[number])
    return given


def _from_outside(node: ast.expr | None, function: ast.FunctionDef, arguments: dict[str, ast.expr]) -> ast.expr:
    """What a function is given for a name of its own, or the name itself where it is a global."""
    if isinstance(node, ast.Name) and node.id not in bound_names(function):
        if node.id not in {argument.arg for argument in ast.walk(function.args) if isinstance(argument, ast.arg)}:
            return node
        if node.id in arguments:
            return arguments[node.id]
    raise NotApartError("what it is trained on is made in the same function")


def _closures(analysis: Analysis, training: Training) -> Iterator[Statement]:
    """The functions on the way that read names which the notebook computes: they are defined where these are known."""
    computed = {
        name
        for statement in analysis.program.statements
        if statement.parent == -1 and not isinstance(statement.node, ast.Import | ast.ImportFrom)
        for name in names_written(statement.node)
        if _is_computed(analysis, analysis.run.state.names.get(name))
    }
    bodies = {id(frame.function) for frame in training.fit.frames}
    for statement in analysis.program.statements:
        if id(statement.node) in bodies and free_names(statement.node) & computed:
            yield statement


def _is_computed(analysis: Analysis, value: Value | None) -> bool:
    if value is None or value.kind in ("module", "lib", "function", "class"):
        return False
    return not value.is_const and analysis.run.data(value).time is not Time.CONSTANT
