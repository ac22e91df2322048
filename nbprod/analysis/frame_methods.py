"""Methods of frames."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import (
    calls,
    column_names,
    column_text,
    estimators,
    flow,
    indexing,
    joins,
    labels,
    methods,
    pandas_calls,
    tabular,
)
from nbprod.analysis.populations import COPIES
from nbprod.analysis.state import with_rows
from nbprod.analysis.tables import method_behaviour
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


def frame_method(
    run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """A method of a frame; with `inplace=True` it changes the object itself."""
    in_place = methods.flag(kwargs, "inplace")
    given = {key: value for key, value in kwargs.items() if key != "inplace"}
    made = _frame_result(run, node, base, name, args, given, in_place)
    if not in_place:
        return made
    if made.kind == "frame" and made.obj >= 0 and made.obj != base.obj:
        run.write(
            base.obj,
            replace(
                run.obj(made),
                fact=traced(run.obj(made).fact, run.serve, run.fit) if name in STRUCTURAL else run.obj(made).fact,
            ),
        )
        _trace_columns(run, base, "drop-columns" if name == "dropna" and methods.sideways((), kwargs) else name)
    else:
        run.touch(base)
    return NONE


STRUCTURAL = frozenset({"drop", "rename", "set_index", "reset_index", "insert", "set_axis", "rename_axis"})


def _trace_columns(run: Interpreter, base: Value, name: str) -> None:
    """After an in-place method that rewrites values, each column was made by the statement at hand."""
    rewrites = method_behaviour("frame", name) in ("columnwise", "broadcast", "cross-row")
    if not rewrites and name != "drop-columns":
        return
    serve, fit = run.serve, run.fit
    run.write(base.obj, tabular.mapped(run.obj(base), lambda fact: traced(fact, serve, fit)))


def _frame_result(
    run: Interpreter,
    node: ast.Call,
    base: Value,
    name: str,
    args: list[Value],
    kwargs: dict[str, Value],
    in_place: bool,
) -> Value:
    facts = calls.facts_of(run, args, kwargs)
    of = methods.receiver_node(node)
    obj = run.obj(base)
    match name:
        case "eval":
            return column_text.evaluated(run, node, base, args, kwargs)
        case "query":
            text = args[0] if args else kwargs.get("expr", NONE)
            chosen = column_text.outside_names(run, node, text)
            condition = column_text.condition(run, node, base, text)
            choice = [run.data(base), *facts, *chosen]
            return tabular.change_rows(run, node, base, of, name, choice, condition=condition)
        case "drop":
            return _drop(run, node, base, args, kwargs, in_place)
        case "rename":
            return _rename(run, base, args, kwargs)
        case "add_prefix" | "add_suffix":
            return _affixed(run, base, name, args, kwargs)
        case "set_axis" if methods.along_columns("frame", name, args, kwargs):
            made = tabular.derived(run, base, obj)
            tabular.rename_all(run, made, args[0] if args else kwargs.get("labels", NONE))
            return made
        case "set_axis":
            return labels.relabelled(run, tabular.derived(run, base, obj))
        case "assign":
            made = tabular.derived(run, base, obj)
            for key, value in kwargs.items():
                given = methods.invoke_on(run, node, value, made) if value.kind == "function" else value
                tabular.set_column(run, made, key, given)
            return made
        case "fillna":
            return _fillna(run, node, base, args, kwargs)
        case "replace" | "astype" if args and args[0].kind == "dict" and args[0].obj >= 0:
            return _by_column(run, base, name, args, kwargs)
        case "select_dtypes" | "_get_numeric_data":
            return tabular.select_learned(
                run,
                base,
                replace(
                    tabular.schema_of(run, base, "dtypes"),
                    digest=digest_of("select_dtypes", *(f.digest for f in facts)),
                ),
            )
        case "filter" if "items" in kwargs:
            names = run.strings(kwargs["items"])
            return (
                tabular.select(run, base, names) if names is not None else tabular.select_learned(run, base, facts[0])
            )
        case "filter":
            return tabular.select_learned(run, base, combine("filter", facts))
        case "get" if args:
            found = indexing.frame_item(run, node, base, args[0], of)
            there = args[0].is_const and args[0].const in obj.columns and obj.maybe is None
            return found if there else replace(found, maybe=True)
        case "reindex":
            columns = kwargs.get("columns", args[1] if len(args) > 1 else NONE)
            names = run.strings(columns)
            if names is not None and columns.kind != "none":
                return _as_encoded(run, tabular.select(run, base, names), columns)
            if columns.kind != "none":
                return tabular.select_learned(run, base, run.data(columns))
            return tabular.change_rows(run, node, base, of, name, facts)
        case "to_numpy" | "as_matrix":
            return tabular.derived(run, base, replace(obj, kind="array"))
        case "merge":
            return joins.merge(run, node, base, args, kwargs, function=False)
        case "join":
            return joins.join(run, node, base, args, kwargs)
        case "insert":
            parts = (*args, *(kwargs.get(key, NONE) for key in ("loc", "column", "value")[len(args) :]))
            names = run.strings(parts[1])
            if names:
                tabular.insert_column(run, base, parts[0], names[0], parts[2])
            else:
                indexing.set_frame_item(run, base, parts[1], parts[2])
            return NONE
        case "pop" if args:
            value = indexing.frame_item(run, node, base, args[0], of)
            tabular.drop_columns(run, base, run.strings(args[0]), run.data(args[0]), in_place=True)
            return replace(value, view=None)
        case "agg" | "aggregate" if args and methods.is_row_wise(args[0]):
            return _apply_frame(run, node, base, "apply", args, kwargs)
        case "apply" | "transform" | "map" | "applymap" | "pipe":
            return _apply_frame(run, node, base, name, args, kwargs)
        case "groupby":
            keys = args[0] if args else kwargs.get("by", NONE)
            return Value("groupby", combine("groupby", (run.data(keys),)), parts=(base, keys))
        case "copy":
            return tabular.derived(run, base, obj)
        case "append":
            return pandas_calls.concat(run, node, [Value("tuple", parts=(base, *args[:1]))], {})
        case "items" | "iteritems" | "iterrows" | "itertuples":
            if name in ("iterrows", "itertuples"):
                return Value("rowstream", run.data(base), name="" if args or kwargs else name, parts=(base,))
            return Value(
                "stream",
                run.data(base),
                parts=(Value("tuple", parts=(flow.element(run, base, node), run.series(run.data(base)))),),
            )
        case "corr" | "cov" | "corrwith":
            return run.series(reduce_rows(name, (run.data(base), *facts), run.learned(node, name, obj.rows)))
        case "set_index" | "reset_index":
            return _index_change(run, base, name, args, kwargs)
        case "duplicated":
            return tabular.broadcast(run, node, run.series(run.data(base)), "duplicated", of, facts)
        case "align" if args and args[0].kind == "frame":
            return _aligned(run, node, base, args, kwargs, facts)
        case "explode":
            return tabular.change_rows(run, node, base, of, name, facts)
    behaviour = method_behaviour("frame", name)
    match behaviour:
        case "reduction" if methods.along_columns("frame", name, args, kwargs):
            return run.series(combine("across." + name, [run.data(base), *facts]))
        case "cross-row" | "broadcast" if methods.along_columns("frame", name, args, kwargs):
            return _within_rows(run, base, name, facts)
        case "reduction":
            return _reduce_frame(run, node, base, name, facts)
        case "columnwise":
            made = tabular.columnwise(run, base, name, facts)
            return labels.relabelled(run, made) if name in labels.CHANGING else made
        case "row-wise":
            return run.series(combine(name, [run.data(base), *facts]))
        case "row-changing" if name == "dropna" and methods.sideways(args, kwargs):
            seen = reduce_rows("dropna", (run.data(base), *facts), run.learned(node, name, obj.rows))
            return run.note(node, tabular.select_learned(run, base, seen), "idiom:dropna-columns", of)
        case "row-changing" | "row-ordering":
            op = COPIES + name if name == "sample" and methods.flag(kwargs, "replace") else name
            if op != name:
                run.event(_event(run, "resample", node, op))
            made = tabular.change_rows(run, node, base, of, op, [*_looked_at(run, base, name, kwargs), *facts])
            return labels.relabelled(run, made, anew=True) if methods.flag(kwargs, "ignore_index") else made
        case "broadcast":
            return tabular.broadcast(run, node, base, name, of, facts)
        case "cross-row":
            return methods.cross_row(run, node, name, base, facts)
        case "reshaping":
            orient = kwargs.get("orient", args[0] if args else NONE)
            if name == "to_dict" and orient.const in ("records", "r"):
                return run.series(combine("records", [run.data(base)]))
            if name in ("to_dict", "to_json", "to_string", "squeeze"):
                fact = reduce_rows(name, (run.data(base), *facts)) if obj.rows is not None else run.data(base)
                return Value("unknown", fact)
            return tabular.reshaped(run, node, base, name)
        case "sink":
            if name.startswith("to_"):
                run.event(replace(_event(run, "save", node, name), facts=(run.data(base),)))
            return NONE
        case "schema":
            return Value("index", tabular.schema_of(run, base, name), parts=(base,))
        case "mutator":
            whole = combine(name, [run.data(base), *facts])
            serve, fit = run.serve, run.fit
            run.write(base.obj, tabular.mapped(obj, lambda fact: traced(combine(name, (fact, whole)), serve, fit)))
            return NONE
        case _:
            return tabular.columnwise(run, base, "frame." + name, facts, assumed=True)


def _looked_at(run: Interpreter, base: Value, name: str, kwargs: Mapping[str, Value]) -> list[Fact]:
    """What a row change looks at to choose rows: of tables put together, the columns whose gaps count."""
    rows = run.obj(base).rows
    names = run.strings(kwargs["subset"]) if name == "dropna" and "subset" in kwargs else None
    if rows is None or not rows.mix or names is None:
        return [run.data(base)]
    return [tabular.column(run, base, column) for column in names]


def _event(run: Interpreter, kind: str, node: ast.Call, name: str) -> Event:
    return Event(kind, run.at, run.top, node, name)


ALIGNED = "aligned"
"""Notes that a call gives one table as it is, and another with its columns."""


def _aligned(
    run: Interpreter,
    node: ast.Call,
    base: Value,
    args: list[Value],
    kwargs: Mapping[str, Value],
    facts: Sequence[Fact],
) -> Value:
    """`train.align(test)`: both get columns by what the other has, the one from the rows of the other.

    Along the columns, `join="left"` leaves the first as it is and gives the second its columns; "right" the other way.
    """
    bit = run.refuse(
        node,
        "align",
        "the columns of each table are made those of the other, which serving does not have",
        'keep those of the table that is trained on: train.align(test, join="left", axis=1)',
    )
    tables = (base, args[0])
    join = kwargs.get("join", args[1] if len(args) > 1 else NONE)
    kept = SIDES.get(str(join.const)) if methods.sideways(args, kwargs, 2) else None
    parts = []
    for side, table in enumerate(tables):
        obj = run.obj(table)
        if side == kept:
            parts.append(tabular.derived(run, table, obj))
            continue
        made = tabular.derived(run, table, tabular.mapped(obj, lambda fact: combine("align", (fact, *facts))))
        parts.append(replace(made, fact=with_refusals(made.fact, bit)))
    whole = Value("tuple", parts=tuple(parts))
    if kept is None:
        return whole
    return run.note(node, whole, ALIGNED, (methods.receiver_node(node), node.args[0])[kept], time=Time.ROW)


SIDES = {"left": 0, "right": 1}


def _within_rows(run: Interpreter, base: Value, name: str, facts: Sequence[Fact]) -> Value:
    """`df.cumsum(axis=1)`: each value from those beside it, in the same row."""
    obj = run.obj(base)
    whole = combine("across." + name, [run.data(base), *facts])
    columns = {column: combine("column:" + column, (whole,)) for column in obj.columns}
    return tabular.derived(
        run, base, Obj("frame", obj.fact, columns, None if obj.rest is None else whole, rows=obj.rows)
    )


def _as_encoded(run: Interpreter, made: Value, columns: Value) -> Value:
    """Dummies that get the columns of other dummies of the same data are those: what they lack is zero there."""
    if columns.kind != "index" or not columns.parts or columns.parts[0].obj < 0:
        return made
    model = run.obj(columns.parts[0])
    obj = run.obj(made)
    aligned = {}
    for name, fact in obj.columns.items():
        other = model.columns.get(name)
        source = run.dummies.get(fact.digest)
        if other is not None and source is not None and run.dummies.get(other.digest) == source:
            fact = replace(fact, digest=other.digest)
        aligned[name] = fact
    run.state.heap[made.obj] = replace(obj, columns=aligned)
    return made


def _drop(
    run: Interpreter, node: ast.Call, base: Value, args: list[Value], kwargs: dict[str, Value], in_place: bool
) -> Value:
    labels = kwargs.get("columns")
    if labels is None and (methods.sideways(args, kwargs, 1)):
        labels = kwargs.get("labels", args[0] if args else NONE)
    if labels is not None:
        if "index" in kwargs:
            # Rows and columns at once: training drops both, and serving the columns.
            base = tabular.change_rows(run, node, base, None, "drop", [run.data(kwargs["index"])])
            in_place = False
        # An in-place drop of columns keeps the object, so that every name of it sees the change.
        run.note(node, NONE, "drop-columns", None, time=Time.ROW)
        return tabular.drop_columns(run, base, run.strings(labels), run.data(labels), in_place=in_place)
    gone = kwargs.get("index", kwargs.get("labels", args[0] if args else NONE))
    return tabular.change_rows(run, node, base, methods.receiver_node(node), "drop", [run.data(gone)])


def _rename(run: Interpreter, base: Value, args: list[Value], kwargs: dict[str, Value]) -> Value:
    mapping = kwargs.get("columns")
    if mapping is None and methods.sideways((), kwargs):
        mapping = kwargs.get("mapper", args[0] if args else NONE)
    obj = run.obj(base)
    if mapping is None:
        return labels.relabelled(run, tabular.derived(run, base, obj))
    if mapping.kind == "dict" and mapping.obj >= 0 and run.obj(mapping).rest is None:
        names = {old: value.const for old, value in run.obj(mapping).items.items() if isinstance(value.const, str)}
        columns: dict[str, Fact] = {}
        for name in obj.columns:
            columns[str(names.get(name, name))] = obj.columns[name]
        if obj.rest is not None:
            for old, new in names.items():
                if old not in obj.columns:
                    columns[str(new)] = tabular.column(run, base, str(old))
        return tabular.derived(run, base, replace(obj, columns=columns), run.data(mapping))
    known = column_names.of_function(run, obj.columns, mapping) if obj.rest is None else None
    if known is not None and len(known) == len(obj.columns):
        return tabular.derived(
            run, base, replace(obj, columns=dict(zip(known, obj.columns.values(), strict=True))), run.data(mapping)
        )
    return tabular.derived(run, base, replace(obj, columns={}, rest=run.data(base), origin=None, history=()))


def _affixed(run: Interpreter, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`df.add_prefix("x_")`: the same columns by other names."""
    part = args[0] if args else kwargs.get("prefix", kwargs.get("suffix", NONE))
    obj = run.obj(base)
    if not isinstance(part.const, str) or obj.rest is not None:
        columns: dict[str, Fact] = {}
        rest = run.data(base)
        return tabular.derived(run, base, replace(obj, columns=columns, rest=rest, origin=None, history=()))
    named = {part.const + c if name == "add_prefix" else c + part.const: fact for c, fact in obj.columns.items()}
    return tabular.derived(run, base, replace(obj, columns=named), run.data(part))


