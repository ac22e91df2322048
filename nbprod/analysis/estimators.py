"""Estimators: construction, fit, transform, predict; functions of their libraries."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import (
    boosters,
    calls,
    classes,
    draws,
    methods,
    outside,
    regressions,
    splitting,
    tabular,
    validation,
    writing,
)
from nbprod.analysis.populations import COPIES
from nbprod.analysis.tables import estimator_kind, estimator_method, library_kind
from nbprod.analysis.values import (
    NONE,
    NOTHING,
    Event,
    Fact,
    Obj,
    Time,
    Value,
    combine,
    digest_of,
    reduce_rows,
    traced,
    with_refusals,
)

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

PREDICTORS = frozenset({"classifiers", "regressors", "clusterers", "detectors", "searches", "meta", "training-only"})
PREDICTS = frozenset({"predict", "predict_proba", "predict_log_proba", "decision_function", "score"})


OUTPUT_SET = "set_output()"
"""Among the items of an estimator: it says for itself what it gives."""


def looks_like_estimator(name: str) -> bool:
    """A class of a library that keeps scikit-learn's contract, though the tables do not list it."""
    package, _, _ = name.partition(".")
    last = name.rpartition(".")[2]
    return (
        library_kind(package) == "estimators"
        and last[:1].isupper()
        and not last.endswith(("Display", "Warning", "Error"))
    )


