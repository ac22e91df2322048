"""Statements that were rewritten before: in a notebook that is being edited nearly all are what they were.

Most statements hang on nothing but their own text and on what the analysis noted at their parts. Such a one is
rewritten once, and again only where a note is another one, or where statements above it took other names for what they
learn.
"""

from __future__ import annotations

import ast
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from msgspec import Struct

from nbprod.analysis.changed_arguments import CHANGES
from nbprod.analysis.scopes import nodes_of
from nbprod.analysis.values import Note
from nbprod.model.plan import Binding, LearnedSite
from nbprod.model.program import Statement
from nbprod.notebook.parsed import children
from nbprod.plan.rendered import Line
from nbprod.plan.rewriting import Rewriter

MOST = 4096
"""How many statements are remembered, the last ones."""

OF_ITSELF = frozenset({"", "reads", "outside", CHANGES, "row-numbers"})
"""What an expression may do (`Note.op`) where its text hangs on nothing elsewhere: on no mask, function or table."""


class Rewritten(Struct, frozen=True):
    """A statement as it is extracted, what it learns, and when it runs; `fitting`: in training only."""

    lines: tuple[Line, ...]
    otherwise: tuple[Line, ...]
    fitting: bool
    sites: tuple[LearnedSite, ...]
    idioms: tuple[str, ...]
    binding: Binding


class _Given(Struct, frozen=True):
    """What the text of a statement hangs on, where it hangs on nothing elsewhere."""

    text: str
    cell: int
    line: int
    mode: str
    side: str
    notes: tuple[Note | None, ...]


class _Kept(Struct, frozen=True):
    """`inner` are the ids of its nodes, `names` those that it mentions.

    `stems` are those that its sites are named by, each with how many sites had it before the statement and behind it.
    """

    node: ast.stmt
    inner: tuple[int, ...]
    names: frozenset[str]
    given: _Given
    stems: tuple[tuple[str, int, int], ...]
    rewritten: Rewritten


class Memory:
    """Statements by their node in the syntax tree, which the versions of a notebook that is edited share."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[int, _Kept] = OrderedDict()

    def recall(self, rewriter: Rewriter, statement: Statement, mode: str) -> Rewritten | None:
        """What was made of a statement, as if it were made now; None where it may be another thing now."""
        with self._lock:
            kept = self._kept.get(id(statement.node))
        if kept is None or kept.node is not statement.node or not _is_free(rewriter, kept.inner, kept.names):
            return None
        counts = rewriter.site_counts
        if any(counts.get(stem, 0) != before for stem, before, _ in kept.stems):
            return None
        if _given(rewriter, statement, mode, kept.inner) != kept.given:
            return None
        for stem, before, behind in kept.stems:
            rewriter.stems.extend([stem] * (behind - before))
            counts[stem] = behind
        rewriter.sites.extend(kept.rewritten.sites)
        rewriter.touched |= bool(kept.rewritten.sites)
        return kept.rewritten

    def keep(self, rewriter: Rewriter, statement: Statement, mode: str, rewritten: Rewritten) -> None:
        """Remember what was just made of a statement, where it hangs on itself alone."""
        if not isinstance(statement.node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr):
            return
        nodes = nodes_of(statement.node)
        inner, names = tuple(map(id, nodes)), frozenset(node.id for node in nodes if isinstance(node, ast.Name))
        if not _is_free(rewriter, inner, names) or not _hangs_on_itself(rewriter, statement.node, nodes):
            return
        used = rewriter.stems[len(rewriter.stems) - len(rewritten.sites) :]
        counts = rewriter.site_counts
        stems = tuple((stem, counts[stem] - used.count(stem), counts[stem]) for stem in dict.fromkeys(used))
        given = _given(rewriter, statement, mode, inner)
        with self._lock:
            self._kept[id(statement.node)] = _Kept(statement.node, inner, names, given, stems, rewritten)
            self._kept.move_to_end(id(statement.node))
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


def _given(rewriter: Rewriter, statement: Statement, mode: str, inner: tuple[int, ...]) -> _Given:
    text = rewriter.sources[statement.cell].text
    notes = tuple([rewriter.run.notes.get(number) for number in inner])
    return _Given(text, statement.cell, statement.line, mode, rewriter.side, notes)


def _is_free(rewriter: Rewriter, inner: tuple[int, ...], names: frozenset[str]) -> bool:
    """Whether nothing of a statement is put in by the plan, and it mentions none of the notebook's functions."""
    return (
        not rewriter.together
        and rewriter.replaced.keys().isdisjoint(inner)
        and rewriter.functions.keys().isdisjoint(names)
    )


def _hangs_on_itself(rewriter: Rewriter, statement: ast.stmt, nodes: Sequence[ast.AST]) -> bool:
    """Whether the text of a simple statement is told by its notes: see `expressions.edits_of` for what else counts."""
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Tuple):
        return False
    for node in nodes:
        note = rewriter.note(node)
        if note is not None and note.op not in OF_ITSELF:
            return False
        if isinstance(node, ast.List | ast.Tuple | ast.Dict) and any(
            (inner := rewriter.note(part)) is not None and inner.root >= 0 for part in children(node)
        ):
            return False
    return True
