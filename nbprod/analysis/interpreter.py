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
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from nbprod.analysis import (
    attributes,
    classes,
    flow,
    functions,
    indexing,
    magic_effects,
    mutation,
    statements,
    views,
)
from nbprod.analysis.apart import Together
from nbprod.analysis.contents import Contents
from nbprod.analysis.effects import EffectLog, owner_of
from nbprod.analysis.expressions import BY_SYNTAX
from nbprod.analysis.joins import Lookup
from nbprod.analysis.keys import Joined
from nbprod.analysis.values import (
    NOTHING,
    Event,
    Exits,
    Fact,
    Frame,
    Note,
    Obj,
    Rows,
    Time,
    Value,
    combine,
    digest_of,
    traced,
)
from nbprod.analysis.work import MOST, Work, WorkLimitError
from nbprod.model.plan import Refusal
from nbprod.model.program import Program, Statement
from nbprod.notebook.parsed import nodes_below

BUILTINS = frozenset(dir(builtins)) | {"get_ipython", "display", "__file__", "__name__", "In", "Out", "_", "__"}


class Learning(Struct, frozen=True):
    """A place where something was learned over rows: the statement, the node, and the rows looked at."""

    statement: int
    top: int
    node: ast.AST
    rows: Rows | None
    what: str


def _holds_plain(obj: Obj) -> bool:
    """Whether all elements of a container are known, and none of them can be written to."""
    if obj.kind not in ("list", "dict", "set") or obj.rest is not None or not obj.items:
        return False
    return all(item.obj < 0 and item.ident < 0 and not item.parts for item in obj.items.values())


def _is_named(value: Value) -> bool:
    """Whether a value is told apart from others of its kind: it is an object, or a text that is known."""
    return value.obj >= 0 or (value.kind == "str" and value.is_const)


