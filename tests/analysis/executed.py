"""What the cells of a program read and write when they run: the oracle that the static analysis is held to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

import pandas as pd


@dataclass(slots=True)
class Observed:
    """Names by what one cell did to them, and which earlier cells the names that it read came from."""

    reads: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    edges: set[tuple[int, str]] = field(default_factory=set)


class Namespace(dict[str, Any]):
    """A notebook's globals that keep which names are looked up before they are bound, and which are bound."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: set[str] = set()
        self.binds: set[str] = set()
        self.before: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        # Some of what binds globals goes past __setitem__: a walrus in a generator, `global` in a function.
        if name not in self.binds and self.before.get(name, self) is value:
            self.reads.add(name)
        return value

    def __setitem__(self, name: str, value: Any) -> None:
        self.binds.add(name)
        super().__setitem__(name, value)

    def begin(self) -> None:
        """A cell starts."""
        self.reads, self.binds, self.before = set(), set(), dict(self.items())


def execute(cells: Sequence[str]) -> list[Observed]:
    """Run the cells; those from the first that fails on are left out."""
    namespace = Namespace()
    found: list[Observed] = []
    last: dict[str, int] = {}
    for number, cell in enumerate(cells):
        before = dict(namespace.items())
        contents = {name: content(value) for name, value in before.items()}
        namespace.begin()
        try:
            exec(compile(cell, f"cell {number}", "exec"), namespace)
        except Exception:  # noqa: BLE001 - a generated program may fail in any way, and says nothing from there on
            return found
        stored = {name for name, value in namespace.items() if name not in before or before[name] is not value}
        one = Observed(
            {name for name in namespace.reads if name in before and not _is_import(before[name])},
            {name for name in namespace.binds | stored if not name.startswith("__")},
            {name for name, value in before.items() if content(value) != contents[name]},
        )
        one.edges = {(last[name], name) for name in one.reads}
        last.update(dict.fromkeys(one.binds | one.changes, number))
        found.append(one)
    return found


def content(value: Any, around: tuple[int, ...] = ()) -> Any:
    """All that a value holds, to be compared with what it holds later."""
    if id(value) in around:
        return "itself"
    around = (*around, id(value))
    match value:
        case list() | tuple() | set():
            return (type(value).__name__, *(content(each, around) for each in value))
        case dict():
            return tuple((key, content(each, around)) for key, each in value.items() if key != "__builtins__")
        case pd.DataFrame() | pd.Series():
            return value.to_json(), str(value.axes)
        case FunctionType() | ModuleType() | type():
            return id(value)
        case _ if hasattr(value, "__dict__"):
            return content(vars(value), around)
        case _:
            return repr(value)


def _is_import(value: Any) -> bool:
    return isinstance(value, ModuleType)
