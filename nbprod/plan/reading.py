"""Where the raw rows come from, and by which name the extracted function takes them."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from itertools import chain, count

from msgspec import Struct

from nbprod.analysis.analyse import Analysis
from nbprod.analysis.apart import root_of
from nbprod.analysis.values import Event, Fact, Time
from nbprod.model.notebook import Notebook
from nbprod.model.plan import CallPlace, RawSource
from nbprod.model.program import Statement
from nbprod.notebook.parsed import nodes_below
from nbprod.plan.choosing import assigned_name, no_raw_data


class Raw(Struct, frozen=True):
    """Where the raw rows come from: the reading call, and the top-level statement that it belongs to.

    `given`: the statement only binds the rows, so that it falls away and its name is handed in.
    """

    source: RawSource
    read: Event
    statement: Statement
    given: bool

    @property
    def is_dataset(self) -> bool:
        """Whether the rows are one of scikit-learn's own tables, which come as a bunch or as two arrays."""
        return self.source.reader.startswith("sklearn.datasets.")


def raw_source(notebook: Notebook, analysis: Analysis, whole: Fact, fit: int) -> Raw:
    """Where the rows of the matrix that statement `fit` trains on are read. Raises NbprodError `no-raw-data`."""
    rows = whole.rows
    events = analysis.events
    if rows is None or not 0 <= rows.root < len(events) or events[rows.root].kind != "read":
        raise no_raw_data(notebook, analysis, whole, fit)
    read = events[rows.root]
    statement = analysis.program.statements[read.top]
    name = assigned_name(statement.node)
    given = name is not None and _only_reads(analysis, statement, read)
    call = statement.node.value if given else read.node  # type: ignore[attr-defined]
    source = RawSource(
        cell=statement.cell,
        line=statement.line,
        end_line=statement.end_line,
        name=name if given and name is not None else _fresh_name(analysis),
        call=ast.unparse(call),
        place=call_place(analysis, read),
        reader=read.name,
        path=read.const if isinstance(read.const, str) else None,
    )
    return Raw(source, read, statement, given)


def _fresh_name(analysis: Analysis) -> str:
    """A name for the raw rows that the notebook does not use."""
    used = {
        inner.id
        for statement in analysis.program.statements
        if statement.parent == -1
        for inner in nodes_below(statement.node)
        if isinstance(inner, ast.Name)
    }
    return next(name for name in chain(("rows", "raw_rows"), (f"rows_{n}" for n in count(2))) if name not in used)


def _only_reads(analysis: Analysis, statement: Statement, read: Event) -> bool:
    """Whether a statement does nothing but bind what is read, itself or by a function that does no more than read."""
    value = getattr(statement.node, "value", None)
    if read.name.startswith("sklearn.datasets."):
        return False
    if value is read.node:
        return True
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name):
        return False
    body = next(
        (
            s.node
            for s in analysis.program.statements
            if isinstance(s.node, ast.FunctionDef) and s.node.name == value.func.id
        ),
        None,
    )
    if body is None:
        return False
    for inner in nodes_below(body):
        note = analysis.run.notes.get(id(inner))
        if note is not None and note.time is Time.ROW and inner is not read.node and not isinstance(inner, ast.Name):
            return False
    return True


def read_options(read: Event) -> tuple[tuple[str, str], ...]:
    """The literal options of the reading call, as text."""
    options = []
    for keyword in read.node.keywords:
        if keyword.arg is not None:
            try:
                ast.literal_eval(keyword.value)
            except ValueError:
                continue
            options.append((keyword.arg, ast.unparse(keyword.value)))
    return tuple(sorted(options))


def other_reads(analysis: Analysis, raw: Raw, uses: Iterable[Event]) -> tuple[CallPlace, ...]:
    """The calls that read further tables whose rows the model is used on, such as a test set in a file of its own."""
    roots = {root_of(use.facts[0].rows): None for use in uses if use.facts[0].rows is not None}
    reads = [analysis.events[root] for root in roots if 0 <= root < len(analysis.events)]
    places = [call_place(analysis, read) for read in reads if read.kind == "read" and read is not raw.read]
    return tuple(dict.fromkeys(place for place in places if place != raw.source.place))


def call_place(analysis: Analysis, event: Event) -> CallPlace:
    """Where a call stands in its cell."""
    node = event.node
    statement = analysis.program.statements[event.statement]
    return CallPlace(
        statement.cell,
        node.lineno,
        node.col_offset,
        node.end_lineno or node.lineno,
        node.end_col_offset or 0,
        ast.unparse(node),
    )