def _fillna(run: Interpreter, node: ast.Call, base: Value, args: list[Value], kwargs: dict[str, Value]) -> Value:
    if "method" in kwargs:
        return methods.cross_row(run, node, "fillna(method=…)", base, [])
    value = args[0] if args else kwargs.get("value", NONE)
    obj = run.obj(base)
    others = [run.data(v) for k, v in sorted(kwargs.items()) if k != "value"]
    if value.kind == "dict" and value.obj >= 0 and run.obj(value).rest is None:
        return _by_column(run, base, "fillna", [value], {k: v for k, v in kwargs.items() if k != "value"})
    if value.obj >= 0 and run.obj(value).columns:
        table = run.obj(value)
        whole = run.data(value)

        def fill(name: str | None, fact: Fact) -> Fact:
            fill_fact = table.columns.get(name) if name is not None else table.rest
            fill_fact = fill_fact if fill_fact is not None else table.rest
            if fill_fact is None:
                return fact
            return combine("fillna", (fact, traced(fill_fact, whole.serve, whole.fit), *others))

        columns = {name: fill(name, fact) for name, fact in obj.columns.items()}
        rest = None if obj.rest is None else fill(None, obj.rest)
        return tabular.derived(
            run, base, replace(obj, columns=columns, rest=rest, history=(*obj.history, lambda f: fill(None, f)))
        )
    return tabular.columnwise(run, base, "fillna", (run.data(value), *others))


