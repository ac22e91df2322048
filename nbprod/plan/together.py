"""Tables that were put one below the other: their serving form, what has to be refused, what training reads besides."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nbprod.analysis.apart import is_taken, root_of
from nbprod.analysis.interpreter import Interpreter
from nbprod.analysis.values import Event, Note, Rows
from nbprod.model.plan import FurtherTable, Refusal
from nbprod.plan import edits
from nbprod.plan.source import Edit

if TYPE_CHECKING:
    from nbprod.plan.rewriting import Rewriter


def together_edits(rewriter: Rewriter, node: ast.expr, note: Note, cell: int) -> list[Edit]:
    """`together(learned, "name", lambda: pd.concat([train, test]), train)`, or of a list that has a name.

    In serving such a list has the one table that is served.
    """
    assert isinstance(note.of, ast.expr)
    source = rewriter.sources[cell]
    rewriter.touched = True
    function = rewriter.use_idiom("concat", "together")
    stem = rewriter.bound or edits.site_name(rewriter, node)
    name = edits.new_site(rewriter, stem, node, cell)
    inner = list(rewriter.edits_of_children(node, cell, True))
    served = source.rendered(source.start(note.of), source.end(note.of), list(rewriter.edits_of(note.of, cell, False)))
    if _is_list(rewriter, note.of):
        served += "[0]"
    return [
        Edit(source.start(node), source.start(node), f'{function}(learned, "{name}", lambda: '),
        *inner,
        Edit(source.end(node), source.end(node), f", {served})"),
    ]


def _is_list(rewriter: Rewriter, node: ast.expr) -> bool:
    note = rewriter.note(node)
    return note is not None and note.kind in ("list", "tuple")


def tables_edits(rewriter: Rewriter, node: ast.List | ast.Tuple | ast.Dict, cell: int) -> list[Edit] | None:
    """A list or dict of tables without those of other files, which serving does not have: `for t in [train, test]:`.

    Training keeps those that it needs.
    """
    elements = node.values if isinstance(node, ast.Dict) else node.elts
    others = [element for element in elements if _other_table(rewriter, element)]
    kept = [element for element in elements if element not in others]
    if not others or not kept or not _stands_alone(rewriter, node, cell):
        return None
    trained = [element for element in elements if element in kept or _is_trained_on(rewriter, element)]
    texts = [_display(rewriter, node, some, cell) for some in (trained, kept)]
    source = rewriter.sources[cell]
    if texts[0] == texts[1]:
        return [Edit(source.start(node), source.end(node), texts[1])]
    rewriter.touched = True
    return [Edit(source.start(node), source.end(node), f"({texts[0]} if learned.fitting else {texts[1]})")]


def _display(rewriter: Rewriter, node: ast.List | ast.Tuple | ast.Dict, elements: Sequence[ast.expr], cell: int) -> str:
    """A list, tuple or dict with some of its elements."""
    source = rewriter.sources[cell]
    parts = [source.rendered(source.start(e), source.end(e), list(rewriter.edits_of(e, cell, False))) for e in elements]
    if isinstance(node, ast.Dict):
        keys = [source.segment(key) for key, e in zip(node.keys, node.values, strict=True) if key and e in elements]
        return "{" + ", ".join(f"{key}: {part}" for key, part in zip(keys, parts, strict=True)) + "}"
    inner = ", ".join(parts)
    return f"[{inner}]" if isinstance(node, ast.List) else f"({inner}{',' if len(parts) == 1 else ''})"


def _other_table(rewriter: Rewriter, node: ast.expr) -> bool:
    """Whether an expression is a table of another file than the rows that are served."""
    note = rewriter.note(node)
    return isinstance(node, ast.Name) and note is not None and note.root >= 0 and note.root != rewriter.root


def _is_trained_on(rewriter: Rewriter, node: ast.expr) -> bool:
    note = rewriter.note(node)
    return note is not None and bool(rewriter.masks.fit >> rewriter.run.events[note.root].top & 1)


def _stands_alone(rewriter: Rewriter, node: ast.expr, cell: int) -> bool:
    """Whether a list is gone through or bound to a name, and not handed to a call."""
    statement = rewriter.statement_of(node, cell)
    if statement is None:
        return False
    match statement.node:
        case ast.Assign(value=value) if value is node:
            return True
    return any(
        getattr(inner, "iter", None) is node
        for inner in ast.walk(statement.node)
        if isinstance(inner, ast.For | ast.comprehension)
    )


def not_taken_apart(run: Interpreter, rows: Rows | None) -> Iterator[Refusal]:
    """A refusal where the model is trained on rows of several tables, or on those of one that is not served."""
    together = run.together.get(rows.mix) if rows is not None and rows.mix else None
    if together is None or rows is None:
        return
    statement = run.program.statements[together.statement]
    if not is_taken(rows):
        yield Refusal(
            statement.cell,
            getattr(together.node, "lineno", statement.line),
            "concat-of-rows",
            "tables are put one below the other, and the model is trained on the rows of both",
            "take the training table back by its place or by a column that only it has: full[:len(train)]",
        )
    elif root_of(rows) != rows.root:
        yield Refusal(
            statement.cell,
            getattr(together.node, "lineno", statement.line),
            "concat-of-rows",
            "tables are put one below the other, and the model is trained on another than the first",
            "put the training table first: pd.concat([train, test])",
        )


def training_inputs(run: Interpreter, read: Event, masks_fit: int) -> tuple[FurtherTable, ...]:
    """The calls by which training reads further tables, once each."""
    found = [
        event
        for event in run.events
        if event.kind == "read" and event is not read and event.node is not read.node and masks_fit >> event.top & 1
    ]
    return tuple(dict.fromkeys(_table(run, event) for event in found))


def tables_of(run: Interpreter, read: Event) -> tuple[FurtherTable, ...]:
    """The calls that read the halves of the raw rows, where those are records that are joined."""
    return tuple(_table(run, run.events[part]) for part in run.halves.get(run.events.index(read), ()))


def _table(run: Interpreter, event: Event) -> FurtherTable:
    return FurtherTable(
        run.program.statements[event.statement].cell,
        event.node.lineno,
        event.name,
        event.const if isinstance(event.const, str) else None,
        ast.unparse(event.node),
    )
