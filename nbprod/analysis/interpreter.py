"""Abstract execution of a notebook, statement by statement, in the order of its cells.

Nothing of the notebook runs. Names are bound to abstract values (`values.py`); what library calls do comes from
tables; functions of the notebook are followed at each call with the arguments at hand. While a statement is
interpreted its bit, and those of the statements around it and of the conditions it stands under, are added to
everything that it binds or writes, so that at the end each column of the model's input carries its own slice.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from nbprod.analysis import calls, frames
from nbprod.analysis.scopes import bound_names, free_names
from nbprod.analysis.state import State, join_states, join_values
from nbprod.analysis.values import (
    NONE,
    NOTHING,
    UNKNOWN,
    Event,
    Fact,
    Note,
    Obj,
    Rows,
    Time,
    Value,
    combine,
    digest_of,
    traced,
)
from nbprod.model.plan import Refusal
from nbprod.model.program import Program, Statement

MAX_DEPTH = 12
MAX_UNROLL = 200
MAX_WORK = 400_000

BUILTINS = frozenset(dir(builtins)) | {"get_ipython", "display", "__file__", "__name__", "In", "Out", "_", "__"}


class WorkLimitError(Exception):
    """The bound on work for one notebook is reached."""


@dataclass(slots=True)
class Effects:
    """Names by what a cell does to them, collected while it is interpreted."""

    defines: dict[str, None] = field(default_factory=dict)
    updates: dict[str, None] = field(default_factory=dict)
    uses: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the notebook: its node, the locals around its definition, and its defaults."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    closure: dict[str, Value] | None
    defaults: Mapping[str, Value]
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Learning:
    """A place where something was learned over rows: the statement, the node, and the rows looked at."""

    statement: int
    top: int
    node: ast.AST
    rows: Rows | None
    what: str


Exits = frozenset[str]
NEXT: Exits = frozenset({"next"})
MAYBE = Fact(digest="maybe")


class Interpreter:
    """One abstract execution. `run` goes through all cells; the results are left in the attributes."""

    def __init__(
        self, program: Program, schemas: Mapping[str, Sequence[str]] | None = None, pandas_major: int = 3
    ) -> None:
        self.program = program
        self.schemas = dict(schemas or {})
        self.pandas_major = pandas_major
        self.state = State()
        self.by_node: dict[int, Statement] = {id(s.node): s for s in program.statements}
        self.notes: dict[int, Note] = {}
        self.events: list[Event] = []
        self.refusals: list[Refusal] = []
        self.learnings: list[Learning] = []
        self.effects: list[Effects] = [Effects() for _ in program.sources]
        self.edges: dict[tuple[int, int], dict[str, None]] = {}
        self.undefined: list[tuple[str, int, int]] = []
        self.functions: list[Function] = []
        self.classes: dict[str, ast.ClassDef] = {}
        self.dropped: list[tuple[int, int, str]] = []
        self.serve = 0
        self.fit = 0
        self.at = -1
        self.top = -1
        self.cell = -1
        self.per_row = 0
        self._objects = 0
        self._symbols = 0
        self._clock = 0
        self._work = 0
        self._returns: list[list[Value]] = []
        self._calls: list[int] = []
        self._closures: list[dict[str, Value] | None] = []
        self._declared_global: list[set[str]] = []
        self.symbols: dict[int, Fact] = {}

    # ------------------------------------------------------------------ the run

    def run(self) -> None:
        for statement in self.program.statements:
            if statement.parent == -1:
                self.cell = statement.cell
                self.top = statement.id
                self.execute(statement.node)

    def execute(self, node: ast.stmt) -> Exits:
        statement = self.by_node[id(node)]
        before = self.serve, self.fit, self.at
        bit = 1 << statement.id
        self.serve |= bit
        self.fit |= bit
        self.at = statement.id
        try:
            return self._dispatch(node)
        finally:
            self.serve, self.fit, self.at = before

    def block(self, body: Iterable[ast.stmt]) -> Exits:
        """Interpret statements in order; what stands behind a conditional exit depends on its condition."""
        before = self.serve, self.fit
        exits: set[str] = set()
        try:
            for node in body:
                step = self.execute(node)
                exits |= step - {"next"}
                if "next" not in step:
                    return frozenset(exits)
                if step - {"next", "raise"}:
                    control = self._control_of(node)
                    self.serve |= control.serve
                    self.fit |= control.fit
            return frozenset(exits | {"next"})
        finally:
            self.serve, self.fit = before

    def _control_of(self, node: ast.stmt) -> Fact:
        bits = 0
        for inner in ast.walk(node):
            statement = self.by_node.get(id(inner))
            if statement is not None and isinstance(inner, ast.If | ast.Return | ast.Break | ast.Continue):
                bits |= 1 << statement.id
        if isinstance(node, ast.If):
            test = self.data(self.eval(node.test))
            return Fact(serve=bits | test.serve, fit=bits | test.fit)
        return Fact(serve=bits, fit=bits)

    def _dispatch(self, node: ast.stmt) -> Exits:
        match node:
            case ast.Expr():
                self.eval(node.value)
            case ast.Assign():
                value = self.eval(node.value)
                for target in node.targets:
                    self.assign(target, value)
            case ast.AnnAssign():
                if node.value is not None:
                    self.assign(node.target, self.eval(node.value))
            case ast.AugAssign():
                self._augment(node)
            case ast.If():
                return self._if(node)
            case ast.For() | ast.AsyncFor():
                return self._for(node)
            case ast.While():
                return self._while(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._define(node)
            case ast.ClassDef():
                self._class(node)
            case ast.Return():
                value = NONE if node.value is None else self.eval(node.value)
                if self._returns:
                    self._returns[-1].append(self.bound(value))
                return frozenset({"return"})
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    value = self.eval(item.context_expr)
                    if item.optional_vars is not None:
                        self.assign(item.optional_vars, Value("unknown", value.fact))
                return self.block(node.body)
            case ast.Try() | ast.TryStar():
                return self._try(node)
            case ast.Match():
                return self._match(node)
            case ast.Delete():
                for target in node.targets:
                    self._delete(target)
            case ast.Global():
                if self._declared_global:
                    self._declared_global[-1].update(node.names)
            case ast.Assert():
                self.eval(node.test)
            case ast.Raise():
                if node.exc is not None:
                    self.eval(node.exc)
                return frozenset({"raise"})
            case ast.Break():
                return frozenset({"break"})
            case ast.Continue():
                return frozenset({"continue"})
            case _:
                pass
        return NEXT

    # ------------------------------------------------------------------ objects and facts

    def new(self, obj: Obj, fact: Fact = NOTHING, **extra: object) -> Value:
        """A reference to a new object."""
        self._objects += 1
        self._clock += 1
        self.state.heap[self._objects] = replace(obj, last=(self._clock, frozenset({self.cell})))
        return Value(obj.kind, fact, self._objects, name=obj.type, **extra)  # type: ignore[arg-type]

    def obj(self, value: Value) -> Obj:
        return self.state.heap[value.obj]

    def write(self, number: int, obj: Obj) -> None:
        """Replace an object by its next version; every global name that refers to it counts as updated."""
        self._clock += 1
        self.state.heap[number] = replace(obj, last=(self._clock, frozenset({self.cell})))
        effects = self.effects[self.cell]
        for name, value in self.state.names.items():
            if value.obj == number and name not in effects.defines:
                effects.updates[name] = None

    def data(self, value: Value) -> Fact:
        """All that is known of the data behind a value, its reference included."""
        if value.obj < 0:
            if value.kind in ("tuple", "method", "accessor", "indexer") and value.parts:
                whole = combine(value.kind + value.name, [self.data(part) for part in value.parts])
                return traced(whole, value.fact.serve, value.fact.fit)
            return value.fact
        content = self._content(self.state.heap[value.obj])
        mixed = traced(content, value.fact.serve, value.fact.fit)
        if value.fact.time > mixed.time:
            mixed = replace(mixed, time=value.fact.time)
        if value.fact.refused & ~mixed.refused or value.fact.assumed & ~mixed.assumed:
            mixed = replace(
                mixed, refused=mixed.refused | value.fact.refused, assumed=mixed.assumed | value.fact.assumed
            )
        return mixed

    def _content(self, obj: Obj) -> Fact:
        facts = [*obj.columns.values()]
        if obj.rest is not None:
            facts.append(obj.rest)
        facts.extend(self.data(item) for item in obj.items.values())
        if obj.fitted is not None:
            facts.append(obj.fitted)
        if not facts:
            return obj.fact if obj.rows is None else replace(obj.fact, rows=obj.rows)
        whole = combine(obj.kind, facts)
        whole = traced(whole, obj.fact.serve, obj.fact.fit)
        return replace(
            whole,
            time=max(whole.time, obj.fact.time),
            rows=obj.rows if obj.rows is not None else whole.rows,
            refused=whole.refused | obj.fact.refused,
            assumed=whole.assumed | obj.fact.assumed,
            digest=digest_of(whole.digest, obj.type, obj.fact.digest) if obj.type else whole.digest,
        )

    def time(self, value: Value) -> Time:
        if value.obj >= 0:
            obj = self.state.heap[value.obj]
            if obj.kind in ("frame", "array", "series") and obj.rows is not None:
                return Time.ROW
        return self.data(value).time

    def bound(self, value: Value) -> Value:
        """`value` as bound by the statement at hand."""
        fact = traced(value.fact, self.serve, self.fit)
        return value if fact is value.fact else replace(value, fact=fact)

    def scalar(self, fact: Fact, kind: str = "scalar") -> Value:
        return Value(kind, fact)

    def series(self, fact: Fact, *, view: tuple[int, str] | None = None, ref: Fact = NOTHING) -> Value:
        """A column of data: row data when its fact says so."""
        if fact.time < Time.ROW:
            return Value("series", ref, self._store(Obj("series", fact)), view=view)
        return Value("series", ref, self._store(Obj("series", fact, rows=fact.rows)), view=view)

    def _store(self, obj: Obj) -> int:
        self._objects += 1
        self._clock += 1
        self.state.heap[self._objects] = replace(obj, last=(self._clock, frozenset({self.cell})))
        return self._objects

    def list_of(self, items: Sequence[Value], kind: str = "list", fact: Fact = NOTHING) -> Value:
        return self.new(Obj(kind, fact, items=dict(enumerate(items))))

    def refuse(self, node: ast.AST, construct: str, reason: str, hint: str) -> int:
        """Note a refusal at a node; the bit returned is carried by what the node yields."""
        statement = self.program.statements[self.at]
        refusal = Refusal(statement.cell, getattr(node, "lineno", statement.line), construct, reason, hint)
        if refusal not in self.refusals:
            self.refusals.append(refusal)
        return 1 << self.refusals.index(refusal)

    def learned(self, node: ast.AST, what: str, rows: Rows | None) -> int:
        """Note that something was learned over rows here; returns its number."""
        for number, old in enumerate(self.learnings):
            if old.node is node and old.rows == rows:
                return number
        self.learnings.append(Learning(self.at, self.top, node, rows, what))
        return len(self.learnings) - 1

    def assumed(self, fact: Fact) -> Fact:
        """`fact`, made by an operation that the tables do not know."""
        return replace(fact, assumed=fact.assumed | 1 << self.at) if fact.time is Time.ROW else fact

    def event(self, event: Event) -> None:
        self.events.append(event)

    def note(
        self, node: ast.AST, value: Value, op: str = "", of: ast.AST | None = None, time: Time | None = None
    ) -> Value:
        when = self.time(value) if time is None else time
        side = self._side(value)
        old = self.notes.get(id(node))
        if old is None:
            self.notes[id(node)] = Note(when, value.kind, op, of, side)
        elif when > old.time or (op and op != old.op) or side != old.side:
            self.notes[id(node)] = Note(
                max(when, old.time), old.kind or value.kind, op or old.op, of or old.of, side if side == old.side else ""
            )
        return value

    def _side(self, value: Value) -> str:
        if value.obj < 0:
            return ""
        rows = self.state.heap[value.obj].rows
        return "" if rows is None or rows.side == "all" else rows.side

    # ------------------------------------------------------------------ names

    def bind(self, name: str, value: Value) -> None:
        value = self.bound(value)
        state = self.state
        if state.local is not None and not (self._declared_global and name in self._declared_global[-1]):
            state.local[name] = value
            return
        state.names[name] = value
        self._clock += 1
        state.binders[name] = (self._clock, frozenset({self.cell}))
        self.effects[self.cell].defines[name] = None

    def lookup(self, name: str, node: ast.AST) -> Value:
        state = self.state
        if state.local is not None:
            if name in state.local:
                return state.local[name]
            for closure in reversed(self._closures):
                if closure is not None and name in closure:
                    return closure[name]
        value = state.names.get(name)
        if value is None:
            if name not in BUILTINS:
                statement = self.program.statements[self.at]
                self.undefined.append((name, self.at, getattr(node, "lineno", statement.line)))
                self.effects[self.cell].uses[name] = None
            return Value("lib" if name in BUILTINS else "unknown", name="builtins." + name)
        self._use(name, value)
        return value

    def _use(self, name: str, value: Value) -> None:
        effects = self.effects[self.cell]
        if name not in effects.defines and value.kind not in ("module", "lib"):
            effects.uses[name] = None
        clock, cells = self.state.binders.get(name, (0, frozenset()))
        if value.obj >= 0:
            written, writers = self.state.heap[value.obj].last
            if written > clock and name in self.state.names:
                cells = writers
        if value.kind in ("module", "lib"):
            return
        for source in cells:
            if source != self.cell:
                self.edges.setdefault((source, self.cell), {})[name] = None

    def assign(self, target: ast.expr, value: Value) -> None:
        match target:
            case ast.Name():
                self.bind(target.id, value)
            case ast.Tuple() | ast.List():
                self._unpack(target.elts, value)
            case ast.Starred():
                self.assign(target.value, value)
            case ast.Attribute():
                frames.set_attribute(self, target, self.eval(target.value), value)
            case ast.Subscript():
                base = self.eval(target.value)
                frames.set_item(self, target, base, self.eval(target.slice), value)
            case _:
                pass

    def _unpack(self, targets: list[ast.expr], value: Value) -> None:
        elements = self.elements(value)
        starred = [i for i, t in enumerate(targets) if isinstance(t, ast.Starred)]
        if elements is not None and not starred and len(elements) == len(targets):
            for target, element in zip(targets, elements, strict=True):
                self.assign(target, replace(element, fact=traced(element.fact, value.fact.serve, value.fact.fit)))
            return
        whole = self.data(value)
        for number, target in enumerate(targets):
            fact = combine(f"item:{number}", (whole,))
            kind = "series" if fact.time is Time.ROW else "unknown"
            self.assign(target, self.series(fact) if kind == "series" else Value(kind, fact))

    def elements(self, value: Value) -> list[Value] | None:
        """The elements of a tuple, list or dict (its keys) where all are known."""
        match value.kind:
            case "tuple":
                return list(value.parts)
            case "list" | "set" if value.obj >= 0:
                obj = self.obj(value)
                return None if obj.rest is not None or obj.maybe is not None else list(obj.items.values())
            case "dict" if value.obj >= 0:
                obj = self.obj(value)
                return None if obj.rest is not None else [self.constant(key) for key in obj.items]
            case "str" if value.is_const and isinstance(value.const, str):
                return [self.constant(letter) for letter in value.const]
            case "range" if value.is_const:
                return [self.constant(number) for number in value.const] if len(value.const) <= MAX_UNROLL else None
            case _:
                return None

    def constant(self, const: object, fact: Fact = NOTHING) -> Value:
        kind = "str" if isinstance(const, str) else "none" if const is None else "scalar"
        if fact.digest == "-":
            fact = replace(fact, digest=digest_of("const", repr(const)))
        return Value(kind, fact, const=const)

    def strings(self, value: Value) -> list[str] | None:
        """The known strings of a value: one of a string, all of a list of strings."""
        if value.is_const and isinstance(value.const, str):
            return [value.const]
        elements = self.elements(value) if value.kind in ("list", "tuple", "set", "dict") else None
        if elements is None:
            if value.kind == "index" and value.is_const and not value.maybe:
                return list(value.const)
            return None
        found = [element.const for element in elements]
        return found if all(isinstance(text, str) for text in found) else None

    def candidates(self, value: Value) -> list[str] | None:
        """The names that may be in a learned list of names, where that is known."""
        if value.kind == "index" and value.is_const and value.maybe:
            return list(value.const)
        if value.obj >= 0 and value.kind in ("list", "set"):
            obj = self.obj(value)
            if obj.maybe is not None and obj.rest is None:
                found = [item.const for item in obj.items.values()]
                if all(isinstance(name, str) for name in found):
                    return list(dict.fromkeys(found))
        return None

    def stand_for(self, symbol: int, whole: Fact) -> None:
        """Note what a name that is not known may stand for."""
        old = self.symbols.get(symbol)
        self.symbols[symbol] = whole if old is None else combine("or", (old, whole))

    def expanded(self, fact: Fact) -> Fact:
        """`fact` with the names that are not known replaced by all that they may stand for."""
        tokens = {token for token in fact.inputs | fact.learns if token.startswith("$")}
        if not tokens:
            return fact
        inputs = {token for token in fact.inputs if not token.startswith("$")}
        learns = {token for token in fact.learns if not token.startswith("$")}
        for token in tokens:
            whole = self.expanded(self.symbols[int(token[1:])])
            fact = replace(
                fact,
                serve=fact.serve | (whole.serve if token in fact.inputs else 0),
                fit=fact.fit | whole.fit,
                refused=fact.refused | whole.refused,
                assumed=fact.assumed | whole.assumed,
            )
            (inputs if token in fact.inputs else learns).update(whole.inputs)
            learns |= whole.learns
        return replace(fact, inputs=frozenset(inputs), learns=frozenset(learns))

    def symbol(self) -> int:
        self._symbols += 1
        return self._symbols

    # ------------------------------------------------------------------ compound statements

    def _augment(self, node: ast.AugAssign) -> None:
        target = node.target
        load = _as_load(target)
        left = self.eval(load)
        right = self.eval(node.value)
        if left.kind == "list" and left.obj >= 0 and isinstance(node.op, ast.Add):
            calls.extend_list(self, left, right)
            return
        self.assign(target, frames.operate(self, type(node.op).__name__, (left, right), node))

    def _if(self, node: ast.If) -> Exits:
        test = self.eval(node.test)
        known = truth(test)
        if known is not None and self.data(test).time is Time.CONSTANT:
            return self.block(node.body if known else node.orelse)
        return self._branches(node.test, test, [node.body, node.orelse])

    def _branches(self, node: ast.AST, test: Value, bodies: Sequence[Sequence[ast.stmt]]) -> Exits:
        control = self.data(test)
        if control.time is Time.ROW and not self.per_row and test.kind not in ("row",):
            bit = self.refuse(
                node,
                "branch-on-row",
                "the branch depends on the values of single rows, outside of a function that is applied to each row",
                "put the condition into the column's expression (np.where, .where, .loc[mask, column] = …)",
            )
            control = replace(control, refused=control.refused | bit)
        before = self.serve, self.fit
        self.serve |= control.serve
        self.fit |= control.fit
        start = self.state
        exits: set[str] = set()
        ends: list[State] = []
        for body in bodies:
            self.state = start.fork()
            step = self.block(body)
            exits |= step
            if "next" in step or "break" in step or "continue" in step:
                ends.append(self.state)
        self.state = start
        if ends:
            joined = ends[0]
            for other in ends[1:]:
                joined = join_states(control.digest, joined, other, Fact(control.time, self.serve, self.fit))
            start.adopt(joined)
        self.serve, self.fit = before
        return frozenset(exits)

    def _for(self, node: ast.For | ast.AsyncFor) -> Exits:
        iterable = self.eval(node.iter)
        control = self.data(iterable)
        before = self.serve, self.fit
        elements = self.iterate(iterable, node.iter)
        if control.time < Time.ROW:
            self.serve |= control.serve
            self.fit |= control.fit
        exits: set[str] = set()
        try:
            perhaps = self._perhaps(iterable)
            if perhaps is not None and len(perhaps) <= MAX_UNROLL:
                for element in perhaps:
                    start = self.state
                    self.state = start.fork()
                    self.assign(node.target, element)
                    exits |= self.block(node.body) & {"return"}
                    end, self.state = self.state, start
                    start.adopt(join_states(control.digest, end, start, Fact(Time.CONSTANT, self.serve, self.fit)))
            elif elements is not None and len(elements) <= MAX_UNROLL:
                for element in elements:
                    self.assign(node.target, element)
                    step = self.block(node.body)
                    exits |= step & {"return"}
                    if "next" not in step and not step & {"continue", "break"}:
                        break
            else:
                element = self.element(iterable, node.iter)
                for _ in range(2):
                    start = self.state
                    self.state = start.fork()
                    self.assign(node.target, element)
                    exits |= self.block(node.body) & {"return"}
                    end, self.state = self.state, start
                    start.adopt(join_states(control.digest, end, start, Fact(Time.CONSTANT, self.serve, self.fit)))
            if node.orelse:
                self.block(node.orelse)
        finally:
            self.serve, self.fit = before
        return frozenset(exits | {"next"})

    def _perhaps(self, value: Value) -> list[Value] | None:
        """The elements that a learned list may have, each of which the loop may see or not."""
        names = self.candidates(value)
        if names is None and value.kind == "frame" and value.obj >= 0:
            obj = self.obj(value)
            if obj.maybe is not None and obj.rest is None:
                names = list(obj.columns)
        if names is None:
            return None
        fact = replace(self.data(value), time=Time.LEARNED, digest="-")
        return [self.constant(name, replace(fact, serve=0, inputs=frozenset())) for name in names]

    def iterate(self, value: Value, node: ast.AST) -> list[Value] | None:
        """The values that a loop over `value` goes through, where they are known one by one."""
        if value.kind == "iterated":
            return list(value.parts)
        if value.kind == "frame" and value.obj >= 0:
            obj = self.obj(value)
            if obj.rest is None and obj.columns and obj.maybe is None:
                learned = combine("columns", (obj.fact,))
                return [self.constant(name, replace(learned, digest="-")) for name in obj.columns]
            return None
        if value.kind == "index" and value.is_const and not value.maybe:
            return [self.constant(name, replace(value.fact, digest="-")) for name in value.const]
        if value.kind in ("series", "array", "groupby", "str"):
            return None
        return self.elements(value)

    def element(self, value: Value, node: ast.AST) -> Value:
        """What a loop over `value` yields where its elements are not known: one value that stands for all."""
        fact = self.data(value)
        if value.kind == "stream":
            return value.parts[0]
        if value.kind == "frame":
            return Value("str", replace(self.obj(value).fact, digest=digest_of("column-of", fact.digest)), symbol=self.symbol())
        if fact.time is Time.ROW:
            bit = self.refuse(
                node,
                "loop-over-rows",
                "the loop goes through rows one by one; what it makes of a row may depend on the rows before",
                "write it as an expression on columns, or as a function used with .apply(…, axis=1)",
            )
            return Value("scalar", replace(combine("element", (fact,)), refused=fact.refused | bit))
        if value.kind in ("index", "list", "set", "keys", "unknown", "scalar", "dict", "tuple", "series"):
            inner: tuple[Value, ...] = ()
            if value.kind == "list" and value.obj >= 0:
                inner = tuple(self.obj(value).items.values())
            if inner and all(part.obj >= 0 for part in inner):
                joined = inner[0]
                for part in inner[1:]:
                    joined = join_values(fact.digest, joined, part)
                return joined
            return Value("str", combine("element", (fact,)), symbol=self.symbol())
        return Value("unknown", combine("element", (fact,)))

    def _while(self, node: ast.While) -> Exits:
        exits: set[str] = set()
        for _ in range(2):
            test = self.eval(node.test)
            exits |= self._branches(node.test, test, [node.body, []])
        return frozenset(exits - {"break", "continue"} | {"next"})

    def _try(self, node: ast.Try | ast.TryStar) -> Exits:
        start = self.state.fork()
        exits = set(self.block(node.body))
        after = self.state.fork()
        for handler in node.handlers:
            if handler.type is not None:
                self.eval(handler.type)
            current = self.state
            self.state = join_states("try", start.fork(), after.fork(), Fact(Time.CONSTANT, self.serve, self.fit))
            if handler.name:
                self.bind(handler.name, Value("unknown"))
            step = self.block(handler.body)
            exits |= step
            ended, self.state = self.state, current
            if "next" in step:
                current.adopt(join_states("except", current, ended, Fact(Time.CONSTANT, self.serve, self.fit)))
        if node.orelse:
            self.block(node.orelse)
        if node.finalbody:
            self.block(node.finalbody)
        return frozenset(exits - {"raise"} | {"next"})

    def _match(self, node: ast.Match) -> Exits:
        subject = self.eval(node.subject)
        for case in node.cases:
            for name in bound_names(case.pattern):
                self.bind(name, Value("unknown", self.data(subject)))
        return self._branches(node, subject, [*(case.body for case in node.cases), []])

    # ------------------------------------------------------------------ definitions

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        value = self.function(node)
        for decorator in node.decorator_list:
            made = self.eval(decorator)
            value = replace(value, fact=traced(value.fact, made.fact.serve, made.fact.fit))
        self.bind(node.name, value)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Value:
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults: dict[str, Value] = {}
        for argument, default in zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True):
            defaults[argument.arg] = self.eval(default)
        for argument, given in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if given is not None:
                defaults[argument.arg] = self.eval(given)
        self.functions.append(Function(node, self.state.local, defaults))
        return Value("function", Fact(digest=digest_of("function", _shape(node))), symbol=len(self.functions) - 1)

    def _class(self, node: ast.ClassDef) -> None:
        for base in node.bases:
            self.eval(base)
        for decorator in node.decorator_list:
            self.eval(decorator)
        self.classes[node.name] = node
        bases = [_dotted(base) for base in node.bases]
        self.bind(node.name, Value("class", Fact(digest=digest_of("class", _shape(node))), name=node.name, const=tuple(bases)))

    def closure_facts(self, node: ast.AST) -> Fact:
        """The facts of all global names that a function or class of the notebook reads."""
        found = []
        for name in sorted(free_names(node)):
            value = self.state.names.get(name)
            if value is not None:
                self._use(name, value)
                found.append(self.data(value))
        return combine("closure", found) if found else NOTHING

    def call_function(self, fn: Value, args: Sequence[Value], kwargs: Mapping[str, Value], node: ast.AST) -> Value:
        """Follow a call into a function of the notebook."""
        function = self.functions[fn.symbol]
        body = function.node
        if len(self._calls) >= MAX_DEPTH or self._calls.count(id(body)) >= 2:
            facts = [self.data(value) for value in (*args, *kwargs.values())]
            return Value("unknown", self.assumed(combine("recursion", [fn.fact, *facts])))
        outer, self.state.local = self.state.local, {}
        before = self.serve, self.fit
        self.serve |= fn.fact.serve
        self.fit |= fn.fact.fit
        self._calls.append(id(body))
        self._closures.append(function.closure)
        self._declared_global.append(set())
        self._returns.append([])
        try:
            self._bind_parameters(function, args, kwargs)
            if isinstance(body, ast.Lambda):
                return self.bound(self.eval(body.body))
            local = self.state.local
            self.block(body.body)
            self.state.local = local
            values = self._returns[-1]
            if not values:
                return NONE
            result = values[0]
            for other in values[1:]:
                result = join_values("return", result, other)
            return result
        finally:
            self._returns.pop()
            self._declared_global.pop()
            self._closures.pop()
            self._calls.pop()
            self.serve, self.fit = before
            self.state.local = outer

    def _bind_parameters(self, function: Function, args: Sequence[Value], kwargs: Mapping[str, Value]) -> None:
        local = self.state.local
        assert local is not None
        arguments = function.node.args
        local.update(function.defaults)
        names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
        for name, value in zip(names, args, strict=False):
            local[name] = value
        if arguments.vararg is not None:
            local[arguments.vararg.arg] = Value("tuple", parts=tuple(args[len(names) :]))
        named = {*names, *(argument.arg for argument in arguments.kwonlyargs)}
        for name, value in kwargs.items():
            if name in named:
                local[name] = value
        if arguments.kwarg is not None:
            rest = {name: value for name, value in kwargs.items() if name not in named}
            local[arguments.kwarg.arg] = self.new(Obj("dict", items=rest))
        for name in named:
            local.setdefault(name, Value("unknown"))

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if isinstance(node, ast.Import):
                qualified = alias.name if alias.asname else alias.name.partition(".")[0]
                self.bind(alias.asname or qualified, Value("module", name=qualified))
            elif alias.name != "*":
                qualified = f"{node.module or ''}.{alias.name}"
                self.bind(alias.asname or alias.name, Value("lib", name=canonical(qualified)))

    def _delete(self, target: ast.expr) -> None:
        match target:
            case ast.Name():
                self.eval(_as_load(target))
                if self.state.local is not None:
                    self.state.local.pop(target.id, None)
                else:
                    self.state.names.pop(target.id, None)
            case ast.Subscript():
                base = self.eval(target.value)
                key = self.eval(target.slice)
                frames.delete_item(self, target, base, key)
            case ast.Tuple() | ast.List():
                for element in target.elts:
                    self._delete(element)
            case _:
                pass

    # ------------------------------------------------------------------ expressions

    def eval(self, node: ast.expr) -> Value:
        self._work += 1
        if self._work > MAX_WORK:
            raise WorkLimitError
        return self.note(node, self._expression(node))

    def _expression(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant():
                return self.constant(node.value)
            case ast.Name():
                return self.lookup(node.id, node)
            case ast.Attribute():
                return frames.get_attribute(self, node, self.eval(node.value))
            case ast.Subscript():
                return frames.get_item(self, node, self.eval(node.value), self.eval(node.slice))
            case ast.Call():
                return calls.call(self, node)
            case ast.BinOp():
                return frames.operate(self, type(node.op).__name__, (self.eval(node.left), self.eval(node.right)), node)
            case ast.UnaryOp():
                return frames.operate(self, type(node.op).__name__, (self.eval(node.operand),), node)
            case ast.Compare():
                operands = [self.eval(node.left), *(self.eval(part) for part in node.comparators)]
                return frames.operate(self, "-".join(type(op).__name__ for op in node.ops), tuple(operands), node)
            case ast.BoolOp():
                return frames.operate(self, type(node.op).__name__, tuple(self.eval(part) for part in node.values), node)
            case ast.List() | ast.Set():
                kind = "list" if isinstance(node, ast.List) else "set"
                return self._display(node.elts, kind)
            case ast.Tuple():
                return Value("tuple", parts=tuple(self.eval(part) for part in node.elts))
            case ast.Dict():
                return self._dict(node)
            case ast.JoinedStr():
                return self._joined(node)
            case ast.FormattedValue():
                return self.eval(node.value)
            case ast.IfExp():
                return self._if_expression(node)
            case ast.Lambda():
                return self.function(node)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self._comprehension(node, node.elt, None)
            case ast.DictComp():
                return self._comprehension(node, node.value, node.key)
            case ast.NamedExpr():
                value = self.eval(node.value)
                self.assign(node.target, value)
                return value
            case ast.Slice():
                parts = tuple(NONE if part is None else self.eval(part) for part in (node.lower, node.upper, node.step))
                return Value("slice", parts=parts)
            case ast.Starred():
                return self.eval(node.value)
            case ast.Await():
                return self.eval(node.value)
            case ast.Yield() | ast.YieldFrom():
                value = NONE if node.value is None else self.eval(node.value)
                if self._returns:
                    self._returns[-1].append(self.bound(value))
                return value
            case _:
                return Value("unknown")

    def _display(self, elements: Sequence[ast.expr], kind: str) -> Value:
        items: list[Value] = []
        rest: Fact | None = None
        for element in elements:
            value = self.eval(element)
            if isinstance(element, ast.Starred):
                inner = self.elements(value)
                if inner is None:
                    rest = self.data(value) if rest is None else combine("rest", (rest, self.data(value)))
                else:
                    items.extend(inner)
            else:
                items.append(value)
        return self.new(Obj(kind, items=dict(enumerate(items)), rest=rest))

    def _dict(self, node: ast.Dict) -> Value:
        items: dict[object, Value] = {}
        rest: Fact | None = None
        for key, value_node in zip(node.keys, node.values, strict=True):
            value = self.eval(value_node)
            known = None if key is None else self.eval(key)
            if known is not None and known.is_const and _hashable(known.const):
                items[known.const] = value
            else:
                facts = [self.data(value), *([] if known is None else [self.data(known)])]
                rest = combine("items", facts if rest is None else [rest, *facts])
        return self.new(Obj("dict", items=items, rest=rest))

    def _joined(self, node: ast.JoinedStr) -> Value:
        parts = [self.eval(part) for part in node.values]
        fact = combine("f-string", [self.data(part) for part in parts])
        if all(part.is_const for part in parts) and not any(
            isinstance(part, ast.FormattedValue) and part.format_spec is not None for part in node.values
        ):
            return self.constant("".join(str(part.const) for part in parts), replace(fact, digest="-"))
        return Value("str", fact)

    def _if_expression(self, node: ast.IfExp) -> Value:
        test = self.eval(node.test)
        known = truth(test)
        if known is not None and self.data(test).time is Time.CONSTANT:
            return self.eval(node.body if known else node.orelse)
        control = self.data(test)
        joined = join_values(control.digest, self.eval(node.body), self.eval(node.orelse), control)
        return replace(joined, fact=combine("if", (control, joined.fact))) if joined.obj < 0 else joined

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, element: ast.expr, key: ast.expr | None
    ) -> Value:
        kind = {ast.SetComp: "set", ast.DictComp: "dict"}.get(type(node), "list")
        items: dict[object, Value] = {}
        rest: list[Fact] = []
        outer_local = self.state.local
        saved = None if outer_local is None else dict(outer_local)
        names = {name for generator in node.generators for name in bound_names(generator.target)}
        hidden = {name: self.state.names.get(name) for name in names}
        closure_scope = self.state.local is None
        if closure_scope:
            self.state.local = {}
        try:
            self._generate(node.generators, 0, element, key, items, rest, NOTHING)
        finally:
            if closure_scope:
                walrus = self.state.local or {}
                self.state.local = None
                for name, value in walrus.items():
                    if name not in names:
                        self.bind(name, value)
            elif saved is not None and self.state.local is not None:
                for name in names:
                    if name in saved:
                        self.state.local[name] = saved[name]
                    else:
                        self.state.local.pop(name, None)
        del hidden
        perhaps = [fact for fact in rest if fact is MAYBE]
        if perhaps and len(perhaps) == len(rest):
            facts = [item.fact for item in items.values()]
            membership = replace(combine("among", facts), time=Time.LEARNED, serve=0, inputs=frozenset())
            return self.new(Obj(kind, items=items, maybe=membership))
        known = [fact for fact in rest if fact is not MAYBE]
        whole = combine("rest", known) if known else None
        return self.new(Obj(kind, items=items, rest=whole))

    def _generate(
        self,
        generators: list[ast.comprehension],
        depth: int,
        element: ast.expr,
        key: ast.expr | None,
        items: dict[object, Value],
        rest: list[Fact],
        control: Fact,
    ) -> None:
        if depth == len(generators):
            value = self.eval(element)
            name = None if key is None else self.eval(key)
            uncertain = control.time > Time.CONSTANT or control.digest == "uncertain"
            if uncertain and key is None and value.is_const and isinstance(value.const, str):
                items[len(items)] = replace(value, fact=replace(combine("perhaps", (value.fact, control)), time=Time.LEARNED, serve=0, inputs=frozenset()))
                rest.append(MAYBE)
            elif uncertain or (name is not None and not (name.is_const and _hashable(name.const))):
                rest.append(combine("element", [self.data(value), control, *([] if name is None else [self.data(name)])]))
            elif name is not None:
                items[name.const] = value
            else:
                items[len(items)] = value
            return
        generator = generators[depth]
        iterable = self.eval(generator.iter)
        elements = self.iterate(iterable, generator.iter)
        whole = self.data(iterable)
        if elements is not None and len(elements) <= MAX_UNROLL:
            for one in elements:
                self.assign(generator.target, one)
                self._conditions(generators, depth, element, key, items, rest, control)
        else:
            self.assign(generator.target, self._quiet_element(iterable, generator.iter))
            inner = combine("each", (control, whole))
            time = Time.LEARNED if inner.time is Time.CONSTANT else inner.time
            self._conditions(generators, depth, element, key, items, rest, replace(inner, time=min(time, Time.ROW), digest="uncertain" if inner.digest == "-" else inner.digest))

    def _quiet_element(self, value: Value, node: ast.AST) -> Value:
        """An element of a comprehension's iterable: looking at rows there is learning, not a refusal."""
        fact = self.data(value)
        if fact.time is Time.ROW and value.kind != "frame":
            return Value("scalar", combine("element", (fact,)))
        return self.element(value, node)

    def _conditions(
        self,
        generators: list[ast.comprehension],
        depth: int,
        element: ast.expr,
        key: ast.expr | None,
        items: dict[object, Value],
        rest: list[Fact],
        control: Fact,
    ) -> None:
        for test in generators[depth].ifs:
            value = self.eval(test)
            known = truth(value)
            fact = self.data(value)
            if known is False and fact.time is Time.CONSTANT:
                return
            if known is not True or fact.time is not Time.CONSTANT:
                joined = combine("if", (control, fact))
                control = replace(joined, time=max(joined.time, Time.LEARNED))
        self._generate(generators, depth + 1, element, key, items, rest, control)


def truth(value: Value) -> bool | None:
    """Whether a value is true, where that is known."""
    return bool(value.const) if value.is_const and value.kind != "range" else None


def canonical(qualified: str) -> str:
    """One name for a library function however it is imported: `pandas.core.…` and the like are left alone."""
    return qualified


def _hashable(const: object) -> bool:
    try:
        hash(const)
    except TypeError:
        return False
    return True


def _shape(node: ast.AST) -> str:
    """The text of a function's or class's syntax without docstrings, positions and annotations."""
    return ast.dump(node, annotate_fields=False, include_attributes=False)


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return f"{_dotted(node.value)}.{node.attr}"
        case _:
            return ""


def _as_load(target: ast.expr) -> ast.expr:
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
