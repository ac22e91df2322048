"""Attributes, items and operators of abstract values: what reading and writing parts of a frame means."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbprod.analysis.state import column_of_rest, with_rows
from nbprod.analysis.tables import method_behaviour
from nbprod.analysis.values import (
    NONE,
    NOTHING,
    Fact,
    Obj,
    Rows,
    Time,
    Value,
    combine,
    digest_of,
    reduce_rows,
    traced,
)

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

DT_METHODS = frozenset(
    "strftime normalize floor ceil round to_period to_pydatetime to_timestamp total_seconds tz_convert tz_localize "
    "month_name day_name isocalendar as_unit to_pytimedelta".split()
)
TABULAR = frozenset({"frame", "array", "series"})


# ---------------------------------------------------------------------- columns


def column(run: Interpreter, base: Value, name: str) -> Fact:
    """The fact of one column of a frame (or of a frame-like array), its reference included."""
    obj = run.obj(base)
    fact = obj.columns.get(name)
    if fact is None:
        if obj.rest is not None:
            fact = column_of_rest(obj, name)
            columns = {**obj.columns, name: fact}
            run.state.heap[base.obj] = replace(obj, columns=columns)
        else:
            fact = run.assumed(replace(combine("missing:" + name, (obj.fact,)), time=Time.ROW, rows=obj.rows))
    return traced(with_rows(fact, obj.rows), base.fact.serve | obj.fact.serve, base.fact.fit | obj.fact.fit)


def derived(run: Interpreter, base: Value, obj: Obj, *extra: Fact) -> Value:
    """A new object made from `base`: its reference carries the statements that led to `base`."""
    serve, fit = base.fact.serve, base.fact.fit
    assumed, refused = base.fact.assumed, base.fact.refused
    for fact in extra:
        serve |= fact.serve
        fit |= fact.fit
        assumed |= fact.assumed
        refused |= fact.refused
    return run.new(obj, Fact(serve=serve, fit=fit, assumed=assumed, refused=refused))


def columnwise(
    run: Interpreter, base: Value, op: str, extra: Sequence[Fact] = (), kind: str | None = None, assumed: bool = False
) -> Value:
    """`op` applied to each column of `base` on its own."""
    obj = run.obj(base)
    at = run.at

    def step(fact: Fact) -> Fact:
        made = combine(op, (fact, *extra))
        return replace(made, assumed=made.assumed | 1 << at) if assumed else made

    return derived(run, base, mapped(obj, step, kind))


def mapped(obj: Obj, step: Callable[[Fact], Fact], kind: str | None = None) -> Obj:
    """The object with `step` applied to the fact of every column."""
    if not obj.columns and obj.rest is None:
        return replace(obj, kind=kind or obj.kind, fact=step(obj.fact))
    return replace(
        obj,
        kind=kind or obj.kind,
        columns={name: step(fact) for name, fact in obj.columns.items()},
        rest=None if obj.rest is None else step(obj.rest),
        history=(*obj.history, step),
    )


def select(run: Interpreter, base: Value, names: Sequence[str], key: Fact = NOTHING) -> Value:
    """The sub-frame of the named columns, in that order."""
    facts = {name: column(run, base, name) for name in names}
    if key.time is Time.LEARNED or key.serve:
        facts = {name: traced(fact, key.serve, key.fit) for name, fact in facts.items()}
    obj = run.obj(base)
    return derived(run, base, Obj(obj.kind, obj.fact, columns=facts, rows=obj.rows))


def select_learned(run: Interpreter, base: Value, key: Fact) -> Value:
    """The sub-frame of columns whose names are learned: any column may be in it."""
    obj = run.obj(base)

    def step(fact: Fact) -> Fact:
        made = traced(fact, key.serve, key.fit)
        return replace(made, digest=digest_of("among", made.digest, key.digest), learns=made.learns | key.learns)

    return derived(run, base, replace(mapped(obj, step), maybe=replace(key, serve=0)), key)


def change_rows(
    run: Interpreter, node: ast.AST, base: Value, of: ast.AST | None, op: str, choice: Sequence[Fact] = ()
) -> Value:
    """`base` with rows dropped, chosen, added or put in another order: a matter of training only."""
    obj = run.obj(base)
    rows = obj.rows
    if rows is None:
        return derived(run, base, mapped(obj, lambda fact: combine(op, (fact, *choice))))
    new = changed_rows(run, rows, op, choice)
    made = derived(run, base, moved(obj, new))
    run.note(node, made, "row-changing", of)
    return made


def changed_rows(run: Interpreter, rows: Rows, op: str, choice: Sequence[Fact]) -> Rows:
    fit = rows.fit | run.fit
    for fact in choice:
        fit |= fact.fit
    return replace(rows, fit=fit, digest=digest_of(op, rows.digest, *(fact.digest for fact in choice)))


def moved(obj: Obj, rows: Rows) -> Obj:
    """The object's columns over other rows."""

    def step(fact: Fact) -> Fact:
        return with_rows(fact, rows) if fact.rows is not None else fact

    if not obj.columns and obj.rest is None:
        return replace(obj, fact=with_rows(obj.fact, rows), rows=rows)
    return replace(
        obj,
        columns={name: step(fact) for name, fact in obj.columns.items()},
        rest=None if obj.rest is None else step(obj.rest),
        rows=rows,
    )


