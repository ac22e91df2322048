"""`random.shuffle(order)`: a container whose elements are put in an order that is drawn, in place.

What holds rows has them in another order, which is a matter of training. Of anything else the package would have to
keep the order that was drawn, and it keeps values, not what a call did: what comes of the elements is refused, but
where they only choose rows.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import draws, tabular, views
from nbprod.analysis.changed_arguments import CHANGES, change, first_argument
from nbprod.analysis.state import with_rows
from nbprod.analysis.values import NONE, UNKNOWN, Event, Fact, Rows, Time, Value, combine

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

FUNCTIONS = frozenset({"random.shuffle", "numpy.random.shuffle"})


def by_function(
    run: Interpreter, node: ast.Call, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]
) -> Value:
    """A shuffle by the source that all calls of a module share."""
    draws.by_chance(run, draws.source_of(name), _needs(run, args, kwargs))
    return _shuffled(run, node, name, args, kwargs)


def by_generator(
    run: Interpreter, node: ast.Call, base: Value, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]
) -> Value:
    """A shuffle by a generator of its own, which training has to have."""
    draws.by_chance(run, base.fact.digest, [base.fact, *_needs(run, args, kwargs)])
    return _shuffled(run, node, draws.by_generator(base, name), args, kwargs)


def _needs(run: Interpreter, args: Sequence[Value], kwargs: Mapping[str, Value]) -> list[Fact]:
    return [run.data(value) for value in (*args, *kwargs.values())]


def _shuffled(run: Interpreter, node: ast.Call, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    written, changed = first_argument(node, args, kwargs)
    facts = [run.data(value) for value in args[1:]]
    run.event(Event("random", run.at, run.top, node, name, facts=(run.data(changed), *facts)))
    rows = _rows(run, changed)
    if rows is None or run.per_row:
        mark = _mark(run, node)
        plain = changed if changed.obj >= 0 else replace(changed, kind="learned", const=UNKNOWN)
        change(run, written, plain, name, [*facts, mark])
        views.write_through(run, changed, combine(name, (run.data(changed), *facts, mark)))
    else:
        _move(run, node, written, changed, tabular.changed_rows(run, rows, name, facts))
    run.touch(changed)
    return run.note(node, NONE, CHANGES)


def _rows(run: Interpreter, changed: Value) -> Rows | None:
    """The rows that are the elements of a container, None where its elements are something else."""
    obj, whole = run.obj(changed), run.data(changed)
    if obj.rows is not None:
        return obj.rows
    return whole.rows if whole.time is Time.ROW and not obj.items else None


def _move(run: Interpreter, node: ast.Call, written: ast.expr | None, changed: Value, rows: Rows) -> None:
    """The rows in another order; a frame that the container is a column of has that column against all others."""
    if changed.obj >= 0:
        moved = tabular.moved(run.obj(changed), rows)
        run.write(changed.obj, moved if run.obj(changed).rows is not None else replace(moved, rows=None))
    elif isinstance(written, ast.Name):
        run.renew(written.id, replace(changed, fact=with_rows(changed.fact, rows)))
    if changed.view is not None:
        views.write_through(run, changed, combine("shuffle", (run.data(changed), _mark(run, node))))


def _mark(run: Interpreter, node: ast.Call) -> Fact:
    """The fact of an order that only training knows."""
    bit = run.refuse(
        node,
        "shuffle",
        "it puts the elements in an order that is drawn at random, in place, and the package has no such order",
        "draw the order in an expression, whose value is kept: order = np.random.permutation(names)",
    )
    return Fact(Time.LEARNED, digest="shuffle", refused=bit)
