"""Methods of groups."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nbprod.analysis import calls, flow, methods, tabular
from nbprod.analysis.tables import method_behaviour
from nbprod.analysis.values import (
    NONE,
    Fact,
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


def group_method(
    run: Interpreter, node: ast.Call, base: Value, name: str, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """A method of a group-by: a statistic by group, or something of each row's group."""
    source = base.parts[0]
    keys = base.parts[1]
    chosen = base.parts[2] if len(base.parts) > 2 else NONE
    facts = calls.facts_of(run, args, kwargs)
    names = run.strings(keys) or []
    wanted = run.strings(chosen) if chosen.kind != "none" else None
    if source.kind == "frame":
        parts = [tabular.column(run, source, key) for key in names] or [run.data(keys)]
        values = [tabular.column(run, source, w) for w in wanted] if wanted else [run.data(source)]
    else:
        parts, values = [run.data(keys)], [run.data(source)]
    whole = combine("groupby." + name, [*parts, *values, *facts])
    if whole.time < Time.ROW:
        return run.series(whole)
    rows = run.obj(source).rows if source.obj >= 0 else whole.rows
    behaviour = method_behaviour("groupby", name)
    ref = Fact(serve=source.fact.serve | base.fact.serve, fit=source.fact.fit | base.fact.fit)
    match behaviour:
        case "reduction":
            event = run.learned(node, "groupby." + name, rows)
            rows_fit = rows.fit if rows is not None else 0
            fact = traced(reduce_rows("groupby." + name, (whole,), event), 0, rows_fit | ref.fit)
            # agg(["mean", "std"]) and agg(low="min") make columns of other names.
            alike = wanted if name not in ("agg", "aggregate") or (args and isinstance(args[0].const, str)) else None
            table = Obj(
                "series" if alike and chosen.kind == "str" else "frame",
                columns=dict.fromkeys(alike, fact) if alike else {},
                rest=None if alike else fact,
            )
            return run.new(table, Fact(fit=fact.fit))
        case "broadcast":
            event = run.learned(node, "groupby.transform", rows)
            seen = reduce_rows("groupby.transform", (whole,), event)
            named = bool(args) and isinstance(args[0].const, str)
            own = [] if named else values  # a function may use each row's own value beside what it learns of the group
            made = run.series(combine("groupby.lookup", [*parts, *own, seen]), ref=ref)
            return run.note(node, made, "idiom:groupby-transform", node)
        case "row-changing":
            return tabular.change_rows(run, node, source, grouped_node(node), "groupby." + name, [whole])
        case "followed" if args and source.kind == "frame" and _chooses_rows(run, node, base, name, args[0], kwargs):
            return tabular.change_rows(run, node, source, grouped_node(node), "groupby." + name, [whole])
        case "sink":
            return NONE
        case "cross-row":
            base_value = run.series(whole, ref=ref)
            return methods.cross_row(run, node, "groupby." + name, base_value, [])
        case _:
            bit = run.refuse(
                node,
                "groupby." + name,
                f"what groupby(…).{name}(…) does to each row cannot be told apart from what it learns of the group",
                "use .transform with a named statistic, or a table by group that is merged or mapped",
            )
            return run.series(with_refusals(whole, bit), ref=ref)


def _chooses_rows(
    run: Interpreter, node: ast.Call, groups: Value, name: str, fn: Value, kwargs: dict[str, Value]
) -> bool:
    """Whether a function gives some rows of each group as they are: `.apply(lambda part: part.sample(100))`.

    Since pandas 3 the groups that `apply` hands to it lack the columns that they were made by.
    """
    if name != "apply" or fn.kind != "function" or run.pandas_major >= 3 or "include_groups" in kwargs:
        return False
    whole = grouped_node(node)
    group = None if whole is None else flow.group(run, groups, groups.parts[0], whole)
    if group is None:
        return False
    part = group.parts[1]
    before = run.obj(part)
    after_call = calls.invoke(run, node, fn, [part], {k: v for k, v in kwargs.items() if k != "group_keys"})
    after = run.obj(after_call)
    if after_call.kind != "frame" or before.rows is None or after.rows is None or after.rows.root != before.rows.root:
        return False
    chosen = before.rows.chain == after.rows.chain[: len(before.rows.chain)]
    return chosen and tabular.moved(before, after.rows).columns == after.columns


def grouped_node(node: ast.Call) -> ast.AST | None:
    """The table whose groups a method is called on, where the call says it: `df` of `df.groupby("k").sample(2)`."""
    match node.func:
        case ast.Attribute(value=ast.Call(func=ast.Attribute(value=grouped, attr="groupby"))):
            return grouped
        case _:
            return None
