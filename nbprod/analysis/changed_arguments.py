"""Functions of libraries that change what they are given: `random.shuffle(order)`, `heapq.heappush(best, value)`."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import outside, tabular
from nbprod.analysis.mutation import change_value, mutators
from nbprod.analysis.values import NONE, Fact, Obj, Value, combine, traced

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


CHANGES = "changes-argument"
"""The note of a call that is made for what it does to its argument, not for what it gives."""


def after_function(run: Interpreter, node: ast.Call, name: str, args: Sequence[Value]) -> None:
    """A library's function has changed its first argument, if it is one that does."""
    if not args or name not in mutators()["functions"]["first"]:
        return
    shuffles = name.endswith(".shuffle")
    if shuffles:
        outside.by_chance(run, outside.source_of(name))
    changed, *others = args
    facts = [run.data(value) for value in others]
    obj = run.obj(changed)
    if changed.obj >= 0 and obj.rows is not None and shuffles:
        run.write(changed.obj, tabular.moved(obj, tabular.changed_rows(run, obj.rows, name, facts)))
    elif changed.obj >= 0 and obj.kind in ("list", "dict", "set", *tabular.TABULAR):
        run.write(changed.obj, _mixed(run, obj, name, facts))
    elif node.args:
        change_value(run, node.args[0], changed, name, facts)
    run.touch(changed)
    if name != "builtins.next":  # whose result is what counts
        run.note(node, NONE, CHANGES)


def _mixed(run: Interpreter, obj: Obj, name: str, facts: Sequence[Fact]) -> Obj:
    """An object of which any part may be any other by now, or be made of `facts`."""

    def step(fact: Fact) -> Fact:
        return traced(combine(name, (fact, *facts)), run.serve, run.fit)

    made = tabular.mapped(obj, step)
    if not obj.items:
        return made if made.columns or made.rest is not None else replace(made, fact=step(obj.fact))
    held = [run.data(item) for item in obj.items.values()]
    rest = combine("items", [*held, *([] if obj.rest is None else [obj.rest])])
    return replace(made, items={}, rest=step(rest))