def schema_of(run: Interpreter, base: Value, what: str) -> Fact:
    """What is read of a frame's schema: known after training, looking at no value of a row."""
    obj = run.obj(base)
    return Fact(
        time=Time.LEARNED if obj.rows is not None else obj.fact.time,
        fit=obj.fact.fit | base.fact.fit | run.fit,
        digest=digest_of(what, obj.fact.digest, *obj.columns),
        refused=base.fact.refused,
    )


# ---------------------------------------------------------------------- attributes


def get_attribute(run: Interpreter, node: ast.Attribute, base: Value) -> Value:
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
            behaviour = method_behaviour("index", name)
            if behaviour == "reduction" and name in ("values", "size", "shape", "dtype", "name", "names", "is_unique", "empty"):
                return replace(base, fact=combine("index." + name, (base.fact,))) if name == "values" else Value("scalar", combine(name, (base.fact,)))
            return Value("method", base.fact, name="index." + name, parts=(base,))
        case "groupby":
            if method_behaviour("groupby", name) is not None or name in ("apply", "pipe", "rank"):
                return Value("method", name="groupby." + name, parts=(base,))
            return replace(base, parts=(base.parts[0], base.parts[1], run.constant(name)))
        case "row":
            return run.scalar(column(run, base.parts[0], name)) if name not in ("index", "values", "get", "name") else Value("method", name="row." + name, parts=(base,))
        case "estimator":
            return _estimator_attribute(run, node, base, name)
        case "instance":
            obj = run.obj(base)
            if name in obj.items:
                return obj.items[name]
            return Value("method", name="instance." + name, parts=(base,))
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
            fact = schema_of(run, base, "columns")
            if known is None:
                return Value("index", fact, parts=(base,))
            return Value("index", fact, const=known, parts=(base,), maybe=obj.maybe is not None)
        case "values":
            return derived(run, base, replace(run.obj(base), kind="array"))
        case "index":
            return row_index(run, node, base)
        case "shape":
            rows = reduce_rows("rows", (row_fact(run, base),))
            return Value("tuple", parts=(Value("scalar", rows), Value("scalar", schema_of(run, base, "width"))))
        case "dtypes" | "size" | "ndim" | "empty" | "axes":
            return Value("series" if name == "dtypes" else "scalar", schema_of(run, base, name))
        case "T":
            return reshaped(run, node, base, "transpose")
    obj = run.obj(base)
    behaviour = method_behaviour("frame", name)
    if name in obj.columns and behaviour is None:
        return run.series(column(run, base, name), view=(base.obj, name))
    if behaviour is not None or name in FRAME_METHODS:
        return Value("method", name="frame." + name, parts=(base,))
    return run.series(column(run, base, name), view=(base.obj, name))


FRAME_METHODS = frozenset(
    "drop rename assign select_dtypes filter merge join append insert pop apply pipe groupby get reindex set_axis "
    "rename_axis items iteritems to_numpy explode align update corr nlargest isetitem".split()
)


def _series_attribute(run: Interpreter, node: ast.Attribute, base: Value, name: str) -> Value:
    match name:
        case "str" | "dt" | "cat" | "sparse":
            return Value("accessor", name=name, parts=(base,))
        case "loc" | "iloc" | "at" | "iat":
            return Value("indexer", name=name, parts=(base,))
        case "values" | "array" | "T" | "A" | "real":
            return derived(run, base, replace(run.obj(base), kind="array"))
        case "index":
            return row_index(run, node, base)
        case "plot":
            return Value("method", name="series.plot", parts=(base,))
        case "shape":
            rows = reduce_rows("rows", (run.data(base),))
            return Value("tuple", parts=(Value("scalar", rows), Value("scalar", schema_of(run, base, "width"))))
        case "size":
            return Value("scalar", reduce_rows("rows", (run.data(base),)))
        case "dtype" | "dtypes" | "name" | "ndim" | "empty" | "is_unique" | "hasnans" | "nnz":
            return Value("scalar", reduce_rows("schema." + name, (run.data(base),)))
    return Value("method", name=f"{base.kind}.{name}", parts=(base,))


def _accessor_attribute(run: Interpreter, node: ast.Attribute, base: Value, name: str) -> Value:
    series = base.parts[0]
    if base.name == "dt" and name not in DT_METHODS:
        return columnwise(run, series, "dt." + name)
    if base.name == "cat" and name == "codes":
        return broadcast(run, node, series, "cat-codes", node.value)
    if base.name == "cat" and name in ("categories", "ordered"):
        return Value("index", reduce_rows("cat." + name, (run.data(series),)))
    return Value("method", name=f"{base.name}.{name}", parts=(series,))


