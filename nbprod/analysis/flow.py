"""Branches, loops and exceptions: which states come together, and what depends on what was tested."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import partial, reduce
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nbprod.analysis import builtin_calls, gathering, operators, outside, tabular
from nbprod.analysis.scopes import bound_names, nodes_of
from nbprod.analysis.state import State, Writer, join_drawn, join_objects, join_states, join_values
from nbprod.analysis.values import (
    Exits,
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
from nbprod.analysis.work import OF_IDLE_LOOP, OF_NUMBERED_LOOP, OF_STATEMENT

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


MAX_UNROLL = 200


def augmented(run: Interpreter, node: ast.AugAssign) -> None:
    """`target op= value`."""
    target = node.target
    load = run.as_load(target)
    left = run.eval(load)
    right = run.eval(node.value)
    if left.kind == "list" and left.obj >= 0 and isinstance(node.op, ast.Add):
        builtin_calls.extend_list(run, left, right)
        return
    run.assign(target, operators.operate(run, type(node.op).__name__, (left, right)))


def branch(run: Interpreter, node: ast.If) -> Exits:
    """An `if` statement."""
    test = run.eval(node.test)
    known = truth(test)
    if known is not None and run.data(test).time is Time.CONSTANT:
        return run.block(node.body if known else node.orelse)
    return branches(run, node.test, test, [node.body, node.orelse])


def branches(run: Interpreter, node: ast.AST, test: Value, bodies: Sequence[Sequence[ast.stmt]]) -> Exits:
    """Interpret alternatives from one state, and join the states in which they end."""
    control = run.data(test)
    if control.time is Time.ROW and not run.per_row and test.kind != "row":
        bit = run.refuse(
            node,
            "branch-on-row",
            "the branch depends on the values of single rows, outside of a function that is applied to each row",
            "put the condition into the column's expression (np.where, .where, .loc[mask, column] = …)",
        )
        control = with_refusals(control, bit)
    if run.per_row:
        run.looked_at.append(control)
    before = run.serve, run.fit
    run.serve |= control.serve
    run.fit |= control.fit
    start = run.state
    exits: set[str] = set()
    ends: list[State] = []
    kept: dict[int, Obj] = {}
    left: list[State] = []
    for body in bodies:
        run.state = start.fork()
        step = run.block(body)
        exits |= step
        if "next" in step or "break" in step or "continue" in step:
            ends.append(run.state)
        else:
            kept.update(_made_since(start, run.state))
            left.append(run.state)
    run.state = start
    if ends:
        joined = ends[0]
        for other in ends[1:]:
            joined = _joined(run, control.digest, joined, other, Fact(control.time, run.serve, run.fit))
        start.adopt(joined)
    for other in left:
        start.drawn = join_drawn(start.drawn, other.drawn, control)
    _keep(start, kept)
    run.serve, run.fit = before
    return frozenset(exits)


def _joined(run: Interpreter, cond: str, a: State, b: State, control: Fact) -> State:
    """The state after either of two paths. A name that stands for another table on each stands for a third afterwards.

    `if few: df = df.drop(columns="x")`: the table that follows may have the column or not.
    """
    joined = join_states(cond, a, b, control)
    for names, one, other in ((joined.names, a.names, b.names), (joined.local, a.local, b.local)):
        if names is None or one is None or other is None:
            continue
        for name, mine in one.items():
            second = other.get(name, mine)
            if mine.kind == second.kind == "frame" and -1 not in (mine.obj, second.obj) and mine.obj != second.obj:
                made = join_objects(cond, joined.heap[mine.obj], joined.heap[second.obj], control)
                number = run.store(made)
                joined.heap[number] = run.state.heap[number]
                names[name] = replace(names[name], obj=number)
    return joined


def loop(run: Interpreter, node: ast.For | ast.AsyncFor) -> Exits:
    """A `for` loop: unrolled where its elements are known, else twice with an element that stands for all."""
    iterable = run.eval(node.iter)
    control = run.data(iterable)
    before = run.serve, run.fit
    elements = iterate(run, iterable)
    if outside.has_no_order(run, iterable):
        run.note(node.iter, iterable, outside.IN_NO_ORDER)
    if control.time == Time.ROW:
        control = _of_container(run, iterable, control)
    run.serve |= control.serve
    run.fit |= control.fit
    exits: set[str] = set()
    try:
        perhaps = doubtful_elements(run, iterable)
        if gathering.gathered(run, node, iterable):
            return frozenset({"next"})
        if perhaps is not None and len(perhaps) <= MAX_UNROLL:
            for each in perhaps:
                exits |= _perhaps_once(run, node, each, control) & {"return"}
        elif elements is not None and len(elements) <= MAX_UNROLL:
            exits |= _unrolled(run, node, iterable, elements, control)
        else:
            exits |= _as_one(run, node, iterable, control)
        if node.orelse:
            run.block(node.orelse)
    finally:
        run.serve, run.fit = before
    return frozenset(exits | {"next"})


def _of_container(run: Interpreter, iterable: Value, whole: Fact) -> Fact:
    """What a loop over a list of tables, or the names of a table, depends on: not what the tables hold."""
    if iterable.kind not in ("list", "tuple", "dict", "set", "frame"):
        return replace(whole, serve=0, fit=0)
    own = run.obj(iterable).fact if iterable.obj >= 0 else iterable.fact
    return replace(whole, serve=iterable.fact.serve | own.serve, fit=iterable.fact.fit | own.fit)


def _unrolled(
    run: Interpreter, node: ast.For | ast.AsyncFor, iterable: Value, elements: Sequence[Value], control: Fact
) -> Exits:
    """The body for each element; where that is much work over mere numbers, the rest are taken as one.

    How much is much depends on what the rounds do: a number may choose the column that is written, or one of several
    models, while what else it leads to (another plot, another try) is alike in all rounds.
    """
    exits: set[str] = set()
    start = run.work.done
    numbered = all(map(_is_number, elements))
    written, run.told_apart = run.told_apart, set()
    outer, run.loop_at = run.loop_at, len(run.call_stack)
    made = run.objects_made
    own = 1 if run.all_as_one else 2
    for number, each in enumerate(elements):
        if number == own - 1:
            run.told_apart.clear()
        elif number >= own:
            differs = any(one <= made for one in run.told_apart)
            idle = numbered and not differs
            most = OF_STATEMENT if not numbered else OF_NUMBERED_LOOP if differs else OF_IDLE_LOOP
            if run.work.is_coarse or (idle and run.all_as_one) or run.work.done - start > most:
                exits |= _as_one(run, node, iterable, control, rounds=1)
                break
        run.assign(node.target, each)
        step = run.block(node.body)
        exits |= step & {"return"}
        if "next" not in step and not step & {"continue", "break"}:
            break
    run.told_apart |= written
    run.loop_at = outer
    return frozenset(exits)


def _is_number(each: Value) -> bool:
    """Whether an element is a number, or some of them."""
    return each.kind == "scalar" or (each.kind == "tuple" and all(map(_is_number, each.parts)))


def _as_one(
    run: Interpreter, node: ast.For | ast.AsyncFor, iterable: Value, control: Fact, *, rounds: int = 2
) -> Exits:
    """The body with an element that stands for all that are left: twice, so that one round sees what another left."""
    exits: set[str] = set()
    numbered = gathering.some_number(run, node, iterable) or _one_of_lists(run, iterable, node.target)
    one = numbered or _unpackable(element(run, iterable, node.iter), node.target)
    if rounds == 1 or run.work.is_coarse or run.all_as_one:
        _forget_counts(run, node)
    for left in reversed(range(rounds)):
        run.all_as_one += left == 0
        exits |= _perhaps_once(run, node, one, control, runs=True) & {"return"}
        run.all_as_one -= left == 0
        if run.work.is_coarse or run.all_as_one:
            break
    gathering.refuse_made(run, node, iterable, run.data(one).refused & ~run.data(iterable).refused)
    return frozenset(exits)


def _one_of_lists(run: Interpreter, iterable: Value, target: ast.expr) -> Value | None:
    """One element for any of several lists that are taken apart into names: each name has what stands in its place."""
    if iterable.kind != "list" or iterable.obj < 0 or not isinstance(target, ast.Tuple):
        return None
    whole = run.obj(iterable)
    each = list(whole.items.values())
    lists = [run.obj(one) for one in each if one.kind == "list" and one.obj >= 0]
    if whole.rest is not None or len(lists) < len(each) or any(one.rest is not None or one.maybe for one in lists):
        return None
    return one_of(tuple(Value("tuple", one.fact, parts=tuple(one.items.values())) for one in lists), "")


def _unpackable(one: Value, target: ast.expr) -> Value:
    """An element of which nobody knows the parts, as parts that belong to what it is taken from."""
    if (
        one.kind not in ("unknown", "str")
        or one.ident < 0
        or one.fact.time is Time.ROW
        or not isinstance(target, ast.Tuple)
    ):
        return one
    facts = [combine(f"item:{number}", (one.fact,)) for number in range(len(target.elts))]
    return Value("tuple", one.fact, parts=tuple(Value("unknown", fact, ident=one.ident) for fact in facts))


def _forget_counts(run: Interpreter, node: ast.For | ast.AsyncFor) -> None:
    """One round stands for all that are left: what the rounds count is no number that is known."""
    counted = {
        part.target.id
        for statement in node.body
        for part in nodes_of(statement)
        if isinstance(part, ast.AugAssign) and isinstance(part.target, ast.Name)
    }
    for name in counted:
        value = run.in_function(name) or run.state.names.get(name)
        if value is not None and value.kind == "scalar" and value.is_const:
            run.renew(name, Value("scalar", combine("counted", (value.fact,))))


def _perhaps_once(
    run: Interpreter, node: ast.For | ast.AsyncFor, one: Value, control: Fact, *, runs: bool = False
) -> Exits:
    """The body with one element, which the loop may not see; `runs` says that it is taken to see some."""
    start = run.state
    run.state = start.fork()
    run.assign(node.target, one)
    exits = run.block(node.body)
    end, run.state = run.state, start
    surely = _surely_done(run, start, end) if runs else None
    start.adopt(_joined(run, control.digest, end, start, Fact(Time.CONSTANT, run.serve, run.fit)))
    if surely is not None:
        bound, written = surely
        start.binders.update(bound)
        for number, last in written.items():
            start.heap[number] = replace(start.heap[number], last=last)
    return exits


def _surely_done(run: Interpreter, start: State, end: State) -> tuple[dict[str, Writer], dict[int, Writer]]:
    """What the body of a loop binds and writes on every path: a loop over data is taken to run at least once."""
    here = frozenset({run.cell})
    bound = {name: writer for name, writer in end.binders.items() if writer[1] == here}
    written = {
        number: obj.last
        for number in end.heap.written_since(start.heap)
        if (obj := end.heap[number]).last[1] == here and number in start.heap
    }
    return bound, written


def doubtful_elements(run: Interpreter, value: Value) -> list[Value] | None:
    """The elements that a learned list may have, each of which the loop may see or not."""
    names = run.candidates(value)
    if names is None and value.kind == "frame" and value.obj >= 0:
        obj = run.obj(value)
        if obj.maybe is not None and obj.rest is None:
            names = list(obj.columns)
    if names is None:
        return None
    fact = replace(run.data(value), time=Time.LEARNED, digest="-")
    return [run.constant(name, replace(fact, serve=0, inputs=frozenset())) for name in names]


def iterate(run: Interpreter, value: Value) -> list[Value] | None:
    """The values that a loop over `value` goes through, where they are known one by one."""
    if value.kind == "iterated":
        return list(value.parts)
    if value.kind == "frame" and value.obj >= 0:
        obj = run.obj(value)
        if obj.rest is None and obj.columns and obj.maybe is None:
            learned = combine("columns", (traced(obj.fact, value.fact.serve, value.fact.fit),))
            return [run.constant(name, replace(learned, digest="-")) for name in obj.columns]
        return None
    if value.kind == "index" and value.is_const and not value.maybe:
        return [run.constant(name, replace(value.fact, digest="-")) for name in value.const]
    if value.kind in ("series", "array", "groupby", "str"):
        return None
    return run.elements(value)


def element(run: Interpreter, value: Value, node: ast.AST) -> Value:
    """What a loop over `value` yields where its elements are not known: one value that stands for all."""
    one = _element(run, value, node)
    return one if one.ident >= 0 or value.kind in TABLES else run.identified(one, value)


TABLES = frozenset({"frame", "series", "array", "index", "rowindex", "groupby", "str"})
"""Kinds whose elements are values of their own: writing to one does not reach the table."""


OF_ROWS = "of-rows"
"""The name of a stream whose elements are of one row each: `zip(df["a"], df["b"])`."""

OF_FOLDS = "of-folds"
"""The name of a stream whose elements are the rounds of a cross-validation."""


def _element(run: Interpreter, value: Value, node: ast.AST) -> Value:
    fact = run.data(value)
    if value.kind == "stream":
        return _of_some_row(run, value.parts[0], node) if value.name == OF_ROWS else value.parts[0]
    if value.kind == "frame":
        return Value(
            "str",
            replace(
                traced(run.obj(value).fact, value.fact.serve, value.fact.fit),
                digest=digest_of("column-of", fact.digest),
            ),
            symbol=run.symbol(),
        )
    if value.kind == "groupby" and value.parts and (source := value.parts[0]).kind == "frame" and source.obj >= 0:
        part = group(run, value, source, node)
        if part is not None:
            return part
    if fact.time is Time.ROW:
        return _of_some_row(run, Value("scalar", combine("element", (fact,))), node)
    if value.kind in ("index", "list", "set", "keys", "unknown", "scalar", "dict", "tuple", "series"):
        inner: tuple[Value, ...] = ()
        if value.kind == "list" and value.obj >= 0:
            inner = tuple(run.obj(value).items.values())
        if (joined := one_of(inner, fact.digest)) is not None:
            return joined
        return Value("str", combine("element", (fact,)), symbol=run.symbol())
    return Value("unknown", combine("element", (fact,)))


def one_of(parts: Sequence[Value], cond: str) -> Value | None:
    """One value for any of several: for objects, and for tuples part by part (`models = [("ridge", Ridge()), …]`)."""
    if not parts:
        return None
    if all(part.obj >= 0 for part in parts):
        return reduce(partial(join_values, cond), parts)
    if any(part.kind != "tuple" or len(part.parts) != len(parts[0].parts) for part in parts):
        return None
    fact = combine("one-of", [part.fact for part in parts])
    return Value(
        "tuple",
        fact,
        parts=tuple(reduce(partial(join_values, cond), each) for each in zip(*(p.parts for p in parts), strict=True)),
    )


def _of_some_row(run: Interpreter, one: Value, node: ast.AST) -> Value:
    """What a loop over rows has of one row, all of it refused."""
    bit = run.refuse(
        node,
        "loop-over-rows",
        "the loop goes through rows one by one; what it makes of a row may depend on the rows before",
        "write it as an expression on columns, or as a function used with .apply(…, axis=1)",
    )
    parts = tuple(_of_some_row(run, part, node) for part in one.parts) if one.kind == "tuple" else one.parts
    return replace(one, fact=with_refusals(one.fact, bit), parts=parts)


def group(run: Interpreter, groups: Value, source: Value, node: ast.AST) -> Value | None:
    """What `for key, part in table.groupby(…)` yields: a key that is learned, and some rows of the table."""
    obj = run.obj(source)
    if obj.rows is None or len(groups.parts) > 2:
        return None
    by = groups.parts[1]
    names = run.strings(by)
    keys = [tabular.column(run, source, name) for name in names] if names else [run.data(by)]
    rows = tabular.changed_rows(run, obj.rows, "group", keys)
    part = tabular.derived(run, source, tabular.moved(run.obj(source), rows))
    of = node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
    run.note(node, groups, "groups", of)
    return Value("tuple", parts=(Value("scalar", reduce_rows("group", keys)), part))


def quiet_element(run: Interpreter, value: Value, node: ast.AST) -> Value:
    """An element of a comprehension's iterable: looking at rows there is learning, not a refusal."""
    fact = run.data(value)
    if value.name == OF_ROWS:
        return value.parts[0]
    if fact.time is Time.ROW and value.kind != "frame":
        made = Value("scalar", combine("element", (fact,)))
        return made if value.kind in TABLES else run.identified(made, value)
    return element(run, value, node)


