"""Models of libraries that learn from rows without scikit-learn's contract: Keras and those built like it, Prophet.

They are not served, but what they learn from and what they are tested on counts for leakage.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import calls, estimators, mutation, tabular
from nbprod.analysis.values import NONE, Event, Fact, Obj, Time, Value, combine, reduce_rows, traced

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

LIBRARIES = frozenset({"fbprophet", "keras", "prophet", "skorch", "tensorflow", "tf_keras", "tflearn"})

FITS = frozenset({"fit", "fit_generator", "train_on_batch"})
FITS_TEXTS = frozenset({"fit_on_texts", "fit_on_sequences", "adapt"})
USES = frozenset({"predict", "predict_classes", "predict_proba", "predict_generator", "predict_on_batch"})
SCORES = frozenset({"evaluate", "evaluate_generator", "score", "test_on_batch"})


OF_IMAGES = frozenset({"ImageDataGenerator"})
"""Classes whose `fit` computes what only some settings use."""

OF_ALL_IMAGES = frozenset({"**", "featurewise_center", "featurewise_std_normalization", "zca_whitening"})
"""Settings that do: the others turn, move or scale one image at a time."""


def is_network(name: str) -> bool:
    """Whether a qualified name is a class of such a library."""
    return name.partition(".")[0] in LIBRARIES and name.rpartition(".")[2][:1].isupper()


def construct(run: Interpreter, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """An instance: a model, a layer, a tokenizer."""
    last = name.rpartition(".")[2]
    fact = combine("new:" + last, calls.facts_of(run, args, kwargs))
    used = {key: value for key, value in kwargs.items() if key in OF_ALL_IMAGES and value.const is not False}
    settings = {**used, **{str(number): value for number, value in enumerate(args)}}
    made = Obj("network", replace(fact, rows=None), type=name, items=settings if last in OF_IMAGES else {})
    return run.new(made, Fact(serve=fact.serve, fit=fact.fit))


def call_network(
    run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """A method of an instance."""
    obj = run.obj(base)
    data = next((v for v in (*args[:1], *(kwargs[k] for k in ("x", "X", "generator", "df") if k in kwargs))), NONE)
    data = tabular.as_table(run, data)
    labels = args[1] if len(args) > 1 else kwargs.get("y", NONE)
    facts = calls.facts_of(run, args, kwargs)
    if name in FITS:
        learn_from(run, node, base, data, labels, facts)
        _validated(run, node, base, kwargs.get("validation_data", NONE))
        if kwargs.get("validation_split", NONE).const not in (None, 0):
            run.event(_event(run, node, "held-out", base, data, labels, run.data(base)))
        return Value("unknown", reduce_rows("history", (run.data(base), *facts)))
    if name in FITS_TEXTS:
        _learn(run, node, base, data, facts)
        return NONE
    if name in USES or name in SCORES:
        return _used(run, node, base, name, data, labels)
    whole = combine("network." + name, [obj.fitted or obj.fact, *facts])
    of_rows = whole.time is Time.ROW
    if _changes(run, node, obj, name, kwargs):
        changed = reduce_rows("network." + name, (whole,)) if of_rows else whole
        run.write(base.obj, replace(obj, fact=traced(changed, run.serve, run.fit)))
    return run.series(run.assumed(whole)) if of_rows else Value("unknown", whole)


def _changes(run: Interpreter, node: ast.Call, obj: Obj, name: str, kwargs: Mapping[str, Value]) -> bool:
    """Whether a method changes its instance: layers are added and weights loaded, but `summary` and `plot` only look.

    A session of TensorFlow 1 holds the variables that the operations it runs may assign.
    """
    of_session = name == "run" and obj.type.endswith("Session")
    return of_session or mutation.changes_receiver(name, kwargs, alone=node is run.bare)


def _learn(run: Interpreter, node: ast.Call, base: Value, data: Value, facts: list[Fact]) -> Fact:
    obj = run.obj(base)
    last = obj.type.rpartition(".")[2]
    what = estimators.STATELESS if last in OF_IMAGES and not obj.items else last
    number = run.learned(node, "fit:" + what, run.data(data).rows)
    seen = reduce_rows("fit", facts, number)
    fitted = replace(combine("fitted", (obj.fact, seen)), time=Time.LEARNED, rows=None)
    fitted = traced(replace(fitted, learned_at=fitted.learned_at | {number}), run.serve, run.fit)
    run.write(base.obj, replace(obj, fitted=fitted))
    return fitted


def learn_from(run: Interpreter, node: ast.Call, base: Value, data: Value, labels: Value, facts: list[Fact]) -> None:
    """A training call of a model: its rows and labels, and the facts of all arguments."""
    data = tabular.as_table(run, data)
    fitted = _learn(run, node, base, data, facts)
    run.event(_event(run, node, "fit", base, data, labels, fitted))


def _validated(run: Interpreter, node: ast.Call, base: Value, given: Value) -> None:
    if given is NONE:
        return
    data, labels = (*(run.elements(given) or [given]), NONE)[:2]
    validated_on(run, node, base, data, labels)


def validated_on(run: Interpreter, node: ast.Call, base: Value, data: Value, labels: Value) -> None:
    """Rows that a training call is validated on."""
    run.event(_event(run, node, "validate", base, tabular.as_table(run, data), labels, run.data(base)))


def _used(run: Interpreter, node: ast.Call, base: Value, name: str, data: Value, labels: Value) -> Value:
    obj = run.obj(base)
    fact = combine(name, (run.data(data), obj.fitted or obj.fact))
    fact = run.predicted(traced(fact, base.fact.serve, base.fact.fit))
    run.event(replace(_event(run, node, "evaluate", base, data, labels, fact), const=name))
    return Value("scalar", reduce_rows(name, (fact,))) if name in SCORES else run.series(fact)


def _event(run: Interpreter, node: ast.Call, kind: str, base: Value, data: Value, labels: Value, result: Fact) -> Event:
    facts = (run.data(data), run.data(labels))
    last = run.obj(base).type.rpartition(".")[2]
    return Event(kind, run.at, run.top, node, last, obj=base.obj, facts=facts, result=result, kindof="network")