def _estimator_attribute(run: Interpreter, node: ast.Attribute, base: Value, name: str) -> Value:
    obj = run.obj(base)
    if name in ("best_estimator_", "estimator_", "regressor_"):
        fitted = obj.fitted or obj.fact
        made = Obj("estimator", obj.fact, fitted=combine(name, (fitted,)), type=obj.type + "." + name)
        return replace(run.new(made, base.fact), parts=(base,), symbol=base.obj)
    if name.endswith("_") and not name.endswith("__"):
        fact = combine("." + name, (obj.fitted or obj.fact,))
        kind = "dict" if name in ("cv_results_", "vocabulary_", "best_params_") else "series"
        return Value("learned" if kind == "series" else "unknown", traced(fact, base.fact.serve, base.fact.fit))
    return Value("method", name="estimator." + name, parts=(base,))


def set_attribute(run: Interpreter, target: ast.Attribute, base: Value, value: Value) -> None:
    match base.kind:
        case "frame":
            obj = run.obj(base)
            if target.attr == "columns":
                rename_all(run, base, value)
            elif target.attr == "index":
                run.write(base.obj, moved(obj, changed_rows(run, obj.rows or Rows(-1), "index", ())))
            elif target.attr in obj.columns or (obj.rest is not None and method_behaviour("frame", target.attr) is None):
                set_column(run, base, target.attr, value)
        case "instance" | "estimator" if base.obj >= 0:
            obj = run.obj(base)
            run.write(base.obj, replace(obj, items={**obj.items, target.attr: run.bound(value)}))
        case "unknown":
            pass
        case _:
            pass


def rename_all(run: Interpreter, base: Value, value: Value) -> None:
    """`df.columns = …`: by position where all names are known, otherwise nothing is known of the names."""
    obj = run.obj(base)
    names = run.strings(value)
    learned = run.data(value)
    structure = traced(obj.fact, run.serve | learned.serve, run.fit | learned.fit)
    structure = replace(structure, digest=digest_of("names", structure.digest, learned.digest))
    if names is not None and obj.rest is None and len(names) == len(obj.columns):
        columns = dict(zip(names, obj.columns.values(), strict=True))
        run.write(base.obj, replace(obj, fact=structure, columns=columns))
        return
    whole = run.data(base)
    run.write(base.obj, replace(obj, fact=structure, columns={}, rest=whole, origin=None, history=()))


# ---------------------------------------------------------------------- items


def row_fact(run: Interpreter, base: Value) -> Fact:
    """The fact of a frame's rows, apart from its columns' values."""
    obj = run.obj(base)
    rows = obj.rows
    if rows is None:
        return obj.fact
    return Fact(Time.ROW, 0, rows.fit | base.fact.fit, digest=digest_of("rows"), rows=rows)


def row_index(run: Interpreter, node: ast.AST, base: Value) -> Value:
    fact = row_fact(run, base)
    if fact.time is Time.ROW:
        bit = run.refuse(
            node,
            "row-position",
            "the index of a row is its place in the training table; a row that is served has none",
            "give the row an identifier of its own as a column, or leave the index out of the features",
        )
        fact = replace(fact, refused=fact.refused | bit)
        return Value("rowindex", NOTHING, run._store(Obj("rowindex", fact, rows=fact.rows)))
    return Value("index", fact)


def reshaped(run: Interpreter, node: ast.AST, base: Value, op: str) -> Value:
    """A result whose rows are other things than the operand's."""
    fact = run.data(base)
    if fact.time is Time.ROW:
        bit = run.refuse(
            node,
            op,
            f"{op} makes a table whose rows are not the rows that are served",
            "build such tables before the raw frame, or use them only as something learned (a mean by group, a lookup)",
        )
        fact = replace(reduce_rows(op, (fact,)), refused=fact.refused | bit)
    return run.series(fact)


def broadcast(
    run: Interpreter, node: ast.AST, base: Value, idiom: str, of: ast.AST | None, extra: Sequence[Fact] = ()
) -> Value:
    """An operation that looks over rows and writes to each of them, as the idiom of that name splits it."""
    fact = run.data(base)
    event = run.learned(node, idiom, fact.rows)

    def step(part: Fact) -> Fact:
        if part.time < Time.ROW:
            return combine(idiom, (part, *extra))
        seen = reduce_rows(idiom, (part, *extra), event)
        made = combine(idiom + ".apply", (part, *extra, seen))
        return made

    made = derived(run, base, mapped(run.obj(base), step))
    if fact.time is Time.ROW:
        run.note(node, made, "idiom:" + idiom, of)
    return made


