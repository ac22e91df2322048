"""Methods of frames, series, groups, strings and containers."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nbprod.analysis import calls, estimators, frames
from nbprod.analysis.tables import method_behaviour
from nbprod.analysis.values import NONE, NOTHING, Fact, Obj, Time, Value, combine, digest_of, join_rows, reduce_rows, traced

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


def call_method(run: Interpreter, node: ast.Call, fn: Value, args: list[Value], kwargs: dict[str, Value]) -> Value:
    receiver, _, name = fn.name.partition(".")
    base = fn.parts[0] if fn.parts else NONE
    match receiver:
        case "frame":
            return _frame(run, node, base, name, args, kwargs)
        case "series" | "array" | "rowindex":
            return _series(run, node, base, name, args, kwargs)
        case "str" | "dt" | "cat" if base.obj >= 0 and base.kind in ("series", "array", "rowindex", "frame"):
            return _accessor(run, node, base, receiver, name, args, kwargs)
        case "index":
            return _index(run, node, base, name, args, kwargs)
        case "groupby":
            return _groupby(run, node, base, name, args, kwargs)
        case "estimator":
            return estimators.call_estimator(run, node, base, name, args, kwargs)
        case "list" | "set":
            return _list(run, base, name, args)
        case "dict":
            return _dict(run, base, name, args)
        case "instance":
            return estimators.call_instance(run, node, base, name, args, kwargs)
        case "str" | "scalar":
            return _text(run, node, base, name, args, kwargs)
        case "row":
            frame = base.parts[0]
            if name == "get" and args and args[0].is_const and isinstance(args[0].const, str):
                return run.scalar(frames.column(run, frame, args[0].const))
            return run.scalar(combine("row." + name, [run.data(frame), *calls.facts_of(run, args, kwargs)]))
        case _ if run.per_row and all(value.kind not in TABULAR for value in (base, *args)):
            return run.scalar(combine("call:" + name, [run.data(base), *calls.facts_of(run, args, kwargs)]))
        case _:
            return calls.unknown_call(run, node, base, args, kwargs, fn.name)


TABULAR = frozenset({"frame", "series", "array", "rowindex", "estimator"})


def flag(kwargs: Mapping[str, Value], name: str) -> bool:
    value = kwargs.get(name)
    return value is not None and value.is_const and bool(value.const)


def sideways(args: Sequence[Value], kwargs: Mapping[str, Value], position: int = 0) -> bool:
    """Whether a call works along the columns of each row: `axis=1`."""
    axis = kwargs.get("axis", args[position] if len(args) > position else NONE)
    return axis.is_const and axis.const in (1, "columns") and axis.const is not True


def receiver_node(node: ast.Call) -> ast.AST | None:
    return node.func.value if isinstance(node.func, ast.Attribute) else None


# ---------------------------------------------------------------------- frames


def _frame(run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    in_place = flag(kwargs, "inplace")
    given = {key: value for key, value in kwargs.items() if key not in ("inplace",)}
    made = _frame_result(run, node, base, name, args, given, in_place)
    if not in_place:
        return made
    if made.kind == "frame" and made.obj >= 0 and made.obj != base.obj:
        run.write(base.obj, replace(run.obj(made), fact=traced(run.obj(made).fact, run.serve, run.fit) if name in STRUCTURAL else run.obj(made).fact))
        _trace_columns(run, base, name)
    return NONE


STRUCTURAL = frozenset({"drop", "rename", "set_index", "reset_index", "insert", "set_axis", "rename_axis"})


def _trace_columns(run: Interpreter, base: Value, name: str) -> None:
    """After an in-place method that rewrites values, each column was made by the statement at hand."""
    if method_behaviour("frame", name) not in ("columnwise", "broadcast", "cross-row"):
        return
    serve, fit = run.serve, run.fit
    run.write(base.obj, frames.mapped(run.obj(base), lambda fact: traced(fact, serve, fit)))


def _frame_result(
    run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value], in_place: bool
) -> Value:
    facts = calls.facts_of(run, args, kwargs)
    of = receiver_node(node)
    obj = run.obj(base)
    match name:
        case "drop":
            return _drop(run, node, base, args, kwargs, in_place)
        case "rename":
            return _rename(run, base, args, kwargs)
        case "assign":
            made = frames.derived(run, base, obj)
            for key, value in kwargs.items():
                given = invoke_on(run, node, value, made) if value.kind == "function" else value
                frames.set_column(run, made, key, given)
            return made
        case "fillna":
            return _fillna(run, node, base, args, kwargs)
        case "replace" | "astype" if args and args[0].kind == "dict" and args[0].obj >= 0:
            return _by_column(run, base, name, args, kwargs)
        case "select_dtypes":
            return frames.select_learned(run, base, replace(frames.schema_of(run, base, "dtypes"), digest=digest_of("select_dtypes", *(f.digest for f in facts))))
        case "filter" if "items" in kwargs:
            names = run.strings(kwargs["items"])
            return frames.select(run, base, names) if names is not None else frames.select_learned(run, base, facts[0])
        case "filter":
            return frames.select_learned(run, base, combine("filter", facts))
        case "get" if args:
            return frames._frame_item(run, node, base, args[0], of)
        case "reindex":
            columns = kwargs.get("columns", args[1] if len(args) > 1 else NONE)
            names = run.strings(columns)
            if names is not None and columns.kind != "none":
                return frames.select(run, base, names)
            if columns.kind != "none":
                return frames.select_learned(run, base, run.data(columns))
            return frames.change_rows(run, node, base, of, name, facts)
        case "to_numpy":
            return frames.derived(run, base, replace(obj, kind="array"))
        case "merge":
            return merge(run, node, base, args, kwargs)
        case "join":
            other = args[0] if args else kwargs.get("other", NONE)
            return calls._side_by_side(run, node, [base, other])
        case "insert" if len(args) >= 3:
            names = run.strings(args[1])
            if names:
                frames.set_column(run, base, names[0], args[2])
            return NONE
        case "pop" if args:
            value = frames._frame_item(run, node, base, args[0], of)
            frames.drop_columns(run, node, base, run.strings(args[0]), run.data(args[0]), in_place=True)
            return replace(value, view=None)
        case "apply" | "transform" | "map" | "applymap" | "pipe":
            return _apply_frame(run, node, base, name, args, kwargs)
        case "groupby":
            keys = args[0] if args else kwargs.get("by", NONE)
            return Value("groupby", combine("groupby", (run.data(keys),)), parts=(base, keys))
        case "copy":
            return frames.derived(run, base, obj)
        case "append":
            return calls._concat(run, node, [Value("tuple", parts=(base, *args[:1]))], {})
        case "items" | "iteritems" | "iterrows" | "itertuples":
            if name in ("iterrows", "itertuples"):
                return Value("rowstream", run.data(base), parts=(base,))
            return Value("stream", run.data(base), parts=(Value("tuple", parts=(run.element(base, node), run.series(run.data(base)))),))
        case "corr" | "cov" | "corrwith":
            return run.series(reduce_rows(name, (run.data(base), *facts), run.learned(node, name, obj.rows)))
        case "set_index" | "reset_index":
            return _index_change(run, node, base, name, args, kwargs)
        case "duplicated":
            return frames.broadcast(run, node, run.series(run.data(base)), "duplicated", of, facts)
        case "explode":
            return frames.change_rows(run, node, base, of, name, facts)
    behaviour = method_behaviour("frame", name)
    match behaviour:
        case "reduction" if sideways(args, kwargs):
            return run.series(combine("across." + name, [run.data(base), *facts]))
        case "reduction":
            return _reduce_frame(run, node, base, name, facts)
        case "columnwise":
            return frames.columnwise(run, base, name, facts)
        case "row-wise":
            return run.series(combine(name, [run.data(base), *facts]))
        case "row-changing" if name == "dropna" and sideways(args, kwargs):
            return frames.select_learned(run, base, replace(reduce_rows("dropna", (run.data(base), *facts), run.learned(node, name, obj.rows))))
        case "row-changing" | "row-ordering":
            return frames.change_rows(run, node, base, of, name, [run.data(base), *facts])
        case "broadcast":
            return frames.broadcast(run, node, base, name, of, facts)
        case "cross-row":
            return cross_row(run, node, name, base, facts)
        case "reshaping":
            if name in ("to_dict", "to_json", "to_string", "squeeze"):
                fact = reduce_rows(name, (run.data(base), *facts)) if obj.rows is not None else run.data(base)
                return Value("unknown", fact)
            return frames.reshaped(run, node, base, name)
        case "sink":
            if name.startswith("to_"):
                run.event(_event(run, "save", node, name))
            return NONE
        case "schema":
            return Value("index", frames.schema_of(run, base, name), parts=(base,))
        case "mutator":
            whole = combine(name, [run.data(base), *facts])
            serve, fit = run.serve, run.fit
            run.write(base.obj, frames.mapped(obj, lambda fact: traced(combine(name, (fact, whole)), serve, fit)))
            return NONE
        case _:
            return frames.columnwise(run, base, "frame." + name, facts, assumed=True)


def _event(run: Interpreter, kind: str, node: ast.Call, name: str) -> calls.Event:
    return calls.Event(kind, run.at, run.top, node, name)


def _drop(
    run: Interpreter, node: ast.Call, base: Value, args: list[Value], kwargs: dict[str, Value], in_place: bool
) -> Value:
    labels = kwargs.get("columns")
    if labels is None and (sideways(args, kwargs, 1)):
        labels = kwargs.get("labels", args[0] if args else NONE)
    if labels is not None:
        # An in-place drop of columns keeps the object, so that every name of it sees the change.
        run.note(node, NONE, "drop-columns", None, time=Time.ROW)
        return frames.drop_columns(run, node, base, run.strings(labels), run.data(labels), in_place=in_place)
    gone = kwargs.get("index", kwargs.get("labels", args[0] if args else NONE))
    return frames.change_rows(run, node, base, receiver_node(node), "drop", [run.data(gone)])


def _rename(run: Interpreter, base: Value, args: list[Value], kwargs: dict[str, Value]) -> Value:
    mapping = kwargs.get("columns")
    if mapping is None and sideways((), kwargs):
        mapping = kwargs.get("mapper", args[0] if args else NONE)
    obj = run.obj(base)
    if mapping is None:
        return frames.derived(run, base, obj)
    if mapping.kind == "dict" and mapping.obj >= 0 and run.obj(mapping).rest is None:
        names = {old: value.const for old, value in run.obj(mapping).items.items() if isinstance(value.const, str)}
        columns: dict[str, Fact] = {}
        for name in obj.columns:
            columns[str(names.get(name, name))] = obj.columns[name]
        if obj.rest is not None:
            for old, new in names.items():
                if old not in obj.columns:
                    columns[str(new)] = frames.column(run, base, str(old))
        return frames.derived(run, base, replace(obj, columns=columns), run.data(mapping))
    if mapping.kind == "method" and mapping.name.startswith("str.") or mapping.kind == "lib":
        whole = obj.columns
        method = mapping.name.rpartition(".")[2]
        if hasattr(str, method) and obj.rest is None:
            return frames.derived(run, base, replace(obj, columns={getattr(str, method)(n): f for n, f in whole.items()}))
    return frames.derived(run, base, replace(obj, columns={}, rest=run.data(base), origin=None, history=()))


def _fillna(run: Interpreter, node: ast.Call, base: Value, args: list[Value], kwargs: dict[str, Value]) -> Value:
    if "method" in kwargs:
        return cross_row(run, node, "fillna(method=…)", base, [])
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
        return frames.derived(run, base, replace(obj, columns=columns, rest=rest, history=(*obj.history, lambda f: fill(None, f))))
    return frames.columnwise(run, base, "fillna", (run.data(value), *others))


def _by_column(run: Interpreter, base: Value, op: str, args: list[Value], kwargs: Mapping[str, Value]) -> Value:
    """`fillna({c: v})`, `astype({c: t})`, `replace({c: {…}})`: only the columns named change."""
    table = run.obj(args[0])
    obj = run.obj(base)
    others = [run.data(v) for _, v in sorted(kwargs.items())]
    whole = run.data(args[0])
    known = set(table.items)
    named = all(isinstance(key, str) for key in known) and table.rest is None
    hit = known & set(obj.columns)
    if op == "replace" and (not named or not (hit or obj.rest is not None) or not all(v.kind == "dict" for v in table.items.values())):
        return frames.columnwise(run, base, op, (whole, *others))
    made = dict(obj.columns)
    for key in sorted(known, key=str):
        if key in obj.columns or obj.rest is not None:
            value = run.data(table.items[key])
            made[str(key)] = combine(op, (frames.column(run, base, str(key)), traced(value, args[0].fact.serve, args[0].fact.fit), *others))
    return frames.derived(run, base, replace(obj, columns=made))


def _reduce_frame(run: Interpreter, node: ast.Call, base: Value, name: str, facts: Sequence[Fact]) -> Value:
    obj = run.obj(base)
    if obj.rows is None:
        return frames.columnwise(run, base, name, facts, "series")
    event = run.learned(node, name, obj.rows)

    def step(fact: Fact) -> Fact:
        return reduce_rows(name, (fact, *facts), event)

    made = frames.mapped(obj, step, "series")
    rows_fit = obj.rows.fit | base.fact.fit | obj.fact.fit
    made = replace(frames.mapped(made, lambda fact: traced(fact, 0, rows_fit)), rows=None, fact=NOTHING)
    return run.new(made, Fact(fit=rows_fit, refused=base.fact.refused))


def _index_change(run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    # The index of a row is no feature, so both run in serving as they stand.
    obj = run.obj(base)
    if obj.rows is None:
        return frames.derived(run, base, frames.mapped(obj, lambda fact: combine(name, (fact,))))
    made = frames.derived(run, base, obj)
    if name == "set_index":
        labels = run.strings(args[0] if args else kwargs.get("keys", NONE))
        if labels is not None and not ("drop" in kwargs and not flag(kwargs, "drop")):
            kept = replace(obj, columns={n: f for n, f in obj.columns.items() if n not in labels})
            run.state.heap[made.obj] = kept
    return made


def _apply_frame(
    run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    fn = args[0] if args else kwargs.get("func", NONE)
    extra = list(args[1:])
    if name == "pipe":
        return calls.invoke(run, node, fn, [base, *extra], kwargs)
    if name in ("map", "applymap"):
        fact = per_row(run, node, fn, [run.scalar(run.data(base))], kwargs)
        return frames.columnwise(run, base, name, (replace(fact, inputs=frozenset()),))
    if sideways(args, kwargs, 1):
        passed = {k: v for k, v in kwargs.items() if k not in ("axis", "args", "raw", "result_type", "func")}
        more = run.elements(kwargs["args"]) or [] if "args" in kwargs else []
        fact = per_row(run, node, fn, [Value("row", parts=(base,)), *more], passed)
        return run.series(frames.with_rows(fact, run.obj(base).rows))
    obj = run.obj(base)
    if obj.rows is None:
        return frames.columnwise(run, base, "apply", (run.data(fn),))
    columns: dict[str, Fact] = {}
    for column in obj.columns:
        one = calls.invoke(run, node, fn, [run.series(frames.column(run, base, column)), *extra], {})
        columns[column] = run.data(one)
    rest = None
    if obj.rest is not None:
        rest = run.data(calls.invoke(run, node, fn, [run.series(obj.rest), *extra], {}))
    facts = [*columns.values(), *([] if rest is None else [rest])]
    learned = bool(facts) and all(fact.time < Time.ROW for fact in facts)
    return frames.derived(run, base, Obj("series" if learned else "frame", obj.fact, columns=columns, rest=rest, rows=None if learned else obj.rows))


def per_row(run: Interpreter, node: ast.AST, fn: Value, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Fact:
    """The fact of a function applied to each row or element."""
    facts = [run.data(arg) for arg in args]
    if fn.kind != "function":
        if fn.kind == "class" or (fn.kind == "lib" and fn.name.partition(".")[0] in ("builtins", "numpy", "math", "pandas", "datetime", "re")):
            return combine("each:" + fn.name, facts)
        if fn.kind == "method":
            whole = combine("each:" + fn.name, [run.data(fn), *facts])
            return whole
        return run.assumed(combine("each:" + (fn.name or "?"), [run.data(fn), *facts]))
    learned_before = len(run.learnings)
    run.per_row += 1
    try:
        value = run.call_function(fn, list(args), kwargs, node)
    finally:
        run.per_row -= 1
    fact = run.data(value)
    made = combine("each", [fact, *facts]) if fact.time < Time.ROW or not fact.inputs else fact
    made = replace(made, time=max([made.time, *(f.time for f in facts)]))
    if len(run.learnings) > learned_before:
        bit = run.refuse(
            node,
            "learned-in-row-function",
            "the function that is applied to each row looks at other rows as well",
            "compute the value before, in a statement of its own, and let the function use it",
        )
        made = replace(made, refused=made.refused | bit)
    return made


def merge(run: Interpreter, node: ast.Call, left: Value, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """A join: with something learned or constant it is a lookup; of two raw tables it is refused."""
    right = args[0] if args else kwargs.get("right", NONE)
    how = kwargs.get("how", args[1] if len(args) > 1 else NONE)
    inner = not (how.is_const and how.const == "left")
    if left.kind != "frame":
        return calls.unknown_call(run, node, left, args, kwargs, "merge")
    seen = run.data(right)
    obj = run.obj(left)
    facts = calls.facts_of(run, [], {k: v for k, v in kwargs.items() if k not in ("right",)})
    if seen.time is Time.ROW and obj.rows is not None:
        bit = run.refuse(
            node,
            "join-of-tables",
            "rows of a second table are joined to each row; what serving should look up there is not decided",
            "join the tables before the raw frame, or make the second one a lookup table that is learned",
        )
        made = frames.columnwise(run, left, "merge", (seen, *facts))
        made_obj = run.obj(made)
        if right.obj >= 0:
            other = run.obj(right)
            extra = {n: combine("merge", (f, run.data(left))) for n, f in other.columns.items() if n not in made_obj.columns}
            run.state.heap[made.obj] = replace(made_obj, columns={**made_obj.columns, **extra})
        return replace(made, fact=replace(made.fact, refused=made.fact.refused | bit))
    whole = combine("merge", [seen, *facts])
    columns = dict(obj.columns)
    keys = run.strings(kwargs.get("on", kwargs.get("left_on", NONE))) or []
    key_facts = [frames.column(run, left, key) for key in keys]
    obj = run.obj(left)
    columns = dict(obj.columns)
    rest = obj.rest
    if right.obj >= 0:
        other = run.obj(right)
        for name, fact in other.columns.items():
            if name not in keys:
                columns[name] = replace(combine("lookup", [fact, *key_facts, whole]), time=Time.ROW, rows=obj.rows)
        if other.rest is not None or not other.columns:
            looked = replace(combine("lookup", [whole, *key_facts]), time=Time.ROW, rows=obj.rows)
            rest = looked if rest is None else combine("merge", (rest, looked))
    made = frames.derived(run, left, replace(obj, columns=columns, rest=rest), right.fact)
    if inner:
        bit = run.refuse(
            node,
            "inner-join",
            "a row without a partner in the lookup table would be dropped",
            "use how='left' and decide what an unmatched row gets",
        )
        made = replace(made, fact=replace(made.fact, refused=made.fact.refused | bit))
    return made


# ---------------------------------------------------------------------- idioms with columns of their own


def get_dummies(run: Interpreter, node: ast.Call, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`pd.get_dummies`: categories are learned per column; the columns encoded are given or learned."""
    base = args[0] if args else kwargs.get("data", NONE)
    options = [run.data(v) for k, v in sorted(kwargs.items()) if k not in ("data", "columns")]
    facts = [*(run.data(v) for v in args[1:]), *options]
    whole = run.data(base)
    if whole.time is not Time.ROW or base.obj < 0:
        return Value("frame", NOTHING, run._store(Obj("frame", combine("get_dummies", [whole, *facts]))))
    event = run.learned(node, "get_dummies", whole.rows)
    obj = run.obj(base)

    def encoded(fact: Fact) -> Fact:
        seen = reduce_rows("categories", (fact, *facts), event)
        return combine("dummies", (fact, seen, *facts))

    columns = kwargs.get("columns", args[5] if len(args) > 5 else NONE)
    names = run.strings(columns) if columns.kind != "none" else None
    if base.kind == "series":
        made = run.new(Obj("frame", NOTHING, rest=encoded(whole), rows=whole.rows), Fact(serve=base.fact.serve, fit=base.fact.fit))
    elif names is not None:
        kept = {n: f for n, f in obj.columns.items() if n not in names}
        dummies = {n: encoded(frames.column(run, base, n)) for n in names}
        obj = run.obj(base)
        expanded = {f"{n}_*": fact for n, fact in dummies.items()}
        made = frames.derived(run, base, replace(obj, columns={**kept, **expanded}), run.data(columns))
    else:

        def either(fact: Fact) -> Fact:
            return encoded(fact)

        made = frames.derived(run, base, frames.mapped(obj, either), replace(run.data(columns), time=Time.CONSTANT))
    run.note(node, made, "idiom:get_dummies", node)
    return made


