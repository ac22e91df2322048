"""Expressions: which of their parts learn, which look over rows, and what stands in their place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nbprod.analysis.changed_arguments import CHANGES
from nbprod.analysis.column_masks import KIND as COLUMN_MASK
from nbprod.analysis.labels import CHOSEN_LABELS
from nbprod.analysis.mutation import changes_receiver
from nbprod.analysis.outside import IN_NO_ORDER
from nbprod.analysis.values import Note, Time
from nbprod.notebook.parsed import children, nodes_below
from nbprod.plan import edits, functions, lookups, rows, together
from nbprod.plan.source import Edit

if TYPE_CHECKING:
    from nbprod.plan.rewriting import Rewriter


def edits_of(rewriter: Rewriter, node: ast.AST, cell: int, fitting: bool) -> Iterator[Edit]:
    """The edits of an expression or simple statement."""
    if id(node) in rewriter.replaced:
        source = rewriter.sources[cell]
        rewriter.touched |= id(node) == rewriter.handed_in
        yield Edit(source.start(node), source.end(node), rewriter.replaced[id(node)])
        return
    note = rewriter.note(node)
    if isinstance(node, ast.List | ast.Tuple | ast.Dict) and not fitting:
        made = edits.display_edits(rewriter, node, cell)
        if made is not None:
            yield from made
            return
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        rewriter.bound, rewriter.whole = node.targets[0].id, node.value
        yield from rewriter.edits_of(node.value, cell, fitting)
        rewriter.bound, rewriter.whole = "", None
        return
    if isinstance(node, ast.NamedExpr):
        outer = (rewriter.bound, rewriter.whole)
        rewriter.bound, rewriter.whole = node.target.id, node.value
        yield from rewriter.edits_of(node.value, cell, fitting)
        rewriter.bound, rewriter.whole = outer
        return
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple | ast.List) and not fitting:
        yield from rows.other_side_edits(rewriter, node.value, cell)
        return
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple) and not fitting:
        for part in node.value.elts:
            yield from rows.part_edits(rewriter, part, cell)
        return
    if isinstance(node, ast.Name) and node.id in rewriter.functions and functions.learns(rewriter, node.id):
        yield from functions.handed_edits(rewriter, node, cell, fitting)
        return
    if _asks_for_main(node):
        yield Edit(rewriter.sources[cell].start(node), rewriter.sources[cell].end(node), "True")
        return
    if isinstance(node, ast.Call) and rewriter.together and not fitting and rows.numbers_anew(node):
        yield from rows.unnumbered_edits(rewriter, node, cell)
        return
    if isinstance(node, ast.expr) and note is not None:
        made = _expression_edits(rewriter, node, note, cell, fitting)
        if made is not None:
            yield from made
            return
    for child in children(node):
        yield from edits_of(rewriter, child, cell, fitting)


def _asks_for_main(node: ast.AST) -> bool:
    """Whether an expression asks if it runs as the main program: a notebook does, and its package is a module."""
    match node:
        case (
            ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")])
            | ast.Compare(left=ast.Constant(value="__main__"), ops=[ast.Eq()], comparators=[ast.Name(id="__name__")])
        ):
            return True
    return False


def _expression_edits(rewriter: Rewriter, node: ast.expr, note: Note, cell: int, fitting: bool) -> list[Edit] | None:
    """The edits of one expression, None when only its parts are to be looked at."""
    if note.kind == COLUMN_MASK or note.op == "row-numbers":
        return []
    if note.op in ("user-call", "method-call") and isinstance(node, ast.Call):
        return functions.call_edits(rewriter, node, cell, fitting, note)
    if note.op == "drop-columns" and isinstance(node, ast.Call):
        return edits.drop_edits(rewriter, node, cell, fitting=fitting)
    if fitting:
        return None
    if note.op == CHOSEN_LABELS and isinstance(node, ast.Attribute):
        # Labels only choose rows, so that those of a condition are chosen in serving as well.
        return list(rewriter.edits_of_children(node.value, cell, False))
    if not note.op:
        return _learned_edits(rewriter, node, note, cell)
    if isinstance(node, ast.Call) and note.op in ("fit", "fit-transform", "fit-predict"):
        return edits.fit_edits(rewriter, node, note, cell)
    if note.op.startswith("idiom:"):
        return edits.idiom_edits(rewriter, node, note, cell)
    if note.op == "row-changing" and isinstance(node, ast.Call) and rewriter.together and rows.sorts(node):
        return rows.ordered_edits(rewriter, node, cell)
    if note.op == "row-changing":
        return edits.guard_edits(rewriter, node, cell)
    if note.op == "concat":
        return together.together_edits(rewriter, node, note, cell)
    if note.op == "lookup" and isinstance(node, ast.Call):
        return lookups.lookup_edits(rewriter, node, cell)
    if note.op == "rows-and-columns" and isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        return edits.rows_and_columns(rewriter, node, cell)
    if note.op == IN_NO_ORDER:
        return edits.order_edits(rewriter, node, cell)
    if note.op in ("reads", "outside"):
        return edits.site_edits(rewriter, node, cell)
    if note.op == CHANGES:
        return None
    return _learned_edits(rewriter, node, note, cell)


def _learned_edits(rewriter: Rewriter, node: ast.expr, note: Note, cell: int) -> list[Edit] | None:
    """The edits of an expression that is learned as a whole, None where it is not."""
    if note.time is not Time.LEARNED:
        return None
    if isinstance(node, ast.Slice | ast.Starred) or any(
        isinstance(part, ast.Slice) for part in getattr(node, "elts", ())
    ):
        return None
    if is_site(rewriter, node, note) and not _fits(rewriter, node) and not _is_several(node):
        return edits.site_edits(rewriter, node, cell)
    return None


def is_site(rewriter: Rewriter, node: ast.expr, note: Note) -> bool:
    """Whether an expression is learned as a whole: `learned("name", lambda: …)` can stand in its place."""
    return _is_learned(node, note) and _looks_at_rows(rewriter, node) and not _binds(node)


def _looks_at_rows(rewriter: Rewriter, node: ast.AST) -> bool:
    """Whether a part of an expression has a value for each row, or comes from outside of the data."""
    for inner in nodes_below(node):
        if inner is node:
            continue
        note = rewriter.note(inner)
        if note is not None and (note.time is Time.ROW or note.op in ("outside", "reads")):
            return True
    return False


def _fits(rewriter: Rewriter, node: ast.AST) -> bool:
    """Whether an expression fits an estimator on the way, which serving has to restore."""
    for inner in nodes_below(node):
        note = rewriter.note(inner)
        if note is not None and note.op in ("fit", "fit-transform", "fit-predict"):
            return True
    return False


def _is_learned(node: ast.AST, note: Note) -> bool:
    """Whether an expression is a value that is learned: no method of one, and no call that changes a container."""
    match node:
        case ast.Call(func=ast.Attribute(attr=method)) if changes_receiver(method, {}, alone=False):
            return False
        case _:
            return note.time is Time.LEARNED and note.kind != "method"


def _binds(node: ast.AST) -> bool:
    """Whether an expression binds a name for the statements around it (`:=`), as no function of its own could."""
    if isinstance(node, ast.Lambda):
        return False
    return isinstance(node, ast.NamedExpr) or any(map(_binds, children(node)))


def _is_several(node: ast.expr) -> bool:
    """Whether an expression is no value that can be kept: several without brackets, or something to go through once."""
    match node:
        case ast.Tuple():
            return True
        case ast.Call(func=ast.Name(id="enumerate" | "zip" | "map" | "filter" | "reversed" | "iter")):
            return True
        case ast.Call(func=ast.Attribute(attr="items" | "keys" | "iteritems"), args=[], keywords=[]):
            return True
        case _:
            return False