def _by_column(run: Interpreter, base: Value, op: str, args: list[Value], kwargs: Mapping[str, Value]) -> Value:
    """`fillna({c: v})`, `astype({c: t})`, `replace({c: {…}})`: only the columns named change."""
    table = run.obj(args[0])
    obj = run.obj(base)
    others = [run.data(v) for _, v in sorted(kwargs.items())]
    whole = run.data(args[0])
    known = set(table.items)
    named = all(isinstance(key, str) for key in known) and table.rest is None
    hit = known & set(obj.columns)
    if op == "replace" and (
        not named or not (hit or obj.rest is not None) or not all(v.kind == "dict" for v in table.items.values())
    ):
        return tabular.columnwise(run, base, op, (whole, *others))
    made = dict(obj.columns)
    for key in sorted(known, key=str):
        if key in obj.columns or obj.rest is not None:
            value = run.data(table.items[key])
            made[str(key)] = combine(
                op, (tabular.column(run, base, str(key)), traced(value, args[0].fact.serve, args[0].fact.fit), *others)
            )
    return tabular.derived(run, base, replace(obj, columns=made))


def _reduce_frame(run: Interpreter, node: ast.Call, base: Value, name: str, facts: Sequence[Fact]) -> Value:
    obj = run.obj(base)
    if obj.rows is None:
        return tabular.columnwise(run, base, name, facts, "series")
    event = run.learned(node, name, obj.rows)

    def step(fact: Fact) -> Fact:
        return reduce_rows(name, (fact, *facts), event)

    made = tabular.mapped(obj, step, "series")
    rows_fit = obj.rows.fit | base.fact.fit | obj.fact.fit
    made = replace(tabular.mapped(made, lambda fact: traced(fact, 0, rows_fit)), rows=None, fact=NOTHING)
    return run.new(made, Fact(fit=rows_fit, refused=base.fact.refused))


