"""Loops over rows that make one value of each: `for text in df["text"]: words.append(len(text.split()))`.

What such a loop appends is a column, as that of a function that is applied to each row: the same loop over other rows
makes theirs. A loop that carries anything from one row to the next, or does not append once for each, is none.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import flow, row_numbers, tabular
from nbprod.analysis.callbacks import changed_names
from nbprod.analysis.mutation import changes_receiver
from nbprod.analysis.scopes import bound_names, free_names
from nbprod.analysis.state import with_rows
from nbprod.analysis.values import NONE, Fact, Obj, Time, Value, combine, reduce_rows, traced, with_refusals
from nbprod.notebook.parsed import nodes_below

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter

_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Pass, ast.If)
_NO_PART = (ast.Yield, ast.YieldFrom, ast.Await, ast.NamedExpr, ast.Lambda)


def gathered(run: Interpreter, node: ast.For | ast.AsyncFor, iterable: Value) -> bool:
    """Follow a loop that makes one value for each row, and nothing else; False, and nothing, for others.

    It appends it to lists that were empty, or writes it into a cell of the row itself.
    """
    number = _number_of(node.target, iterable)
    if not _is_over_rows(run, node.target, node.iter, iterable) or node.orelse or not _is_simple(node.body, number):
        return False
    lists = _appended(node.body)
    written = _written(node.body)
    if lists is None or not (lists or written) or not all(_is_empty_list(run, name) for name in lists):
        return False
    bound = {name for part in (node.target, *node.body) for name in bound_names(part)}
    carried, _ = _read_before_bound(node.body, frozenset(bound_names(node.target)), lists)
    if carried & (bound | lists) or lists & bound:
        return False
    one, whole = one_row(run, node.target, node.iter, iterable)
    if written and (one.parts[0] if one.kind == "tuple" else one).kind != row_numbers.KIND:
        return False
    _follow(run, node, one, whole, lists, written, bound)
    return True


def _number_of(target: ast.expr, iterable: Value) -> str:
    """The name that stands for the number of a row, or nothing."""
    match target:
        case ast.Name(id=name) if iterable.name == tabular.POSITIONS or iterable.kind == "rowindex":
            return name
        case ast.Tuple(elts=[ast.Name(id=name), _]) if iterable.kind == "rowstream" or iterable.name == flow.OF_ROWS:
            return name
        case _:
            return ""


def _is_own_cell(target: ast.AST, number: str) -> bool:
    """Whether a target is `column[i]` or `table.loc[i, column]` of the row's number."""
    match target:
        case ast.Subscript(slice=ast.Name(id=name) | ast.Tuple(elts=[ast.Name(id=name), _])):
            return name == number != ""
        case _:
            return False


def _written(body: Sequence[ast.stmt]) -> set[str]:
    """The names of the tables and columns whose cells are written."""
    found = set()
    for statement in body:
        for inner in nodes_below(statement):
            if isinstance(inner, ast.Subscript) and not isinstance(inner.ctx, ast.Load):
                part: ast.expr = inner
                while isinstance(part, ast.Subscript | ast.Attribute):
                    part = part.value
                found |= {part.id} if isinstance(part, ast.Name) else set()
    return found


def one_row(run: Interpreter, target: ast.expr, node: ast.expr, iterable: Value) -> tuple[Value, Fact]:
    """What a loop has of one row, where it is over rows; and the rows."""
    counted = _counted(run, target, node, iterable)
    if counted is not None:
        run.note(node, iterable, "row-numbers")
        return row_numbers.number(run, node, counted, row_numbers.PLACE), counted
    if _is_labels(target, iterable):
        whole = tabular.row_fact(run, iterable.parts[0])
        return row_numbers.number(run, node, whole, row_numbers.LABEL), whole
    if _is_of_rows(target, iterable):
        table = iterable.parts[0]
        row = Value("row", name=iterable.name, parts=(table,))
        whole = tabular.row_fact(run, table)
        rows = traced(whole, table.fact.serve | run.obj(table).fact.serve, table.fact.fit | run.obj(table).fact.fit)
        if iterable.name == "itertuples":
            return row, rows
        return Value("tuple", parts=(row_numbers.number(run, node, whole, row_numbers.LABEL), row)), rows
    return flow.quiet_element(run, iterable, node), run.data(iterable)


def some_number(run: Interpreter, node: ast.For | ast.AsyncFor, iterable: Value) -> Value | None:
    """What stands for the numbers of rows in a loop that is none of these, all of which is refused; None in others."""
    if iterable.name != tabular.POSITIONS or not isinstance(node.target, ast.Name):
        return None
    counted = _counted(run, node.target, node.iter, iterable) or run.data(iterable)
    run.note(node.iter, iterable, "row-numbers")
    return row_numbers.number(run, node.iter, counted, row_numbers.ANY)


