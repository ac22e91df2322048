"""What draws at random, and from which source: each draw hangs on the seed of its source and on the draws before it.

`random_state.toml` says which classes and functions draw. What was drawn from a source so far stands in the state of
the execution (`State.drawn`).

The fits of models (classifiers, regressors, searches, pipelines that end in one) are left out: what is drawn after such
a fit hangs on it as well, but to fit again each model that a notebook tries is more than a package should do. A row
choice without a seed of its own behind such a fit may therefore be another one in the package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from nbprod.analysis.compiled import compiled
from nbprod.analysis.tables import estimator_kind, learning_function
from nbprod.analysis.values import NONE, UNKNOWN, Fact, Value

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

GLOBAL = "numpy.random"
"""The source that scikit-learn and pandas draw from where `random_state` is None."""

SHARED = frozenset({GLOBAL, "random"})
"""Sources that belong to a module, and to no object."""

SINCE_READ = "since-read:"
"""Stands before a shared source that has no seed, for the choices of rows since these were read."""

FITS = frozenset(
    {"fit", "partial_fit", "fit_transform", "fit_predict", "fit_resample", "fit_sample", "split"}
)  # fmt: skip
"""Methods in which estimators, samplers and splitters draw."""

MODELS = frozenset({"classifiers", "regressors", "searches"})


class Table(Struct, frozen=True):
    """Names by when their `random_state` counts."""

    always: frozenset[str]
    never: frozenset[str]
    where: dict[str, str]


@cache
def table() -> Table:
    """The names of `random_state.toml`."""
    rows = compiled().random_state
    return Table(frozenset(rows["always"].split()), frozenset(rows["never"].split()), rows["where"])


CHOOSES_ROWS = frozenset({"samplers", "undersamplers", "splitters"})
"""Kinds of classes that draw the rows that a model is trained on."""


def chooses_rows(name: str) -> bool:
    """Whether a class or function of `random_state.toml` draws rows, as all of its functions do, and no model."""
    known = table()
    if name[:1].islower():
        return name in known.always or name in known.where
    return any(estimator_kind(f"{package}.{name}") in CHOOSES_ROWS for package in ("sklearn", "imblearn"))


def draws(name: str, given: Mapping[str | None, Any]) -> bool | None:
    """Whether a class or function with these keyword arguments draws at random, None where that is not certain.

    `given` has the constant of each argument, `UNKNOWN` for those that have none, and None among its names for
    arguments that nobody can name.
    """
    known = table()
    if name in known.always:
        return True
    return _holds(known.where[name], given) if name in known.where else False


def _holds(condition: str, given: Mapping[str | None, Any]) -> bool | None:
    """Whether a condition of the table, `solver=sag|saga` or `!shuffle=False`, holds of a call's arguments."""
    denied = condition.startswith("!")
    name, _, values = condition.removeprefix("!").partition("=")
    if name not in given:
        return None if None in given else denied
    value = given[name]
    return None if value is UNKNOWN else (str(value) in values.split("|")) is not denied


# ---------------------------------------------------------------------- sources


def source_of(name: str) -> str:
    """What a function draws from: the state of the module `random`, or that of NumPy."""
    return "random" if name.startswith("random.") else GLOBAL


def by_generator(base: Value, name: str) -> str:
    """The name of a draw by a generator: that of the module's function where it has no seed of its own."""
    return f"generator.{name}" if base.parts else f"{base.name.rpartition('.')[0]}.{name}"


def begin(run: Interpreter, generator: Fact) -> None:
    """A generator was made: its numbers hang on its own seed."""
    run.state.drawn = {generator.digest: run.fit, **run.state.drawn}


def begin_again(run: Interpreter, source: str, seed: Sequence[Fact]) -> None:
    """A source was given a seed: the numbers from here on hang on that alone."""
    run.state.drawn = {**run.state.drawn, source: _bits(run, seed)}


def by_chance(run: Interpreter, source: str, needs: Sequence[Fact] = (), *, of_rows: bool = False) -> None:
    """Numbers are drawn: what the statement makes hangs on the seed of their source, and on the draws before.

    How many are drawn, and from what, hangs on what the call is given: what comes later needs that too. A shared source
    that was given no seed draws other numbers in each run, whatever was drawn before. But the proof begins where the
    source stood when the rows were read, so that a choice `of_rows` hangs on those before it, which cost nothing.
    """
    if source in SHARED and source not in run.state.drawn:
        if not of_rows:
            return
        source = SINCE_READ + source
    run.fit |= _before(run, source)
    run.state.drawn = {**run.state.drawn, source: _bits(run, needs)}