def get_item(run: Interpreter, node: ast.Subscript, base: Value, key: Value) -> Value:
    match base.kind:
        case "frame":
            return _frame_item(run, node, base, key, node.value)
        case "series" | "array" | "rowindex":
            return _series_item(run, node, base, key)
        case "indexer":
            return _indexed(run, node, base, key)
        case "accessor":
            return columnwise(run, base.parts[0], base.name + ".item", (run.data(key),))
        case "tuple":
            if key.is_const and isinstance(key.const, int) and -len(base.parts) <= key.const < len(base.parts):
                return base.parts[key.const]
            return _unknown_item(run, base, key)
        case "list" | "dict" | "set" if base.obj >= 0:
            obj = run.obj(base)
            index = key.const if key.is_const else None
            if base.kind == "list" and isinstance(index, int) and index < 0 and obj.rest is None:
                index += len(obj.items)
            try:
                found = obj.items.get(index) if key.is_const else None
            except TypeError:
                found = None
            if found is not None:
                return replace(found, fact=traced(found.fact, base.fact.serve | obj.fact.serve, base.fact.fit | obj.fact.fit))
            if key.kind == "slice" and base.kind == "list" and obj.rest is None:
                bounds = [part.const if part.is_const else UNSET for part in key.parts]
                if UNSET not in bounds:
                    return run.list_of(list(obj.items.values())[slice(*bounds)], fact=base.fact)
            if obj.items and obj.rest is None and all(item.obj >= 0 for item in obj.items.values()):
                return run.element(base, node)
            return _unknown_item(run, base, key)
        case "groupby":
            return replace(base, parts=(base.parts[0], base.parts[1], key))
        case "row":
            if key.is_const and isinstance(key.const, str):
                return run.scalar(column(run, base.parts[0], key.const))
            return run.scalar(combine("row-item", (run.data(base.parts[0]), run.data(key))))
        case "index":
            return _index_item(run, base, key)
        case "lib" if base.name in ("numpy.c_", "numpy.r_"):
            parts = key.parts if key.kind == "tuple" else (key,)
            return stack(run, node, parts, "numpy.c_")
        case "str" if base.is_const and key.is_const and isinstance(key.const, int):
            text = base.const
            return run.constant(text[key.const]) if -len(text) <= key.const < len(text) else _unknown_item(run, base, key)
        case "estimator":
            return Value("estimator", base.fact, base.obj, name=base.name, parts=(base,))
        case _:
            return _unknown_item(run, base, key)


UNSET = object()


def _unknown_item(run: Interpreter, base: Value, key: Value) -> Value:
    fact = combine("item", (run.data(base), run.data(key)))
    if fact.time is Time.ROW:
        return run.series(fact) if run.per_row == 0 else run.scalar(fact)
    return Value("unknown", fact)


def _index_item(run: Interpreter, base: Value, key: Value) -> Value:
    fact = combine("columns-item", (run.data(base), run.data(key)))
    if fact.time is Time.ROW:
        fact = reduce_rows("columns-item", (fact,))
    if base.is_const:
        if key.is_const and isinstance(key.const, int) and -len(base.const) <= key.const < len(base.const):
            return Value("str", fact, const=base.const[key.const])
        if key.kind == "slice" and all(part.is_const for part in key.parts):
            return Value("index", fact, const=base.const[slice(*(part.const for part in key.parts))])
    return Value("str" if key.is_const else "index", fact)


def _frame_item(run: Interpreter, node: ast.AST, base: Value, key: Value, of: ast.AST | None) -> Value:
    if key.kind == "slice":
        return change_rows(run, node, base, of, "slice", [run.data(key)])
    if key.is_const and isinstance(key.const, str):
        fact = column(run, base, key.const)
        whole = run.data(key)
        if whole.time is Time.LEARNED or whole.serve:
            fact = traced(fact, whole.serve, whole.fit)
        return run.series(fact, view=(base.obj, key.const))
    names = run.strings(key)
    if names is not None and key.kind != "str":
        return select(run, base, names, run.data(key))
    fact = run.data(key)
    if key.kind in ("series", "array", "rowindex", "frame") and fact.time is Time.ROW:
        if key.kind == "frame":
            return columnwise(run, base, "where", (fact,))
        return change_rows(run, node, base, of, "filter", [fact])
    if key.kind == "str" or key.symbol >= 0 or (key.kind in ("scalar", "unknown") and fact.time < Time.ROW):
        return by_symbol(run, base, key)
    if key.kind in ("list", "index", "set", "learned", "series", "array", "keys", "tuple", "dict"):
        candidates = run.candidates(key)
        if candidates is not None:
            chosen = select(run, base, candidates, fact)
            made = replace(run.obj(chosen), maybe=replace(fact, serve=0))
            run.state.heap[chosen.obj] = made
            return chosen
        return select_learned(run, base, fact)
    return columnwise(run, base, "item", (fact,), assumed=True)


