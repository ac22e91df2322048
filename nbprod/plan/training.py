"""The training call where it stands inside of a function or a loop: what leads up to it, and the model by itself.

A notebook often trains in a function (`def evaluate(model): model.fit(X_train, y_train)`) or in a loop over several
models. The model that is served is one object, trained last by one call. So its construction and that call are written
by themselves, with the values that they had; and what the function does to its arguments before the call is written
where the function is called, its parameters bound to the arguments.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.program import blocks_of
from nbprod.analysis.scopes import bound_names, free_names
from nbprod.analysis.values import Event, Frame, Time
from nbprod.model.plan import Binding, Refusal, Status, Step
from nbprod.model.program import Statement
from nbprod.plan.rewriting import Rewriter
from nbprod.plan.rows import is_over_folds
from nbprod.plan.steps import plan_steps, source_of

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Training(Struct, frozen=True):
    """The training call by its place: the statement of each frame that leads to it, the outermost first.

    `apart` says that it stands in a function or in a loop, so that the statement as a whole can't be extracted.
    """

    fit: Event
    path: tuple[Statement, ...]
    apart: bool


class NotApartError(Exception):
    """Why the training can't be written by itself."""


def training_of(analysis: Analysis, fit: Event) -> Training:
    """Where a training call stands."""
    statements = analysis.program.statements
    path = [statements[fit.top]]
    for frame in fit.frames[1:]:
        path.append(_statement_of(analysis, frame.call))
    if fit.frames:
        path.append(statements[fit.statement])
    looped = any(
        isinstance(outer.node, ast.For | ast.AsyncFor | ast.While)
        for outer in _around(analysis, statements[fit.statement])
    )
    return Training(fit, tuple(path), bool(fit.frames) or looped)


def _statement_of(analysis: Analysis, call: ast.Call | None) -> Statement:
    best = None
    for statement in analysis.program.statements:
        if call is not None and any(inner is call for inner in ast.walk(statement.node)):
            best = statement
    if best is None:
        raise NotApartError("it is called in a method of a class")
    return best


def _around(analysis: Analysis, statement: Statement) -> Iterator[Statement]:
    """The statement and those around it, the innermost first."""
    while True:
        yield statement
        if statement.parent < 0:
            return
        statement = analysis.program.statements[statement.parent]


# ---------------------------------------------------------------------- what leads up to it


def steps_before(analysis: Analysis, rewriter: Rewriter, training: Training, assumed: int) -> list[Step]:
    """What the functions do to their arguments before the training call, as steps at the place of the calls.

    Raises NotApartError where that can't be written outside of the functions.
    """
    steps: list[Step] = []
    shadowed: set[str] = set()
    for number, frame in enumerate(training.fit.frames):
        if not isinstance(frame.function, Function) or frame.call is None:
            raise NotApartError("it stands in a lambda or in a method of a class")
        function = frame.function
        caller, inner = training.path[number], training.path[number + 1]
        body = _leading(analysis, rewriter, training.fit, function, inner)
        own = {argument.arg for argument in _parameters(function)} | bound_names(function)
        foreign = shadowed & (free_names(function) - own)
        if foreign:
            raise NotApartError(f"{min(foreign)} has another meaning in the function that it is called from")
        needed = {name for statement in body for name in free_names(statement.node)} | _handed_on(
            rewriter, training, number
        )
        binding = _bound_parameters(analysis, rewriter, frame, caller, needed)
        if binding is not None:
            steps.append(binding)
        rewriter.inlined |= {statement.id for statement in body}
        steps.extend(plan_steps(analysis, rewriter, body, assumed))
        shadowed |= own
    return steps


def is_prepared_in(analysis: Analysis, rewriter: Rewriter, training: Training) -> bool:
    """Whether the block around a training call makes what the model is trained on: by its folds, or in its body."""
    leading = list(_around(analysis, in_top_block(analysis, training)))
    if any(isinstance(outer.node, ast.For) and is_over_folds(rewriter, outer.node) for outer in leading):
        return not training.fit.frames
    looped = training.apart and not training.fit.frames
    return _is_needed_beside(analysis, leading, rewriter.masks.all if looped else rewriter.masks.serve)