def _index_change(run: Interpreter, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    # The index of a row is no feature, so both run in serving as they stand.
    obj = run.obj(base)
    if obj.rows is None:
        return tabular.derived(run, base, tabular.mapped(obj, lambda fact: combine(name, (fact,))))
    if name == "reset_index":
        named = {name: fact for name, fact in obj.index.items() if name != labels.UNNAMED}
        columns = obj.columns if methods.flag(kwargs, "drop") else {**named, **obj.columns}
        made = tabular.derived(run, base, replace(obj, columns=columns, index={}))
        return labels.relabelled(run, made, anew=not args and "level" not in kwargs)
    keys = run.strings(args[0] if args else kwargs.get("keys", NONE))
    made_of = args[0] if args else kwargs.get("keys", NONE)
    index = labels.index_made_of(run, base, made_of) if keys is None else {}
    for key in keys or ():
        index[key] = tabular.column(run, base, key)
    if methods.flag(kwargs, "append"):
        index = {**obj.index, **index} if obj.index else {}
    obj = run.obj(base)
    gone = () if keys is None or methods.denied(kwargs, "drop") else keys
    columns = {column: fact for column, fact in obj.columns.items() if column not in gone}
    made = labels.relabelled(run, tabular.derived(run, base, replace(obj, columns=columns)))
    run.state.heap[made.obj] = replace(run.obj(made), index=index)
    return made


def _apply_frame(
    run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    fn = args[0] if args else kwargs.get("func", NONE)
    extra = list(args[1:])
    if name == "pipe":
        return calls.invoke(run, node, fn, [base, *extra], kwargs)
    if name in ("map", "applymap"):
        fact = methods.per_row(run, node, fn, [run.scalar(run.data(base))], kwargs)
        return tabular.columnwise(run, base, name, (replace(fact, inputs=frozenset()),))
    if methods.sideways(args, kwargs, 1):
        passed = {k: v for k, v in kwargs.items() if k not in ("axis", "args", "raw", "result_type", "func")}
        more = run.elements(kwargs["args"]) or [] if "args" in kwargs else []
        fact = methods.per_row(run, node, fn, [Value("row", parts=(base,)), *more], passed)
        return run.series(with_rows(fact, run.obj(base).rows))
    obj = run.obj(base)
    if obj.rows is None:
        return tabular.columnwise(run, base, "apply", (run.data(fn),))
    if fn.kind == "method" and fn.name == "estimator.fit_transform":
        of, learns = methods.receiver_node(node), estimators.what_learns(run, fn.parts[0])
        return tabular.broadcast(run, node, base, "apply-fit_transform", of, [run.data(fn)], learns)
    columns: dict[str, Fact] = {}
    for column in obj.columns:
        one = calls.invoke(run, node, fn, [run.series(tabular.column(run, base, column)), *extra], {})
        columns[column] = run.data(one)
    rest = None
    if obj.rest is not None:
        rest = run.data(calls.invoke(run, node, fn, [run.series(obj.rest), *extra], {}))
    facts = [*columns.values(), *([] if rest is None else [rest])]
    learned = bool(facts) and all(fact.time < Time.ROW for fact in facts)
    return tabular.derived(
        run,
        base,
        Obj("series" if learned else "frame", obj.fact, columns=columns, rest=rest, rows=None if learned else obj.rows),
    )
