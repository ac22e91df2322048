"""The abstract values of the analysis: facts about data, references to objects, and the objects themselves.

A `Fact` says of a piece of data when it is known (binding time), which statements made it, which raw columns it
is computed from, and a digest of the computation that does not depend on names or layout. Sets of statements are
integers used as bit sets.

Most of them are no matter of the search for cyclic garbage (`gc=False`): they are made of values that were there before
and never change, so that none leads back to itself.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from hashlib import blake2b
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace


class Time(IntEnum):
    """Binding time; the time of a combination is the latest of its parts."""

    CONSTANT = 0
    LEARNED = 1
    ROW = 2


class Rows(Struct, frozen=True, gc=False):
    """Which rows a piece of row data holds.

    `root` numbers the raw table; `side` is `all`, or `train` and `test` after a split, with `split` the
    statement that made it; `fit` is the set of statements that chose the rows; `digest` is over the choice.
    `chain` holds the choices one by one (`populations.py` compares them), `mix` the tables that were put one below
    the other. `numbered` says after how many choices the labels of the rows were their places; it is below zero where
    they never were, or where that is not known (`labels.py`).
    """

    root: int
    side: str = "all"
    split: int = -1
    fit: int = 0
    digest: str = "all"
    ordered: bool = True
    chain: tuple[str, ...] = ()
    mix: tuple[Rows, ...] = ()
    numbered: int = -1


class Fact(Struct, frozen=True, gc=False):
    """What is known of a piece of data.

    `serve`: statements that must run when a row is served; `fit`: those that must run to train (a superset).
    `inputs`: raw columns that the value of a row depends on when served.
    `learns`: raw columns that were looked at over all rows to make it.
    `assumed`, `refused`: statements and refusals (bit sets) that the data passed through.
    `learned_at`: the places where something was learned over rows to make it, by number; −1−n stands for the
    predictions of the n-th event.
    """

    time: Time = Time.CONSTANT
    serve: int = 0
    fit: int = 0
    inputs: frozenset[str] = frozenset()
    learns: frozenset[str] = frozenset()
    digest: str = "-"
    rows: Rows | None = None
    assumed: int = 0
    refused: int = 0
    learned_at: frozenset[int] = frozenset()


NOTHING = Fact()


def digest_of(*parts: str) -> str:
    """Stable digest of an operation and its operands, 16 bytes as hex."""
    return blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def combine(op: str, facts: Iterable[Fact], *, time: Time | None = None, digest: str | None = None) -> Fact:
    """The fact of `op` applied to data with these facts, row by row; its digest is made of theirs, or given."""
    parts = tuple(facts)
    if not parts:
        return Fact(digest=digest_of(op), time=time or Time.CONSTANT)
    first = parts[0]
    latest, rows = first.time, first.rows
    serve, fit, assumed, refused = first.serve, first.fit, first.assumed, first.refused
    inputs, learns, learned_at = first.inputs, first.learns, first.learned_at
    # Sets are shared by most parts, and empty in most: a union is made only where it is another set than either.
    for part in parts[1:]:
        serve |= part.serve
        fit |= part.fit
        assumed |= part.assumed
        refused |= part.refused
        if part.time > latest:
            latest = part.time
        if part.rows is not rows:
            rows = join_rows(rows, part.rows)
        if part.inputs is not inputs and part.inputs:
            inputs = inputs | part.inputs if inputs else part.inputs
        if part.learns is not learns and part.learns:
            learns = learns | part.learns if learns else part.learns
        if part.learned_at is not learned_at and part.learned_at:
            learned_at = learned_at | part.learned_at if learned_at else part.learned_at
    return Fact(
        latest if time is None else time,
        serve,
        fit,
        inputs,
        learns,
        digest_of(op, *[part.digest for part in parts]) if digest is None else digest,
        rows,
        assumed,
        refused,
        learned_at,
    )


def reduce_rows(op: str, facts: Iterable[Fact], event: int = -1) -> Fact:
    """The fact of a reduction over rows: learned in training, replayed in serving.

    Where no operand is row data it is an ordinary combination. Otherwise nothing of the operands is needed in
    serving; the side of the split that was looked at belongs to the digest.
    """
    parts = tuple(facts)
    whole = combine(op, parts)
    if whole.time < Time.ROW:
        return whole
    rows = whole.rows
    side = rows.side if rows is not None else "all"
    return Fact(
        time=Time.LEARNED,
        serve=0,
        fit=whole.fit | (rows.fit if rows is not None else 0),
        inputs=frozenset(),
        learns=whole.learns | whole.inputs,
        digest=digest_of("over", side, whole.digest),
        rows=None,
        assumed=whole.assumed,
        refused=whole.refused,
        learned_at=whole.learned_at | ({event} if event >= 0 else frozenset()),
    )


def join_rows(a: Rows | None, b: Rows | None) -> Rows | None:
    """The rows of data that was made from both."""
    if a is None or a is b:
        return b
    if b is None or a == b:
        return a
    if same_rows(a, b):
        return replace(a, numbered=-1)
    return Rows(
        root=a.root,
        side=a.side if a.side == b.side else "all",
        split=a.split,
        fit=a.fit | b.fit,
        digest=digest_of(a.digest, b.digest),
        ordered=a.ordered and b.ordered,
        chain=common(a.chain, b.chain) if a.root == b.root and a.mix == b.mix else a.chain,
        mix=a.mix,
    )


def same_rows(a: Rows | None, b: Rows | None) -> bool:
    """Whether two pieces of data hold the same rows in the same order, whatever the rows are called by."""
    if a is None or b is None or a.numbered == b.numbered:
        return a == b
    return a == replace(b, numbered=a.numbered)


def common(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    """The choices that both went through, up to the first in which they differ."""
    same = 0
    while same < min(len(a), len(b)) and a[same] == b[same]:
        same += 1
    return a[:same]


def with_refusals(fact: Fact, bits: int) -> Fact:
    """`fact`, carrying these refusals as well."""
    return fact if not bits & ~fact.refused else replace(fact, refused=fact.refused | bits)


def traced(fact: Fact, serve: int, fit: int) -> Fact:
    """`fact`, made by these statements as well."""
    if (fact.serve | serve) == fact.serve and (fact.fit | fit) == fact.fit:
        return fact
    # Written out, as this is where the analysis spends most of its time.
    return Fact(
        fact.time,
        fact.serve | serve,
        fact.fit | fit,
        fact.inputs,
        fact.learns,
        fact.digest,
        fact.rows,
        fact.assumed,
        fact.refused,
        fact.learned_at,
    )


def phi(cond: str, a: Fact, b: Fact) -> Fact:
    """The fact of data that comes from one of two paths."""
    if a is b or a == b:
        return a
    if a.digest == b.digest:
        digest = a.digest
    else:
        digest = digest_of("phi", cond, a.digest, b.digest)
    return combine("phi", (a, b), digest=digest)


class Unknown:
    """Marks a value whose constant is not known."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "?"