def _is_needed_beside(analysis: Analysis, leading: Sequence[Statement], needed: int) -> bool:
    """Whether a block holds statements among those `needed` (a bit set) beside the one that leads to the training."""
    inside = (s for s in analysis.program.statements if leading[-1] in _around(analysis, s))
    return any(needed >> statement.id & 1 for statement in inside if statement not in leading)


def trained_in_preparation(analysis: Analysis, rewriter: Rewriter, training: Training) -> Statement | None:
    """The statement that trains in a block that prepares features as well, whose last round is what is served.

    None where no block does both. Raises NotApartError where it does not leave what the model was trained on.
    """
    top = training.path[0]
    if isinstance(top.node, ast.For) and is_over_folds(rewriter, top.node):
        return None
    leading = in_top_block(analysis, training)
    if not _is_needed_beside(analysis, list(_around(analysis, leading)), rewriter.masks.serve):
        return None
    _hold_to_last(analysis, rewriter, training.fit, leading)
    return leading


def in_top_block(analysis: Analysis, training: Training) -> Statement:
    """The statement that trains, or that calls the function which does, within the statement of the top level."""
    if training.fit.frames:
        return _statement_of(analysis, training.fit.frames[0].call)
    return analysis.program.statements[training.fit.statement]


def _hold_to_last(analysis: Analysis, rewriter: Rewriter, fit: Event, leading: Statement) -> None:
    """Raises NotApartError unless the blocks around what leads to the training call leave what it was given.

    A loop that goes to its end leaves those of its last round, a branch that the settings choose those that it makes.
    """
    conditional = False
    for inner, outer in pairwise(_around(analysis, leading)):
        match outer.node:
            case ast.For() if conditional:
                raise NotApartError("a condition in the loop tells in which of its rounds it is trained")
            case ast.For(orelse=[]) if not any(_leaves_rounds(node) for node in outer.node.body):
                pass
            case ast.For() | ast.While():
                raise NotApartError("what the loop computes tells which of its rounds is the last")
            case ast.If(test=test):
                conditional = True
                if not _is_settled(rewriter, test):
                    raise NotApartError("a condition on what lies outside of the notebook tells whether it is trained")
            case ast.Try(handlers=handlers) if all(inner.node not in handler.body for handler in handlers):
                conditional = True
            case ast.With():
                pass
            case ast.FunctionDef():
                break
            case _:
                raise NotApartError("features are prepared in the same block")
    later = analysis.events[analysis.events.index(fit) + 1 :]
    if any(event.node is fit.node and event.top == fit.top and _is_given_others(event, fit) for event in later):
        raise NotApartError(
            "a later round of the same loop makes other features, and its model is not the one that is meant"
        )


def _is_settled(rewriter: Rewriter, test: ast.expr) -> bool:
    """Whether a condition hangs on settings, or on what is learned of the rows, and on nothing from outside."""
    note = rewriter.note(test)
    outside = any((inner := rewriter.note(node)) is not None and inner.op == "outside" for node in ast.walk(test))
    return note is not None and note.time < Time.ROW and not outside


def _is_given_others(event: Event, fit: Event) -> bool:
    """Whether the same call trained another model on other columns or other rows."""
    if event.kind != "fit" or event.obj == fit.obj:
        return False
    rows = [fact.rows.digest if fact.rows is not None else "" for fact in (event.facts[0], fit.facts[0])]
    return rows[0] != rows[1] or event.facts[0].digest != fit.facts[0].digest


def _leaves_rounds(node: ast.stmt, *, in_another: bool = False) -> bool:
    """Whether a statement of a loop, or of another one within it, may leave a round of the loop before its end."""
    if isinstance(node, ast.Return):
        return True
    if isinstance(node, ast.Break | ast.Continue):
        return not in_another
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return False
    within = in_another or isinstance(node, ast.For | ast.While)
    return any(_leaves_rounds(inner, in_another=within) for block in blocks_of(node) for inner in block)


