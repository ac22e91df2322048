"""What the variables of a notebook hold: rows of data, a model's answers, or scores; and what of it is only drawn.

Values are followed by the names that hold them, statement by statement in the order of the cells. That is less than the
dataflow knows, and costs next to nothing: a step is a matter of what a statement works on, not of every alias of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct

from nbprod.notebook.parsed import INNER_FIELDS, children

_DESCRIBES = frozenset(
    {"shape", "columns", "dtypes", "dtype", "index", "size", "ndim", "name", "__class__", "__name__"}
)
_COUNTS = frozenset({"len", "type", "range", "isinstance"})
_FILLS = frozenset({"append", "extend", "insert", "add", "update"})
TEST, PARAMETERS, RETURN = "test", "parameters", "return"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


DATA, ANSWERS, SCORES, SHAPE = 1, 2, 4, 8
"""What a variable may hold, as bits: rows or columns of data, what a model predicted, how good that is, and the number,
names or types of the columns or rows of such.
"""

OF_MODELS = ANSWERS | SCORES


class Statement(Struct, frozen=True, gc=False):
    """A statement, or the head of one that holds others: its lines, and the names that it binds, fills and reads.

    `fills` are objects of which an item or attribute is set, or to which one is added; `reads` are all names in it,
    `values` those of which more than the shape is read. `scope` is 0 in the cell itself, and else counts its functions.
    `kind` tells apart what binds nothing: a test, what a function is given, and what it returns.
    """

    first: int
    last: int
    scope: int
    binds: tuple[str, ...]
    fills: tuple[str, ...]
    reads: frozenset[str]
    values: frozenset[str]
    kind: str = ""


class Block(Struct, frozen=True, eq=False, gc=False):
    """The statements of a cell, with the place among them of each line, and the names that it takes from other cells.

    `free` are names that it reads before it binds them, or in a function; `binds` those that it binds itself, `changes`
    those and the ones that it fills, `names` all of these.
    """

    statements: tuple[Statement, ...]
    of_line: dict[int, int]
    free: frozenset[str]
    binds: frozenset[str]
    changes: frozenset[str]
    names: frozenset[str]

    @classmethod
    def of(cls, module: ast.Module) -> Block:
        """That of a cell."""
        found = tuple(_Reader().statements(module.body, 0))
        of_line: dict[int, int] = {}
        for place, one in enumerate(found):
            for line in range(one.first, one.last + 1):
                of_line.setdefault(line, place)
        bound, filled = {0: set[str]()}, set[str]()
        before = {0: set[str]()}
        for one in found:
            mine = bound.setdefault(one.scope, set())
            before.setdefault(one.scope, set()).update(one.reads - mine)
            mine.update(one.binds)
            if one.scope == 0:
                filled.update(one.fills)
        binds, changed = frozenset(bound[0]), frozenset(bound[0] | filled)
        inner = (names - binds for scope, names in before.items() if scope)
        free = frozenset(before[0].union(*inner))
        return cls(found, of_line, free, binds, changed, free | changed)

    def at(self, line: int) -> Statement | None:
        """The statement at a line of the cell (1-based)."""
        place = self.of_line.get(line)
        return None if place is None else self.statements[place]


class _Reader:
    """Reads the statements of a cell; functions are counted."""

    def __init__(self) -> None:
        self.scopes = 0

    def statements(self, body: Iterable[ast.stmt], scope: int) -> Iterator[Statement]:
        for node in body:
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    self.scopes += 1
                    yield _parameters(node, self.scopes)
                    yield from self.statements(node.body, self.scopes)
                case ast.ClassDef():
                    yield from self.statements((one for one in node.body if isinstance(one, _FUNCTIONS)), scope)
                case ast.For() | ast.AsyncFor():
                    yield _statement(node, scope, [node.target], node.iter, head=node.body)
                    yield from self.statements([*node.body, *node.orelse], scope)
                case ast.While() | ast.If():
                    yield _statement(node, scope, [], node.test, head=node.body, kind=TEST)
                    yield from self.statements([*node.body, *node.orelse], scope)
                case ast.With() | ast.AsyncWith():
                    for item in node.items:
                        targets = [] if item.optional_vars is None else [item.optional_vars]
                        yield _statement(node, scope, targets, item.context_expr, head=node.body)
                    yield from self.statements(node.body, scope)
                case ast.Try():
                    handled = (inner for handler in node.handlers for inner in handler.body)
                    yield from self.statements([*node.body, *handled, *node.orelse, *node.finalbody], scope)
                case ast.Assign():
                    yield _statement(node, scope, node.targets, node.value)
                case ast.AugAssign():
                    yield _statement(node, scope, [node.target], node.value, again=True)
                case ast.AnnAssign() if node.value is not None:
                    yield _statement(node, scope, [node.target], node.value)
                case ast.Expr():
                    yield _statement(node, scope, [], node.value)
                case ast.Return() if node.value is not None:
                    yield _statement(node, scope, [], node.value, kind=RETURN)
                case _:
                    pass


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, scope: int) -> Statement:
    """What a function is given, as a statement that binds it."""
    given = node.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    names = tuple(one.arg for one in every if one is not None)
    return Statement(node.lineno, node.lineno, scope, names, (), frozenset(), frozenset(), PARAMETERS)


def _statement(
    node: ast.stmt,
    scope: int,
    targets: Sequence[ast.expr],
    value: ast.expr,
    *,
    head: Sequence[ast.stmt] = (),
    again: bool = False,
    kind: str = "",
) -> Statement:
    whole, shape = set[str](), set[str]()
    _read(value, whole, shape)
    binds: list[str] = []
    fills: list[str] = []
    for target in targets:
        if type(target) is ast.Name:
            binds.append(target.id)
        else:
            _bound(target, binds, fills, whole, shape)
    if again:
        whole.update(binds)
    if type(value) is ast.Call and (filled := _filled_by(value)) is not None:
        fills.append(filled)
    last = head[0].lineno - 1 if head else node.end_lineno or node.lineno
    values = frozenset(whole)
    reads = values | shape if shape else values
    return Statement(node.lineno, max(last, node.lineno), scope, tuple(binds), tuple(fills), reads, values, kind)


def _read(node: ast.AST, whole: set[str], shape: set[str]) -> None:
    """Add the names in an expression to `whole`, and those of which the shape is read to `shape`."""
    waiting: list[Any] = [node]
    while waiting:
        one = waiting.pop()
        kind = type(one)
        if kind is ast.Name:
            whole.add(one.id)
        elif kind is ast.Attribute and one.attr in _DESCRIBES:
            _read(one.value, shape, shape)
        elif kind is ast.Call and getattr(one.func, "id", None) in _COUNTS:
            for inner in (*one.args, *one.keywords):
                _read(inner, shape, shape)
        elif kind is not ast.Constant and INNER_FIELDS[kind]:
            waiting += children(one)


def _bound(target: ast.expr, binds: list[str], fills: list[str], whole: set[str], shape: set[str]) -> None:
    match target:
        case ast.Name():
            binds.append(target.id)
        case ast.Tuple() | ast.List():
            for one in target.elts:
                _bound(one, binds, fills, whole, shape)
        case ast.Starred():
            _bound(target.value, binds, fills, whole, shape)
        case ast.Subscript() | ast.Attribute():
            inner: ast.AST = target
            while isinstance(inner, ast.Subscript | ast.Attribute):
                if isinstance(inner, ast.Subscript):
                    _read(inner.slice, whole, shape)
                inner = inner.value
            if isinstance(inner, ast.Name):
                fills.append(inner.id)
            else:
                _read(inner, whole, shape)
        case _:
            pass


def _filled_by(call: ast.Call) -> str | None:
    """The object to which a call adds, or that it changes in place."""
    match call.func:
        case ast.Attribute(value=ast.Name(id=name), attr=method):
            in_place = any(one.arg == "inplace" and _is_true(one.value) for one in call.keywords)
            return name if in_place or method in _FILLS else None
        case _:
            return None


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


Given = tuple[tuple[int, int], ...]
"""What the evidence at lines of a cell makes the variables hold that are bound there."""

_NONE: Mapping[str, int] = {}


class Passed(Struct, frozen=True, gc=False):
    """What goes through a cell.

    `told` are the names that hold answers or scores of those that each statement reads or fills, by its place;
    `reading` the places of those that read anything that is held, `shaped` those of the cell itself that work out
    values from data, and `left` what the names hold behind the cell.
    """

    told: Mapping[int, Mapping[str, int]]
    reading: frozenset[int]
    shaped: tuple[Statement, ...]
    left: tuple[tuple[str, int], ...]


class Holdings:
    """What the names in each statement of a notebook hold, and what of it goes from cell to cell.

    `given` is what the evidence tells, by cells, `fitted` are the names that a model learns from, with the last cell in
    which one does, `models` are models.
    """

    def __init__(
        self, blocks: Sequence[Block], given: Mapping[int, Given], fitted: Mapping[str, int], models: frozenset[str]
    ) -> None:
        self._blocks = blocks
        self.passed: list[Passed] = []
        held: dict[str, int] = {}
        for cell, block in enumerate(blocks):
            taken = tuple([(name, held[name]) for name in block.names if name in held])
            learned = frozenset([name for name in block.changes if fitted.get(name, -1) >= cell])
            passed = _through(block, taken, given.get(cell, ()), learned, block.changes & models)
            self.passed.append(passed)
            for name, value in passed.left:
                _put(held, name, value)

    def told(self, cell: int, line: int) -> Mapping[str, int]:
        """The names that hold answers or scores of those that the statement at a line reads."""
        told = self.passed[cell].told
        return told.get(self._blocks[cell].of_line.get(line, -1), _NONE) if told else _NONE

    def reads(self, cell: int, line: int) -> bool:
        """Whether the statement at a line reads anything that is held."""
        return self._blocks[cell].of_line.get(line, -1) in self.passed[cell].reading

    def leaving(self, cell: int, names: Iterable[str]) -> frozenset[str]:
        """Those of the names, bound in a cell, that a later cell reads."""
        waiting, found = set(names), set[str]()
        for block in self._blocks[cell + 1 :]:
            found |= waiting & block.free
            waiting -= found | block.binds
            if not waiting:
                break
        return frozenset(found)


@lru_cache(maxsize=4096)
def _through(
    block: Block, taken: tuple[tuple[str, int], ...], given: Given, fitted: frozenset[str], models: frozenset[str]
) -> Passed:
    """What goes through a cell where `taken` is what names hold before it."""
    whole = dict(taken)
    scopes = {0: whole}
    lines = dict(given)
    told: dict[int, dict[str, int]] = {}
    reading: set[int] = set()
    shaped: list[Statement] = []
    for place, one in enumerate(block.statements):
        held = scopes.setdefault(one.scope, {})
        learned_from = bool(one.binds) and fitted.issuperset(one.binds)
        reads = {name: held[name] for name in (*one.reads, *one.fills) if held.get(name, 0) & OF_MODELS}
        if reads and not learned_from:
            told[place] = reads
        gives = 0
        for name in one.reads:
            here = held.get(name, 0)
            gives |= here if name in one.values else here and SHAPE
        if gives:
            reading.add(place)
        if one.scope == 0 and (one.binds or one.fills) and gives & ~SHAPE == DATA:
            shaped.append(one)
        for line in range(one.first, one.last + 1) if lines else ():
            gives |= lines.get(line, 0)
        for name in one.binds:
            _put(held, name, 0 if name in models else _bound_to(gives, name, one, held, fitted))
        for name in one.fills:
            made_here = gives & OF_MODELS and name not in block.free
            if gives and (made_here or name not in held) and name not in models:
                held[name] = _bound_to(gives, name, one, held, fitted)
    return Passed(told, frozenset(reading), tuple(shaped), tuple((name, whole.get(name, 0)) for name in block.changes))


def _put(held: dict[str, int], name: str, value: int) -> None:
    if value:
        held[name] = value
    else:
        held.pop(name, None)


def _bound_to(gives: int, name: str, one: Statement, held: Mapping[str, int], fitted: frozenset[str]) -> int:
    """What a name holds that is bound to such values: a model's answers that another model learns from are data."""
    if not gives & OF_MODELS:
        return gives
    if name in fitted or (name in one.values and held.get(name) == DATA):
        return DATA
    return SCORES if gives & SCORES else ANSWERS


