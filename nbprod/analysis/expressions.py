"""Expressions: constants, containers, comprehensions."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from nbprod.analysis import attributes, calls, flow, functions, gathering, indexing, methods, operators, outside
from nbprod.analysis.scopes import bound_names
from nbprod.analysis.state import join_values
from nbprod.analysis.values import (
    MAYBE,
    NONE,
    NOTHING,
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


Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp

LONG_DISPLAY = 2_000
"""How many constants a display may have for each to be a value of its own."""


def _constant(run: Interpreter, node: ast.Constant) -> Value:
    return run.constant(node.value)


def _name(run: Interpreter, node: ast.Name) -> Value:
    return run.lookup(node.id, node)


def _attribute(run: Interpreter, node: ast.Attribute) -> Value:
    return attributes.get_attribute(run, node, run.eval(node.value))


def _subscript(run: Interpreter, node: ast.Subscript) -> Value:
    return indexing.get_item(run, node, run.eval(node.value), run.eval(node.slice))


def _binary(run: Interpreter, node: ast.BinOp) -> Value:
    return operators.operate(run, type(node.op).__name__, (run.eval(node.left), run.eval(node.right)))


def _unary(run: Interpreter, node: ast.UnaryOp) -> Value:
    return operators.operate(run, type(node.op).__name__, (run.eval(node.operand),))


def _compared(run: Interpreter, node: ast.Compare) -> Value:
    operands = [run.eval(node.left), *[run.eval(part) for part in node.comparators]]
    return operators.operate(run, "-".join([type(op).__name__ for op in node.ops]), tuple(operands))


def _logical(run: Interpreter, node: ast.BoolOp) -> Value:
    return operators.operate(run, type(node.op).__name__, tuple([run.eval(part) for part in node.values]))


def _sequence(run: Interpreter, node: ast.List | ast.Set) -> Value:
    return display(run, node.elts, "list" if isinstance(node, ast.List) else "set")


def _tuple(run: Interpreter, node: ast.Tuple) -> Value:
    return Value("tuple", parts=tuple([run.eval(part) for part in node.elts]))


def _formatted(run: Interpreter, node: ast.FormattedValue) -> Value:
    if node.format_spec is not None:
        run.eval(node.format_spec)
    return run.eval(node.value)


def _gathered(run: Interpreter, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Value:
    return comprehension(run, node, node.elt, None)


def _gathered_dictionary(run: Interpreter, node: ast.DictComp) -> Value:
    return comprehension(run, node, node.value, node.key)


def _walrus(run: Interpreter, node: ast.NamedExpr) -> Value:
    value = run.eval(node.value)
    run.assign(node.target, value)
    return value


def _slice(run: Interpreter, node: ast.Slice) -> Value:
    parts = tuple([NONE if part is None else run.eval(part) for part in (node.lower, node.upper, node.step)])
    return Value("slice", combine("slice", [run.data(part) for part in parts]), parts=parts)


def _what_it_holds(run: Interpreter, node: ast.Starred | ast.Await) -> Value:
    return run.eval(node.value)


def _yielded(run: Interpreter, node: ast.Yield | ast.YieldFrom) -> Value:
    value = NONE if node.value is None else run.eval(node.value)
    if run.returns:
        run.returns[-1].append(run.bound(value))
    return value


def display(run: Interpreter, elements: Sequence[ast.expr], kind: str) -> Value:
    """A list or set display; of a very long one of constants only their digest is kept."""
    if len(elements) > LONG_DISPLAY and all(isinstance(element, ast.Constant) for element in elements):
        text = digest_of(*(repr(element.value) for element in elements if isinstance(element, ast.Constant)))
        return run.new(Obj(kind, rest=Fact(digest=text)))
    items: list[Value] = []
    rest: Fact | None = None
    for element in elements:
        value = run.eval(element)
        if isinstance(element, ast.Starred):
            inner = run.elements(value)
            if inner is None:
                rest = run.data(value) if rest is None else combine("rest", (rest, run.data(value)))
            else:
                serve, fit = value.fact.serve, value.fact.fit
                items.extend(replace(item, fact=traced(item.fact, serve, fit)) for item in inner)
        else:
            items.append(value)
    return run.new(Obj(kind, items=dict(enumerate(items)), rest=rest))


def dictionary(run: Interpreter, node: ast.Dict) -> Value:
    """A dict display."""
    items: dict[object, Value] = {}
    rest: Fact | None = None
    for key, value_node in zip(node.keys, node.values, strict=True):
        value = run.eval(value_node)
        known = None if key is None else run.eval(key)
        if known is not None and known.is_const and is_hashable(known.const):
            items[known.const] = value
        else:
            facts = [run.data(value), *([] if known is None else [run.data(known)])]
            rest = combine("items", facts if rest is None else [rest, *facts])
    return run.new(Obj("dict", items=items, rest=rest))


def f_string(run: Interpreter, node: ast.JoinedStr) -> Value:
    """An f-string; known where all of its parts are."""
    parts = [run.eval(part) for part in node.values]
    fact = combine("f-string", [run.data(part) for part in parts])
    if all(part.is_const for part in parts) and not any(
        isinstance(part, ast.FormattedValue) and part.format_spec is not None for part in node.values
    ):
        return run.constant("".join(str(part.const) for part in parts), replace(fact, digest="-"))
    return Value("str", fact)


def either(run: Interpreter, node: ast.IfExp) -> Value:
    """`a if test else b`."""
    test = run.eval(node.test)
    known = flow.truth(test)
    if known is not None and run.data(test).time is Time.CONSTANT:
        return run.eval(node.body if known else node.orelse)
    control = run.data(test)
    joined = join_values(control.digest, run.eval(node.body), run.eval(node.orelse), control)
    return replace(joined, fact=combine("if", (control, joined.fact))) if joined.obj < 0 else joined


def comprehension(
    run: Interpreter,
    node: Comprehension,
    element: ast.expr,
    key: ast.expr | None,
) -> Value:
    """A comprehension: its elements where its iterables are known, otherwise one that stands for all."""
    kind = {ast.SetComp: "set", ast.DictComp: "dict"}.get(type(node), "list")
    items: dict[object, Value] = {}
    rest: list[Fact] = []
    outer_local = run.state.local
    saved = None if outer_local is None else dict(outer_local)
    names = {name for generator in node.generators for name in bound_names(generator.target)}
    closure_scope = run.state.local is None
    if closure_scope:
        run.state.local = {}
    try:
        generate(run, node, 0, element, key, items, rest, NOTHING)
    finally:
        if closure_scope:
            walrus = run.state.local or {}
            run.state.local = None
            for name, value in walrus.items():
                if name not in names:
                    run.bind(name, value)
        elif saved is not None and run.state.local is not None:
            for name in names:
                if name in saved:
                    run.state.local[name] = saved[name]
                else:
                    run.state.local.pop(name, None)
    perhaps = [fact for fact in rest if fact is MAYBE]
    if perhaps and len(perhaps) == len(rest):
        facts = [item.fact for item in items.values()]
        membership = replace(combine("among", facts), time=Time.LEARNED, serve=0, inputs=frozenset())
        return run.new(Obj(kind, items=items, maybe=membership))
    known = [fact for fact in rest if fact is not MAYBE]
    whole = combine("rest", known) if known else None
    made = run.new(Obj(kind, items=items, rest=whole))
    source = run.notes.get(id(node.generators[0].iter))
    in_no_order = kind == "list" and source is not None and source.kind == "set" and len(items) > 1
    if in_no_order and whole is None and all(item.is_const for item in items.values()):
        return outside.order_taken(run, node, made)
    return made


def generate(
    run: Interpreter,
    node: Comprehension,
    depth: int,
    element: ast.expr,
    key: ast.expr | None,
    items: dict[object, Value],
    rest: list[Fact],
    control: Fact,
) -> None:
    """One level of a comprehension's `for` clauses."""
    if depth == len(node.generators):
        value = run.eval(element)
        name = None if key is None else run.eval(key)
        uncertain = control.time > Time.CONSTANT or control.digest == "uncertain"
        if uncertain and key is None and value.is_const and isinstance(value.const, str):
            items[len(items)] = replace(
                value,
                fact=replace(combine("perhaps", (value.fact, control)), time=Time.LEARNED, serve=0, inputs=frozenset()),
            )
            rest.append(MAYBE)
        elif uncertain or (name is not None and not (name.is_const and is_hashable(name.const))):
            rest.append(combine("element", [run.data(value), control, *([] if name is None else [run.data(name)])]))
        elif name is not None:
            items[name.const] = value
        else:
            items[len(items)] = value
        return
    generator = node.generators[depth]
    iterable = run.eval(generator.iter)
    elements = flow.iterate(run, iterable)
    whole = run.data(iterable)
    if elements is not None and len(elements) <= flow.MAX_UNROLL:
        of_dict = run.obj(iterable).fact if iterable.kind == "dict" and iterable.obj >= 0 else NOTHING
        for one in elements:
            run.assign(generator.target, replace(one, fact=traced(one.fact, of_dict.serve, of_dict.fit)))
            conditions(run, node, depth, element, key, items, rest, control)
    else:
        one, whole = gathering.one_row(run, generator.target, generator.iter, iterable)
        run.assign(generator.target, one)
        inner = combine("each", (control, whole))
        time = Time.LEARNED if inner.time is Time.CONSTANT else inner.time
        of_rows = whole.time is Time.ROW and iterable.kind != "frame"
        before, learned_before = len(rest), len(run.learnings)
        run.per_row += of_rows
        conditions(
            run,
            node,
            depth,
            element,
            key,
            items,
            rest,
            replace(inner, time=min(time, Time.ROW), digest="uncertain" if inner.digest == "-" else inner.digest),
        )
        run.per_row -= of_rows
        if of_rows and len(run.learnings) > learned_before:
            bit = methods.refuse_learning_by_row(run, node)
            rest[before:] = [fact if fact is MAYBE else with_refusals(fact, bit) for fact in rest[before:]]
        if of_rows and not run.per_row and not isinstance(node, ast.ListComp | ast.GeneratorExp):
            rest[before:] = _learned(run, node, rest[before:])