UNKNOWN: Any = Unknown()


class Value(Struct, frozen=True, gc=False):
    """What an expression yields: a kind, facts of its own, and where it is mutable a reference to an object.

    Kinds: `frame series array index groupby scalar str list tuple dict set none module lib function class
    method accessor indexer estimator instance row unknown`.
    `name` is the qualified name of `lib`, `module` and `class` values and the type of estimators.
    `parts` holds the elements of tuples, the receiver of methods and accessors, the arguments of partials.
    `view` is the frame object and column that a series was taken from without a copy. `symbol` stands for a name
    that is not known, `maybe` says that the constant lists what may be there, or that the value may be None. `ident`
    numbers what the analysis has no object for: a thing that an unknown call made, or the container that this is some
    element of.
    """

    kind: str
    fact: Fact = NOTHING
    obj: int = -1
    const: Any = UNKNOWN
    name: str = ""
    parts: tuple[Value, ...] = ()
    view: tuple[int, str] | None = None
    symbol: int = -1
    maybe: bool = False
    ident: int = -1

    def __eq__(self, other: object) -> bool:
        """By all but `ident`."""
        return isinstance(other, Value) and Struct.__eq__(self, replace(other, ident=self.ident))

    __hash__ = None  # type: ignore[assignment]  # constants may be lists

    @property
    def is_const(self) -> bool:
        return self.const is not UNKNOWN


