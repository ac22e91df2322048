"""Items of abstract values: what `df[…]`, `df.loc[…]`, `x[…]` reads and writes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import apart, column_masks, flow, labels, mutation, row_numbers, tabular, views
from nbprod.analysis.state import column_of_rest
from nbprod.analysis.values import (
    NONE,
    NOTHING,
    Fact,
    Obj,
    Time,
    Value,
    combine,
    digest_of,
    reduce_rows,
    same_rows,
    traced,
    with_refusals,
)

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


ROW_KEYS = frozenset({"slice", "series", "array", "list", "rowindex", "index", "unknown", "learned"})
"""Kinds of values that choose rows where they stand in the place of rows."""


def side_of(rows: Value) -> str:
    """The side of a split that the indices of a fold choose."""
    return rows.name.removeprefix("fold:") if rows.name.startswith("fold:") else ""


def get_item(run: Interpreter, node: ast.Subscript, base: Value, key: Value) -> Value:
    """The value of `base[key]`."""
    of_row = row_numbers.chosen(run, base, key)
    if of_row is not None:
        return of_row
    match base.kind:
        case "frame":
            return frame_item(run, node, base, _from_first(run, key), node.value)
        case "series" | "array" | "rowindex":
            return _series_item(run, node, base, _from_first(run, key))
        case "indexer":
            return _indexed(run, node, base, key)
        case "accessor":
            return tabular.columnwise(run, base.parts[0], base.name + ".item", (run.data(key),))
        case "tuple":
            if key.is_const and isinstance(key.const, int) and -len(base.parts) <= key.const < len(base.parts):
                part = base.parts[key.const]
                run.picked(node, base, part)
                return replace(part, fact=traced(part.fact, base.fact.serve, base.fact.fit))
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
                run.picked(node, base, found)
                fact = traced(found.fact, base.fact.serve | obj.fact.serve, base.fact.fit | obj.fact.fit)
                return found if fact is found.fact else replace(found, fact=fact)
            sliced = key.kind == "slice" and base.kind == "list" and obj.rest is None
            if sliced and all(part.is_const for part in key.parts):
                bounds = slice(*(part.const for part in key.parts))
                return run.list_of(list(obj.items.values())[bounds], fact=base.fact)
            if obj.rest is None and flow.one_of(tuple(obj.items.values()), "") is not None:
                return flow.element(run, base, node)
            return _unknown_item(run, base, key)
        case "groupby":
            return replace(base, parts=(base.parts[0], base.parts[1], key))
        case "namespace" if key.is_const and isinstance(key.const, str):
            return run.lookup(key.const, node)
        case "row":
            if key.is_const and isinstance(key.const, str):
                return row_numbers.row_of(run, base, key.const)
            if base.name == "itertuples" and not (type(key.const) is int and key.const > 0):
                return row_numbers.number(run, node, tabular.row_fact(run, base.parts[0]), row_numbers.LABEL)
            return tabular.of_row(run, combine("row-item", (run.data(base.parts[0]), run.data(key))))
        case "index":
            named = _index_item(run, base, key)
            run.picked(node, base, named)
            return named
        case "instance" if base.name == "Bunch" and key.is_const and key.const in run.obj(base).items:
            item = run.obj(base).items[key.const]
            return replace(item, fact=traced(item.fact, base.fact.serve, base.fact.fit))
        case "stream" if base.name == flow.OF_FOLDS and key.kind != "slice":
            return base.parts[0]
        case "lib" if base.name in ("numpy.c_", "numpy.r_"):
            parts = key.parts if key.kind == "tuple" else (key,)
            return tabular.stack(run, parts, "numpy.c_")
        case "str" if base.is_const and key.is_const and isinstance(key.const, int):
            text = base.const
            return (
                run.constant(text[key.const]) if -len(text) <= key.const < len(text) else _unknown_item(run, base, key)
            )
        case "estimator":
            return Value("estimator", base.fact, base.obj, name=base.name, parts=(base,))
        case _:
            return _unknown_item(run, base, key)


def _from_first(run: Interpreter, key: Value) -> Value:
    """`[0:n]` of a table as `[:n]`, which chooses the same rows."""
    if key.kind != "slice" or not (key.parts[0].is_const and type(key.parts[0].const) is int):
        return key
    if key.parts[0].const != 0 or key.parts[2].kind != "none":
        return key
    parts = (NONE, *key.parts[1:])
    return replace(key, fact=combine("slice", [run.data(part) for part in parts]), parts=parts)


def _unknown_item(run: Interpreter, base: Value, key: Value) -> Value:
    fact = combine("item", (run.data(base), run.data(key)))
    if fact.time is Time.ROW:
        made = run.series(fact) if run.per_row == 0 else run.scalar(fact)
        return run.identified(made, base)
    return run.identified(Value("unknown", fact), base)


def _index_item(run: Interpreter, base: Value, key: Value) -> Value:
    fact = combine("columns-item", (run.data(base), run.data(key)))
    if fact.time is Time.ROW:
        fact = reduce_rows("columns-item", (fact,))
    if key.kind == column_masks.KIND:
        names = column_masks.names_of(base, key)
        return Value("index", fact, parts=base.parts) if names is None else Value("index", fact, const=tuple(names))
    if base.is_const:
        if key.is_const and isinstance(key.const, int) and -len(base.const) <= key.const < len(base.const):
            return Value("str", fact, const=base.const[key.const])
        if key.kind == "slice" and all(part.is_const for part in key.parts):
            return Value("index", fact, const=base.const[slice(*(part.const for part in key.parts))])
        places = [value.const for value in run.elements(key) or []]
        if places and all(type(at) is int and -len(base.const) <= at < len(base.const) for at in places):
            return Value("index", fact, const=tuple(base.const[at] for at in places))
    return Value("str" if key.is_const else "index", fact)


def frame_item(run: Interpreter, node: ast.AST, base: Value, key: Value, of: ast.AST | None) -> Value:
    """`frame[key]`: a column, some columns, or some rows."""
    if key.kind == "slice":
        return tabular.change_rows(run, node, base, of, "slice", [run.data(key)])
    if side_of(key):
        return tabular.change_rows(run, node, base, of, "filter", [run.data(key)], side_of(key))
    if key.kind == "tuple" and any(part.kind == "slice" for part in key.parts) and isinstance(node, ast.Subscript):
        return _array_item(run, node, base, key)
    if key.is_const and isinstance(key.const, str):
        fact = tabular.column(run, base, key.const)
        whole = run.data(key)
        if whole.time is Time.LEARNED or whole.serve:
            fact = traced(fact, whole.serve, whole.fit)
        return run.series(fact, view=(base.obj, key.const))
    names = run.strings(key)
    if names is not None and key.kind != "str":
        return tabular.select(run, base, names, run.data(key))
    fact = run.data(key)
    if key.kind in ("series", "array", "rowindex", "frame") and fact.time is Time.ROW:
        if key.kind == "frame":
            return tabular.columnwise(run, base, "where", (fact,))
        return tabular.change_rows(run, node, base, of, "filter", [fact], condition=_condition(run, base, key))
    if key.kind == "str" or key.symbol >= 0 or (key.kind in ("scalar", "unknown") and fact.time < Time.ROW):
        return by_symbol(run, base, key)
    if key.kind in ("list", "index", "set", "learned", "series", "array", "keys", "tuple", "dict"):
        candidates = run.candidates(key)
        if candidates is not None:
            chosen = tabular.select(run, base, candidates, fact)
            made = replace(run.obj(chosen), maybe=replace(fact, serve=0))
            run.state.heap[chosen.obj] = made
            return chosen
        return tabular.select_learned(run, base, fact)
    return tabular.columnwise(run, base, "item", (fact,), assumed=True)


def _condition(run: Interpreter, base: Value, mask: Value) -> Fact | None:
    """The fact of a mask that has a value for each row of a table, None where it is another choice of rows."""
    fact = run.data(mask)
    is_mask = mask.kind in ("series", "array") and fact.time is Time.ROW
    return fact if is_mask and same_rows(fact.rows, run.obj(base).rows) else None


def by_symbol(run: Interpreter, base: Value, key: Value) -> Value:
    """A column whose name is a value of a loop or a parameter: it stands for any of the frame's columns."""
    obj = run.obj(base)
    whole = run.data(base)
    named = run.data(key)
    if key.symbol < 0 or whole.time < Time.ROW:
        made = combine("by-name", (whole, named))
        return Value("series", NOTHING, run.store(Obj("series", made, rows=made.rows)), view=(base.obj, ""))
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
        learned_at=whole.learned_at,
    )
    return Value("series", NOTHING, run.store(Obj("series", made, rows=made.rows)), view=(base.obj, ""))