def repeated(run: Interpreter, node: ast.While) -> Exits:
    """A `while` loop, twice; at least once where its condition is known to hold."""
    exits: set[str] = set()
    for number in range(2):
        if number and (run.work.is_coarse or run.all_as_one):
            break
        test = run.eval(node.test)
        known = truth(test) if run.data(test).time is Time.CONSTANT else None
        if number == 0 and known is False:
            break
        if number == 0 and known:
            step = run.block(node.body)
            exits |= step
            if "next" not in step and "continue" not in step:
                break
            continue
        exits |= branches(run, node.test, test, [node.body, []])
    if node.orelse:
        exits |= run.block(node.orelse)
    return frozenset(exits - {"break", "continue"} | {"next"})


def _made_since(start: State, ended: State) -> dict[int, Obj]:
    """The objects made on a path that does not go on: what it returned may refer to them."""
    made = ended.heap
    return {number: made[number] for number in made.written_since(start.heap) if number not in start.heap}


def _keep(state: State, made: Mapping[int, Obj]) -> None:
    for number, obj in made.items():
        if number not in state.heap:
            state.heap[number] = obj


def attempt(run: Interpreter, node: ast.Try | ast.TryStar) -> Exits:
    """A `try` statement: handlers start anywhere in its body."""
    start = run.state.fork()
    exits = set(run.block(node.body))
    after = run.state.fork()
    for handler in node.handlers:
        if handler.type is not None:
            run.eval(handler.type)
        current = run.state
        run.state = _joined(run, "try", start.fork(), after.fork(), Fact(Time.CONSTANT, run.serve, run.fit))
        if handler.name:
            run.bind(handler.name, Value("unknown"))
        step = run.block(handler.body)
        exits |= step
        ended, run.state = run.state, current
        if "next" in step or "break" in step or "continue" in step:
            current.adopt(_joined(run, "except", current, ended, Fact(Time.CONSTANT, run.serve, run.fit)))
        else:
            _keep(current, _made_since(current, ended))
    if node.orelse:
        run.block(node.orelse)
    if node.finalbody:
        run.block(node.finalbody)
    return frozenset(exits - {"raise"} | {"next"})


