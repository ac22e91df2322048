"""Attributes of abstract values: what `df.columns`, `df.age`, `s.dt.month` or `model.coef_` is."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from nbprod.analysis import classes, column_names, labels, row_numbers, tabular
from nbprod.analysis.tables import is_gone, method_behaviour
from nbprod.analysis.values import (
    Obj,
    Time,
    Value,
    combine,
    reduce_rows,
    traced,
    with_refusals,
)

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


OF_TRAINING_ROWS = frozenset({"labels_", "embedding_", "row_labels_", "core_sample_indices_", "oob_prediction_"})


def get_attribute(run: Interpreter, node: ast.Attribute, base: Value) -> Value:
    """The value of `base.attribute`."""
    name = node.attr
    match base.kind:
        case "module" | "lib":
            return Value("lib", base.fact, name=f"{base.name}.{name}")
        case "frame":
            return _frame_attribute(run, node, base, name)
        case "series" | "array" | "rowindex":
            return _series_attribute(run, node, base, name)
        case "accessor":
            return _accessor_attribute(run, node, base, name)
        case "index":
            match method_behaviour("index-attributes", name):
                case "columnwise":
                    return replace(base, fact=combine("index." + name, (base.fact,)))
                case "schema":
                    return Value("scalar", combine(name, (base.fact,)))
            return Value("method", base.fact, name="index." + name, parts=(base,))
        case "groupby":
            if method_behaviour("groupby", name) is not None:
                return Value("method", name="groupby." + name, parts=(base,))
            return replace(base, parts=(base.parts[0], base.parts[1], run.constant(name)))
        case "row" if base.name == "itertuples" and name == "Index":
            return row_numbers.number(run, node, tabular.row_fact(run, base.parts[0]), row_numbers.LABEL)
        case "row" if base.name != "itertuples" and name == "name":
            return row_numbers.number(run, node, tabular.row_fact(run, base.parts[0]), row_numbers.LABEL)
        case "row":
            return (
                row_numbers.row_of(run, base, name)
                if name not in ("index", "values", "get")
                else Value("method", name="row." + name, parts=(base,))
            )
        case "estimator":
            return _estimator_attribute(run, node, base, name)
        case "instance":
            obj = run.obj(base)
            if name in obj.items:
                item = obj.items[name]
                return replace(item, fact=traced(item.fact, base.fact.serve, base.fact.fit))
            made = classes.attribute(run, base, name)
            if made is None and base.parts:  # what a library makes has no class of the notebook's
                made = classes.class_attribute(run, base, base.parts[0], name)
            return Value("method", name="instance." + name, parts=(base,)) if made is None else made
        case "class":
            made = classes.class_attribute(run, base, base, name)
            return Value("method", name="class." + name, parts=(base,)) if made is None else made
        case "method" if base.name == "index.str" and name in column_names.TEXT_CHANGES | column_names.TEXT_TESTS:
            return Value("method", base.fact, name="index.str-" + name, parts=base.parts)
        case "unknown" | "scalar" if name in ("index", "columns") and run.data(base).time is Time.LEARNED:
            return Value("index", run.data(base))
        case "unknown" | "scalar" if run.data(base).time is not Time.ROW:
            return Value("method", base.fact, name="unknown." + name, parts=(base,))
        case _:
            return Value("method", name=f"{base.kind}.{name}", parts=(base,))


def _frame_attribute(run: Interpreter, node: ast.Attribute, base: Value, name: str) -> Value:
    match name:
        case "loc" | "iloc" | "at" | "iat" | "ix":
            return Value("indexer", name=name, parts=(base,))
        case "columns":
            obj = run.obj(base)
            known: Any = tuple(obj.columns) if obj.rest is None else None
            fact = tabular.schema_of(run, base, "columns")
            if known is None:
                return Value("index", fact, parts=(base,))
            return Value("index", fact, const=known, parts=(base,), maybe=obj.maybe is not None)
        case "values":
            return tabular.derived(run, base, replace(run.obj(base), kind="array"))
        case "index":
            return labels.index_of(run, node, base)
        case "shape":
            rows = reduce_rows("rows", (tabular.row_fact(run, base),))
            count = Value("scalar", rows, name=tabular.ROW_COUNT, parts=(base,))
            return Value("tuple", parts=(count, Value("scalar", tabular.schema_of(run, base, "width"))))
        case "dtypes" | "size" | "ndim" | "empty" | "axes":
            schema = tabular.schema_of(run, base, name)
            return run.series(schema) if name == "dtypes" else Value("scalar", schema)
        case "T":
            return tabular.reshaped(run, node, base, "transpose")
    obj = run.obj(base)
    behaviour = method_behaviour("frame", name)
    if name in obj.columns and (behaviour is None or is_gone("frame", name, run.pandas_major)):
        return run.series(tabular.column(run, base, name), view=(base.obj, name))
    if behaviour is not None:
        return Value("method", name="frame." + name, parts=(base,))
    return run.series(tabular.column(run, base, name), view=(base.obj, name))


def _series_attribute(run: Interpreter, node: ast.Attribute, base: Value, name: str) -> Value:
    if base.kind == "rowindex" and method_behaviour("dt-attributes", name) == "columnwise":
        return tabular.columnwise(run, base, "dt." + name, kind="array")
    if base.kind == "rowindex" and method_behaviour("dt", name) == "columnwise":
        return Value("method", name="dt." + name, parts=(base,))
    match name:
        case "str" | "dt" | "cat" | "sparse":
            return Value("accessor", name=name, parts=(base,))
        case "loc" | "iloc" | "at" | "iat" | "ix":
            return Value("indexer", name=name, parts=(base,))
        case "values" | "array" | "T" | "A" | "real":
            return tabular.derived(run, base, replace(run.obj(base), kind="array"))
        case "index":
            return labels.index_of(run, node, base)
        case "columns" if run.obj(base).rows is None:
            return Value("index", run.data(base))
        case "codes":
            return tabular.broadcast(run, node, base, "categorical-codes", node.value)
        case "categories":
            return Value("index", reduce_rows("cat.categories", (run.data(base),)))
        case "plot":
            return Value("method", name="series.plot", parts=(base,))
        case "shape":
            rows = reduce_rows("rows", (run.data(base),))
            count = Value("scalar", rows, name=tabular.ROW_COUNT, parts=(base,))
            return Value("tuple", parts=(count, Value("scalar", tabular.schema_of(run, base, "width"))))
        case "size":
            return Value("scalar", reduce_rows("rows", (run.data(base),)))
        case "dtype" | "dtypes" | "name" | "ndim" | "empty" | "is_unique" | "hasnans" | "nnz":
            return Value("scalar", reduce_rows("schema." + name, (run.data(base),)))
    return Value("method", name=f"{base.kind}.{name}", parts=(base,))


def _accessor_attribute(run: Interpreter, node: ast.Attribute, base: Value, name: str) -> Value:
    series = base.parts[0]
    if base.name == "dt" and method_behaviour("dt", name) is None:
        return tabular.columnwise(run, series, "dt." + name, assumed=method_behaviour("dt-attributes", name) is None)
    if base.name == "cat" and name == "codes":
        return tabular.broadcast(run, node, series, "cat-codes", node.value)
    if base.name == "cat" and name in ("categories", "ordered"):
        return Value("index", reduce_rows("cat." + name, (run.data(series),)))
    return Value("method", name=f"{base.name}.{name}", parts=(series,))


def _estimator_attribute(run: Interpreter, node: ast.AST, base: Value, name: str) -> Value:
    obj = run.obj(base)
    if name in ("best_estimator_", "estimator_", "regressor_"):
        fitted = obj.fitted or obj.fact
        made = Obj("estimator", obj.fact, fitted=combine(name, (fitted,)), type=obj.type + "." + name)
        return replace(run.new(made, base.fact), parts=(base,), symbol=base.obj)
    if name.endswith("_") and not name.endswith("__"):
        fact = combine("." + name, (obj.fitted or obj.fact,))
        if name in OF_TRAINING_ROWS:
            bit = run.refuse(
                node,
                name,
                f"{name} holds one value for each row that was fitted, and none for a row that is served",
                "use predict or transform, which give a value to any row",
            )
            fact = with_refusals(fact, bit)
        kind = "dict" if name in ("cv_results_", "vocabulary_", "best_params_") else "series"
        return Value("learned" if kind == "series" else "unknown", traced(fact, base.fact.serve, base.fact.fit))
    return Value("method", name="estimator." + name, parts=(base,))


def set_attribute(run: Interpreter, target: ast.Attribute, base: Value, value: Value) -> None:
    """`base.attribute = value`."""
    if base.ident >= 0 or base.kind not in ("frame", "instance", "estimator", "class"):
        run.touch(base.parts[0] if base.kind in ("rowindex", "index") and base.parts else base)
    match base.kind:
        case "frame":
            obj = run.obj(base)
            if target.attr == "columns":
                tabular.rename_all(run, base, value)
            elif target.attr == "index":
                labels.renamed_in_place(run, base, value)
            elif target.attr in obj.columns or (
                obj.rest is not None and method_behaviour("frame", target.attr) is None
            ):
                tabular.set_column(run, base, target.attr, value)
        case "series" if target.attr == "index" and base.obj >= 0:
            labels.renamed_in_place(run, base)
            obj = run.obj(base)
            rows = run.data(value).rows if value.kind == "rowindex" else None
            if obj.rows is not None and rows is not None and rows.chain != obj.rows.chain:
                run.write(base.obj, replace(obj, fact=tabular.by_position_of_row(run, obj.fact)))
        case "instance" | "estimator" | "class" if base.obj >= 0:
            obj = run.obj(base)
            run.write(base.obj, replace(obj, items={**obj.items, target.attr: run.bound(value)}))
        case _:
            pass
