"""Regressions of statsmodels: they are given their rows when they are made, and asked for other rows afterwards.

They are not served, but what they learn from and what they are tested on counts for leakage.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import calls, tabular
from nbprod.analysis.values import NONE, NOTHING, Event, Fact, Obj, Time, Value, combine, digest_of, reduce_rows

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

OF_ROWS = frozenset(
    {
        "GEE", "GLM", "GLS", "GLSAR", "Logit", "MNLogit", "MixedLM", "NegativeBinomial", "OLS", "PHReg", "Poisson",
        "Probit", "QuantReg", "RLM", "WLS",
    }
)  # fmt: skip
"""Classes that take labels and rows: `sm.OLS(y, X)`."""

BY_FORMULA = frozenset(name.lower() for name in OF_ROWS)
"""Functions that take a formula and a table: `smf.ols("y ~ a", data=df)`."""

CONSTANT = "const"
"""The column that `add_constant` adds to a table."""

FITTED = frozenset(f"fit:{name}" for name in OF_ROWS | BY_FORMULA)


def is_regression(name: str) -> bool:
    """Whether a qualified name is a regression of statsmodels."""
    package, _, rest = name.partition(".")
    return package == "statsmodels" and rest.rpartition(".")[2] in OF_ROWS | BY_FORMULA


def construct(run: Interpreter, node: ast.Call, name: str, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """A regression over the rows that it is given."""
    last = name.rpartition(".")[2]
    places = ("formula", "data") if last in BY_FORMULA else ("endog", "exog")
    given = {**dict(zip(places, args, strict=False)), **kwargs}
    labels, rows = (given.get(place, NONE) for place in places)
    rows = tabular.as_table(run, rows)
    number = run.learned(node, f"fit:{last}", run.data(rows).rows)
    result = reduce_rows(last, calls.facts_of(run, args, kwargs), number)
    facts = (run.data(rows), run.data(labels))
    run.event(_event(run, node, "fit", last, number, facts, result))
    return Value("learned", result)


def with_constant(run: Interpreter, base: Value, made: Value) -> Value:
    """What `add_constant` gives, with the column that it adds where all columns of `base` are known.

    Whether it is added is learned: a table that has a constant column is left as it is.
    """
    if run.data(base).time is not Time.ROW:
        return made
    obj, whole = run.obj(made), run.data(made)
    if run.obj(base).kind == "series":
        return run.new(Obj("frame", NOTHING, rest=whole, rows=obj.rows), made.fact)
    if not obj.columns or obj.rest is not None:
        return made
    added = replace(whole, digest=digest_of(CONSTANT, whole.digest))
    return run.new(replace(obj, columns={CONSTANT: added, **obj.columns}), made.fact)


def predict(
    run: Interpreter, node: ast.Call, base: Value, args: Sequence[Value], kwargs: Mapping[str, Value]
) -> Value | None:
    """What a fitted regression predicts for rows, None where `base` is none or is given no rows."""
    fitted = [number for number in run.data(base).learned_at if number >= 0 and run.learnings[number].what in FITTED]
    rows = tabular.as_table(run, args[0] if args else kwargs.get("exog", NONE))
    if not fitted or run.data(rows).time is not Time.ROW:
        return None
    fact = combine("call:regression.predict", [run.data(base), *calls.facts_of(run, args, kwargs)])
    marked = run.predicted(run.assumed(fact))
    run.event(_event(run, node, "evaluate", "predict", max(fitted), (run.data(rows), run.data(NONE)), marked))
    return run.series(marked)


def _event(
    run: Interpreter, node: ast.Call, kind: str, name: str, number: int, facts: tuple[Fact, ...], result: Fact
) -> Event:
    """An event of the regression that learned at `number`; no object has its number."""
    obj = -2 - number
    return Event(kind, run.at, run.top, node, name, obj, facts=facts, result=result, const=name, kindof="regression")