def matched(run: Interpreter, node: ast.Match) -> Exits:
    """A `match` statement."""
    subject = run.eval(node.subject)
    for case in node.cases:
        for name in bound_names(case.pattern):
            run.bind(name, run.identified(Value("unknown", run.data(subject)), subject))
        for value in values_in(case.pattern):
            run.eval(value)
        if case.guard is not None:
            run.eval(case.guard)
    last = node.cases[-1]
    is_total = last.guard is None and isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None
    bodies = [case.body for case in node.cases]
    return branches(run, node, subject, bodies if is_total else [*bodies, []])


def values_in(pattern: ast.pattern) -> Iterator[ast.expr]:
    """The expressions that a pattern looks up: dotted names and classes."""
    for part in ast.walk(pattern):
        match part:
            case ast.MatchValue(value=value):
                yield value
            case ast.MatchClass(cls=value):
                yield value


def truth(value: Value) -> bool | None:
    """Whether a value is true, where that is known."""
    return bool(value.const) if value.is_const and value.kind != "range" else None


def as_load(target: ast.expr) -> ast.expr:
    """The same target as an expression that reads it."""
    match target:
        case ast.Name():
            made: ast.expr = ast.Name(target.id, ast.Load())
        case ast.Attribute():
            made = ast.Attribute(target.value, target.attr, ast.Load())
        case ast.Subscript():
            made = ast.Subscript(target.value, target.slice, ast.Load())
        case _:
            return target
    return ast.copy_location(made, target)