def _leading(
    analysis: Analysis, rewriter: Rewriter, fit: Event, function: Function, inner: Statement
) -> list[Statement]:
    """The statements of a function's body in the slice that stand before the one that leads to the training."""
    by_node = {id(statement.node): statement for statement in analysis.program.statements}
    around = list(_around(analysis, inner))
    outermost = next(s for s in around if any(s.node is node for node in function.body))
    also_within = outermost is not inner and _prepares(rewriter, by_node, around[1 : around.index(outermost) + 1])
    if also_within:
        _hold_to_last(analysis, rewriter, fit, inner)
    found = []
    for node in function.body:
        if node is outermost.node and not also_within:
            break
        statement = by_node[id(node)]
        if rewriter.masks.all >> statement.id & 1 and not isinstance(node, ast.Import | ast.ImportFrom | Function):
            found.append(statement)
        if node is outermost.node:
            break
    return found


def _prepares(rewriter: Rewriter, by_node: dict[int, Statement], blocks: Sequence[Statement]) -> bool:
    """Whether features are prepared within these compound statements."""
    inside = (by_node[id(node)] for each in blocks for block in blocks_of(each.node) for node in block)
    return any(rewriter.masks.serve >> statement.id & 1 for statement in inside)


def _handed_on(rewriter: Rewriter, training: Training, number: int) -> set[str]:
    """Names that the next call, or the training itself, is given; estimators are written by themselves."""
    frames = training.fit.frames
    call = frames[number + 1].call if number + 1 < len(frames) else training.fit.node
    assert call is not None
    given = [part for part in (*call.args, *(k.value for k in call.keywords)) if not _is_estimator(rewriter, part)]
    return {name for part in given for name in free_names(part)}


def _parameters(function: Function) -> list[ast.arg]:
    arguments = function.args
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


def _bound_parameters(
    analysis: Analysis, rewriter: Rewriter, frame: Frame, caller: Statement, needed: set[str]
) -> Step | None:
    """One assignment of the arguments to those parameters that are needed and have other names."""
    function, call = frame.function, frame.call
    assert isinstance(function, Function)
    assert call is not None
    given = arguments_of_call(function, call)
    names, texts = [], []
    source = rewriter.sources[caller.cell]
    sites = len(rewriter.sites)
    for parameter in _parameters(function):
        node = given.get(parameter.arg)
        if parameter.arg not in needed or node is None:
            continue
        if node in (*function.args.defaults, *function.args.kw_defaults):
            text = ast.unparse(node)
        else:
            text = source.rendered(
                source.start(node), source.end(node), list(rewriter.edits_of(node, caller.cell, False))
            )
        if text != parameter.arg:
            names.append(parameter.arg)
            texts.append(text)
    if not names:
        return None
    return Step(
        cell=caller.cell,
        line=caller.line,
        end_line=caller.end_line,
        binding=Binding.ROW,
        status=Status.PROVEN,
        source=source_of(analysis, caller),
        code=f"{', '.join(names)} = {', '.join(texts)}",
        sites=tuple(rewriter.sites[sites:]),
        lines=(call.lineno,),
    )


def _is_estimator(rewriter: Rewriter, node: ast.expr) -> bool:
    note = rewriter.note(node)
    return note is not None and note.kind == "estimator"


def arguments_of_call(function: Function, call: ast.Call) -> dict[str, ast.expr]:
    """Parameter → the expression that it is given: an argument, or its default."""
    arguments = function.args
    if any(isinstance(part, ast.Starred) for part in call.args) or any(k.arg is None for k in call.keywords):
        raise NotApartError("its arguments are not written out")
    positional = [*arguments.posonlyargs, *arguments.args]
    found: dict[str, ast.expr] = {}
    for parameter, default in zip(
        positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True
    ):
        found[parameter.arg] = default
    for parameter, given in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if given is not None:
            found[parameter.arg] = given
    found.update({parameter.arg: node for parameter, node in zip(positional, call.args, strict=False)})
    found.update({keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None})
    return found


def refusal_of(analysis: Analysis, fit: Event, reason: str) -> Refusal:
    """What keeps the training from being extracted."""
    statement = analysis.program.statements[fit.statement]
    return Refusal(
        statement.cell,
        fit.node.lineno,
        "training-apart",
        f"the model is trained inside of a function, a loop or another block, and {reason}",
        "train the model that is to be served in a statement of its own: model.fit(X_train, y_train)",
    )