def _series_item(run: Interpreter, node: ast.Subscript, base: Value, key: Value) -> Value:
    fact = run.data(base)
    if fact.time is Time.ROW:
        wanted = run.data(key)
        if key.kind == "tuple":
            return _array_item(run, node, base, key)
        if key.kind in ROW_KEYS:
            obj = run.obj(base)
            if key.kind == "list" and run.strings(key) is not None and obj.columns:
                return tabular.select(run, base, run.strings(key) or [], wanted)
            return tabular.change_rows(run, node, base, node.value, "filter", [wanted], side_of(key))
        return Value("scalar", reduce_rows("pick", (fact, wanted), run.learned(node, "pick", fact.rows)))
    obj = run.obj(base)
    if key.is_const and isinstance(key.const, str) and obj.columns:
        return Value("scalar", tabular.column(run, base, key.const))
    made = combine("item", (fact, run.data(key)))
    if run.data(key).time is Time.ROW:
        return run.series(made)
    return (
        Value("series", NOTHING, run.store(Obj("series", made)))
        if key.kind in ("slice", "list", "series", "array", "index")
        else Value("scalar", made)
    )


def _array_item(run: Interpreter, node: ast.Subscript, base: Value, key: Value) -> Value:
    """`X[rows, columns]` of an array."""
    rows, columns = (*key.parts, NONE)[:2]
    if len(key.parts) == 2 and _is_all(columns) and not _is_all(rows):
        op = "slice" if rows.kind == "slice" else "filter"
        return tabular.change_rows(run, node, base, node.value, op, [run.data(rows)], side_of(rows))
    made = base
    if not _is_all(rows):
        made = tabular.change_rows(run, node, base, None, "filter", [run.data(rows)], side_of(rows))
        bit = run.refuse(
            node,
            "rows-and-columns",
            "rows and columns of an array are chosen in one step",
            "choose the rows in one statement and the columns in another",
        )
        made = replace(made, fact=with_refusals(made.fact, bit))
    return by_position(run, made, columns)