def _learned(run: Interpreter, node: ast.expr, made: Sequence[Fact]) -> list[Fact]:
    """What a dict or a set holds that is made of all rows."""
    kind = "dict" if isinstance(node, ast.DictComp) else "set"
    return [
        reduce_rows(kind, (fact,), run.learned(node, kind, fact.rows)) if fact.time is Time.ROW else fact
        for fact in made
    ]


def conditions(
    run: Interpreter,
    node: Comprehension,
    depth: int,
    element: ast.expr,
    key: ast.expr | None,
    items: dict[object, Value],
    rest: list[Fact],
    control: Fact,
) -> None:
    """The `if` clauses of one level: elements behind one that is not known may be there or not."""
    for test in node.generators[depth].ifs:
        value = run.eval(test)
        known = flow.truth(value)
        fact = run.data(value)
        if known is False and fact.time is Time.CONSTANT:
            return
        if known is not True or fact.time is not Time.CONSTANT:
            joined = combine("if", (control, fact))
            control = replace(joined, time=max(joined.time, Time.LEARNED))
    generate(run, node, depth + 1, element, key, items, rest, control)


def is_hashable(const: object) -> bool:
    """Whether a constant can be a key."""
    try:
        hash(const)
    except TypeError:
        return False
    return True


BY_SYNTAX: dict[type[ast.expr], Callable[[Interpreter, Any], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Call: calls.call,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compared,
    ast.BoolOp: _logical,
    ast.List: _sequence,
    ast.Set: _sequence,
    ast.Tuple: _tuple,
    ast.Dict: dictionary,
    ast.JoinedStr: f_string,
    ast.FormattedValue: _formatted,
    ast.IfExp: either,
    ast.Lambda: functions.function,
    ast.ListComp: _gathered,
    ast.SetComp: _gathered,
    ast.GeneratorExp: _gathered,
    ast.DictComp: _gathered_dictionary,
    ast.NamedExpr: _walrus,
    ast.Slice: _slice,
    ast.Starred: _what_it_holds,
    ast.Await: _what_it_holds,
    ast.Yield: _yielded,
    ast.YieldFrom: _yielded,
}
"""How each kind of expression is evaluated."""