def by_symbol(run: Interpreter, base: Value, key: Value) -> Value:
    """A column whose name is a value of a loop or a parameter: it stands for any of the frame's columns."""
    obj = run.obj(base)
    whole = run.data(base)
    named = run.data(key)
    if key.symbol < 0 or whole.time < Time.ROW:
        made = combine("by-name", (whole, named))
        return Value("series", NOTHING, run._store(Obj("series", made, rows=made.rows)), view=(base.obj, ""))
    run.stand_for(key.symbol, whole)
    made = Fact(
        time=Time.ROW,
        serve=base.fact.serve | obj.fact.serve | named.serve,
        fit=base.fact.fit | obj.fact.fit | named.fit,
        inputs=frozenset({f"${key.symbol}"}),
        digest=digest_of("by-name", named.digest),
        rows=obj.rows,
        assumed=named.assumed,
        refused=named.refused | base.fact.refused,
    )
    return Value("series", NOTHING, run._store(Obj("series", made, rows=made.rows)), view=(base.obj, ""))


def _series_item(run: Interpreter, node: ast.Subscript, base: Value, key: Value) -> Value:
    fact = run.data(base)
    if fact.time is Time.ROW:
        wanted = run.data(key)
        if key.kind == "tuple":
            return _array_item(run, node, base, key)
        if key.kind == "slice" or (key.kind in ("series", "array", "rowindex", "list") and key.kind != "str"):
            obj = run.obj(base)
            if key.kind == "list" and run.strings(key) is not None and obj.columns:
                return select(run, base, run.strings(key) or [], wanted)
            return change_rows(run, node, base, node.value, "filter", [wanted])
        return Value("scalar", reduce_rows("pick", (fact, wanted), run.learned(node, "pick", fact.rows)))
    obj = run.obj(base)
    if key.is_const and isinstance(key.const, str) and obj.columns:
        return Value("scalar", column(run, base, key.const))
    made = combine("item", (fact, run.data(key)))
    if run.data(key).time is Time.ROW:
        return run.series(made)
    return Value("series", NOTHING, run._store(Obj("series", made))) if key.kind in ("slice", "list", "series", "array", "index") else Value("scalar", made)


def _array_item(run: Interpreter, node: ast.Subscript, base: Value, key: Value) -> Value:
    """`X[rows, columns]` of an array."""
    rows, columns = (*key.parts, NONE)[:2]
    made = base
    if not _is_all(rows):
        made = change_rows(run, node, base, None, "filter", [run.data(rows)])
        bit = run.refuse(
            node,
            "rows-and-columns",
            "rows and columns of an array are chosen in one step",
            "choose the rows in one statement and the columns in another",
        )
        made = replace(made, fact=replace(made.fact, refused=made.fact.refused | bit))
    return by_position(run, made, columns)


def by_position(run: Interpreter, base: Value, columns: Value) -> Value:
    """The columns at given positions; by name where the names are known."""
    obj = run.obj(base)
    if obj.rest is None and obj.columns and columns.kind == "slice" and all(part.is_const for part in columns.parts):
        names = list(obj.columns)[slice(*(part.const for part in columns.parts))]
        return select(run, base, names)
    if obj.rest is None and obj.columns and columns.is_const and isinstance(columns.const, int):
        names = list(obj.columns)
        if -len(names) <= columns.const < len(names):
            return run.series(column(run, base, names[columns.const]))
    elements = run.elements(columns)
    if obj.rest is None and obj.columns and elements and all(isinstance(part.const, int) for part in elements):
        every = list(obj.columns)
        return select(run, base, [every[part.const] for part in elements if -len(every) <= part.const < len(every)])
    fact = run.data(columns)
    if columns.kind == "slice" or columns.kind in ("list", "array", "series"):
        return select_learned(run, base, fact)
    return run.series(combine("position", (run.data(base), fact)))


def _is_all(key: Value) -> bool:
    return key.kind == "slice" and all(part.kind == "none" for part in key.parts)


def _indexed(run: Interpreter, node: ast.Subscript, indexer: Value, key: Value) -> Value:
    """`.loc[rows, columns]` and `.iloc[rows, columns]`."""
    base = indexer.parts[0]
    owner = node.value.value if isinstance(node.value, ast.Attribute) else None
    rows, columns = (key.parts[0], key.parts[1]) if key.kind == "tuple" and len(key.parts) == 2 else (key, None)
    fact = run.data(base)
    if base.kind not in ("frame", "array"):
        if fact.time is Time.ROW:
            if rows.kind in ("slice", "series", "array", "list", "rowindex"):
                return change_rows(run, node, base, owner, "filter", [run.data(rows)])
            return Value("scalar", reduce_rows("pick", (fact, run.data(rows)), run.learned(node, "pick", fact.rows)))
        made = combine("item", (fact, run.data(rows)))
        return Value("scalar", made)
    if not _is_all(rows) and columns is not None and fact.time is Time.ROW and rows.kind in ("slice", "series", "array", "list", "rowindex", "index", "unknown"):
        # Rows and columns at once: keep the rows that training chooses, and the columns.
        chosen = change_rows(run, node, base, None, "filter", [run.data(rows)])
        made = _columns_of(run, node, chosen, columns, indexer.name)
        run.note(node, made, "rows-and-columns", owner)
        return made
    if columns is None:
        if rows.kind in ("slice", "series", "array", "list", "rowindex", "index", "unknown") or (rows.kind == "frame"):
            return change_rows(run, node, base, owner, "filter", [run.data(rows)])
        if fact.time is Time.ROW:
            return Value("scalar", reduce_rows("pick", (fact, run.data(rows)), run.learned(node, "pick", fact.rows)))
        return Value("series", combine("item", (fact, run.data(rows))))
    if _is_all(rows):
        return _columns_of(run, node, base, columns, indexer.name)
    picked = combine("pick", (fact, run.data(rows), run.data(columns)))
    return Value("scalar", reduce_rows("pick", (picked,)) if picked.time is Time.ROW else picked)