def by_position(run: Interpreter, base: Value, columns: Value) -> Value:
    """The columns at given positions; by name where the names are known."""
    obj = run.obj(base)
    run.counted.extend((name, fact.serve) for name, fact in obj.columns.items())
    if obj.rest is None and obj.columns and columns.kind == "slice" and all(part.is_const for part in columns.parts):
        names = list(obj.columns)[slice(*(part.const for part in columns.parts))]
        return tabular.select(run, base, names)
    if obj.rest is None and obj.columns and columns.is_const and isinstance(columns.const, int):
        names = list(obj.columns)
        if -len(names) <= columns.const < len(names):
            return run.series(tabular.column(run, base, names[columns.const]))
    elements = run.elements(columns)
    if obj.rest is None and obj.columns and elements and all(isinstance(part.const, int) for part in elements):
        every = list(obj.columns)
        return tabular.select(
            run, base, [every[part.const] for part in elements if -len(every) <= part.const < len(every)]
        )
    fact = run.data(columns)
    if columns.kind == "slice" or columns.kind in ("list", "array", "series"):
        return tabular.select_learned(run, base, fact)
    return run.series(combine("position", (run.data(base), fact)))


def _is_all(key: Value) -> bool:
    return key.kind == "slice" and all(part.kind == "none" for part in key.parts)


