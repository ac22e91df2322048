"""Functions of libraries that change what they are given: `random.shuffle(order)`, `heapq.heappush(best, value)`."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import tabular
from nbprod.analysis.mutation import change_value, mutators
from nbprod.analysis.values import NONE, Fact, Obj, Value, combine, traced

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


CHANGES = "changes-argument"
"""The note of a call that is made for what it does to its argument, not for what it gives."""

FIRST = ("a", "arr", "dst", "x")
"""The names of the first arguments of such functions; where one has two of these, the first is the one that counts."""


def after_function(
    run: Interpreter, node: ast.Call, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]
) -> None:
    """A library's function has changed its first argument, if it is one that does."""
    if name not in mutators()["functions"]["first"]:
        return
    written, changed = first_argument(node, args, kwargs)
    change(run, written, changed, name, [run.data(value) for value in args[1:]])
    run.touch(changed)
    if name != "builtins.next":  # whose result is what counts
        run.note(node, NONE, CHANGES)


def first_argument(node: ast.Call, args: Sequence[Value], kwargs: Mapping[str, Value]) -> tuple[ast.expr | None, Value]:
    """What a function is given first, by position or by name, and how it is written."""
    if args:
        return (node.args[0] if node.args else None), args[0]
    keyword = next((each for name in FIRST for each in node.keywords if each.arg == name), None)
    if keyword is None or keyword.arg is None:
        return None, NONE
    return keyword.value, kwargs[keyword.arg]


def change(run: Interpreter, written: ast.expr | None, changed: Value, name: str, facts: Sequence[Fact]) -> None:
    """Any part of `changed` may be any other by now, or be made of `facts`."""
    obj = run.obj(changed)
    if changed.obj >= 0 and obj.kind in ("list", "dict", "set", *tabular.TABULAR):
        run.write(changed.obj, _mixed(run, obj, name, facts))
    elif written is not None:
        change_value(run, written, changed, name, facts)


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
