"""Tables put together into one whose rows are the raw rows: joined halves of records, and files of the same columns.

What follows is prepared of these rows, as it is of rows that one call reads.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from nbprod.analysis.values import Event, Fact, Obj, Rows, Time, Value, digest_of

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


def raw_rows(
    run: Interpreter,
    node: ast.Call,
    name: str,
    tables: Sequence[Value],
    columns: Iterable[str],
    *,
    is_open: bool,
    numbered: int,
) -> Value:
    """A raw table of `columns`, and of others that nobody knows where it `is_open`, made of `tables` by a call."""
    objects = [run.obj(table) for table in tables]
    known = [number for number, event in enumerate(run.events) if event.kind == "read" and event.node is node]
    root = known[0] if known else len(run.events)
    if not known:
        run.event(Event("read", run.at, run.top, node, name))
    roots = [obj.rows.root for obj in objects if obj.rows is not None]
    run.halves[root] = tuple(part for each in roots for part in run.halves.get(each, (each,)))
    rows = Rows(root, fit=run.fit, digest=f"raw{root}", numbered=numbered)

    def origin(column: str) -> Fact:
        return Fact(Time.ROW, inputs=frozenset({column}), digest=digest_of("raw", column), rows=rows)

    rest = Fact(Time.ROW, inputs=frozenset({"*"}), digest="raw*", rows=rows) if is_open else None
    facts = {column: origin(column) for column in columns}
    made = Obj("frame", Fact(digest="raw"), facts, rest, None if rest is None else origin, rows=rows)
    return run.note(node, run.new(made), "reads")


def is_raw(run: Interpreter, table: Value, *, but_for_constants: bool = False) -> bool:
    """Whether a table is as it was read: no row left out, no value changed; constants may have been added."""
    obj = run.obj(table)
    if obj.rows is None or obj.rows.chain or obj.rows.mix or obj.history:
        return False
    return all(
        fact.digest == digest_of("raw", *fact.inputs) or (but_for_constants and fact.time is Time.CONSTANT)
        for fact in obj.columns.values()
    )
