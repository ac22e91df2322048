"""What each cell defines, updates and uses, and which cells its names come from.

Collected along the abstract execution. A name is used where it is looked up before the cell defined it on every path;
it then comes from the cell that bound it last, or that last wrote something that it leads to: the object itself, the
elements of a list or dict, the attributes of an instance. A cell that may rebind a name and does not read it leaves
two cells that it may come from; one that reads it hands on what it read.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

from nbprod.analysis.state import State, Writer
from nbprod.analysis.values import Value

MOST_PARTS = 2_000
"""How many parts of a container are looked at; behind it the container's own writes count."""

NO_ONE: Writer = (0, frozenset())

LEADS_ON = frozenset({"tuple", "method", "accessor", "indexer", "iterated", "stream"})
"""Kinds whose `parts` are what the value consists of, and not what it was made from."""


class Effects(Struct):
    """Names by what a cell does to them, collected while it is interpreted."""

    defines: dict[str, None] = field(default_factory=dict)
    updates: dict[str, None] = field(default_factory=dict)
    uses: dict[str, None] = field(default_factory=dict)


class EffectLog:
    """The effects of the cells so far, and those of the cell at hand as they come."""

    def __init__(self, cells: int) -> None:
        self.cells = [Effects() for _ in range(cells)]
        self.edges: dict[tuple[int, int], dict[str, None]] = {}
        self.cell = -1
        self._start = State()
        self._written: set[int] = set()

    def copy(self) -> EffectLog:
        """A log that goes on from here by itself, between two cells."""
        other = EffectLog(0)
        other.cells = list(self.cells)
        other.edges = dict(self.edges)
        other.cell = self.cell
        return other

    def resize(self, cells: int) -> None:
        """The notebook has this many cells; those behind the one at hand are still to come."""
        self.cells = [*self.cells[: self.cell + 1], *(Effects() for _ in range(cells))][:cells]

    def begin(self, cell: int, state: State) -> None:
        """A cell starts in this state."""
        self.cell = cell
        state.heap = state.heap.settled()
        self._start = state.fork()
        self._written = set()

    def end(self) -> None:
        """The cell is over: names that lead to what it wrote are updated."""
        effects = self.cells[self.cell]
        written = {number for number in self._written if number in self._start.heap}
        if written:
            for name, value in self._start.names.items():
                if value.obj < 0 and value.ident < 0 and not value.parts:
                    continue
                if name not in self._start.imports and not written.isdisjoint(reached(self._start, value)):
                    effects.updates[name] = None

    def define(self, name: str) -> None:
        """The cell binds a name."""
        self.cells[self.cell].defines[name] = None

    def update(self, name: str) -> None:
        """The cell changes what a name stands for."""
        self.cells[self.cell].updates[name] = None

    def written(self, number: int) -> None:
        """The cell writes an object."""
        self._written.add(number)

    def use(self, name: str, state: State) -> None:
        """The cell looks a name up."""
        effects = self.cells[self.cell]
        if name in effects.uses or name in state.imports:
            return
        _, cells = state.binders.get(name, NO_ONE)
        if len(cells) == 1 and self.cell in cells:
            return
        effects.uses[name] = None
        writers = last_writers(self._start, name)
        for source in writers:
            if not any(cell > source and name in self.cells[cell].uses for cell in writers):
                self.edges.setdefault((source, self.cell), {})[name] = None


def last_writers(state: State, name: str) -> frozenset[int]:
    """The cells that a name's value comes from: they bound it last, or last wrote what it leads to."""
    clock, cells = state.binders.get(name, NO_ONE)
    value = state.names.get(name)
    if value is None:
        return cells
    for number in reached(state, value):
        obj = state.heap.get(number)
        if obj is not None and obj.last[0] > clock:
            clock, cells = obj.last
    return cells


def reached(state: State, value: Value) -> Iterator[int]:
    """The numbers of the objects that a value refers to, itself first and then through what it holds."""
    seen: set[int] = set()
    waiting = [value]
    for _ in range(MOST_PARTS):
        if not waiting:
            return
        one = waiting.pop()
        if one.parts and one.kind in LEADS_ON:
            waiting.extend(one.parts)
        for number in (one.obj, one.ident):
            if number >= 0 and number not in seen:
                seen.add(number)
                yield number
                obj = state.heap.get(number)
                if obj is not None and obj.items:
                    waiting.extend(obj.items.values())


def owner_of(value: Value) -> int:
    """The object that a write to this value is a write to, -1 where there is none."""
    while value.obj < 0 and value.ident < 0 and value.parts and value.kind in ("method", "accessor", "indexer"):
        value = value.parts[0]
    return value.obj if value.obj >= 0 else value.ident
