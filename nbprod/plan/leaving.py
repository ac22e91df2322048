"""Loops that train and may be left before their end, so that what they compute tells which model is the last.

`for k in …: model.fit(…); if model.score(…) > 0.9: break`. Such a loop is taken as it stands: with what leaves it, and
with what that is decided by.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.program import blocks_of
from nbprod.analysis.scopes import bound_names, free_names
from nbprod.analysis.values import Time
from nbprod.model.program import Statement
from nbprod.plan.placing import names_written
from nbprod.plan.rewriting import Rewriter
from nbprod.plan.training import NotApartError, Training, in_top_block

Loop = ast.For | ast.AsyncFor | ast.While


def what_leaves(analysis: Analysis, rewriter: Rewriter, training: Training) -> int:
    """The statements that tell in which of its rounds a loop around the training ends, as a bit set; 0 for none.

    Raises NotApartError where such a loop stands in a function, of which nothing but the training is written.
    """
    found = 0
    for number, place in enumerate((in_top_block(analysis, training), *training.path[1:])):
        for loop in analysis.program.around(place.id):
            exits = list(_exits(analysis, rewriter, loop, place)) if isinstance(loop.node, Loop) else []
            if exits and training.fit.frames and number:
                raise NotApartError("what the loop computes tells which of its rounds is the last")
            found |= _decided_by(analysis, loop, exits) if exits else 0
    return found


def _exits(analysis: Analysis, rewriter: Rewriter, loop: Statement, training: Statement) -> Iterator[Statement]:
    """What ends a loop early, or keeps a round of it from training by a condition that is only known when it runs."""
    if isinstance(loop.node, ast.While):
        yield loop
    for statement in analysis.program.statements:
        around = list(analysis.program.around(statement.id))
        if loop not in around or not _may_leave(statement, training):
            continue
        within = around[: around.index(loop)]
        if isinstance(statement.node, ast.Break | ast.Continue) and any(isinstance(each.node, Loop) for each in within):
            continue
        known = [_is_known(rewriter, each.node.test) for each in within if isinstance(each.node, ast.If)]
        if not all(known) or isinstance(statement.node, ast.Break):
            yield statement


def _may_leave(statement: Statement, training: Statement) -> bool:
    """Whether a statement in a loop may end it, or a round of it before it trains, or is what trains."""
    if isinstance(statement.node, ast.Continue):
        return (statement.cell, statement.line) < (training.cell, training.line)
    return isinstance(statement.node, ast.Break | ast.Return) or statement.id == training.id


def _is_known(rewriter: Rewriter, test: ast.expr) -> bool:
    """Whether a condition is one of settings, which the analysis has gone through as they are.

    Raises NotApartError where it is one of what lies outside of the notebook.
    """
    if rewriter.note(test) is None and not isinstance(test, ast.Constant):
        return False
    notes = [rewriter.note(node) for node in ast.walk(test) if isinstance(node, ast.expr)]
    if any(note is not None and note.op == "outside" for note in notes):
        raise NotApartError("a condition on what lies outside of the notebook tells which round is the last")
    return all(note is None or note.time is Time.CONSTANT for note in notes)


def _decided_by(analysis: Analysis, loop: Statement, exits: list[Statement]) -> int:
    """The exits, the conditions around them, and what computes the names that these read, before the loop or in it."""
    program = analysis.program
    wanted = {statement.id for statement in exits}
    names: set[str] = set()
    for statement in exits:
        around = list(program.around(statement.id))
        for each in (statement, *around[: around.index(loop) + 1 if loop in around else 0]):
            wanted.add(each.id)
            if isinstance(each.node, ast.If | ast.While):
                names |= free_names(each.node.test)
    seen: set[str] = set()
    while names - seen:
        name = min(names - seen)
        seen.add(name)
        for statement in program.statements:
            simple = not any(True for _ in blocks_of(statement.node))
            if not program.is_within(statement.id, loop.id) or not simple:
                continue
            if name in bound_names(statement.node) | names_written(statement.node):
                wanted.add(statement.id)
                wanted |= {each.id for each in program.around(statement.id) if program.is_within(each.id, loop.id)}
                names |= free_names(statement.node)
    before = [each for each in program.statements if each.parent == -1 and each.id < loop.id]
    for name in seen:
        value = analysis.run.state.names.get(name)
        if value is not None and value.kind in ("scalar", "list", "dict", "none"):
            wanted |= {each.id for each in before if name in names_written(each.node)}
    bits = sum(1 << number for number in wanted)
    for event in analysis.events:
        if event.statement in wanted and event.result is not None:
            bits |= event.result.fit
    return bits
