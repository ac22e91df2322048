"""What values hold: the facts of the data behind them, their elements, and the names that they may be.

Facts of a container are those of what is in it, put together once for each version of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from nbprod.analysis import flow
from nbprod.analysis.state import State
from nbprod.analysis.values import NOTHING, Fact, Obj, Time, Value, combine, digest_of, traced

MOST_INSIDE = 12
"""Containers in containers that are looked into for the facts of what they hold."""

MOST_LOOKED_AT = 300
"""Containers that are looked into for the facts of one value."""


LOOKED_INTO = frozenset({"tuple", "method", "accessor", "indexer", "row"})
"""Kinds of values whose data are those of their parts."""


_PLAIN = frozenset({str, int, bool, type(None)})
"""Types of constants of which equal ones are the same."""


class _Kept(Struct, frozen=True):
    """The facts of an object's content; `within` are the objects that were looked into for them, as they were."""

    obj: Obj
    fact: Fact
    within: dict[int, Obj]
    is_being_made: bool = False


class Contents:
    """The part of an execution that looks into values; `state` has the objects that they refer to."""

    def __init__(self) -> None:
        self.state = State()
        self._contents: dict[int, _Kept] = {}
        self._constants: dict[tuple[type, object], Value] = {}
        self._inside = 0
        self._looked = 0
        self._reached: dict[int, Obj] = {}
        self._is_partial = False
        self.symbols: dict[int, Fact] = {}
        self._symbols = 0

    def obj(self, value: Value) -> Obj:
        """The object that a value refers to."""
        return Obj(value.kind, value.fact) if value.obj < 0 else self.state.heap[value.obj]

    def data(self, value: Value) -> Fact:
        """All that is known of the data behind a value, its reference included."""
        if value.obj < 0:
            if value.kind not in LOOKED_INTO or not value.parts:
                return value.fact
            if not self._may_look_inside():
                return value.fact
            self._inside += 1
            whole = combine(value.kind + value.name, [self.data(part) for part in value.parts])
            self._inside -= 1
            return traced(whole, value.fact.serve, value.fact.fit)
        content = self._content(value.obj)
        mixed = traced(content, value.fact.serve, value.fact.fit)
        if value.fact.time > mixed.time:
            mixed = replace(mixed, time=value.fact.time)
        if value.fact.refused & ~mixed.refused or value.fact.assumed & ~mixed.assumed:
            mixed = replace(
                mixed, refused=mixed.refused | value.fact.refused, assumed=mixed.assumed | value.fact.assumed
            )
        return mixed

    def _may_look_inside(self) -> bool:
        """Whether a container's own elements are looked at: not too deep, and not too many for one value."""
        if self._inside == 0:
            self._looked = 0
            self._reached = {}
            self._is_partial = False
        else:
            self._looked += 1
        if self._inside < MOST_INSIDE and self._looked < MOST_LOOKED_AT:
            return True
        self._is_partial = True
        return False

    def _content(self, number: int) -> Fact:
        """The facts of an object's content together, kept for the versions of the objects that they are of."""
        heap = self.state.heap
        obj = heap[number]
        kept = self._contents.get(number)
        if kept is not None and kept.obj is obj and all(heap.get(other) is its for other, its in kept.within.items()):
            if self._inside:
                self._reached[number] = obj
                self._reached.update(kept.within)
                self._is_partial |= kept.is_being_made
            return kept.fact
        if not self._may_look_inside():
            return obj.fact
        # A container that holds itself: what is held is that which is being looked at.
        self._contents[number] = _Kept(obj, obj.fact, {}, is_being_made=True)
        around, self._reached = self._reached, {}
        self._inside += 1
        made = self._content_of(obj)
        self._inside -= 1
        if self._is_partial:
            del self._contents[number]
        else:
            self._contents[number] = _Kept(obj, made, self._reached)
        around[number] = obj
        around.update(self._reached)
        self._reached = around
        return made

    def _content_of(self, obj: Obj) -> Fact:
        facts = [*obj.columns.values()]
        if obj.rest is not None:
            facts.append(obj.rest)
        facts.extend(self.data(item) for item in obj.items.values())
        if obj.fitted is not None:
            facts.append(obj.fitted)
        if not facts:
            return obj.fact if obj.rows is None else replace(obj.fact, rows=obj.rows)
        whole = combine(obj.kind, facts)
        whole = traced(whole, obj.fact.serve, obj.fact.fit)
        return replace(
            whole,
            time=max(whole.time, obj.fact.time),
            rows=obj.rows if obj.rows is not None else whole.rows,
            refused=whole.refused | obj.fact.refused,
            assumed=whole.assumed | obj.fact.assumed,
            digest=digest_of(whole.digest, obj.type, obj.fact.digest) if obj.type else whole.digest,
        )

    def time(self, value: Value) -> Time:
        """The time of the data behind a value, without the digest and the sets that only its facts need."""
        if value.obj >= 0:
            latest = self.time_inside(self.state.heap[value.obj])
            return max(value.fact.time, latest)
        if value.kind not in LOOKED_INTO or not value.parts or not self._may_look_inside():
            return value.fact.time
        self._inside += 1
        latest = max([self.time(part) for part in value.parts])
        self._inside -= 1
        return latest

    def time_inside(self, obj: Obj) -> Time:
        """The time of an object's content: that of the latest of its parts."""
        latest = obj.fact.time
        if obj.rows is not None and obj.kind in ("frame", "array", "series"):
            return Time.ROW
        for fact in obj.columns.values():
            if fact.time > latest:
                latest = fact.time
        for part in (obj.rest, obj.fitted):
            if part is not None and part.time > latest:
                latest = part.time
        if obj.items and latest < Time.ROW and self._may_look_inside():
            self._inside += 1
            for item in obj.items.values():
                its = self.time(item)
                if its > latest:
                    latest = its
                    if latest is Time.ROW:
                        break
            self._inside -= 1
        return latest

    # ------------------------------------------------------------------ elements and names

    def elements(self, value: Value) -> list[Value] | None:
        """The elements of a tuple, list or dict (its keys) where all are known.

        What is taken out of a container is made by the statements that made the container, too.
        """
        match value.kind:
            case "tuple":
                return _out_of(value.fact, value.parts)
            case "list" | "set" if value.obj >= 0:
                obj = self.obj(value)
                if obj.rest is not None or obj.maybe is not None:
                    return None
                return _out_of(traced(value.fact, obj.fact.serve, obj.fact.fit), obj.items.values())
            case "dict" if value.obj >= 0:
                obj = self.obj(value)
                return None if obj.rest is not None else [self.constant(key) for key in obj.items]
            case "str" if value.is_const and isinstance(value.const, str):
                return [self.constant(letter) for letter in value.const]
            case "range" if value.is_const:
                return (
                    [self.constant(number) for number in value.const] if len(value.const) <= flow.MAX_UNROLL else None
                )
            case _:
                return None

    def constant(self, const: object, fact: Fact = NOTHING) -> Value:
        kind = "str" if isinstance(const, str) else "none" if const is None else "scalar"
        if fact is NOTHING:
            key = type(const), const
            if key[0] not in _PLAIN:
                return Value(kind, Fact(digest=digest_of("const", repr(const))), const=const)
            made = self._constants.get(key)
            if made is None:
                made = self._constants[key] = Value(kind, Fact(digest=digest_of("const", repr(const))), const=const)
            return made
        if fact.digest == "-":
            fact = replace(fact, digest=digest_of("const", repr(const)))
        return Value(kind, fact, const=const)

    def strings(self, value: Value) -> list[str] | None:
        """The known strings of a value: one of a string, all of a list of strings."""
        if value.is_const and isinstance(value.const, str):
            return [value.const]
        elements = self.elements(value) if value.kind in ("list", "tuple", "set", "dict") else None
        if elements is None:
            if value.kind == "index" and value.is_const and not value.maybe:
                return list(value.const)
            return None
        found = [element.const for element in elements]
        return found if all(isinstance(text, str) for text in found) else None

    def candidates(self, value: Value) -> list[str] | None:
        """The names that may be in a learned list of names, where that is known."""
        if value.kind == "index" and value.is_const and value.maybe:
            return list(value.const)
        if value.obj >= 0 and value.kind in ("list", "set"):
            obj = self.obj(value)
            if obj.maybe is not None and obj.rest is None:
                found = [item.const for item in obj.items.values()]
                if all(isinstance(name, str) for name in found):
                    return list(dict.fromkeys(found))
        return None

    # ------------------------------------------------------------------ names that are not known

    def stand_for(self, symbol: int, whole: Fact) -> None:
        """Note what a name that is not known may stand for."""
        old = self.symbols.get(symbol)
        self.symbols[symbol] = whole if old is None else combine("or", (old, whole))

    def expanded(self, fact: Fact, seen: frozenset[str] = frozenset()) -> Fact:
        """`fact` with the names that are not known replaced by all that they may stand for."""
        tokens = {token for token in fact.inputs | fact.learns if token.startswith("$")}
        if not tokens:
            return fact
        inputs = {token for token in fact.inputs if not token.startswith("$")}
        learns = {token for token in fact.learns if not token.startswith("$")}
        for token in sorted(tokens - seen):
            whole = self.expanded(self.symbols[int(token[1:])], seen | tokens)
            fact = replace(
                fact,
                serve=fact.serve | (whole.serve if token in fact.inputs else 0),
                fit=fact.fit | whole.fit,
                refused=fact.refused | whole.refused,
                assumed=fact.assumed | whole.assumed,
            )
            (inputs if token in fact.inputs else learns).update(whole.inputs)
            learns |= whole.learns
        return replace(fact, inputs=frozenset(inputs), learns=frozenset(learns))

    def symbol(self) -> int:
        self._symbols += 1
        return self._symbols


def _out_of(container: Fact, elements: Iterable[Value]) -> list[Value]:
    """The elements, each made by what made their container as well."""
    serve, fit = container.serve, container.fit
    if not serve and not fit:
        return list(elements)
    found = []
    for each in elements:
        fact = traced(each.fact, serve, fit)
        found.append(each if fact is each.fact else replace(each, fact=fact))
    return found