def _columns_of(run: Interpreter, node: ast.AST, base: Value, columns: Value, indexer: str) -> Value:
    if indexer in ("iloc", "iat"):
        return by_position(run, base, columns)
    if columns.kind == "slice":
        obj = run.obj(base)
        names = list(obj.columns)
        ends = [part.const if part.is_const else None for part in columns.parts[:2]]
        if obj.rest is None and all(end is None or end in names for end in ends):
            low = names.index(ends[0]) if ends[0] is not None else 0
            high = names.index(ends[1]) + 1 if ends[1] is not None else len(names)
            return select(run, base, names[low:high])
        return select_learned(run, base, run.data(columns))
    made = _frame_item(run, node, base, columns, None)
    return made


def set_item(run: Interpreter, target: ast.Subscript, base: Value, key: Value, value: Value) -> None:
    match base.kind:
        case "frame":
            _set_frame_item(run, target, base, key, value)
        case "indexer":
            _set_indexed(run, target, base, key, value)
        case "series" | "array" | "rowindex":
            old = run.data(base)
            made = combine("set", (old, run.data(key), run.data(value)))
            obj = run.obj(base)
            run.write(base.obj, replace(obj, fact=traced(made, run.serve, run.fit), columns={}, rest=None))
        case "list" | "dict" | "set" if base.obj >= 0:
            obj = run.obj(base)
            kept = run.bound(value)
            if key.is_const and _plain(key.const):
                run.write(base.obj, replace(obj, items={**obj.items, key.const: kept}))
            else:
                facts = [run.data(kept), run.data(key), *([] if obj.rest is None else [obj.rest])]
                rest = traced(combine("items", facts), run.serve, run.fit)
                run.write(base.obj, replace(obj, rest=rest))
        case "instance" if base.obj >= 0:
            obj = run.obj(base)
            run.write(base.obj, replace(obj, fact=traced(combine("set", (obj.fact, run.data(value))), run.serve, run.fit)))
        case _:
            pass


def _plain(const: object) -> bool:
    return isinstance(const, str | int | float | bool | tuple | None)


def _set_frame_item(run: Interpreter, target: ast.AST, base: Value, key: Value, value: Value) -> None:
    names = run.strings(key)
    fact = run.data(key)
    if key.is_const and isinstance(key.const, str):
        set_column(run, base, key.const, value, fact)
    elif names is not None:
        set_columns(run, base, names, value, fact)
    elif key.kind in ("series", "array", "frame") and fact.time is Time.ROW:
        _set_everywhere(run, base, "set-where", (fact, run.data(value)))
    elif key.kind in ("list", "index", "learned", "set", "keys", "series", "array", "tuple"):
        _set_learned_columns(run, base, key, value)
    else:
        _set_by_symbol(run, base, key, value)


def set_column(run: Interpreter, base: Value, name: str, value: Value, key: Fact = NOTHING, mask: Sequence[Fact] = ()) -> None:
    """`df[name] = value`, or only where `mask` says so."""
    obj = run.obj(base)
    fact = run.data(value)
    if mask:
        has = name in obj.columns or obj.rest is not None
        old = (column(run, base, name),) if has else ()
        obj = run.obj(base)
        fact = combine("set-where", (*old, *mask, fact))
    elif fact.time < Time.ROW:
        fact = replace(fact, digest=digest_of("every-row", fact.digest))
    fact = with_rows(fact, obj.rows) if fact.time is Time.ROW else fact
    fact = traced(fact, run.serve | key.serve, run.fit | key.fit)
    run.write(base.obj, replace(obj, columns={**obj.columns, name: fact}))


def set_columns(run: Interpreter, base: Value, names: Sequence[str], value: Value, key: Fact = NOTHING) -> None:
    parts: list[Fact] | None = None
    if value.obj >= 0 and value.kind in ("frame", "array"):
        other = run.obj(value)
        if other.rest is None and len(other.columns) == len(names):
            parts = [column(run, value, name) for name in other.columns]
    if parts is None:
        whole = run.data(value)
        parts = [combine(f"part:{number}", (whole,)) for number in range(len(names))]
    for name, fact in zip(names, parts, strict=True):
        set_column(run, base, name, Value("scalar", fact), key)


