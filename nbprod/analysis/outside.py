"""Values that come from outside of the notebook's data: the clock, random numbers, files, code made of text.

Such a value is taken when the notebook is trained, and kept: what it was then is what serving gets. Where each row
would get one of its own, nothing can be kept, and it is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import draws
from nbprod.analysis.callbacks import changed_names
from nbprod.analysis.scopes import bound_names, free_names
from nbprod.analysis.tables import size_position
from nbprod.analysis.values import NONE, Event, Fact, Time, Value, combine, with_refusals
from nbprod.notebook.parsed import syntax_tree

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

CLOCKS = frozenset(
    {"now", "today", "utcnow", "time", "time_ns", "localtime", "gmtime", "ctime", "perf_counter", "monotonic"}
)


def is_clock(name: str) -> bool:
    """Whether a library function tells the time: `datetime.datetime.now`, `pandas.Timestamp.today`, `time.time`."""
    package, _, rest = name.partition(".")
    return package in ("datetime", "time", "pandas") and rest.rpartition(".")[2] in CLOCKS


def taken(run: Interpreter, node: ast.AST, what: str, facts: Sequence[Fact], kind: str = "learned") -> Value:
    """A value from outside, taken once in training; within a function of a row it is refused."""
    whole = combine("outside:" + what, facts)
    fact = replace(whole, time=max(whole.time, Time.LEARNED), fit=whole.fit | run.fit)
    if run.per_row:
        bit = run.refuse(
            node,
            what,
            "each row would get a value of its own from outside of the data",
            "take the value before, in a statement of its own, and let the function use it",
        )
        fact = with_refusals(fact, bit)
    return run.note(node, Value(kind, fact), "outside")


IN_NO_ORDER = "in-no-order"


def has_no_order(run: Interpreter, value: Value) -> bool:
    """Whether the elements of a set come in another order in each process: text is hashed with a random seed."""
    elements = run.elements(value) if value.kind == "set" else None
    return elements is not None and len(elements) > 1 and any(isinstance(each.const, str) for each in elements)


def order_taken(run: Interpreter, node: ast.AST, made: Value) -> Value:
    """The elements of a set in the order that they had when the notebook was trained."""
    obj = run.obj(made)
    fact = replace(obj.fact, time=max(obj.fact.time, Time.LEARNED), fit=obj.fact.fit | run.fit)
    run.state.heap[made.obj] = replace(obj, fact=fact)
    return run.note(node, made, "outside")


def seeded(run: Interpreter, node: ast.Call, name: str, facts: Sequence[Fact]) -> Value:
    """A seed: the numbers that are drawn from here on hang on it, and on one another."""
    run.event(Event("seed", run.at, run.top, node, name))
    draws.begin_again(run, draws.source_of(name), facts)
    return NONE


GENERATORS = frozenset(
    {"random.Random", "sklearn.utils.check_random_state", "sklearn.utils.validation.check_random_state"}
    | {f"numpy.random.{name}" for name in ("default_rng", "Generator", "RandomState")}
    | {f"numpy.random.{name}" for name in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")}
)
"""What makes generators, and the bit generators that they draw from."""

STATES = frozenset({"random.getstate", "random.setstate", "numpy.random.get_state", "numpy.random.set_state"})
"""Functions that take the state of a module's source, or put it back."""

OF_STATE = frozenset({"seed", "get_state", "set_state", "getstate", "setstate"})
"""Methods of a generator that do the same, or begin it again."""


def generator(run: Interpreter, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """A source of its own, `np.random.default_rng(0)` or `random.Random(0)`; its `parts` are its seed.

    What is made of a generator draws from that one; `check_random_state(None)` is NumPy's own.
    """
    given = tuple(args or kwargs.values())
    seed = given[0] if given else NONE
    if seed.kind == "rng":
        return seed
    if name.endswith(".check_random_state") and draws.is_shared(seed):
        return Value("rng", Fact(digest=draws.GLOBAL), name="numpy.random.RandomState")
    made = Value("rng", combine(name, [run.data(value) for value in given]), name=name, parts=given)
    draws.begin(run, made.fact)
    return made


def state(run: Interpreter, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """The state of a source, taken or put back: what is drawn next hangs on both as on a draw."""
    facts = _given(run, args, kwargs)
    draws.by_chance(run, draws.source_of(name), facts)
    return Value("unknown", combine(name, facts))


def of_generator(
    run: Interpreter, node: ast.Call, base: Value, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]
) -> Value:
    """A number that is drawn by a generator of its own, which training has to have."""
    facts = [base.fact, *_given(run, args, kwargs)]
    draws.by_chance(run, base.fact.digest, facts)
    if name in OF_STATE:
        run.touch(base)
        return Value("unknown", combine("generator." + name, facts))
    return _number(run, node, draws.by_generator(base, name), args, kwargs)


def drawn(run: Interpreter, node: ast.Call, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """A random number from one of the sources that all share."""
    draws.by_chance(run, draws.source_of(name), _given(run, args, kwargs))
    return _number(run, node, name, args, kwargs)


def _given(run: Interpreter, args: Sequence[Value], kwargs: Mapping[str, Value]) -> list[Fact]:
    return [run.data(value) for value in (*args, *kwargs.values())]


def _number(run: Interpreter, node: ast.Call, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """A random number, kept as it was drawn; one for each row is refused, but where it only chooses among rows."""
    last = name.rpartition(".")[2]
    facts = _given(run, args, kwargs)
    run.event(Event("random", run.at, run.top, node, name, facts=tuple(facts)))
    value = taken(run, node, name, facts)
    place = size_position(last)
    size = kwargs.get("size", args[place] if place is not None and len(args) > place else NONE)
    if size.kind == "none" or run.data(size).time is Time.CONSTANT:
        return value
    bit = run.refuse(
        node,
        "random-column",
        "each row gets a number that was drawn at random, and a row that is served has none",
        "draw one number for all rows, or leave the noise to training (after the features)",
    )
    numbers = replace(value.fact, time=Time.ROW, refused=value.fact.refused | bit)
    return run.note(node, replace(run.series(numbers), kind="array"), "outside")


def made_of_text(run: Interpreter, node: ast.AST, name: str, text: Value) -> Value:
    """`exec` and `eval`: what the text does is not known before it runs, so nothing behind it is certain."""
    if text.is_const and isinstance(text.const, str):
        _names_of_text(run, node, text.const)
    bit = run.refuse(
        node,
        name,
        "it runs code that is made of text, so what it reads and changes is not known",
        "write the statements themselves into the cell",
    )
    run.clouded |= bit
    return Value("unknown", Fact(refused=bit))


def _names_of_text(run: Interpreter, node: ast.AST, text: str) -> None:
    """Where the text itself is known, so are the names that it reads and binds."""
    try:
        tree = syntax_tree(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for name in sorted(free_names(tree)):
        run.lookup(name, node)
    changed = changed_names(tree)
    for name in sorted(changed):
        run.touch(run.lookup(name, node))
    for statement in tree.body:
        for name in sorted(bound_names(statement)):
            run.bind(name, run.identified(Value("unknown")))