def _indexed(run: Interpreter, node: ast.Subscript, indexer: Value, key: Value) -> Value:
    """`.loc[rows, columns]` and `.iloc[rows, columns]`."""
    base = indexer.parts[0]
    owner = node.value.value if isinstance(node.value, ast.Attribute) else None
    rows, columns = (key.parts[0], key.parts[1]) if key.kind == "tuple" and len(key.parts) == 2 else (key, None)
    fact = run.data(base)
    end = _end_named(run, indexer, rows)
    if end and (columns is None or _is_all(columns)):
        return tabular.change_rows(run, node, base, owner, end)
    if base.kind not in ("frame", "array"):
        if fact.time is Time.ROW:
            if rows.kind in ROW_KEYS:
                return tabular.change_rows(run, node, base, owner, "filter", [run.data(rows)], side_of(rows))
            return Value("scalar", reduce_rows("pick", (fact, run.data(rows)), run.learned(node, "pick", fact.rows)))
        return Value("scalar", combine("item", (fact, run.data(rows))))
    if not _is_all(rows) and columns is not None and rows.kind in ROW_KEYS:
        # Rows and columns at once: keep the rows that training chooses, and the columns.
        choice = [] if end else [run.data(rows)]
        chosen = tabular.change_rows(run, node, base, None, end or "filter", choice, side_of(rows))
        made = _columns_of(run, node, chosen, columns, indexer.name)
        return run.note(node, made, "rows-and-columns", owner) if fact.time is Time.ROW else made
    if columns is None:
        if rows.kind in ROW_KEYS or rows.kind == "frame":
            condition = _condition(run, base, rows)
            return tabular.change_rows(run, node, base, owner, "filter", [run.data(rows)], side_of(rows), condition)
        if fact.time is Time.ROW:
            return Value("scalar", reduce_rows("pick", (fact, run.data(rows)), run.learned(node, "pick", fact.rows)))
        return run.series(combine("item", (fact, run.data(rows))))
    if _is_all(rows):
        return _columns_of(run, node, base, columns, indexer.name)
    picked = combine("pick", (fact, run.data(rows), run.data(columns)))
    return Value("scalar", reduce_rows("pick", (picked,)) if picked.time is Time.ROW else picked)


def _end_named(run: Interpreter, indexer: Value, key: Value) -> str:
    """Which end of tables that were put together `.loc[key]` takes back: by their keys, or by the labels of one."""
    base = indexer.parts[0]
    rows = run.obj(base).rows if base.kind == "frame" else None
    if rows is None or indexer.name != "loc":
        return ""
    if key.kind == "rowindex":
        return apart.end_with_labels(rows, run.data(key).rows)
    return apart.end_named(run, rows, key.const) if key.is_const else ""


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
            return tabular.select(run, base, names[low:high])
        return tabular.select_learned(run, base, run.data(columns))
    if columns.kind == column_masks.KIND:
        made = column_masks.columns_of(run, base, columns)
        if made is not None:
            return made
    return frame_item(run, node, base, columns, None)


def set_item(run: Interpreter, target: ast.Subscript, base: Value, key: Value, value: Value) -> None:
    """`base[key] = value`."""
    if row_numbers.write(run, base, key, value):
        return
    if base.ident >= 0 or base.obj < 0:
        run.touch(base)
    match base.kind:
        case "frame":
            set_frame_item(run, base, key, value)
        case "indexer":
            _set_indexed(run, target, base, key, value)
        case "series" | "array" | "rowindex":
            old = run.data(base)
            made = combine("set", (old, run.data(key), run.data(value)))
            views.write_through(run, base, traced(made, run.serve, run.fit))
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
        case "namespace" if key.is_const and isinstance(key.const, str):
            run.bind_global(key.const, value)
        case "instance" if base.obj >= 0:
            obj = run.obj(base)
            run.write(
                base.obj, replace(obj, fact=traced(combine("set", (obj.fact, run.data(value))), run.serve, run.fit))
            )
        case _:
            mutation.change_value(run, target.value, base, "set", (run.data(key), run.data(value)))


