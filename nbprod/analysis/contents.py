"""What values hold: the facts of the data behind them, their elements, and the names that they may be.

Facts of a container are those of what is in it, put together once for each version of it.
"""

from __future__ import annotations

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


class Contents:
    """The part of an execution that looks into values; `state` has the objects that they refer to."""

    def __init__(self) -> None:
        self.state = State()
        self._contents: dict[int, tuple[Obj, Fact]] = {}
        self._inside = 0
        self._looked = 0
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
        self._looked = 0 if self._inside == 0 else self._looked + 1
        return self._inside < MOST_INSIDE and self._looked < MOST_LOOKED_AT

    def _content(self, number: int) -> Fact:
        """The facts of an object's content together, kept for the version of the object that they are of."""
        obj = self.state.heap[number]
        kept = self._contents.get(number)
        if kept is not None and kept[0] is obj:
            return kept[1]
        if not self._may_look_inside():
            return obj.fact
        # A container that holds itself: what is held is that which is being looked at.
        self._contents[number] = (obj, obj.fact)
        self._inside += 1
        made = self._content_of(obj)
        self._inside -= 1
        if any(item.obj >= 0 or item.parts for item in obj.items.values()):
            del self._contents[number]
        else:
            self._contents[number] = (obj, made)
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
            obj = self.state.heap[value.obj]
            if obj.kind in ("frame", "array", "series") and obj.rows is not None:
                return Time.ROW
            return self.data(value).time
        if value.kind not in LOOKED_INTO or not value.parts or not self._may_look_inside():
            return value.fact.time
        self._inside += 1
        latest = max([self.data(part).time for part in value.parts])
        self._inside -= 1
        return latest

    # ------------------------------------------------------------------ elements and names

    def elements(self, value: Value) -> list[Value] | None:
        """The elements of a tuple, list or dict (its keys) where all are known."""
        match value.kind:
            case "tuple":
                return list(value.parts)
            case "list" | "set" if value.obj >= 0:
                obj = self.obj(value)
                return None if obj.rest is not None or obj.maybe is not None else list(obj.items.values())
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
            fact = Fact(digest=digest_of("const", repr(const)))
        elif fact.digest == "-":
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