class Interpreter(Contents):
    """One abstract execution. `run` goes through all cells; the results are left in the attributes."""

    def __init__(
        self,
        program: Program,
        schemas: Mapping[str, Sequence[str]] | None = None,
        pandas_major: int = 3,
        joins: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.program = program
        self.schemas = dict(schemas or {})
        self.joins = dict(joins or {})
        self.pandas_major = pandas_major
        self.written_for = pandas_major
        self.view_writes: list[views.ViewWrite] = []
        self.by_node: dict[int, Statement] = {id(s.node): s for s in program.statements}
        self.notes: dict[int, Note] = {}
        self.operands: dict[int, Fact] = {}
        self.events: list[Event] = []
        self.refusals: list[Refusal] = []
        self.learnings: list[Learning] = []
        self.learned_by: dict[int, tuple[int, ...]] = {}
        self.compared: set[tuple[int, frozenset[str]]] = set()
        self.effects = EffectLog(len(program.sources))
        self.undefined: list[tuple[str, int, int]] = []
        self.functions: list[functions.Function] = []
        self.classes: dict[str, classes.LocalClass] = {}
        self.dropped: list[tuple[int, int, str]] = []
        self.counted: list[tuple[str, int]] = []
        self.serve = 0
        self.fit = 0
        self.at = -1
        self.top = -1
        self.cell = -1
        self.per_row = 0
        self.looked_at: list[Fact] = []
        self.bare: ast.expr | None = None
        self.folder = str(Path(program.path).parent)
        self.objects_made = 0
        self._clock = 0
        self.work = Work()
        self.returns: list[list[Value]] = []
        self.call_stack: list[int] = []
        self.frames: list[Frame] = []
        self.scopes: list[functions.Scope] = []
        self.open_imports: list[int] = []
        self.clouded = 0
        self.neighbours = 0
        self.one_by_one = 0
        self.along = 0
        self.ahead = 0
        self.configured = 0
        self.dummies: dict[str, str] = {}
        self.made: list[ast.expr] = []
        self.together: dict[tuple[Rows, ...], Together] = {}
        self.joined: list[Joined] = []
        self.lookups: dict[int, Lookup] = {}
        self.halves: dict[int, tuple[int, ...]] = {}
        self.steps: dict[int, tuple[int, ...]] = {}
        self.all_as_one = 0
        self.told_apart: set[int] = set()
        self.loop_at = 0
        self.within_modules = 0

    # ------------------------------------------------------------------ the run

    def run(self) -> None:
        for cell in range(len(self.program.sources)):
            self.run_cell(cell)

    def continue_with(self, program: Program) -> None:
        """Go on with another version of the notebook, the same as the old one up to where the execution stands."""
        self.program = program
        self.by_node = {id(s.node): s for s in program.statements}
        self.effects.resize(len(program.sources))

    def run_cell(self, cell: int) -> None:
        """Go through one cell: its top-level statements, and its magics in between."""
        self.cell = cell
        self.effects.begin(cell, self.state)
        magics = list(self.program.magics[cell]) if self.program.magics else []
        for statement in self.program.tops[cell]:
            while magics and magics[0].line <= statement.line:
                magic_effects.apply_magic(self, magics.pop(0))
            self.top = statement.id
            self.work.begin()
            self.execute(statement.node)
        for magic in magics:
            magic_effects.apply_magic(self, magic)
        self.effects.end()

    def execute(self, node: ast.stmt) -> Exits:
        statement = self.by_node[id(node)]
        before = self.serve, self.fit, self.at
        bit = 1 << statement.id
        self.serve |= bit
        self.fit |= bit
        self.at = statement.id
        try:
            return statements.statement(self, node)
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
        for inner in nodes_below(node):
            statement = self.by_node.get(id(inner))
            if statement is not None and isinstance(inner, ast.If | ast.Return | ast.Break | ast.Continue):
                bits |= 1 << statement.id
        if isinstance(node, ast.If):
            test = self.data(self.eval(node.test))
            return Fact(serve=bits | test.serve, fit=bits | test.fit)
        return Fact(serve=bits, fit=bits)

    # ------------------------------------------------------------------ objects and facts

    def new(self, obj: Obj, fact: Fact = NOTHING, **extra: object) -> Value:
        """A reference to a new object."""
        self.objects_made += 1
        self._clock += 1
        self.state.heap[self.objects_made] = replace(obj, last=(self._clock, frozenset({self.cell})))
        return Value(obj.kind, fact, self.objects_made, name=obj.type, **extra)  # type: ignore[arg-type]

    def write(self, number: int, obj: Obj) -> None:
        """Replace an object by its next version; every global name that leads to it counts as updated."""
        self._clock += 1
        self.state.heap[number] = replace(obj, last=(self._clock, frozenset({self.cell})))
        self.effects.written(number)
        if obj.columns or obj.kind == "frame" or (obj.items and _is_named(next(reversed(obj.items.values())))):
            self.told_apart.add(number)

    def touch(self, value: Value) -> None:
        """Note that what a value refers to is changed in a way that its facts do not tell."""
        changed = {owner_of(value), value.ident} - {-1}
        changed |= {number for one in changed for number in self.steps.get(one, ())}
        for number in changed:
            if number in self.state.heap:
                self.write(number, self.state.heap[number])

    def identified(self, value: Value, owner: Value | None = None) -> Value:
        """`value` as a thing of its own, or as a part of `owner`, so that what is done to it can be followed."""
        if owner is not None and owner.obj >= 0 and _holds_plain(self.state.heap[owner.obj]):
            return value
        number = self.store(Obj("thing")) if owner is None else owner_of(owner)
        return value if number < 0 else replace(value, ident=number)

    def bound(self, value: Value) -> Value:
        """`value` as bound by the statement at hand."""
        fact = traced(value.fact, self.serve, self.fit)
        return value if fact is value.fact else replace(value, fact=fact)

    def scalar(self, fact: Fact, kind: str = "scalar") -> Value:
        return Value(kind, fact)

    def series(self, fact: Fact, *, view: tuple[int, str] | None = None, ref: Fact = NOTHING) -> Value:
        """A column of data: row data when its fact says so."""
        if fact.time < Time.ROW:
            return Value("series", ref, self.store(Obj("series", fact)), view=view)
        return Value("series", ref, self.store(Obj("series", fact, rows=fact.rows)), view=view)

    def store(self, obj: Obj) -> int:
        self.objects_made += 1
        self._clock += 1
        self.state.heap[self.objects_made] = replace(obj, last=(self._clock, frozenset({self.cell})))
        return self.objects_made

    def list_of(self, items: Sequence[Value], kind: str = "list", fact: Fact = NOTHING) -> Value:
        return self.new(Obj(kind, fact, items=dict(enumerate(items))))

    def refuse(self, node: ast.AST, construct: str, reason: str, hint: str) -> int:
        """Note a refusal at a node; the bit returned is carried by what the node yields."""
        statement = self.program.statements[self.at]
        refusal = Refusal(statement.cell, getattr(node, "lineno", statement.line), construct, reason, hint)
        if refusal not in self.refusals:
            self.refusals.append(refusal)
        return 1 << self.refusals.index(refusal)

    def refuse_here(self, construct: str, reason: str, hint: str) -> int:
        """Note a refusal of the statement at hand; as `refuse`."""
        return self.refuse(self.program.statements[self.at].node, construct, reason, hint)

    def learned(self, node: ast.AST, what: str, rows: Rows | None) -> int:
        """Note that something was learned over rows here; returns its number."""
        before = self.learned_by.get(id(node), ())
        for number in before:
            old = self.learnings[number]
            if old.what == what and old.rows == rows:
                return number
        self.learned_by[id(node)] = (*before, len(self.learnings))
        self.learnings.append(Learning(self.at, self.top, node, rows, what))
        return len(self.learnings) - 1

    def predicted(self, fact: Fact) -> Fact:
        """`fact`, marked as the predictions of the event that is noted next, whichever predictions they are made of."""
        learned = frozenset(number for number in fact.learned_at if number >= 0)
        return replace(fact, learned_at=learned | {-1 - len(self.events)})

    def assumed(self, fact: Fact) -> Fact:
        """`fact`, made by an operation that the tables do not know."""
        return replace(fact, assumed=fact.assumed | 1 << self.at) if fact.time is Time.ROW else fact

    def event(self, event: Event) -> None:
        self.events.append(replace(event, frames=tuple(self.frames)) if self.frames else event)

    def note(
        self, node: ast.AST, value: Value, op: str = "", of: ast.AST | None = None, time: Time | None = None
    ) -> Value:
        rows = None
        if value.obj >= 0:
            obj = self.state.heap[value.obj]
            rows = obj.rows
            if time is None:
                time = max(value.fact.time, self.time_inside(obj))
        elif time is None:
            time = value.fact.time if not value.parts else self.time(value)
            if value.kind == "groupby":
                time = max(time, self.time(value.parts[0]))
        side = "" if rows is None or rows.side == "all" else rows.side
        root = -1 if rows is None else rows.root
        old = self.notes.get(id(node))
        if old is None:
            self.notes[id(node)] = Note(time, value.kind, op, of, side, root)
        elif time > old.time or (op and op != old.op) or (of and not old.of) or side != old.side or root != old.root:
            self.notes[id(node)] = Note(
                max(time, old.time),
                old.kind or value.kind,
                op or old.op,
                of or old.of,
                side if side == old.side else "",
                root if root == old.root else -1,
            )
        return value

    def note_operands(self, nodes: Sequence[ast.AST], values: Sequence[Value]) -> None:
        """Keep the facts of the parts of a statement of which some may be labels."""
        if len(nodes) == len(values):
            self.operands.update({id(node): self.data(value) for node, value in zip(nodes, values, strict=True)})

    def picked(self, node: ast.Subscript, base: Value, item: Value) -> None:
        """Note that a computed place of a container chose one of the things that it holds, each told apart."""
        if not isinstance(node.slice, ast.Constant) and _is_named(item):
            self.told_apart.add(base.obj)

    # ------------------------------------------------------------------ names

    def is_global(self, name: str) -> bool:
        """Whether the code at hand binds `name` in the notebook's own namespace."""
        return self.state.local is None or bool(self.scopes and name in self.scopes[-1].declared)

    def enclosing(self) -> functions.Scopes:
        """The scopes that a function defined here sees, innermost first."""
        around = self.scopes[-1].around if self.scopes else ()
        local = self.state.local
        return around if local is None or (self.scopes and self.scopes[-1].is_class) else (local, *around)

    def bind(self, name: str, value: Value) -> None:
        value = self.bound(value)
        state = self.state
        if not self.is_global(name):
            assert state.local is not None
            rebinds = self.scopes[-1].rebinds if self.scopes else {}
            scope = rebinds.get(name, state.local)
            self._note_table(scope.get(name), value)
            scope[name] = value
            return
        self.bind_global(name, value)

    def bind_global(self, name: str, value: Value) -> None:
        """Bind a name in the notebook's own namespace."""
        state = self.state
        old = state.names.get(name)
        self._note_table(old, value)
        # `model = model.fit(…)` binds what the name stands for already; an earlier fit is forgotten by the next.
        again = value.kind == "estimator" and old is not None and old.obj == value.obj
        state.names[name] = old if again and old is not None else self.bound(value)
        self._clock += 1
        state.binders[name] = (self._clock, frozenset({self.cell}))
        state.imports -= {name}
        self.effects.define(name)

    def _note_table(self, old: Value | None, new: Value) -> None:
        """Note that a name's table gives way to one with other columns, as if it had been written."""
        if old is None or old.obj == new.obj or not old.kind == new.kind == "frame" or -1 in (old.obj, new.obj):
            return
        if len(self.call_stack) == self.loop_at and self.obj(old).columns.keys() != self.obj(new).columns.keys():
            self.told_apart.add(-1)

    def renew(self, name: str, value: Value) -> None:
        """Let a name stand for what its value was changed into, where the value is no object with a state."""
        scope = self.state.names if self.is_global(name) else self.state.local or {}
        if name in scope:
            scope[name] = value

    def rewritten(self, name: str) -> None:
        """What a name of the notebook stands for was changed, and is no object of which that could be noted."""
        if self.in_function(name) is not None or name in self.state.imports or name in BUILTINS:
            return
        self._clock += 1
        self.state.binders[name] = (self._clock, frozenset({self.cell}))
        self.effects.update(name)

    def unbind(self, target: ast.Name) -> None:
        """`del name`."""
        scope = self.state.names if self.is_global(target.id) else self.state.local or {}
        if scope.pop(target.id, None) is None:
            self.lookup(target.id, target)

    def in_function(self, name: str) -> Value | None:
        """What a name stands for in the function at hand and those around it; None for one of the notebook's own."""
        local = self.state.local
        if local is None:
            return None
        if name in local and not self.is_global(name):
            return local[name]
        return next((scope[name] for scope in (self.scopes[-1].around if self.scopes else ()) if name in scope), None)

    def lookup(self, name: str, node: ast.AST) -> Value:
        inner = self.in_function(name)
        if inner is not None:
            return inner
        state = self.state
        value = state.names.get(name)
        if value is None:
            if name in BUILTINS:
                return Value("lib", name="builtins." + name)
            if not self.open_imports:
                statement = self.program.statements[self.at]
                self.undefined.append((name, self.at, getattr(node, "lineno", statement.line)))
                self.effects.use(name, state)
            return Value("unknown", name="builtins." + name)
        self.effects.use(name, state)
        return value

    def assign(self, target: ast.expr, value: Value) -> None:
        match target:
            case ast.Name():
                self.bind(target.id, value)
            case ast.Tuple() | ast.List():
                self._unpack(target.elts, value)
            case ast.Starred():
                self.assign(target.value, value)
            case ast.Attribute():
                attributes.set_attribute(self, target, self.eval(target.value), value)
                mutation.changed_within(self, target.value)
            case ast.Subscript():
                base = self.eval(target.value)
                indexing.set_item(self, target, base, self.eval(target.slice), value)
                mutation.changed_within(self, target.value, surely=True)
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
            fact = self._part(combine(f"item:{number}", (whole,)), number)
            kind = "series" if fact.time is Time.ROW else "unknown"
            self.assign(target, self.series(fact) if kind == "series" else Value(kind, fact))

    def _part(self, fact: Fact, number: int) -> Fact:
        """One of several results: those of a call that nobody knows may each have rows of their own."""
        if fact.rows is None or not fact.assumed >> self.at & 1:
            return fact
        digest = digest_of("part", fact.rows.digest, fact.digest)
        chain = (*fact.rows.chain, f"part:{digest}:{number}")
        return replace(fact, rows=replace(fact.rows, fit=fact.rows.fit | self.fit, digest=digest, chain=chain))

    # ------------------------------------------------------------------ expressions

    def as_load(self, target: ast.expr) -> ast.expr:
        """A target as an expression that reads it; kept, since what is noted of a node goes by its identity."""
        made = flow.as_load(target)
        self.made.append(made)
        return made

    def eval(self, node: ast.expr) -> Value:
        work = self.work
        work.done += 1
        if work.done > MOST:
            raise WorkLimitError
        evaluate = BY_SYNTAX.get(type(node))
        return self.note(node, Value("unknown") if evaluate is None else evaluate(self, node))