def since_read(run: Interpreter) -> None:
    """Rows are read: what was chosen of others before is none of theirs."""
    drawn = run.state.drawn
    run.state.drawn = {source: bits for source, bits in drawn.items() if not source.startswith(SINCE_READ)}


def _before(run: Interpreter, source: str) -> int:
    """The seed of a source and its draws so far: of a generator that may be one of several, those of all."""
    drawn = run.state.drawn
    if source in drawn or source in SHARED or source.startswith(SINCE_READ):
        return drawn.get(source, 0)
    bits = 0
    for one in drawn.keys() - SHARED:
        if not one.startswith(SINCE_READ):
            bits |= drawn[one]
    return bits


def _bits(run: Interpreter, facts: Sequence[Fact]) -> int:
    bits = run.fit
    for fact in facts:
        bits |= fact.fit | (0 if fact.rows is None else fact.rows.fit)
    return bits


def of_call(run: Interpreter, fn: Value, args: Sequence[Value], kwargs: Mapping[str, Value]) -> None:
    """Note that a call of a library draws, where it draws from a source that other calls share."""
    match fn.kind:
        case "lib" | "module":
            sources = _of_function(fn.name, kwargs)
            needs = [run.data(value) for value in args] if sources else []
            of_rows = chooses_rows(fn.name.rpartition(".")[2])
        case "method" if fn.parts:
            base = fn.parts[0]
            sources = _of_method(run, base, fn.name, kwargs)
            needs = [run.data(value) for value in (base, *args)] if sources else []
            of_rows = fn.name.endswith(".sample")
        case _:
            return
    for source, of in sources.items():
        by_chance(run, source, [*needs, of], of_rows=of_rows)


Sources = Mapping[str, Fact]
"""What is drawn from, each with the fact of the generator that it is."""


def _of_function(name: str, kwargs: Mapping[str, Value]) -> Sources:
    return {} if learning_function(name) is None else sources_of(name, kwargs)


def _of_method(run: Interpreter, base: Value, name: str, kwargs: Mapping[str, Value]) -> Sources:
    receiver, _, method = name.partition(".")
    if receiver in ("frame", "series", "groupby") and method == "sample":
        return sources_of(method, kwargs)
    if base.kind != "estimator" or method not in FITS or (method == "fit" and is_model(run, base)):
        return {}
    return of_estimator(run, base)


def sources_of(name: str, kwargs: Mapping[str, Value]) -> Sources:
    """What a function draws from, or an estimator once it is fitted."""
    given = {None if key == "**" else key: value.const for key, value in kwargs.items()}
    if draws(name.rpartition(".")[2], given) is False:
        return {}
    state = kwargs.get("random_state", NONE)
    if is_shared(state):
        return {GLOBAL: Fact()}
    return {state.fact.digest: state.fact} if state.kind == "rng" else {}


def is_shared(state: Value) -> bool:
    """Whether a `random_state` stands for NumPy's own: None, what may be None, or the module `np.random`."""
    return state.kind == "none" or state.maybe or (state.kind in ("lib", "module") and state.name == GLOBAL)


# ---------------------------------------------------------------------- estimators


def is_model(run: Interpreter, base: Value) -> bool:
    """Whether an estimator is a model, or a pipeline that ends in one."""
    kind = estimator_kind(run.obj(base).type)
    if kind != "meta":
        return kind in MODELS
    return any(each.kind == "unknown" or is_model(run, each) for each in within(run, base.parts))


def of_estimator(run: Interpreter, base: Value) -> Sources:
    """What an estimator draws from when it is fitted, with those that it holds."""
    found = dict(run.obj(base).sources)
    for each in within(run, base.parts):
        if each.kind == "estimator":
            found.update(run.obj(each).sources)
    return found


def within(run: Interpreter, values: Sequence[Value]) -> Iterator[Value]:
    """All estimators among values, those within them, and what nobody knows."""
    for value in values:
        if value.kind == "unknown":
            yield value
        elif value.kind == "estimator":
            yield value
            yield from within(run, value.parts)
        elif value.kind == "tuple":
            yield from within(run, value.parts)
        elif value.kind in ("list", "dict") and value.obj >= 0:
            yield from within(run, list(run.obj(value).items.values()))