NONE = Value("none", const=None)


class Obj(Struct, frozen=True):
    """A mutable thing: its own fact, and its parts.

    `columns` of frames and of arrays that came from frames, in order; `rest` the columns not named, `origin` and
    `history` how a column of the rest gets its fact; `index` the columns that `set_index` made the index; `items` are
    elements of lists and dicts and attributes of instances; `fitted` is the learned state of estimators, `states` that
    of each column; `sources` are what they draw from when they are fitted. `maybe` is set where each part may be there
    or not, as learned. `last` says which cells wrote it last, and when. `dummies` are the beginnings of the names of
    indicator columns, with the column that has their fact; where the beginning is not known, what stands in the names,
    without a column. `chosen` is the condition that chose the rows among those of another table, a value for each row.
    """

    kind: str
    fact: Fact = NOTHING
    columns: Mapping[str, Fact] = field(default_factory=dict)
    rest: Fact | None = None
    origin: Callable[[str], Fact] | None = None
    history: tuple[Callable[[Fact], Fact], ...] = ()
    items: dict[Any, Value] = field(default_factory=dict)
    fitted: Fact | None = None
    rows: Rows | None = None
    type: str = ""
    last: tuple[int, frozenset[int]] = (0, frozenset())
    maybe: Fact | None = None
    states: Mapping[str, Fact] = field(default_factory=dict)
    index: Mapping[str, Fact] = field(default_factory=dict)
    sources: Mapping[str, Fact] = field(default_factory=dict)
    dummies: Mapping[str, str] = field(default_factory=dict)
    chosen: Fact | None = None


class Note(Struct, frozen=True, gc=False):
    """What the analysis saw at an expression, over all of its executions.

    `op` tells the rewriter what the expression does to rows: `row-changing`, `fit`, `fit-transform`,
    `idiom:NAME`, `reads`, `user-call`; `of` is the node that it does it to. `side` is the side of a split that the
    rows are on, empty where they are on no side or on both; `root` the raw table of the rows, negative where there
    is none or more than one.
    """

    time: Time
    kind: str = ""
    op: str = ""
    of: ast.AST | None = None
    side: str = ""
    root: int = -1


class Frame(Struct, frozen=True):
    """A call of one of the notebook's functions; both are None in a method of one of its classes."""

    call: ast.Call | None
    function: ast.AST | None


class Event(Struct, frozen=True):
    """A call that matters to the plan or to the findings.

    Kinds: `read`, `split`, `fit`, `transform`, `predict`, `score`, `metric`, `rescale`, `resample`, `save` of a table,
    `keep` of an estimator in a file, `search`, `seedless`; of models that are not served `fit`, `evaluate`, `validate`
    and `held-out` (the call holds some of its rows out by itself), of modules that a loop of the notebook trains
    `forward` and `backward`, and `train` of a library's own training function.
    `facts` are those of the data arguments as they were; `columns` the columns of the first; `arguments` are the
    arguments of a construction, by keyword or position; `const` of a transformer is its state's digest; `maybe` says
    that any of the columns may not be there; `holds` are the estimators that one holds, by name; `frames` the calls of
    the notebook's functions it stands in, the outermost first.
    """

    kind: str
    statement: int
    top: int
    node: ast.Call
    name: str
    obj: int = -1
    facts: tuple[Fact, ...] = ()
    columns: Mapping[str, Fact] = field(default_factory=dict)
    rest: Fact | None = None
    const: Any = None
    text: str = ""
    result: Fact | None = None
    kindof: str = ""
    arguments: tuple[tuple[str, Value], ...] = ()
    maybe: bool = False
    holds: frozenset[str] = frozenset()
    frames: tuple[Frame, ...] = ()


MAYBE = Fact(digest="maybe")
"""Marks what may be among the elements of a list, or not."""

Exits = frozenset[str]
"""How a statement may end: `next`, `return`, `break`, `continue`, `raise`."""

NEXT: Exits = frozenset({"next"})