def construct(run: Interpreter, node: ast.Call, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """An instance of an estimator class."""
    facts = calls.facts_of(run, args, kwargs)
    last = name.rpartition(".")[2]
    fact = combine("new:" + last, facts)
    parts = tuple(value for value in (*args, *kwargs.values()))
    made = run.new(Obj("estimator", replace(fact, rows=None), type=name, sources=draws.sources_of(name, kwargs)))
    given = (*(("", value) for value in args), *kwargs.items())
    run.event(
        Event(
            "construct",
            run.at,
            run.top,
            node,
            name,
            obj=made.obj,
            facts=tuple(facts),
            result=run.obj(made).fact,
            arguments=given,
        )
    )
    return replace(made, parts=parts)


def _configure(run: Interpreter, node: ast.Call, output: Value) -> None:
    """`set_config(transform_output="pandas")`: a setting of the process, which a package may not make for all."""
    run.configured = 0
    if output.const != "default":
        run.configured = run.refuse(
            node,
            "set_config",
            "what transformers give is set for the whole process here, and a package may not set it where it is served",
            'let each transformer have it: StandardScaler().set_output(transform="pandas")',
        )


def is_predictor(run: Interpreter, obj: Obj) -> bool:
    """Whether an estimator is a model, and not a transformer on the way to one."""
    kind = estimator_kind(obj.type)
    if kind is not None:
        return kind in PREDICTORS
    if obj.type in run.classes:
        return classes.method_of(run, obj.type, "predict") is not None
    return not obj.type.rpartition(".")[2].endswith(
        ("Transformer", "Encoder", "Scaler", "Imputer", "Vectorizer", "Selector")
    )


def _only_transforms(run: Interpreter, base: Value) -> bool:
    """Whether an estimator is a pipeline whose last step is known to be a transformer."""
    steps = base.parts[0] if base.parts and run.obj(base).type.rpartition(".")[2] == "Pipeline" else NONE
    found = run.elements(steps) if steps.kind in ("list", "tuple") else None
    last = found[-1].parts[-1] if found and found[-1].kind == "tuple" and found[-1].parts else NONE
    return last.kind == "estimator" and (not is_predictor(run, run.obj(last)) or _only_transforms(run, last))


def call_estimator(
    run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """A method of an estimator."""
    obj = run.obj(base)
    facts = calls.facts_of(run, args, kwargs)
    matrix = tabular.as_table(run, args[0] if args else kwargs.get("X", NONE))
    labels = args[1] if len(args) > 1 else kwargs.get("y", NONE)
    kind = estimator_kind(obj.type)
    if obj.type in run.classes:
        classes.read_globals(run, obj.type, name)
    if name in writing.METHODS:
        writing.written(run, node, name, [base], {})
    match name:
        case "fit" if args and args[0].name == boosters.MATRIX:
            matrix, labels = boosters.refused_rows(run, node, args[0])
            fit(run, node, base, matrix, labels, facts)
            return base
        case "fit" | "partial_fit":
            fit(run, node, base, matrix, labels, facts)
            validation.validated(run, base, kwargs, partial(_validated, run, node, base))
            run.note(node, base, "fit", node.func)
            return base
        case "fit_transform":
            fit(run, node, base, matrix, labels, facts)
            if kind == "training-only":
                return _training_only(run, node, obj.type, combine(name, (run.data(matrix),)))
            made = _transformed(run, node, base, matrix, name)
            return run.note(node, made, "fit-transform", node.func)
        case "transform" | "inverse_transform":
            if name == "inverse_transform":
                turned = Event("rescale", run.at, run.top, node, obj.type, base.obj, facts=(run.data(matrix),))
                run.event(replace(turned, const=(obj.fitted or obj.fact).digest))
                return transform(run, node, base, matrix, name)
            return _transformed(run, node, base, matrix, name)
        case "fit_predict":
            fit(run, node, base, matrix, labels, facts)
            if kind == "training-only":
                return _training_only(run, node, obj.type, combine(name, (run.data(matrix),)))
            made = transform(run, node, base, matrix, "predict")
            return run.note(node, made, "fit-predict", node.func)
        case "predict" | "predict_proba" | "predict_log_proba" | "decision_function":
            return predict(run, node, base, matrix, name)
        case "score":
            score = reduce_rows("score", [obj.fitted or obj.fact, *facts])
            score = traced(score, base.fact.serve, base.fact.fit)
            run.event(_event(run, node, "score", base, matrix, labels, score))
            return Value("scalar", score)
        case "fit_resample" | "fit_sample":
            return splitting.resample(run, node, splitting.copying("fit_resample", obj.type), args, kwargs, base)
        case "split":
            return splitting.folds(run, node, base, matrix)
        case "get_feature_names_out" | "get_feature_names" | "get_support" | "get_params":
            fact = combine(name, (obj.fitted or obj.fact, *facts))
            return Value("learned", traced(fact, base.fact.serve, base.fact.fit))
        case "set_params" | "set_output" | "set_fit_request" | "set_config":
            items = {**obj.items, OUTPUT_SET: NONE} if name == "set_output" else obj.items
            fact = traced(combine(name, (obj.fact, *facts)), run.serve, run.fit)
            run.write(base.obj, replace(obj, fact=fact, items=items))
            return base
        case "plot" | "save_model" | "dump":
            return NONE
    whole = combine("estimator." + name, [obj.fitted or obj.fact, *facts])
    whole = traced(whole, base.fact.serve, base.fact.fit)
    match estimator_method(obj.type, name):
        case "sink":
            return NONE
        case "mutator":
            run.write(base.obj, replace(obj, fact=traced(combine(name, (obj.fact, *facts)), run.serve, run.fit)))
            return base
        case "row-wise" if whole.time is Time.ROW:
            return run.series(whole)
        case "reduction" if whole.time is Time.ROW:
            return Value("learned", reduce_rows("estimator." + name, (whole,), run.learned(node, name, whole.rows)))
        case "training-only":
            return _training_only(run, node, f"{obj.type}.{name}", whole)
        case "random":
            return outside.drawn(run, node, "estimator." + name, args, kwargs)
        case _ if whole.time is Time.ROW:
            return run.series(run.assumed(whole))
        case _:
            return Value("unknown", whole)


def fit(run: Interpreter, node: ast.Call, base: Value, matrix: Value, labels: Value, facts: Sequence[Fact]) -> None:
    """Training an estimator: its state is learned from the rows it is given."""
    obj = run.obj(base)
    whole = run.data(matrix)
    learned = run.learned(node, what_learns(run, base), whole.rows)
    seen = reduce_rows("fit", facts, learned)
    if seen.time < Time.LEARNED:
        seen = replace(seen, time=Time.LEARNED)
    nested = [run.data(part) for part in base.parts if part.kind in ("estimator", "list", "tuple") and part.obj >= 0]
    made = combine("fitted", [obj.fact, seen, *nested])
    fitted = Fact(
        time=Time.LEARNED,
        serve=obj.fact.serve | run.serve,
        fit=made.fit | run.fit | base.fact.fit,
        learns=made.learns,
        digest=made.digest,
        assumed=made.assumed & 0,
        refused=obj.fact.refused,
        learned_at=(frozenset() if obj.type.rpartition(".")[2] in OF_CATEGORIES else made.learned_at) | {learned},
    )
    run.write(base.obj, replace(obj, fitted=fitted, states=_states(run, obj, matrix, fitted, learned)))
    run.event(_event(run, node, "fit", base, matrix, labels, fitted))


HOLDERS = frozenset({"ColumnTransformer", "DataFrameMapper", "FeatureUnion", "Pipeline"})

OF_CATEGORIES = frozenset({"LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer", "OneHotEncoder", "OrdinalEncoder"})
"""Estimators that learn which values there are, and nothing of how these were computed."""

STATELESS = "-"
"""Stands for an estimator whose `fit` keeps nothing."""


def what_learns(run: Interpreter, base: Value) -> str:
    """What fitting an estimator learns, with the estimators that it holds: `fit:Pipeline(StandardScaler+PCA)`."""
    return "fit:" + _named(run, base)


def _named(run: Interpreter, base: Value) -> str:
    obj = run.obj(base)
    name = obj.type.rpartition(".")[2]
    if name in HOLDERS:
        return f"{name}({'+'.join(dict.fromkeys(_held(run, base.parts)))})"
    return STATELESS if obj.type in run.classes and not classes.keeps_what_it_fits(run, obj.type) else name


def _held(run: Interpreter, values: Sequence[Value]) -> list[str]:
    found: list[str] = []
    for value in values:
        if value.kind == "estimator":
            held = run.obj(value).type.rpartition(".")[2] in HOLDERS
            found.extend(_held(run, value.parts) if held else [_named(run, value)])
        elif value.kind == "tuple":
            found.extend(_held(run, value.parts))
        elif value.kind in ("list", "dict") and value.obj >= 0:
            found.extend(_held(run, list(run.obj(value).items.values())))
    return found


def _within(run: Interpreter, values: Sequence[Value]) -> Iterator[str]:
    """The names of all estimators among values, and of those within them; no name for what nobody knows."""
    for each in draws.within(run, values):
        yield "" if each.kind == "unknown" else run.obj(each).type


def _states(run: Interpreter, obj: Obj, matrix: Value, fitted: Fact, learned: int) -> dict[str, Fact]:
    """What a transformer learns of each column, where it looks at columns one by one."""
    if estimator_kind(obj.type) != "columnwise" or matrix.obj < 0:
        return {}
    found = {}
    for name in run.obj(matrix).columns:
        seen = reduce_rows("fit", (tabular.column(run, matrix, name),), learned)
        found[name] = replace(fitted, digest=digest_of("fitted", obj.fact.digest, seen.digest))
    return found


def _event(
    run: Interpreter, node: ast.Call, kind: str, base: Value, matrix: Value, labels: Value, result: Fact
) -> Event:
    obj = run.obj(base)
    columns: Mapping[str, Fact] = {}
    rest: Fact | None = None
    maybe = False
    if matrix.obj >= 0:
        of = run.obj(matrix)
        maybe = of.maybe is not None
        columns = {name: tabular.column(run, matrix, name) for name in of.columns}
        of = run.obj(matrix)
        rest = (
            None
            if of.rest is None
            else traced(of.rest, matrix.fact.serve | of.fact.serve, matrix.fact.fit | of.fact.fit)
        )
        if not columns and rest is None:
            rest = run.data(matrix)
    whole = run.data(matrix)
    name = "" if not isinstance(node.func, ast.Attribute) else ast.unparse(node.func.value)
    target = base.symbol if base.symbol >= 0 and base.name.endswith("best_estimator_") else base.obj
    return Event(
        kind,
        run.at,
        run.top,
        node,
        obj.type,
        obj=target,
        facts=(whole, run.data(labels)),
        columns=columns,
        rest=rest,
        text=name,
        result=traced(result, base.fact.serve | obj.fact.serve, base.fact.fit | obj.fact.fit),
        maybe=maybe,
        holds=frozenset(_within(run, base.parts)),
        kindof="predictor" if is_predictor(run, obj) and not _only_transforms(run, base) else "transformer",
    )


def _transformed(run: Interpreter, node: ast.Call, base: Value, matrix: Value, name: str) -> Value:
    """Rows through a fitted transformer, with an event that tells which state it had."""
    made = transform(run, node, base, matrix, name)
    obj = run.obj(base)
    state = (obj.fitted or obj.fact).digest
    facts = (run.data(matrix),)
    run.event(
        Event("transform", run.at, run.top, node, obj.type, base.obj, facts=facts, const=state, result=run.data(made))
    )
    return made


def transform(run: Interpreter, node: ast.Call, base: Value, matrix: Value, name: str) -> Value:
    """Rows through a fitted transformer."""
    obj = run.obj(base)
    state = obj.fitted or obj.fact
    kind = estimator_kind(obj.type)
    op = "transform" if name in ("transform", "fit_transform") else name
    local = obj.type in run.classes
    extra = replace(state, digest=digest_of(op, state.digest))
    if matrix.obj < 0 or run.data(matrix).time < Time.ROW:
        fact = combine(op, (run.data(matrix), extra))
        if fact.rows is None:
            return run.series(fact)
        return run.new(Obj("array", NOTHING, rest=replace(fact, time=Time.ROW), rows=fact.rows))
    function = next((part for part in base.parts if part.kind in ("function", "lib")), None)
    if op == "transform" and function is not None and obj.type.endswith(".FunctionTransformer"):
        return _by_function(run, node, function, matrix, extra)
    if kind == "columnwise":
        source = run.obj(matrix)
        whole = tabular.mapped(source, lambda fact: combine(op, (fact, extra)), "array")
        columns = {
            name: combine(op, (fact, replace(extra, digest=digest_of(op, obj.states.get(name, state).digest))))
            for name, fact in source.columns.items()
        }
        made = tabular.derived(run, matrix, replace(whole, columns=columns))
    else:
        fact = combine(op, (run.data(matrix), extra))
        if local or kind == "batchwise":
            fact = run.assumed(fact)
        source = run.obj(matrix)
        made = run.new(
            Obj("array", NOTHING, rest=fact, rows=source.rows), Fact(serve=matrix.fact.serve, fit=matrix.fact.fit)
        )
    fact = traced(made.fact, base.fact.serve, base.fact.fit)
    refused = 0 if OUTPUT_SET in obj.items else run.configured
    return replace(made, fact=with_refusals(fact, refused) if refused else fact)


def _by_function(run: Interpreter, node: ast.Call, function: Value, matrix: Value, state: Fact) -> Value:
    """`FunctionTransformer(f)` gives what `f` gives: it keeps nothing of what `f` may learn of the rows."""
    before = len(run.learnings)
    made = calls.invoke(run, node, function, [matrix], {})
    bit = 0
    if len(run.learnings) > before:
        bit = run.refuse(
            node,
            "FunctionTransformer",
            "the function that it applies looks over rows, and it looks at other rows when it serves",
            "compute what is learned before, or use a transformer that learns it in fit",
        )
    fact = replace(made.fact, serve=made.fact.serve | state.serve, fit=made.fact.fit | state.fit)
    return replace(made, fact=with_refusals(fact, bit))


def _validated(run: Interpreter, node: ast.Call, base: Value, matrix: Value, labels: Value) -> None:
    run.event(_event(run, node, "validate", base, matrix, labels, run.data(base)))


def predict(run: Interpreter, node: ast.Call, base: Value, matrix: Value, name: str) -> Value:
    """Predictions of a fitted estimator: row data, and an event."""
    obj = run.obj(base)
    fact = combine(name, (run.data(matrix), obj.fitted or obj.fact))
    fact = run.predicted(traced(fact, base.fact.serve, base.fact.fit))
    run.event(replace(_event(run, node, "predict", base, matrix, NONE, fact), const=name))
    return run.series(fact)


def _training_only(run: Interpreter, node: ast.Call, name: str, fact: Fact) -> Value:
    """Something that gives a value to the rows it learns from, and to no others."""
    last = name.rpartition(".")[2]
    bit = run.refuse(
        node,
        last,
        f"{last} gives labels to the rows it was fitted on, and none to a new row",
        "use an estimator with predict or transform (KMeans, PCA, …)",
    )
    return run.series(with_refusals(fact, bit))


# ---------------------------------------------------------------------- functions


def learning_call(
    run: Interpreter, node: ast.Call, name: str, behaviour: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """A function of scikit-learn or imbalanced-learn, by what it does."""
    facts = calls.facts_of(run, args, kwargs)
    last = name.rpartition(".")[2]
    if last == "set_config" and "transform_output" in kwargs:
        _configure(run, node, kwargs["transform_output"])
    match behaviour:
        case "split":
            return splitting.split(run, node, args, kwargs)
        case "metric" | "report":
            fact = reduce_rows(last, facts)
            run.event(Event("metric", run.at, run.top, node, last, facts=tuple(facts), result=fact, kindof=behaviour))
            return Value("scalar", fact) if behaviour == "metric" else Value("unknown", fact)
        case "cross-validation":
            estimator = args[0] if args else kwargs.get("estimator", NONE)
            matrix = args[1] if len(args) > 1 else kwargs.get("X", NONE)
            labels = args[2] if len(args) > 2 else kwargs.get("y", NONE)
            fact = reduce_rows(last, facts)
            if estimator.kind == "estimator":
                run.event(replace(_event(run, node, "cross-validation", estimator, matrix, labels, fact), const=last))
            if last != "cross_val_predict":
                return Value("scalar", fact)
            bit = run.refuse(
                node,
                last,
                f"{last} gives each row the answer of a model that was trained on other rows and their labels, and a "
                "row that is served comes alone",
                "fit that model in a statement of its own and use its predict, or stack the models "
                "(StackingClassifier, StackingRegressor)",
            )
            return run.series(with_refusals(combine(last, facts), bit))
        case "read":
            return dataset(run, node, name, args, kwargs)
        case "broadcast":
            base = args[0] if args else kwargs.get("data", NONE)
            base = base if base.obj >= 0 else run.series(run.data(base))
            made = tabular.broadcast(run, node, base, last, node, facts[1:])
            return regressions.with_constant(run, base, made) if last == "add_constant" else made
        case "construct":
            return _construct_function(run, node, name, args, kwargs)
        case "resample":
            copies = last == "resample" and not methods.denied(kwargs, "replace")
            return splitting.resample(run, node, COPIES + last if copies else last, args, kwargs)
        case "row-wise":
            base = args[0] if args else NONE
            if last == "normalize" and methods.axis(None, args, kwargs) == 0:
                return tabular.broadcast(run, node, base, "normalize-columns", node, facts[1:])
            made = run.series(combine(last, facts))
            return made if base.obj >= 0 else Value("unknown", combine(last, facts))
        case "reduction":
            return Value("learned", reduce_rows(last, facts))
        case "training-only":
            return _training_only(run, node, last, combine(last, facts))
        case "train":
            run.event(Event("train", run.at, run.top, node, name))
            return boosters.train(run, node, name, args, kwargs)
        case "matrix":
            return boosters.matrix(run, name, args, kwargs)
        case _:
            return calls.by_behaviour(run, node, name, behaviour, args, kwargs)


def _construct_function(
    run: Interpreter, node: ast.Call, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    last = name.rpartition(".")[2]
    if last == "clone" and args and args[0].kind == "estimator":
        obj = run.obj(args[0])
        return replace(run.new(replace(obj, fitted=None), args[0].fact), parts=args[0].parts)
    kinds = {"make_pipeline": "sklearn.pipeline.Pipeline", "make_union": "sklearn.pipeline.FeatureUnion"}
    if last == "make_column_transformer":
        return construct(run, node, "sklearn.compose.ColumnTransformer", args, kwargs)
    if last in kinds:
        return construct(run, node, kinds[last], args, kwargs)
    return Value("unknown", combine(last, calls.facts_of(run, args, kwargs)))


def dataset(run: Interpreter, node: ast.Call, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """The tables that scikit-learn ships: a bunch with `data`, `target` and sometimes `frame`."""
    table = calls.read(run, node, name, args, kwargs)
    target = run.series(tabular.column(run, table, "target"))
    as_frame, pair = (key in kwargs and kwargs[key].const is True for key in ("as_frame", "return_X_y"))
    data = tabular.derived(run, table, replace(run.obj(table), kind="frame" if as_frame else "array"))
    if pair or name.rpartition(".")[2].startswith("make_"):
        return Value("tuple", parts=(data, target))
    items: dict[str, Value] = {
        "data": data,
        "frame": table,
        "target": target,
        "feature_names": Value("index", Fact(digest="names")),
        "target_names": Value("index", Fact(digest="targets")),
        "DESCR": Value("str"),
    }
    return run.new(Obj("instance", NOTHING, items=items, type="Bunch"))
