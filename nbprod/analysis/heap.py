"""The objects of an abstract execution, in layers: a fork costs nothing, and a join looks only at what was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nbprod.analysis.values import Obj


class Heap:
    """Objects by number. Writes go to the heap's own layer; the layers below it are shared and never change."""

    __slots__ = ("_seen", "below", "own")

    def __init__(self, own: dict[int, Obj] | None = None, below: Heap | None = None) -> None:
        self.own: dict[int, Obj] = {} if own is None else own
        self.below = below
        self._seen: dict[int, Obj] = {}

    def get(self, number: int) -> Obj | None:
        """The object of that number, None where there is none."""
        found = self.own.get(number)
        if found is not None or self.below is None:
            return found
        found = self._seen.get(number)
        if found is None:
            layer: Heap | None = self.below
            while found is None and layer is not None:
                found = layer.own.get(number)
                layer = layer.below
            if found is not None:
                self._seen[number] = found
        return found

    def __getitem__(self, number: int) -> Obj:
        found = self.own.get(number) or self.get(number)
        if found is None:
            raise KeyError(number)
        return found

    def __setitem__(self, number: int, obj: Obj) -> None:
        self.own[number] = obj

    def __contains__(self, number: int) -> bool:
        return self.get(number) is not None

    def written_since(self, earlier: Heap) -> Iterator[int]:
        """The numbers of what was written since `earlier`, of which this is a fork."""
        return iter(_difference(self, earlier)[1])

    def settled(self) -> Heap:
        """The same objects in few layers, for where no fork of before is joined any more: what lies below is copied."""
        return above(self.below, self.own)

    def frozen(self) -> Heap | None:
        """All that is here, as layers that others may share: the heap must be replaced by one that lies above."""
        return self if self.own else self.below


def above(below: Heap | None, own: dict[int, Obj] | None = None) -> Heap:
    """A heap with a layer of its own over shared ones; small layers are put together, so that few lie below."""
    own = {} if own is None else own
    while below is not None and own and 2 * len(own) >= len(below.own):
        own = {**below.own, **own}
        below = below.below
    return Heap(own, below)


def joined(a: Heap, b: Heap, join: Callable[[Obj, Obj], Obj]) -> Heap:
    """The objects of either heap; `join` gives one for two that differ."""
    common, numbers = _difference(a, b)
    own: dict[int, Obj] = {}
    for number in numbers:
        mine, other = a.get(number), b.get(number)
        if mine is None or other is None:
            found = mine or other
            assert found is not None
            own[number] = found
        else:
            own[number] = mine if mine is other else join(mine, other)
    return above(common, own)


def _difference(a: Heap, b: Heap) -> tuple[Heap | None, dict[int, None]]:
    """The topmost layer that both have, and the numbers of what lies above it in either."""
    layers = set()
    layer: Heap | None = a
    while layer is not None:
        layers.add(id(layer))
        layer = layer.below
    common: Heap | None = b
    while common is not None and id(common) not in layers:
        common = common.below
    numbers: dict[int, None] = {}
    for top in (a, b):
        layer = top
        while layer is not None and layer is not common:
            numbers.update(dict.fromkeys(layer.own))
            layer = layer.below
    return common, numbers
