"""Functions of the notebook: which of them hold a learned site, their text, and calls that hand `learned` on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nbprod.analysis.values import Note
from nbprod.model.program import Statement
from nbprod.notebook.parsed import syntax_tree
from nbprod.plan import edits, expressions
from nbprod.plan.rendered import Line, numbered
from nbprod.plan.source import Edit, dedented, header_end

if TYPE_CHECKING:
    from nbprod.plan.rewriting import Rewriter


def call_edits(rewriter: Rewriter, node: ast.Call, cell: int, fitting: bool, note: Note) -> list[Edit] | None:
    """The edits of a call of one of the notebook's functions or methods."""
    source = rewriter.sources[cell]
    if not fitting and expressions.is_site(rewriter, node, note):
        return edits.site_edits(rewriter, node, cell)
    named = isinstance(node.func, ast.Name)
    children = [child for child in ast.iter_child_nodes(node) if not (named and child is node.func)]
    inner = [edit for child in children for edit in _handed(rewriter, child, cell, fitting)]
    if not isinstance(node.func, ast.Name) or node.func.id not in rewriter.functions:
        return inner
    if not takes_learned(rewriter, node.func.id, render=not fitting):
        return inner
    rewriter.touched = True
    close = source.end(node) - 1
    before = source.text[source.start(node) : close].rstrip()
    comma = "" if before.endswith("(") else " " if before.endswith(",") else ", "
    return [*inner, Edit(close, close, f"{comma}learned=learned")]


def _handed(rewriter: Rewriter, node: ast.AST, cell: int, fitting: bool) -> Iterator[Edit]:
    """The edits of an argument: what is computed of the other side of the split is not there, as `X_test.copy()`."""
    note = rewriter.note(node)
    if rewriter.is_of_other_side(note) and not isinstance(node, ast.Name):
        source = rewriter.sources[cell]
        yield Edit(source.start(node), source.end(node), "None")
    else:
        yield from rewriter.edits_of(node, cell, fitting)


def learns(rewriter: Rewriter, name: str) -> bool:
    """Whether something is learned in a function of the notebook."""
    outer = rewriter.functions[name].id
    return any(rewriter.program.is_within(learning.statement, outer) for learning in rewriter.run.learnings)


def handed_edits(rewriter: Rewriter, node: ast.Name, cell: int, fitting: bool) -> Iterator[Edit]:
    """A function that learns, given to another: `df.apply(scaled)`; it gets `learned` where it is called."""
    if not takes_learned(rewriter, node.id, render=not fitting):
        return
    rewriter.touched = True
    source = rewriter.sources[cell]
    text = f"lambda *args, **options: {node.id}(*args, **options, learned=learned)"
    yield Edit(source.start(node), source.end(node), text)


def takes_learned(rewriter: Rewriter, name: str, *, render: bool = True) -> bool:
    """Render a function of the notebook; whether it takes `learned`."""
    if name in rewriter.threaded:
        return True
    if name in rewriter.plain or name in rewriter.rendering:
        return False
    if not render:
        return False
    statement = rewriter.functions[name]
    rewriter.rendering.append(name)
    touched, rewriter.touched = rewriter.touched, False
    loops, rewriter.loops = rewriter.loops, []
    node = statement.node
    assert isinstance(node, ast.FunctionDef)
    inner = [s for s in rewriter.program.statements if rewriter.program.is_within(s.id, statement.id)]
    if not any(rewriter.masks.all >> s.id & 1 for s in inner):
        lines = _verbatim(rewriter, statement)
        needs = False
    else:
        lines = rewriter.compound(statement)
        needs = rewriter.touched
    if needs:
        lines = _with_parameter(lines)
        rewriter.threaded[name] = lines
    else:
        rewriter.plain[name] = (
            _verbatim(rewriter, statement) if not any(rewriter.masks.all >> s.id & 1 for s in inner) else lines
        )
    rewriter.touched = touched
    rewriter.loops = loops
    rewriter.rendering.pop()
    return needs


def _verbatim(rewriter: Rewriter, statement: Statement) -> list[Line]:
    source = rewriter.sources[statement.cell]
    node = statement.node
    start = source.offset(statement.line, 0)
    text = dedented(source.text[start : source.end(node)] + source.trailing_comment(source.end(node)), node.col_offset)
    return numbered(text, statement.line)


def definition_lines(rewriter: Rewriter, name: str) -> list[Line]:
    """The text of a function or class of the notebook at module level, with the comments above it."""
    statement = rewriter.functions.get(name)
    if statement is None:
        statement = next(
            s for s in reversed(rewriter.program.statements) if isinstance(s.node, ast.ClassDef) and s.node.name == name
        )
        lines = _verbatim(rewriter, statement)
    else:
        lines = rewriter.threaded.get(name) or rewriter.plain.get(name) or _verbatim(rewriter, statement)
    source = rewriter.sources[statement.cell]
    comments = source.leading_comments(source.offset(statement.line, 0))
    return [*((text, line) for line, text in comments), *lines]


def _with_parameter(lines: list[Line]) -> list[Line]:
    """The function's header with a last parameter `learned`."""
    text = "\n".join(line for line, _ in lines)
    end = header_end(text)
    header = text[:end]
    close = header.rindex(")") if "->" not in header else header.rindex(")", 0, header.rindex("->"))
    before = header[:close].rstrip()
    node = syntax_tree(text).body[0]
    assert isinstance(node, ast.FunctionDef)
    if node.args.kwarg is not None:
        at = header.rindex("**", 0, close)
        header = header[:at] + "learned, " + header[at:]
    else:
        comma = "" if before.endswith("(") else " " if before.endswith(",") else ", "
        default = "=None" if node.args.defaults and not node.args.kwonlyargs and node.args.vararg is None else ""
        header = header[:close] + f"{comma}learned{default}" + header[close:]
    added = header.split("\n")
    return [(part, lines[number][1]) for number, part in enumerate(added)] + lines[len(added) :]
