"""Calls that change what they are given where nothing else is known of it: its methods, and functions of libraries."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis.compiled import compiled
from nbprod.analysis.effects import owner_of
from nbprod.analysis.tables import library_kind
from nbprod.analysis.values import Fact, Value, combine, traced

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

OPAQUE = frozenset({"unknown", "scalar", "learned", "rng"})
STATELESS = frozenset({"builtins", "math", "cmath", "re", "operator", "statistics", "os", "json", "hashlib"})
OF_PANDAS = frozenset({"frame", "series", "rowindex", "index", "groupby"})
CHOOSING = frozenset({"series", "array", "list", "frame", "index", "rowindex", "learned"})
"""Kinds of indexes that choose rows or columns one by one."""

OF_TABLES = frozenset({"", "at", "iat", "iloc", "ix", "loc", "values"})

COPY_ON_WRITE = 3
"""The pandas from which on what is taken out of a table is written by itself."""

PARTS_OF_DATA = frozenset({"frame", "series", "array", "rowindex", "index", "groupby", "str", "scalar", "row"})


@cache
def mutators() -> dict[str, dict[str, frozenset[str]]]:
    """Names of methods and functions that change what they are called on or given, by section and case."""
    return {
        section: {name: frozenset(values) for name, values in rows.items()}
        for section, rows in compiled().libraries["mutators"].items()
    }


def changes_receiver(name: str, kwargs: Mapping[str, Value], *, alone: bool) -> bool:
    """Whether a method of that name changes a receiver of which nothing is known; `alone`: its result is not used."""
    methods = mutators()["methods"]
    if surely_changes(name, kwargs):
        return True
    if not alone or name in methods["never"]:
        return False
    ends_in_place = name.endswith("_") and not name.startswith("_")
    return name in methods["alone"] or ends_in_place or name.startswith(tuple(methods["alone_with"]))


def surely_changes(name: str, kwargs: Mapping[str, Value]) -> bool:
    """Whether a method of that name changes its receiver whatever becomes of its result."""
    in_place = kwargs.get("inplace")
    return name in mutators()["methods"]["always"] or (in_place is not None and in_place.const is True)


def after_method(run: Interpreter, node: ast.Call, base: Value, name: str, kwargs: Mapping[str, Value]) -> None:
    """Note that a method may have changed its receiver."""
    if changes_receiver(name, kwargs, alone=node is run.bare):
        run.touch(base)


def change_value(
    run: Interpreter, node: ast.AST | None, base: Value, op: str, facts: Sequence[Fact], *, surely: bool = False
) -> None:
    """A change of a value that is no object of its own: its name stands for the changed value from now on.

    What has no name may be a part of a container, which then holds it. `surely` says that it is no look alone.
    """
    if base.obj >= 0 or base.kind not in OPAQUE:
        return
    fact = traced(combine(op, (run.data(base), *facts)), run.serve, run.fit)
    if isinstance(node, ast.expr) and base.ident < 0:
        changed_within(run, node, surely=surely or op == "set")
    if isinstance(node, ast.Name):
        run.renew(node.id, Value(base.kind, fact, name=base.name, ident=base.ident))
    elif base.ident >= 0 and (owner := run.state.heap[base.ident]).kind in ("list", "dict", "set"):
        rest = fact if owner.rest is None else combine("items", (owner.rest, fact))
        run.write(base.ident, replace(owner, rest=rest))


def changed_within(run: Interpreter, node: ast.expr, *, surely: bool = False) -> None:
    """What an expression gives was changed: so was what it was taken out of, `d` by `d["a"]["b"] = 0`.

    `surely` says that it was, as by an item that was set; other changes of what nobody knows may be looks alone, as
    those of figures are. Not where an index made a copy, as masks and lists do of arrays and tables;
    and a part of a pandas table is a copy from pandas 3 on.
    """
    whole = node
    outer = ""
    while isinstance(whole, ast.Subscript | ast.Attribute):
        if isinstance(whole, ast.Subscript) and _copies(run, whole.slice):
            return
        outer = whole.attr if isinstance(whole, ast.Attribute) else ""
        whole = whole.value
    if not isinstance(whole, ast.Name):
        return
    found = run.in_function(whole.id) or run.state.names.get(whole.id)
    if found is None and outer not in OF_TABLES:  # a module, as it seems: `rc.params["x"] = 1`
        return
    if found is None or (surely and found.obj < 0 and found.ident < 0 and found.kind in OPAQUE):
        run.rewritten(whole.id)
    elif whole is not node and (found.kind not in OF_PANDAS or run.written_for < COPY_ON_WRITE):
        run.touch(found)


def _copies(run: Interpreter, index: ast.expr) -> bool:
    """Whether `x[index]` is a copy: the index holds a mask or a list of places."""
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    notes = [run.notes.get(id(part)) for part in parts]
    return any(note is not None and note.kind in CHOOSING for note in notes)


GIVE_PARTS = frozenset({"children", "modules", "named_children", "named_modules", "named_parameters", "parameters"})
"""Methods of PyTorch's modules whose results are parts of the module, and not copies."""


def result_of(run: Interpreter, fn: Value, made: Value, given: Iterable[Value] = ()) -> Value:
    """What a call made, as a thing of its own where it may have a state that later calls change.

    An optimizer of PyTorch changes, when it is stepped, the parameters that it was `given`.
    """
    if made.obj >= 0 or made.ident >= 0 or made.is_const or made.kind not in OPAQUE:
        return made
    match fn.kind:
        case "lib" | "module":
            package = fn.name.partition(".")[0]
            is_class = fn.name.rpartition(".")[2][:1].isupper()
            looks = library_kind(package) == "sink" and not is_class
            stateless = (package in STATELESS or looks) and fn.name != "builtins.open"
            if fn.name.startswith("torch.optim.") and is_class:
                made = run.identified(made)
                run.steps[made.ident] = tuple(number for each in given if (number := owner_of(each)) >= 0)
                return made
        case "method" | "accessor":
            base = fn.parts[0] if fn.parts else fn
            stateless = base.kind in PARTS_OF_DATA or owner_of(base) < 0
            if not stateless and fn.name.rpartition(".")[2] in GIVE_PARTS:
                return run.identified(made, base)
        case _:
            stateless = fn.ident < 0
    return made if stateless else run.identified(made)