def cut(run: Interpreter, node: ast.Call, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`pd.cut`: with given edges each row stands alone; with a number of bins the edges are learned."""
    base = args[0] if args else kwargs.get("x", NONE)
    bins = args[1] if len(args) > 1 else kwargs.get("bins", NONE)
    facts = calls.facts_of(run, args[1:], {k: v for k, v in kwargs.items() if k != "x"})
    if bins.kind in ("list", "tuple", "learned", "array", "series", "index", "range") and run.data(bins).time < Time.ROW:
        made = run.series(combine("cut", [run.data(base), *facts]))
        return made
    return frames.broadcast(run, node, base if base.obj >= 0 else run.series(run.data(base)), "cut", node, facts)


def to_datetime(run: Interpreter, node: ast.Call, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """`pd.to_datetime` without a format: the format is learned."""
    facts = calls.facts_of(run, args[1:], kwargs)
    base = args[0] if args[0].obj >= 0 else run.series(run.data(args[0]))
    if run.per_row:
        return run.scalar(combine("to_datetime", [run.data(base), *facts]))
    return frames.broadcast(run, node, base, "to_datetime", node, facts)


# ---------------------------------------------------------------------- rows


def cross_row(run: Interpreter, node: ast.AST, name: str, base: Value, facts: Sequence[Fact]) -> Value:
    """An operation in which a row's value needs its neighbours: refused where it reaches the model."""
    whole = run.data(base)
    if whole.time < Time.ROW:
        return run.series(combine(name, [whole, *facts]))
    bit = run.refuse(
        node,
        name,
        f"{name} computes a row's value from the rows around it, and a row that is served comes alone",
        "bring the value in as a column of the raw data, or keep this feature for batch scoring",
    )

    def step(fact: Fact) -> Fact:
        made = combine(name, (fact, *facts))
        return replace(made, refused=made.refused | bit)

    return frames.derived(run, base, frames.mapped(run.obj(base), step)) if base.obj >= 0 else run.series(step(whole))


def rows_of_calls(run: Interpreter, node: ast.Call, name: str, args: Sequence[Value], facts: Sequence[Fact]) -> Value:
    """A function of a library that changes rows: `np.delete`, `np.concatenate`, …"""
    fact = combine(name, facts)
    if fact.time is not Time.ROW:
        return run.series(fact)
    bit = run.refuse(
        node,
        name,
        f"{name} makes an array with other rows than its operand's",
        "choose rows on the frame, before it becomes an array",
    )
    return run.series(replace(fact, refused=fact.refused | bit))


# ---------------------------------------------------------------------- series


def _series(run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    in_place = flag(kwargs, "inplace")
    given = {key: value for key, value in kwargs.items() if key not in ("inplace",)}
    made = _series_result(run, node, base, name, args, given)
    if not in_place:
        return made
    fact = traced(run.data(made), run.serve, run.fit)
    if base.view is not None and base.view[0] in run.state.heap and base.view[1]:
        _write_view(run, base, fact)
    if base.obj >= 0 and run.obj(base).kind == "series":
        run.write(base.obj, replace(run.obj(base), fact=fact, rows=fact.rows, columns={}, rest=None))
    return NONE


def _write_view(run: Interpreter, base: Value, fact: Fact) -> None:
    """`df['a'].fillna(…, inplace=True)`: reaches the frame under pandas 2, and only there."""
    if run.pandas_major >= 3:
        return
    number, name = base.view or (-1, "")
    obj = run.state.heap[number]
    run.write(number, replace(obj, columns={**obj.columns, name: fact}))


def _series_result(run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    facts = calls.facts_of(run, args, kwargs)
    whole = run.data(base)
    obj = run.obj(base)
    of = receiver_node(node)
    row = whole.time is Time.ROW
    receiver = "array" if base.kind == "array" else "series"
    match name:
        case "apply" | "map" | "transform" | "agg" | "aggregate" if args and (args[0].kind == "function" or args[0].kind == "method"):
            if name in ("apply", "map") or not row:
                fact = per_row(run, node, args[0], [run.scalar(whole), *_extra(run, kwargs)], {})
                return run.series(frames.with_rows(fact, whole.rows) if row else fact)
        case "fillna" if "method" in kwargs:
            return cross_row(run, node, "fillna(method=…)", base, [])
        case "to_frame" | "reset_index" if not row or name == "to_frame":
            label = base.view[1] if base.view and base.view[1] else "0"
            made = Obj("frame", columns=obj.columns or {label: whole}, rest=obj.rest, rows=obj.rows, origin=obj.origin, history=obj.history)
            return frames.derived(run, base, made)
        case "reshape" | "to_numpy" | "tolist" | "to_list" | "flatten" | "ravel" | "toarray" | "todense" | "A1" | "rename" | "copy" | "squeeze":
            return frames.derived(run, base, replace(obj, kind="array" if name not in ("rename", "copy", "squeeze") else obj.kind))
        case "groupby":
            keys = args[0] if args else kwargs.get("by", NONE)
            return Value("groupby", combine("groupby", (run.data(keys),)), parts=(base, keys))
        case "items" | "iteritems":
            return Value("stream", whole, parts=(Value("tuple", parts=(Value("scalar", whole), Value("scalar", whole))),))
        case "to_dict":
            return run.new(Obj("dict", rest=reduce_rows("to_dict", (whole,)) if row else whole), base.fact)
        case "value_counts" | "unique" | "mode" if row:
            return run.series(reduce_rows(name, (whole, *facts), run.learned(node, name, whole.rows)))
        case "drop" if not row:
            return run.series(combine("drop", (whole, *facts)))
        case "pipe" if args:
            return calls.invoke(run, node, args[0], [base, *args[1:]], kwargs)
    behaviour = method_behaviour(receiver, name) or method_behaviour("series", name)
    if behaviour is None and name == "plot":
        behaviour = "sink"
    if not row:
        if behaviour == "sink":
            return NONE
        made = combine(name, [whole, *facts])
        if made.time is Time.ROW:
            return run.series(made)
        return run.series(made) if behaviour != "reduction" else Value("scalar", made)
    match behaviour:
        case "reduction" if receiver == "array" and sideways(args, kwargs):
            return run.series(combine("across." + name, [whole, *facts]))
        case "reduction":
            return Value("scalar", reduce_rows(name, (whole, *facts), run.learned(node, name, whole.rows)))
        case "columnwise":
            return frames.columnwise(run, base, name, facts)
        case "row-wise":
            return run.series(combine(name, [whole, *facts]))
        case "row-changing" | "row-ordering":
            return frames.change_rows(run, node, base, of, name, [whole, *facts])
        case "broadcast":
            return frames.broadcast(run, node, base, name, of, facts)
        case "cross-row":
            return cross_row(run, node, name, base, facts)
        case "reshaping":
            return frames.reshaped(run, node, base, name)
        case "sink":
            return NONE
        case "schema":
            return Value("scalar", reduce_rows("schema." + name, (whole,)))
        case "mutator":
            run.write(base.obj, replace(obj, fact=traced(combine(name, [whole, *facts]), run.serve, run.fit)))
            return NONE
        case _:
            return frames.columnwise(run, base, "series." + name, facts, assumed=True)


def _extra(run: Interpreter, kwargs: Mapping[str, Value]) -> list[Value]:
    return run.elements(kwargs["args"]) or [] if "args" in kwargs else []


def _accessor(
    run: Interpreter, node: ast.Call, base: Value, accessor: str, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    facts = calls.facts_of(run, args, kwargs)
    behaviour = method_behaviour(accessor, name)
    whole = run.data(base)
    if behaviour == "broadcast" and whole.time is Time.ROW:
        made = frames.broadcast(run, node, base, f"{accessor}-{name}", receiver_node(node), facts)
        return Value("frame", made.fact, run._store(Obj("frame", rest=run.data(made), rows=whole.rows)))
    if name in ("extract", "split", "rsplit", "partition") and (flag(kwargs, "expand") or name == "partition"):
        fact = combine(f"{accessor}.{name}", [whole, *facts])
        if name != "extract" and whole.time is Time.ROW:
            seen = reduce_rows("width", (fact,), run.learned(node, "width", whole.rows))
            fact = combine("split-width", (fact, seen))
            made = run.new(Obj("frame", NOTHING, rest=fact, rows=whole.rows), base.fact)
            return run.note(node, made, f"idiom:str-{name}", receiver_node(node))
        return run.new(Obj("frame", NOTHING, rest=fact, rows=whole.rows), base.fact)
    return frames.columnwise(run, base, f"{accessor}.{name}", facts, assumed=behaviour is None and whole.time is Time.ROW)


def _index(run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    fact = combine("index." + name, [run.data(base), *calls.facts_of(run, args, kwargs)])
    if fact.time is Time.ROW:
        fact = reduce_rows("index." + name, (fact,))
    if base.is_const:
        names = list(base.const)
        other = run.strings(args[0]) if args else None
        if name in ("tolist", "to_list", "copy", "to_numpy"):
            return Value("index", fact, const=tuple(names), parts=base.parts)
        if name in ("drop", "difference") and other is not None:
            kept = [n for n in names if n not in other]
            return Value("index", fact, const=tuple(sorted(kept) if name == "difference" else kept))
    if name == "get_loc":
        return Value("scalar", fact)
    return Value("index", fact, parts=base.parts)


def _groupby(run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    source = base.parts[0]
    keys = base.parts[1]
    chosen = base.parts[2] if len(base.parts) > 2 else NONE
    facts = calls.facts_of(run, args, kwargs)
    names = run.strings(keys) or []
    wanted = run.strings(chosen) if chosen.kind != "none" else None
    if source.kind == "frame":
        parts = [frames.column(run, source, key) for key in names] or [run.data(keys)]
        values = [frames.column(run, source, w) for w in wanted] if wanted else [run.data(source)]
    else:
        parts, values = [run.data(keys)], [run.data(source)]
    whole = combine("groupby." + name, [*parts, *values, *facts])
    if whole.time < Time.ROW:
        return run.series(whole)
    rows = run.obj(source).rows if source.obj >= 0 else whole.rows
    behaviour = method_behaviour("groupby", name)
    ref = Fact(serve=source.fact.serve, fit=source.fact.fit)
    match behaviour:
        case "reduction":
            event = run.learned(node, "groupby." + name, rows)
            rows_fit = rows.fit if rows is not None else 0
            fact = traced(reduce_rows("groupby." + name, (whole,), event), 0, rows_fit | source.fact.fit)
            made = Obj("series" if wanted and chosen.kind == "str" else "frame", columns={w: fact for w in wanted} if wanted else {}, rest=None if wanted else fact)
            return run.new(made, Fact(fit=fact.fit))
        case "broadcast":
            event = run.learned(node, "groupby.transform", rows)
            seen = reduce_rows("groupby.transform", (whole,), event)
            made = run.series(combine("groupby.lookup", [*parts, seen]), ref=ref)
            return run.note(node, made, "idiom:groupby-transform", node)
        case "row-changing":
            return frames.change_rows(run, node, source, None, "groupby." + name, [whole])
        case "sink":
            return NONE
        case "cross-row":
            base_value = run.series(whole, ref=ref)
            return cross_row(run, node, "groupby." + name, base_value, [])
        case _:
            bit = run.refuse(
                node,
                "groupby." + name,
                f"what groupby(…).{name}(…) does to each row cannot be told apart from what it learns of the group",
                "use .transform with a named statistic, or a table by group that is merged or mapped",
            )
            return run.series(replace(whole, refused=whole.refused | bit), ref=ref)


# ---------------------------------------------------------------------- containers and strings


def _list(run: Interpreter, base: Value, name: str, args: list[Value]) -> Value:
    if base.obj < 0:
        return Value("unknown", combine("list." + name, [run.data(base), *(run.data(a) for a in args)]))
    obj = run.obj(base)
    match name:
        case "append" | "add" if args:
            kept = run.bound(args[0])
            if obj.rest is None and (name == "append" or not any(v.const == kept.const and v.is_const for v in obj.items.values())):
                run.write(base.obj, replace(obj, items={**obj.items, len(obj.items): kept}))
            elif obj.rest is not None:
                rest = traced(combine("append", (obj.rest, run.data(kept))), run.serve, run.fit)
                run.write(base.obj, replace(obj, rest=rest))
            return NONE
        case "extend" | "update" if args:
            calls.extend_list(run, base, args[0])
            return NONE
        case "remove" | "discard" if args:
            if obj.rest is None and args[0].is_const:
                kept_items = [v for v in obj.items.values() if not (v.is_const and v.const == args[0].const)]
                run.write(base.obj, replace(obj, fact=traced(obj.fact, run.serve, run.fit), items=dict(enumerate(kept_items))))
            else:
                rest = traced(combine("remove", [run.data(base), run.data(args[0])]), run.serve, run.fit)
                run.write(base.obj, replace(obj, rest=rest))
            return NONE
        case "pop" | "clear" | "sort" | "reverse" | "insert":
            items = list(obj.items.values())
            if obj.rest is None and name == "reverse":
                items = items[::-1]
            popped = items.pop(args[0].const if args and isinstance(args[0].const, int) and abs(args[0].const) < len(items) else -1) if name == "pop" and items and obj.rest is None else NONE
            if name == "insert" and len(args) == 2 and isinstance(args[0].const, int):
                items.insert(args[0].const, run.bound(args[1]))
            run.write(base.obj, replace(obj, fact=traced(obj.fact, run.serve, run.fit), items={} if name == "clear" else dict(enumerate(items))))
            return popped
        case "index" | "count":
            return Value("scalar", combine(name, [run.data(base), *(run.data(a) for a in args)]))
        case "copy":
            return frames.derived(run, base, obj)
        case _:
            return Value("index" if base.kind == "set" else "unknown", combine(base.kind + "." + name, [run.data(base), *(run.data(a) for a in args)]))


def _dict(run: Interpreter, base: Value, name: str, args: list[Value]) -> Value:
    if base.obj < 0:
        return Value("unknown", combine("dict." + name, [run.data(base)]))
    obj = run.obj(base)
    known = obj.rest is None
    match name:
        case "get" | "setdefault" if args:
            if args[0].is_const and known and args[0].const in obj.items:
                return obj.items[args[0].const]
            return Value("scalar", combine("dict.get", [run.data(base), *(run.data(a) for a in args)]))
        case "keys":
            if known:
                return run.list_of([run.constant(key) for key in obj.items], fact=base.fact)
            return Value("keys", run.data(base))
        case "values":
            if known:
                return run.list_of(list(obj.items.values()), fact=base.fact)
            return Value("unknown", run.data(base))
        case "items":
            if known:
                rows = [Value("tuple", parts=(run.constant(key), value)) for key, value in obj.items.items()]
                return Value("iterated", base.fact, parts=tuple(rows))
            return Value("stream", run.data(base), parts=(Value("tuple", parts=(Value("str", run.data(base), symbol=run.symbol()), Value("unknown", run.data(base)))),))
        case "update" if args:
            other = args[0]
            if other.kind == "dict" and other.obj >= 0 and run.obj(other).rest is None:
                items = {**obj.items, **{k: run.bound(v) for k, v in run.obj(other).items.items()}}
                run.write(base.obj, replace(obj, items=items))
            else:
                facts = [run.data(other), *([] if obj.rest is None else [obj.rest])]
                run.write(base.obj, replace(obj, rest=traced(combine("update", facts), run.serve, run.fit)))
            return NONE
        case "pop" if args and args[0].is_const:
            found = obj.items.get(args[0].const, Value("unknown", run.data(base)))
            run.write(base.obj, replace(obj, items={k: v for k, v in obj.items.items() if k != args[0].const}))
            return found
        case "copy":
            return frames.derived(run, base, obj)
        case _:
            return Value("unknown", combine("dict." + name, [run.data(base)]))


def _text(run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]) -> Value:
    fact = combine("text." + name, [run.data(base), *calls.facts_of(run, args, kwargs)])
    if base.is_const and isinstance(base.const, str) and all(a.is_const and isinstance(a.const, str | int) for a in args) and not kwargs:
        if name in ("lower", "upper", "strip", "title", "capitalize", "replace", "lstrip", "rstrip", "swapcase", "casefold"):
            try:
                return run.constant(getattr(base.const, name)(*(a.const for a in args)), replace(fact, digest="-"))
            except (TypeError, ValueError):
                return Value("str", fact)
        if name == "format":
            try:
                return run.constant(base.const.format(*(a.const for a in args)), replace(fact, digest="-"))
            except (IndexError, KeyError, ValueError, AttributeError):
                return Value("str", fact)
        if name == "split":
            return run.list_of([run.constant(part) for part in base.const.split(*(a.const for a in args))])
    kind = "str" if name in ("format", "join", "lower", "upper", "strip", "replace", "title") else "scalar"
    return Value(kind, fact)


def invoke_on(run: Interpreter, node: ast.Call, fn: Value, base: Value) -> Value:
    """A callable given where a value is expected: `df.assign(x=lambda d: …)`."""
    return calls.invoke(run, node, fn, [base], {})


def rows_of(run: Interpreter, values: Sequence[Value]) -> object:
    rows = None
    for value in values:
        rows = join_rows(rows, run.data(value).rows)
    return rows