def _set_everywhere(run: Interpreter, base: Value, op: str, extra: tuple[Fact, ...]) -> None:
    serve, fit = run.serve, run.fit
    obj = run.obj(base)
    run.write(base.obj, mapped(obj, lambda fact: traced(combine(op, (fact, *extra)), serve, fit)))


def _set_learned_columns(run: Interpreter, base: Value, key: Value, value: Value) -> None:
    """`df[learned list] = …`: each column may be one of them; where the value came column by column, so does this."""
    named = run.data(key)
    given = run.data(value)
    serve, fit = run.serve | named.serve, run.fit | named.fit
    candidates = run.candidates(key)
    obj = run.obj(base)
    apart = value.obj >= 0 and value.kind in ("frame", "array") and bool(run.obj(value).history)
    other = run.obj(value) if apart else None

    def step(name: str | None, fact: Fact) -> Fact:
        if other is not None:
            source = other.columns.get(name) if name is not None else other.rest
            if source is None and other.rest is not None:
                source = other.rest if name is None else column_of_rest(other, name)
        else:
            source = given
        if source is None or (candidates is not None and name not in candidates):
            return fact
        made = combine("set-among", (fact, source, replace(named, serve=0)))
        return traced(made, serve, fit)

    columns = {name: step(name, fact) for name, fact in obj.columns.items()}
    rest = None if obj.rest is None else step(None, obj.rest)
    run.write(base.obj, replace(obj, columns=columns, rest=rest, history=(*obj.history, lambda fact: step(None, fact))))


def _set_by_symbol(run: Interpreter, base: Value, key: Value, value: Value) -> None:
    """`df[c] = …` for a name that is not known: any column may be written; one column alone where that can be seen."""
    named = run.data(key)
    given = run.data(value)
    serve, fit = run.serve | named.serve, run.fit | named.fit
    obj = run.obj(base)

    token = f"${key.symbol}"
    own = key.symbol >= 0 and token in given.inputs | given.learns

    def step(fact: Fact) -> Fact:
        made = combine("set-by-name", (fact, given, replace(named, serve=0)))
        if own:
            made = replace(made, inputs=made.inputs - {token}, learns=(made.learns - {token}) | fact.inputs)
        return traced(made, serve, fit)

    made = mapped(obj, step)
    if not obj.columns and obj.rest is None:
        made = replace(obj, rest=traced(given, serve, fit))
    if obj.rest is None and made.rest is None:
        made = replace(made, rest=traced(combine("new-column", (given, named)), serve, fit), origin=None, history=())
    run.write(base.obj, made)


def _set_indexed(run: Interpreter, target: ast.Subscript, indexer: Value, key: Value, value: Value) -> None:
    base = indexer.parts[0]
    rows, columns = (key.parts[0], key.parts[1]) if key.kind == "tuple" and len(key.parts) == 2 else (key, None)
    if base.kind != "frame":
        if base.view is not None and base.view[1] and base.view[0] in run.state.heap:
            pass
        set_item(run, target, base, rows, value)
        return
    chosen = run.data(rows)
    if not _is_all(rows) and chosen.time is not Time.ROW:
        bit = run.refuse(
            target,
            "row-by-label",
            "one row of the training table is changed by its label or position",
            "correct the raw data itself, or write a condition that describes the row",
        )
        chosen = replace(chosen, refused=chosen.refused | bit)
    mask = () if _is_all(rows) else (chosen,)
    if columns is None:
        _set_everywhere(run, base, "set-where", (*mask, run.data(value)))
        return
    names = run.strings(columns)
    if indexer.name == "iloc":
        obj = run.obj(base)
        if columns.is_const and isinstance(columns.const, int) and obj.rest is None and columns.const < len(obj.columns):
            names = [list(obj.columns)[columns.const]]
        else:
            names = None
    if names is None:
        if mask:
            value = Value("scalar", combine("set-where", (*mask, run.data(value))))
        _set_by_symbol(run, base, columns, value)
        return
    for name in names:
        set_column(run, base, name, value, run.data(columns), mask)


def delete_item(run: Interpreter, target: ast.AST, base: Value, key: Value) -> None:
    if base.kind == "frame":
        drop_columns(run, target, base, run.strings(key), run.data(key), in_place=True)
    elif base.kind in ("dict", "list") and base.obj >= 0 and key.is_const:
        obj = run.obj(base)
        run.write(base.obj, replace(obj, items={k: v for k, v in obj.items.items() if k != key.const}))


def drop_columns(
    run: Interpreter, node: ast.AST, base: Value, names: Sequence[str] | None, key: Fact, *, in_place: bool
) -> Value:
    """The frame without the named columns; without knowing which, where the names are learned."""
    obj = run.obj(base)
    structure = traced(obj.fact, run.serve | key.serve, run.fit | key.fit) if in_place else obj.fact
    if names is None:
        made = replace(mapped(obj, lambda fact: traced(replace(fact, digest=digest_of("among", fact.digest, key.digest)), key.serve, key.fit)), fact=structure)
    else:
        gone = set(names)
        made = replace(obj, fact=structure, columns={n: f for n, f in obj.columns.items() if n not in gone})
        for name in names:
            run.dropped.append((run.at, obj.columns[name].serve if name in obj.columns else 0, name))
        if obj.rest is not None:
            hidden = obj.origin
            made = replace(made, origin=hidden)
    if in_place:
        run.write(base.obj, made)
        return NONE
    return derived(run, base, made, key)