class Uses(Struct, frozen=True, gc=False):
    """What the statements of a cell do with what they read, by their places.

    `drawing` make a plot of it, `looking` show it as text, `using` do anything else; what no set holds only makes other
    values of it.
    """

    drawing: frozenset[int]
    looking: frozenset[int]
    using: frozenset[int]


@lru_cache(maxsize=2048)
def only_drawn(block: Block, uses: Uses, leaving: frozenset[str]) -> frozenset[int]:
    """The places of the statements whose values a cell does nothing with but draw, a look at them aside.

    `leaving` are the names that later cells read. What is drawn must be made in the cell: a name that is taken from
    another one, or that a function is given and changes, is more than a view. A statement that shows what it makes, and
    binds nothing to it, is one of them.
    """
    drawn: set[int] = set()
    for scope in {one.scope for one in block.statements}:
        places = [place for place, one in enumerate(block.statements) if one.scope == scope]
        views, unread = _views(block, places, uses, frozenset() if scope else leaving)
        for place in places:
            one = block.statements[place]
            made = {*one.binds, *one.fills}
            shows = place in uses.drawing or (place in uses.looking and not one.binds)
            makes = place not in uses.using and made & views and made - unread <= views
            if makes or (shows and not one.fills):
                drawn.add(place)
    return frozenset(drawn)