def _plain(const: object) -> bool:
    return isinstance(const, str | int | float | bool | tuple | None)


def set_frame_item(run: Interpreter, base: Value, key: Value, value: Value) -> None:
    """`df[key] = value` of a table, and `df.insert(…)` where the column's name is not known."""
    names = run.strings(key)
    fact = run.data(key)
    if key.is_const and isinstance(key.const, str):
        tabular.set_column(run, base, key.const, value, fact)
    elif names is not None:
        tabular.set_columns(run, base, names, value, fact)
    elif key.kind in ("series", "array", "frame") and fact.time is Time.ROW:
        _set_everywhere(run, base, "set-where", (fact, run.data(value)))
    elif key.kind in ("list", "index", "learned", "set", "keys", "series", "array", "tuple"):
        _set_learned_columns(run, base, key, value)
    else:
        _set_by_symbol(run, base, key, value)


def _set_everywhere(run: Interpreter, base: Value, op: str, extra: tuple[Fact, ...]) -> None:
    serve, fit = run.serve, run.fit
    obj = run.obj(base)
    run.write(base.obj, tabular.mapped(obj, lambda fact: traced(combine(op, (fact, *extra)), serve, fit)))


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
            if source is not None:
                # What made the reference, such as a scaler that gives it, goes with each of its columns.
                source = traced(source, value.fact.serve | other.fact.serve, value.fact.fit | other.fact.fit)
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

    made = tabular.mapped(obj, step)
    if not obj.columns and obj.rest is None:
        made = replace(obj, rest=traced(given, serve, fit))
    if obj.rest is None and made.rest is None:
        made = replace(made, rest=traced(combine("new-column", (given, named)), serve, fit), origin=None, history=())
    run.write(base.obj, made)


def _set_indexed(run: Interpreter, target: ast.Subscript, indexer: Value, key: Value, value: Value) -> None:
    base = indexer.parts[0]
    rows, columns = (key.parts[0], key.parts[1]) if key.kind == "tuple" and len(key.parts) == 2 else (key, None)
    if base.kind != "frame":
        set_item(run, target, base, rows, value)
        return
    condition = labels.condition_of(run, base, rows) if indexer.name in ("loc", "at") else None
    chosen = run.data(rows) if condition is None else condition
    if not _is_all(rows) and chosen.time is not Time.ROW:
        bit = run.refuse(
            target,
            "row-by-label",
            "one row of the training table is changed by its label or position",
            "correct the raw data itself, or write a condition that describes the row",
        )
        chosen = replace(chosen, time=Time.ROW, refused=chosen.refused | bit)
    mask = () if _is_all(rows) else (chosen,)
    if columns is None:
        _set_everywhere(run, base, "set-where", (*mask, run.data(value)))
        return
    names = run.strings(columns)
    if indexer.name == "iloc":
        obj = run.obj(base)
        if (
            columns.is_const
            and isinstance(columns.const, int)
            and obj.rest is None
            and columns.const < len(obj.columns)
        ):
            names = [list(obj.columns)[columns.const]]
        else:
            names = None
    if names is None:
        if mask:
            value = Value("scalar", combine("set-where", (*mask, run.data(value))))
        _set_by_symbol(run, base, columns, value)
        return
    for name in names:
        tabular.set_column(run, base, name, value, run.data(columns), mask)


def delete_item(run: Interpreter, base: Value, key: Value) -> None:
    """`del base[key]`."""
    if base.ident >= 0 or base.obj < 0:
        run.touch(base)
    if base.kind == "frame":
        tabular.drop_columns(run, base, run.strings(key), run.data(key), in_place=True)
    elif base.kind in ("dict", "list") and base.obj >= 0 and key.is_const:
        obj = run.obj(base)
        run.write(base.obj, replace(obj, items={k: v for k, v in obj.items.items() if k != key.const}))
    elif base.obj >= 0:
        run.touch(base)