# ---------------------------------------------------------------------- operators

FOLD: dict[str, Callable[..., Any]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mult": operator.mul,
    "Div": operator.truediv,
    "FloorDiv": operator.floordiv,
    "Mod": operator.mod,
    "USub": operator.neg,
    "UAdd": operator.pos,
    "Not": operator.not_,
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
}
FOLDABLE = (str, int, float, bool)


def operate(run: Interpreter, op: str, operands: tuple[Value, ...], node: ast.AST) -> Value:
    """Operators, comparisons and boolean operators."""
    facts = [run.data(operand) for operand in operands]
    if op in FOLD and all(o.is_const and isinstance(o.const, FOLDABLE) for o in operands):
        small = all(not isinstance(o.const, str) or len(o.const) < 10_000 for o in operands)
        if small and not (op == "Mult" and any(isinstance(o.const, str) for o in operands)):
            try:
                return run.constant(FOLD[op](*(o.const for o in operands)), replace(combine(op, facts), digest="-"))
            except (TypeError, ZeroDivisionError, OverflowError, ValueError):
                pass
    if op == "Add" and all(o.kind in ("list", "tuple") for o in operands):
        elements = [run.elements(o) for o in operands]
        known = [e for e in elements if e is not None]
        ref = Fact(serve=_bits(operands, "serve"), fit=_bits(operands, "fit"))
        if len(known) == len(operands):
            return run.list_of([value for part in known for value in part], fact=ref)
        return run.new(Obj("list", rest=combine("concat", facts)), ref)
    if op in ("Sub", "BitOr", "BitAnd", "BitXor") and any(o.kind in ("set", "index", "list", "keys") for o in operands):
        found = [run.strings(o) for o in operands]
        fact = combine(op, facts)
        if op == "Sub" and len(found) == 2 and found[0] is not None and found[1] is not None:
            gone = set(found[1])
            return run.list_of([run.constant(t, replace(fact, digest="-")) for t in found[0] if t not in gone], "set")
        return Value("index", fact)
    frames_in = [o for o in operands if o.kind in ("frame",) or (o.kind == "array" and run.obj(o).columns)]
    if frames_in:
        return _operate_frames(run, op, operands, frames_in[0])
    fact = combine(op, facts)
    tabular = any(o.kind in ("series", "array", "rowindex") for o in operands)
    if tabular or (fact.time is Time.ROW and run.per_row == 0):
        return run.series(fact)
    return Value("scalar", fact)


def _bits(values: Sequence[Value], which: str) -> int:
    bits = 0
    for value in values:
        bits |= getattr(value.fact, which)
    return bits


def _operate_frames(run: Interpreter, op: str, operands: tuple[Value, ...], first: Value) -> Value:
    obj = run.obj(first)
    others = [o for o in operands if o is not first]

    def step_for(name: str | None) -> Callable[[Fact], Fact]:
        def step(fact: Fact) -> Fact:
            parts = []
            for operand in operands:
                if operand is first:
                    parts.append(fact)
                elif operand.obj >= 0 and run.obj(operand).columns and name is not None and name in run.obj(operand).columns:
                    parts.append(column(run, operand, name))
                else:
                    parts.append(whole[id(operand)])
            return combine(op, parts)

        return step

    whole = {id(o): run.data(o) for o in others}
    columns = {name: step_for(name)(fact) for name, fact in obj.columns.items()}
    rest_step = step_for(None)
    made = replace(
        obj,
        columns=columns,
        rest=None if obj.rest is None else rest_step(obj.rest),
        history=(*obj.history, rest_step),
    )
    return derived(run, first, made, *(o.fact for o in others))


def stack(run: Interpreter, node: ast.AST, parts: Sequence[Value], op: str) -> Value:
    """Arrays or frames side by side."""
    columns: dict[str, Fact] = {}
    rest: list[Fact] = []
    for number, part in enumerate(parts):
        if part.obj >= 0 and part.kind in ("frame", "array") and run.obj(part).rest is None and run.obj(part).columns:
            for name in run.obj(part).columns:
                key = name if name not in columns else f"{name}.{number}"
                columns[key] = column(run, part, name)
        elif part.kind == "series" and part.view is not None and part.view[1]:
            columns[part.view[1]] = run.data(part)
        else:
            fact = run.data(part)
            columns[f"{op}:{number}"] = fact
    del rest
    facts = list(columns.values())
    rows = combine(op, facts).rows if facts else None
    ref = Fact(serve=_bits(parts, "serve"), fit=_bits(parts, "fit"))
    return run.new(Obj("array" if op.startswith("numpy") else "frame", columns=columns, rows=rows), ref)