def _counted(run: Interpreter, target: ast.expr, node: ast.expr, iterable: Value) -> Fact | None:
    """The rows of `for i in range(len(df))`, where it goes over all."""
    if iterable.name != tabular.POSITIONS or not isinstance(target, ast.Name):
        return None
    match node:
        case ast.Call(func=ast.Name(id="range"), args=[count] | [ast.Constant(value=0), count], keywords=[]):
            return _all_rows(run, run.eval(count))
        case _:
            return None


def _all_rows(run: Interpreter, number: Value) -> Fact | None:
    """The rows whose number this is: all of a table, and not what was computed of their number (`len(df) - 1`)."""
    if number.name != tabular.ROW_COUNT or not number.parts:
        return None
    table = number.parts[0]
    fact = tabular.row_fact(run, table) if table.kind == "frame" else run.data(table)
    counts = {reduce_rows(op, (fact,)).digest for op in ("len", "rows")}
    return fact if fact.time is Time.ROW and number.fact.digest in counts else None


def _is_of_rows(target: ast.expr, iterable: Value) -> bool:
    """Whether a loop is `for i, row in df.iterrows()` or `for row in df.itertuples()`."""
    if iterable.kind != "rowstream":
        return False
    match target:
        case ast.Name():
            return iterable.name == "itertuples"
        case ast.Tuple(elts=[_, ast.Name()]):
            return iterable.name == "iterrows"
        case _:
            return False


def _is_labels(target: ast.expr, iterable: Value) -> bool:
    """Whether a loop is `for i in df.index`."""
    return iterable.kind == "rowindex" and bool(iterable.parts) and isinstance(target, ast.Name)


def _is_over_rows(run: Interpreter, target: ast.expr, node: ast.expr, iterable: Value) -> bool:
    """Whether a loop goes through all rows of a table, with something of each."""
    if iterable.name == tabular.POSITIONS:
        return _counted(run, target, node, iterable) is not None
    of_rows = _is_of_rows(target, iterable) or _is_labels(target, iterable)
    return iterable.name == flow.OF_ROWS or of_rows or _is_column(run, iterable)


def _is_column(run: Interpreter, value: Value) -> bool:
    return value.kind in ("series", "array") and value.obj >= 0 and run.time(value) is Time.ROW


def _is_simple(body: Sequence[ast.stmt], number: str) -> bool:
    """Whether statements only bind names, test, call, and write cells of the row: nothing that leaves the loop."""
    for statement in body:
        for inner in nodes_below(statement):
            if isinstance(inner, ast.stmt) and not isinstance(inner, _SIMPLE):
                return False
            if isinstance(inner, _NO_PART):
                return False
            is_write = isinstance(inner, ast.Subscript | ast.Attribute) and not isinstance(inner.ctx, ast.Load)
            if is_write and not _is_own_cell(inner, number):
                return False
    return True


def _appended(body: Sequence[ast.stmt]) -> set[str] | None:
    """The names of the lists that get exactly one value on each path; None where a path gives another number."""
    counts = _appends(body)
    if counts is None or any(number != 1 for number in counts.values()):
        return None
    return set(counts)


def _appends(body: Sequence[ast.stmt]) -> Counter[str] | None:
    counts: Counter[str] = Counter()
    for statement in body:
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"))):
                counts[name] += 1
            case ast.If(body=first, orelse=second):
                one, other = _appends(first), _appends(second)
                if one is None or one != other:
                    return None
                counts += one
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr=method))) if changes_receiver(method, {}, alone=True):
                return None
    return counts


def _read_before_bound(
    body: Sequence[ast.stmt], bound: frozenset[str], lists: set[str]
) -> tuple[set[str], frozenset[str]]:
    """The names that one round reads before it binds them, and those that are bound behind it on every path."""
    read: set[str] = set()
    for statement in body:
        match statement:
            case ast.If(test=test, body=first, orelse=second):
                one, after_one = _read_before_bound(first, bound, lists)
                other, after_other = _read_before_bound(second, bound, lists)
                read |= (free_names(test) - bound) | one | other
                bound = after_one & after_other
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=given)):
                read |= {used for each in given for used in free_names(each)} - bound
                read |= set() if name in lists else {name} - bound
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                read |= free_names(value) - bound
                bound |= bound_names(statement)
            case ast.AugAssign(target=ast.Name(id=name), value=value):
                read |= (free_names(value) | {name}) - bound
            case _:
                read |= free_names(statement) - bound
    return read, bound


