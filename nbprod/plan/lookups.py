"""Lookups in a second table: their serving form, and what has to be refused of the target."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain, count
from typing import TYPE_CHECKING

from nbprod.analysis.interpreter import Interpreter
from nbprod.analysis.joins import Lookup, operands
from nbprod.analysis.keys import TABLES
from nbprod.analysis.values import Fact
from nbprod.model.plan import LookupTable, Refusal
from nbprod.plan import edits
from nbprod.plan.source import Edit

if TYPE_CHECKING:
    from nbprod.plan.rewriting import Rewriter


def lookup_edits(rewriter: Rewriter, node: ast.Call, cell: int) -> list[Edit]:
    """`merge_lookup(learned, "stores", sales, lambda: stores, on="store")`; without `lambda` where it is learned."""
    lookup = rewriter.run.lookups[id(node)]
    rewriter.touched = True
    if lookup.learned and not lookup.elsewhere:
        return _matched_in_training(rewriter, node, lookup, cell)
    source = rewriter.sources[cell]
    function = rewriter.use_idiom(lookup.join.name, f"{lookup.join.name}_lookup")
    rows = next(each for each in operands(node, lookup.join) if each is not lookup.table)

    def text(part: ast.AST, *, fitting: bool) -> str:
        return source.rendered(source.start(part), source.end(part), list(rewriter.edits_of(part, cell, fitting)))

    looked_up = text(rows, fitting=False)  # first, so that lookups have their numbers in the order of the work
    name = _name(rewriter, node, lookup, cell)
    others = [text(part, fitting=False) for part in node.args if part is not rows and part is not lookup.table]
    named = [f"{each.arg}={text(each.value, fitting=False)}" for each in node.keywords if each.arg not in TABLES]
    table = text(lookup.table, fitting=False) if lookup.learned else f"lambda: {text(lookup.table, fitting=True)}"
    parts = ["learned", f'"{name}"', looked_up, table]
    parts += [*others, *named, *(["first=True"] if lookup.first else [])]
    rewriter.lookups[id(node)] = _planned(rewriter.run, lookup, name, cell, node.lineno)
    return [Edit(source.start(node), source.end(node), f"{function}({', '.join(parts)})")]


def _name(rewriter: Rewriter, node: ast.Call, lookup: Lookup, cell: int) -> str:
    """The lookup's name: that of its site, or where the table is learned already one that no other lookup has."""
    stem = _stem(rewriter, lookup.table)
    if not lookup.learned:
        return edits.new_site(rewriter, stem, lookup.table, cell)
    taken = {table.name for number, table in rewriter.lookups.items() if number != id(node)}
    return next(name for name in chain((stem,), (f"{stem}_{n}" for n in count(2))) if name not in taken)


def _matched_in_training(rewriter: Rewriter, node: ast.Call, lookup: Lookup, cell: int) -> list[Edit]:
    """An inner join with a learned table: `how="inner" if learned.fitting else "left"`."""
    source = rewriter.sources[cell]
    text = f'"inner" if learned.fitting else "{"right" if lookup.first else "left"}"'
    given = next((keyword.value for keyword in node.keywords if keyword.arg == "how"), None)
    position = 2 if lookup.join.function or lookup.join.name == "join" else 1
    if given is None and len(node.args) > position:
        given = node.args[position]
    others = [part for part in (node.func, *node.args, *(each.value for each in node.keywords)) if part is not given]
    inner = [edit for part in others for edit in rewriter.edits_of(part, cell, False)]
    if given is not None:
        return [*inner, Edit(source.start(given), source.end(given), text)]
    close = source.end(node) - 1
    comma = " " if source.text[source.start(node) : close].rstrip().endswith(",") else ", "
    return [*inner, Edit(close, close, f"{comma}how={text}")]


def _stem(rewriter: Rewriter, table: ast.expr) -> str:
    """The name of the table that is looked up in, where its expression has one."""
    for inner in ast.walk(table):
        note = rewriter.note(inner)
        if isinstance(inner, ast.Name) and inner.id not in rewriter.module_names and note is not None:
            return inner.id
    return edits.site_name(rewriter, table)


def _planned(run: Interpreter, lookup: Lookup, name: str, cell: int, line: int) -> LookupTable:
    read = run.events[lookup.root] if 0 <= lookup.root < len(run.events) else None
    path = read.const if read is not None and isinstance(read.const, str) else None
    return LookupTable(name, lookup.keys, lookup.join.how, path, cell, line)


def looked_up_target(run: Interpreter, labels: Fact) -> Iterator[Refusal]:
    """A refusal where the labels come out of a lookup table: then its rows are what the model is trained on.

    Where nobody knows which table a column is of, training tells.
    """
    if "*" in labels.inputs:
        return
    for number in sorted(labels.learned_at):
        if number < 0 or run.learnings[number].what != "lookup":
            continue
        learning = run.learnings[number]
        statement = run.program.statements[learning.statement]
        yield Refusal(
            statement.cell,
            getattr(learning.node, "lineno", statement.line),
            "target-in-lookup",
            "the target is a column of the second table, and each row would look its own answer up",
            "join the two tables as they are read, with validate='one_to_one': the joined rows are then the raw rows",
        )