def _views(block: Block, places: Sequence[int], uses: Uses, leaving: frozenset[str]) -> tuple[set[str], set[str]]:
    """The names of a scope that end in a plot, and nowhere else, and those that nothing reads."""
    found = [(block.statements[place], place) for place in places]
    parameters = {name for one, _ in found if one.kind == PARAMETERS for name in one.binds}
    given = parameters.intersection(name for one, _ in found for name in one.fills)
    used = (name for one, place in found if place in uses.using for name in (*one.binds, *one.reads))
    views = {name for one, _ in found for name in one.binds} - given.union(block.free, leaving, used)
    unread = views - {name for one, _ in found for name in one.reads}
    while views:
        kept = _ending([(one, place in uses.drawing) for one, place in found], views)
        for one, place in found:
            made = {*one.binds, *one.fills}
            passes = one.kind == TEST or place in uses.drawing or (place in uses.looking and not made)
            if one.kind == RETURN or not (passes or (made and made - unread <= views)):
                kept -= one.reads
        if kept == views:
            break
        views = kept
    return views, unread


def _ending(found: Sequence[tuple[Statement, bool]], views: set[str]) -> set[str]:
    """Those of the names that are drawn, or from which one is made that is."""
    ends = {name for one, draws in found if draws for name in one.reads & views}
    while True:
        reached = {
            name for one, _ in found if ends.intersection((*one.binds, *one.fills)) for name in one.reads & views
        }
        if reached <= ends:
            return ends
        ends |= reached