def _is_empty_list(run: Interpreter, name: str) -> bool:
    """Whether a name stands for a list that is empty, and that has no other name."""
    value = _scope_of(run, name).get(name)
    if value is None or value.kind != "list" or value.obj < 0:
        return False
    obj = run.obj(value)
    others = [each for each in (*run.state.names.values(), *(run.state.local or {}).values()) if each.obj == value.obj]
    return not obj.items and obj.rest is None and len(others) == 1


def _scope_of(run: Interpreter, name: str) -> dict[str, Value]:
    """The names among which one stands that the code at hand reads: a function's own, or the notebook's."""
    local = run.state.local
    return run.state.names if local is None or run.in_function(name) is None else local


def _renew(run: Interpreter, name: str, value: Value) -> None:
    """Let a name stand for the column that was gathered, also where a function fills a list of the notebook."""
    scope = _scope_of(run, name)
    run.renew(name, value)
    if scope.get(name) is not value and name in scope:
        scope[name] = value
        run.rewritten(name)


def _follow(
    run: Interpreter,
    node: ast.For | ast.AsyncFor,
    one: Value,
    whole: Fact,
    lists: set[str],
    written: set[str],
    bound: set[str],
) -> None:
    """One round with a row that stands for all; each list is then a column."""
    learned_before = len(run.learnings)
    around, run.looked_at = run.looked_at, []
    run.per_row += 1
    try:
        run.assign(node.target, one)
        run.block(node.body)
    finally:
        run.per_row -= 1
        looked_at, run.looked_at = run.looked_at, around
    around.extend(looked_at)
    refused = _refusal(run, node)
    for name in lists:
        value = _scope_of(run, name).get(name, NONE)
        obj = run.obj(value)
        made = combine("gathered", [*(run.data(item) for item in obj.items.values()), *looked_at, whole])
        made = traced(made, run.serve | obj.fact.serve | value.fact.serve, run.fit | obj.fact.fit | value.fact.fit)
        if len(run.learnings) > learned_before:
            made = with_refusals(made, refused)
        _renew(run, name, run.new(Obj("array", with_rows(made, whole.rows), rows=whole.rows)))
    if len(run.learnings) > learned_before:
        _refuse_written(run, written, refused)
    scope = run.state.names if run.state.local is None else run.state.local
    for name in bound:
        value = scope.get(name, NONE)
        if name not in lists and value is not NONE:
            kind = "scalar" if value.kind in ("row", row_numbers.KIND) else value.kind
            run.renew(name, Value(kind, with_refusals(run.data(value), refused), ident=value.ident))


def _refuse_written(run: Interpreter, names: set[str], refused: int) -> None:
    """Refuse the tables and columns whose cells were written by what was learned meanwhile, of rows half written."""
    for name in sorted(names):
        value = run.state.names.get(name) if run.is_global(name) else (run.state.local or {}).get(name)
        if value is not None and value.obj >= 0:
            obj = run.obj(value)
            made = tabular.mapped(obj, lambda fact: with_refusals(fact, refused))
            run.write(value.obj, replace(made, history=obj.history))


def refuse_made(run: Interpreter, node: ast.For | ast.AsyncFor, iterable: Value, refused: int) -> None:
    """Refuse what a loop made row by row, whatever of a row it is made of: its names, and what it put into lists.

    `refused` is what the rows of `iterable` are refused for; a loop over the numbers of rows is one over rows as well.
    """
    if iterable.name in (tabular.POSITIONS, flow.OF_ROWS):
        refused |= _refusal(run, node)
    if not refused:
        return
    scope = run.state.names if run.state.local is None else run.state.local
    names = {name for statement in node.body for name in bound_names(statement) | changed_names(statement)}
    for name in sorted(names & scope.keys()):
        value = scope[name]
        if value.obj < 0:
            run.renew(name, replace(value, fact=with_refusals(value.fact, refused)))
        elif value.kind in ("list", "dict", "set", "series", "array"):
            obj = run.obj(value)
            run.state.heap[value.obj] = replace(obj, fact=with_refusals(obj.fact, refused))


def _refusal(run: Interpreter, node: ast.For | ast.AsyncFor) -> int:
    """What is refused of the names behind the loop: they stand for what the last row made of them."""
    bit = run.refuse(
        node,
        "loop-over-rows",
        "the loop goes through rows one by one, and this is what it made of the last",
        "write it as an expression on columns, or as a function used with .apply",
    )
    run.one_by_one |= bit
    return bit
