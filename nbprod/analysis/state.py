"""The state of an abstract execution: names, objects, and how states fork and join."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from nbprod.analysis.heap import Heap, above, joined
from nbprod.analysis.values import NOTHING, Fact, Obj, Rows, Value, combine, join_rows, phi, traced

Writer = tuple[int, frozenset[int]]


class State(Struct):
    """Names and objects at one point of the execution. Values and objects are immutable, so copies are cheap.

    `binders` says which cells bound a name last, and when; `imports` are the names that an import bound. `drawn` holds
    the statements that the next number of a source hangs on: its seed, and the draws since.
    """

    names: dict[str, Value] = field(default_factory=dict)
    local: dict[str, Value] | None = None
    heap: Heap = field(default_factory=Heap)
    binders: dict[str, Writer] = field(default_factory=dict)
    imports: frozenset[str] = frozenset()
    drawn: Mapping[str, int] = field(default_factory=dict)

    def fork(self) -> State:
        """A state that goes on from here by itself."""
        shared = self.heap.frozen()
        self.heap = above(shared)
        return State(
            dict(self.names),
            None if self.local is None else dict(self.local),
            above(shared),
            dict(self.binders),
            self.imports,
            self.drawn,
        )

    def adopt(self, other: State) -> None:
        """Take over all of `other`, in place."""
        self.names = other.names
        if self.local is not None and other.local is not None:
            self.local.clear()
            self.local.update(other.local)
        self.heap = other.heap
        self.binders = other.binders
        self.imports = other.imports
        self.drawn = other.drawn


def join_states(cond: str, a: State, b: State, control: Fact) -> State:
    """The state after either of two paths; what differs depends on `control` as well."""
    return State(
        _join_names(cond, a.names, b.names, control),
        None if a.local is None or b.local is None else _join_names(cond, a.local, b.local, control),
        joined(a.heap, b.heap, lambda mine, other: join_objects(cond, mine, other, control)),
        _join_binders(a.binders, b.binders),
        a.imports if a.imports is b.imports else _join_imports(a, b),
        join_drawn(a.drawn, b.drawn, control),
    )


def _join_imports(a: State, b: State) -> frozenset[str]:
    """The names that are imports on each path that binds them."""
    return frozenset(
        name
        for name in a.imports | b.imports
        if (name in a.imports or name not in a.names) and (name in b.imports or name not in b.names)
    )


def join_drawn(a: Mapping[str, int], b: Mapping[str, int], control: Fact) -> Mapping[str, int]:
    """What is drawn next hangs on the draws of either path, and where they differ on which of them was taken."""
    if a == b:
        return a
    both = {source: a.get(source, 0) | b.get(source, 0) for source in (*a, *b)}
    return {source: bits if a.get(source) == b.get(source) else bits | control.fit for source, bits in both.items()}


def _join_binders(a: dict[str, Writer], b: dict[str, Writer]) -> dict[str, Writer]:
    made = dict(a)
    for name, other in b.items():
        mine = a.get(name)
        if mine is not other:
            made[name] = _join_writers(mine, other)
    return made


def _join_writers(a: Writer | None, b: Writer | None) -> Writer:
    if a is None or b is None:
        return a or b or (0, frozenset())
    return a if a == b else (max(a[0], b[0]), a[1] | b[1])


def _join_names(cond: str, a: dict[str, Value], b: dict[str, Value], control: Fact) -> dict[str, Value]:
    made = dict(a)
    for name, other in b.items():
        mine = a.get(name)
        if mine is None:
            made[name] = replace(other, fact=traced(other.fact, control.serve, control.fit))
        elif mine is not other:
            made[name] = join_values(cond, mine, other, control)
    for name, mine in a.items():
        if name not in b:
            made[name] = replace(mine, fact=traced(mine.fact, control.serve, control.fit))
    return made


def join_values(cond: str, a: Value, b: Value, control: Fact = NOTHING) -> Value:
    """One value for both paths: the first's kind and object where they agree, and the facts of both."""
    if a == b:
        return a
    fact = phi(cond, a.fact, b.fact)
    if control.time > fact.time:
        fact = replace(fact, time=control.time)
    fact = traced(fact, control.serve, control.fit)
    first, second = (b, a) if a.kind in ("none", "unknown") and b.kind not in ("none", "unknown") else (a, b)
    same_const = (
        first.is_const and second.is_const and type(first.const) is type(second.const) and first.const == second.const
    )
    other = second.obj if second.obj >= 0 and second.obj != first.obj else first.ident
    joined = replace(first, fact=fact, ident=other)
    if a.maybe or b.maybe or ("none" in (a.kind, b.kind) and a.kind != b.kind):
        joined = replace(joined, maybe=True)
    if not same_const and first.is_const:
        joined = Value(
            first.kind,
            fact,
            first.obj,
            name=first.name if first.name == second.name else "",
            parts=first.parts,
            view=first.view,
            ident=other,
        )
    return joined


def join_objects(cond: str, a: Obj, b: Obj, control: Fact) -> Obj:
    """One object for both paths, column by column."""
    if a.kind == "thing":
        return replace(a, last=_join_writers(a.last, b.last))

    def both(x: Fact | None, y: Fact | None) -> Fact | None:
        if x is None or y is None:
            only = x or y
            return None if only is None else traced(only, control.serve, control.fit)
        if x == y:
            return x
        joined = phi(cond, x, y)
        if control.time > joined.time:
            joined = replace(joined, time=control.time)
        return traced(joined, control.serve, control.fit)

    columns: dict[str, Fact] = {}
    for name in _in_order(a.columns, b.columns):
        fact = both(a.columns.get(name) or _from_rest(a, name), b.columns.get(name) or _from_rest(b, name))
        if fact is not None:
            columns[name] = fact
    items = dict(a.items)
    for key, value in b.items.items():
        items[key] = join_values(cond, items[key], value, control) if key in items else value
    return replace(
        a,
        fact=both(a.fact, b.fact) or a.fact,
        columns=columns,
        rest=both(a.rest, b.rest),
        items=items,
        fitted=both(a.fitted, b.fitted),
        rows=join_rows(a.rows, b.rows),
        last=_join_writers(a.last, b.last),
        dummies={**a.dummies, **b.dummies},
        history=a.history
        if a.history == b.history
        else (*a.history, lambda fact: traced(fact, control.serve, control.fit)),
    )


def _in_order(a: Mapping[str, Fact], b: Mapping[str, Fact]) -> list[str]:
    """The columns of both, in the order of the one that has them all, where one has."""
    longer, shorter = (b, a) if len(b) > len(a) else (a, b)
    return [*longer, *(name for name in shorter if name not in longer)]


def _from_rest(obj: Obj, name: str) -> Fact | None:
    if obj.rest is None:
        return None
    return column_of_rest(obj, name)


def column_of_rest(obj: Obj, name: str) -> Fact:
    """The fact of a column that the object holds but that no code has named yet."""
    assert obj.rest is not None
    if obj.origin is None:
        return combine("column:" + name, (obj.rest,))
    fact = obj.origin(name)
    for step in obj.history:
        fact = step(fact)
    return with_rows(fact, obj.rows)


def with_rows(fact: Fact, rows: Rows | None) -> Fact:
    """`fact` over these rows."""
    return fact if rows is None or fact.rows == rows else replace(fact, rows=rows)
