"""Tables put one below the other: `pd.concat([train, test])`, `train.append(test)`.

Serving has one table at hand. It stands for the whole: the table whose raw data have a column more than the others',
which is the target, else the first. The others are read in training only.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import records, tabular
from nbprod.analysis.apart import Together, is_taken
from nbprod.analysis.populations import COPIES, has_copies, one_below_the_other
from nbprod.analysis.values import Fact, Obj, Rows, Time, Value, combine, digest_of, traced, with_refusals

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


WHOLE = "rows-below"
"""What `Interpreter.joins` says of a call that puts files of the same kind of rows one below the other."""


def rows_below(run: Interpreter, node: ast.Call, tables: Sequence[Value]) -> Value:
    """The rows of several tables in one."""
    whole = [run.data(table) for table in tables]
    if all(fact.time < Time.ROW for fact in whole):
        first = tables[0]
        return tabular.derived(
            run, first, tabular.mapped(run.obj(first), lambda fact: combine("concat", (fact,))), *whole
        )
    written = parts_written(node)
    filled = [number for number, table in enumerate(tables) if not _is_empty(run, table)]
    if len(filled) < len(tables):
        written = [written[number] for number in filled] if len(written) == len(tables) else []
        tables = [tables[number] for number in filled]
    if len(tables) == 1:
        return tabular.change_rows(run, node, tables[0], written[0] if written else None, "concat", whole)
    rows = [fact.rows for fact in whole if fact.rows is not None]
    if len(rows) == len(tables) and _of_one_table(run, tables):
        listed = _named_list(node)
        name = None if written or listed is None else _drawn_from(run, node, listed, tables)
        if name is not None and listed is not None:
            return _drawn_together(run, node, listed, name, tables)
        made = tabular.change_rows(run, node, tables[0], written[0] if written else None, "concat", whole)
        return _mixed(run, made, rows)
    if run.joins.get(ast.unparse(node)) == WHOLE and _are_alike(run, tables):
        numbered = 0 if _numbers_anew(node) else -1
        columns = run.obj(tables[0]).columns
        return records.raw_rows(run, node, "pandas.concat", tables, columns, is_open=False, numbered=numbered)
    one_table_each = len({each.root for each in rows}) == len(tables) == len(rows)
    served = _served(run, tables) if one_table_each else 0
    one_table_each = one_table_each and run.obj(tables[served]).rows is not None
    made = tabular.change_rows(run, node, tables[served], None, "concat", whole)
    listed = _named_list(node)
    if one_table_each and not written and listed is not None:
        whole_list = run.eval(listed)
        own = run.obj(whole_list).fact
        made = replace(made, fact=traced(made.fact, whole_list.fact.serve | own.serve, whole_list.fact.fit | own.fit))
        written = [listed] * len(tables)
    if one_table_each and len(written) == len(tables):
        return _put_together(run, node, tables, served, made, rows, written[served])
    bit = run.refuse(
        node,
        "concat-of-rows",
        "tables are put one below the other, and what follows sees the rows of both",
        "prepare one table and apply the same steps to the other, so that each can be served alone",
    )
    made = _mixed(run, made, rows)
    return replace(made, fact=with_refusals(made.fact, bit))


def trained_whole(run: Interpreter) -> dict[str, str]:
    """The text of each call that put tables together on whose rows models are trained, and on those of no table alone.

    Such files hold the same kind of rows, so that these are the raw rows, whichever file they are of.
    """
    found: dict[str, str] = {}
    apart: set[str] = set()
    for event in run.events:
        if event.kind != "fit" or event.kindof != "predictor":
            continue
        rows = event.facts[0].rows
        together = run.together.get(rows.mix) if rows is not None and rows.mix else None
        if rows is None or together is None or not isinstance(together.node, ast.Call):
            continue
        text = ast.unparse(together.node)
        found[text] = WHOLE
        if is_taken(rows):
            apart.add(text)
    return {text: kind for text, kind in found.items() if text not in apart}


def _are_alike(run: Interpreter, tables: Sequence[Value]) -> bool:
    """Whether tables have the same columns, as they were read but for constants that say which table a row is of."""
    objects = [run.obj(table) for table in tables]
    names = {frozenset(obj.columns) for obj in objects}
    known = all(obj.columns and obj.rest is None for obj in objects)
    return known and len(names) == 1 and all(records.is_raw(run, table, but_for_constants=True) for table in tables)


def _numbers_anew(node: ast.Call) -> bool:
    given = next((keyword.value for keyword in node.keywords if keyword.arg == "ignore_index"), None)
    return isinstance(given, ast.Constant) and given.value is True


def _is_empty(run: Interpreter, table: Value) -> bool:
    """Whether a table is `pd.DataFrame()`, to which a loop adds rows."""
    obj = run.obj(table)
    return (
        obj.rows is None and not obj.columns and obj.rest is None and obj.fact.digest == combine("DataFrame", []).digest
    )


def _of_one_table(run: Interpreter, tables: Sequence[Value]) -> bool:
    """Whether tables are choices among the rows of one, with the same values in the same columns.

    `pd.concat([majority, minority.sample(1000, replace=True)])` changes the rows of that table, and no more.
    """
    objects = [run.obj(table) for table in tables]
    first = objects[0]
    if first.rows is None or any(obj.rows is None or obj.rows.root != first.rows.root for obj in objects):
        return False
    return all(_values(obj) == _values(first) for obj in objects)


KEEPING = frozenset({"axis", "copy", "ignore_index", "objs", "sort", "verify_integrity"})
"""Arguments of `concat` with which rows of one table have the columns that they had."""


def _drawn_from(run: Interpreter, node: ast.Call, listed: ast.Name, tables: Sequence[Value]) -> str | None:
    """The name of the table among whose rows those in a list were drawn, with the values that they have there.

    None where no such table is at hand, as where rows were changed class by class, or where more stands in the list.
    """
    if len(node.args) > 1 or any(keyword.arg not in KEEPING for keyword in node.keywords):
        return None
    whole_list = run.eval(listed)
    if len(run.elements(whole_list) or ()) != len(tables):
        return None
    parts = [run.obj(table) for table in tables]
    found: dict[int, str] = {}
    for name, value in _names_at_hand(run).items():
        obj = run.obj(value)
        # a table that is older than the list is none of the rounds that fill it
        if not 0 <= value.obj < whole_list.obj or obj.rows is None or _values(obj) != _values(parts[0]):
            continue
        if all(_is_drawn(obj.rows, part.rows) for part in parts):
            found.setdefault(len(obj.rows.chain), name)
    return found[min(found)] if found else None


def _names_at_hand(run: Interpreter) -> Mapping[str, Value]:
    """The names that the code at hand has bound itself: what it is called elsewhere, a function may not know."""
    return run.state.names if run.state.local is None else run.state.local


def _is_drawn(whole: Rows, part: Rows | None) -> bool:
    """Whether rows were chosen among others."""
    if part is None or part.root != whole.root or part.mix != whole.mix or len(part.chain) <= len(whole.chain):
        return False
    return part.chain[: len(whole.chain)] == whole.chain


def _drawn_together(run: Interpreter, node: ast.Call, listed: ast.Name, name: str, tables: Sequence[Value]) -> Value:
    """Rows that a loop has drawn of a table, class by class: training has these, and serving the table itself."""
    whole_list = run.eval(listed)
    facts = [run.data(table) for table in tables]
    facts += [whole_list.fact, run.obj(whole_list).fact]
    parts = [fact.rows for fact in facts if fact.rows is not None]
    op = COPIES + "concat" if any(has_copies(part) for part in parts) else "concat"
    whole = ast.Name(id=name, ctx=ast.Load())
    return _mixed(run, tabular.change_rows(run, node, _names_at_hand(run)[name], whole, op, facts), parts)


def _values(obj: Obj) -> tuple[object, ...]:
    rest = None if obj.rest is None else obj.rest.digest
    own = obj.fact.digest if not obj.columns and obj.rest is None else None
    return (obj.kind, own, rest, [(name, fact.digest) for name, fact in obj.columns.items()])


def _mixed(run: Interpreter, made: Value, rows: Sequence[Rows]) -> Value:
    """`made`, over the rows of several tables."""
    old = run.obj(made).rows
    if len(rows) > 1 and old is not None:
        mixed = replace(one_below_the_other(rows, old.digest), fit=old.fit)
        run.state.heap[made.obj] = tabular.moved(run.obj(made), mixed)
    return made


def parts_written(node: ast.Call) -> Sequence[ast.expr]:
    """The expressions of the tables, in their order; empty where they stand in a list that is made elsewhere."""
    match node:
        case ast.Call(func=ast.Attribute(attr="append", value=first), args=[ast.List(elts=more), *_]):
            return [first, *more]
        case ast.Call(func=ast.Attribute(attr="append", value=first), args=[second, *_]):
            return [first, second]
    container = next((k.value for k in node.keywords if k.arg == "objs"), node.args[0] if node.args else None)
    if isinstance(container, ast.List | ast.Tuple) and not any(isinstance(e, ast.Starred) for e in container.elts):
        return container.elts
    return []


def _named_list(node: ast.Call) -> ast.Name | None:
    """The name of a list of tables that is made elsewhere: `pd.concat(frames)`."""
    container = next((k.value for k in node.keywords if k.arg == "objs"), node.args[0] if node.args else None)
    return container if isinstance(container, ast.Name) else None


def _served(run: Interpreter, tables: Sequence[Value]) -> int:
    """Which table stands for all in serving: the one that alone has a target, as far as columns tell.

    That is the one whose raw data have a column that no other's have, whatever was dropped since; else the one that has
    such a column now; else the first.
    """
    objects = [run.obj(table) for table in tables]
    raw = [_raw_columns(run, obj) for obj in objects]
    if all(raw) and (alone := _with_more(raw)) is not None:
        return alone
    if any(obj.rest is not None or not obj.columns for obj in objects):
        return 0
    return _with_more([frozenset(obj.columns) for obj in objects]) or 0


def _raw_columns(run: Interpreter, obj: Obj) -> frozenset[str]:
    """The columns of the raw data that a table stems from; none where they are not known."""
    root = -1 if obj.rows is None else obj.rows.root
    event = run.events[root] if 0 <= root < len(run.events) else None
    path = None if event is None or event.kind != "read" else event.const
    return frozenset(run.schemas.get(path, ()) if isinstance(path, str) else ())


def _with_more(names: Sequence[frozenset[str]]) -> int | None:
    """The only table with a column that no other has."""
    more = [n for n, own in enumerate(names) if own - frozenset().union(*names[:n], *names[n + 1 :])]
    return more[0] if len(more) == 1 else None


def _put_together(
    run: Interpreter,
    node: ast.Call,
    tables: Sequence[Value],
    served: int,
    made: Value,
    parts: Sequence[Rows],
    written: ast.expr,
) -> Value:
    """The table of all rows, whose columns are those of the served table and, marked, what tells the tables apart."""
    old = run.obj(made).rows
    assert old is not None
    mixed = replace(one_below_the_other(parts, old.digest), fit=old.fit, root=parts[served].root)
    mark = run.refuse(
        node,
        "concat-of-rows",
        "tables are put one below the other, and this tells their rows apart, which a row that is served can't be",
        "leave the column that tells the tables apart out of the features",
    )
    objects = [run.obj(table) for table in tables]
    unnamed = any(obj.rest is not None for obj in objects)
    run.together[mixed.mix] = Together(run.at, node, mark, unnamed, _keys(node))
    moved = tabular.moved(run.obj(made), mixed)
    columns = dict(moved.columns)
    for name in dict.fromkeys(name for obj in objects for name in obj.columns):
        if name in columns and not (unnamed or _tells(objects, name)):
            continue
        if name not in columns and moved.rest is not None:
            continue
        known = columns.get(name, Fact(digest=digest_of("absent", name)))
        if _tells(objects, name):
            columns[name] = replace(known, time=Time.ROW, rows=mixed, refused=known.refused | mark)
    run.state.heap[made.obj] = replace(moved, columns=columns)
    fit = mixed.fit
    for table in tables:
        fit |= table.fact.fit
    made = replace(made, fact=replace(made.fact, fit=made.fact.fit | fit))
    return run.note(node, made, "concat", written)


def _keys(node: ast.Call) -> tuple[object, ...]:
    """The literal `keys` by which the tables are called in the index."""
    match next((keyword.value for keyword in node.keywords if keyword.arg == "keys"), None):
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            found = tuple(element.value for element in elements if isinstance(element, ast.Constant))
            return found if len(found) == len(elements) else ()
        case _:
            return ()


def _tells(objects: Sequence[Obj], name: str) -> bool:
    """Whether a column tells these tables apart: one lacks it, or each has a constant of its own in it."""
    facts = [obj.columns.get(name) for obj in objects]
    if any(fact is None and obj.rest is None for fact, obj in zip(facts, objects, strict=True)):
        return True
    constants = {fact.digest for fact in facts if fact is not None and fact.time is Time.CONSTANT}
    return len(constants) == len(facts)
