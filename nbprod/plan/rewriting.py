"""The author's text with its learned sites wrapped: one text that trains and serves.

Each statement that serving needs is kept as it stands, except for these edits:

* an expression that looks over rows becomes `learned("name", lambda: …)`,
* `x.fit(…)` and `x.fit_transform(…)` become `learned.fit("name", x, …)` and `learned.fit_transform("name", x, …)`,
* an operation that looks over rows and writes to each becomes its idiom's serving form,
* what drops, adds or orders rows happens only `if learned.fitting`,
* a call of one of the notebook's functions that holds such a place hands `learned` on.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from nbprod.analysis.changed_arguments import CHANGES
from nbprod.analysis.column_masks import KIND as COLUMN_MASK
from nbprod.analysis.interpreter import Interpreter
from nbprod.analysis.mutation import changes_receiver
from nbprod.analysis.program import blocks_of
from nbprod.analysis.scopes import free_names, nodes_of
from nbprod.analysis.values import Note, Time
from nbprod.model.plan import LearnedSite, LookupTable, Refusal
from nbprod.model.program import Program, Statement
from nbprod.notebook.parsed import parsed
from nbprod.plan import edits, lookups, rows, together
from nbprod.plan.rendered import INDENT, Line, Rendered
from nbprod.plan.source import Edit, Source, dedented, header_end, indented


class Masks(Struct, frozen=True):
    """Which statements are needed: always (`serve`), with labels (`label`), in training (`fit`).

    `given` are those that made the raw frame, which is handed in.
    """

    serve: int
    label: int
    fit: int
    given: int = 0

    @property
    def all(self) -> int:
        return self.serve | self.label | self.fit

    def never_made(self, bits: int) -> bool:
        """Whether something made by these statements is missing from the extracted code."""
        return bool(bits & ~(self.all | self.given))


class Rewriter:
    """Renders statements of one notebook. Sites, idioms, functions and refusals are collected on the way."""

    def __init__(self, program: Program, run: Interpreter, masks: Masks, side: str = "all", root: int = -1) -> None:
        self.program = program
        self.side = side
        self.root = root
        self.run = run
        self.masks = masks
        self.sources = [Source(text) for text in program.sources]
        self.by_node: dict[int, Statement] = {id(s.node): s for s in program.statements}
        self.sites: list[LearnedSite] = []
        self.lookups: dict[int, LookupTable] = {}
        self.idioms: dict[str, str] = {}
        self.taken = names_bound(program)
        self.refusals: list[Refusal] = []
        self.functions: dict[str, Statement] = {
            s.node.name: s for s in program.statements if isinstance(s.node, ast.FunctionDef) and s.parent == -1
        }
        self.threaded: dict[str, list[Line]] = {}
        self.plain: dict[str, list[Line]] = {}
        self._rendering: list[str] = []
        self.site_counts: dict[str, int] = {}
        self.loops: list[str] = []
        self.touched = False
        self.replaced: dict[int, str] = {}
        self.handed_in = -1
        self.inlined: set[int] = set()
        self.module_names: frozenset[str] = frozenset()
        self.bound = ""
        self.whole: ast.AST | None = None

    def rows_from(self, read: ast.Call, name: str, *, inside: ast.AST, dataset: bool) -> None:
        """The rows that `read` reads are handed in as `name`; in a function other than `inside` by `learned`.

        `dataset`: the call gives one of scikit-learn's own tables, and is made of the rows again.
        """
        rows = name if any(node is read for node in ast.walk(inside)) else "learned.rows"
        if dataset:
            self.replaced[id(read)] = edits.dataset_text(self, read, rows)
        else:
            self.replaced[id(read)] = rows
        if self.replaced[id(read)] != name:
            self.handed_in = id(read)

    # ------------------------------------------------------------------ statements

    def statement(self, statement: Statement, *, fitting: bool = False) -> Rendered:
        """One statement at the margin. With `fitting` it runs in training only and keeps its text."""
        node = statement.node
        source = self.sources[statement.cell]
        start = source.offset(statement.line, node.col_offset)
        comments: list[Line] = [(text, line) for line, text in source.leading_comments(start)]
        if fitting:
            rendered = Rendered(self.text(statement, fitting=True), fitting=True)
        elif isinstance(node, ast.For) and rows.is_over_folds(self, node):
            rendered = rows.folds(self, statement)
        elif isinstance(node, ast.For) and rows.is_over_groups(self, node):
            rendered = rows.groups(self, statement)
        elif any(True for _ in blocks_of(node)):
            rendered = Rendered(self.compound(statement))
        else:
            rendered = self._simple(statement)
        if rendered.lines:
            rendered.lines = [*comments, *rendered.lines]
        return rendered

    def expression(self, statement: Statement, node: ast.expr) -> Rendered:
        """One expression of a statement as a statement of its own, in training only."""
        source = self.sources[statement.cell]
        edits = list(self.edits_of(node, statement.cell, True))
        text = dedented(source.rendered(source.start(node), source.end(node), edits), node.col_offset)
        return Rendered(self._numbered(text, node.lineno), fitting=True)

    def pruned(self, statement: Statement, needed: int) -> Rendered:
        """A statement that runs in training only, without inner statements that are not `needed` (a bit set)."""
        if not any(True for _ in blocks_of(statement.node)):
            return self.statement(statement, fitting=True)
        masks, self.masks = self.masks, replace(self.masks, fit=self.masks.fit | needed)
        lines = self.compound(statement, fitting=True)
        self.masks = masks
        return Rendered(lines, fitting=True)

    def use_idiom(self, name: str, function: str) -> str:
        """The name of an idiom's function in the extracted code: another than any of the notebook's own."""
        while function in self.taken:
            function += "_"
        self.idioms[name] = function
        return function

    def _simple(self, statement: Statement) -> Rendered:
        if self._deletes_nothing(statement):
            return Rendered([])
        chain = rows.row_change(self, statement)
        if chain is not None:
            return chain
        return Rendered(self.text(statement, fitting=False))

    def _deletes_nothing(self, statement: Statement) -> bool:
        """Whether a statement only deletes columns, and only such as the extracted code does not make."""
        match statement.node:
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Call(func=ast.Attribute(value=ast.Name(id=base))) as call
            ) if name == base and self._drops_columns(call):
                pass
            case ast.Expr(value=ast.Call() as call) if self._drops_columns(call):
                pass
            case ast.Delete():
                pass
            case _:
                return False
        gone = [bits for at, bits, _ in self.run.dropped if at == statement.id]
        return bool(gone) and all(self.masks.never_made(bits) for bits in gone)

    def _drops_columns(self, call: ast.Call) -> bool:
        note = self.note(call)
        return note is not None and note.op == "drop-columns"

    def text(self, statement: Statement, *, fitting: bool) -> list[Line]:
        source = self.sources[statement.cell]
        node = statement.node
        start = source.offset(statement.line, node.col_offset)
        edits = list(self.edits_of(node, statement.cell, fitting))
        text = source.rendered(start, source.end(node), edits) + source.trailing_comment(source.end(node))
        text = dedented(text, node.col_offset)
        return self._numbered(text, statement.line)

    @staticmethod
    def _numbered(text: str, line: int) -> list[Line]:
        return [(part, line + number) for number, part in enumerate(text.split("\n"))]

    def compound(self, statement: Statement, *, fitting: bool = False) -> list[Line]:
        """A compound statement with its header edited and the inner statements that are needed.

        With `fitting` it runs in training only, so nothing of it is wrapped.
        """
        node = statement.node
        source = self.sources[statement.cell]
        lines: list[Line] = []
        looped = isinstance(node, ast.For) and isinstance(node.target, ast.Name)
        if looped:
            self.loops.append(node.target.id)  # type: ignore[attr-defined]
        at = source.offset(statement.line, node.col_offset)
        kept_any = False
        for block in blocks_of(node):
            first = source.offset(self.by_node[id(block[0])].line, block[0].col_offset)
            if isinstance(node, ast.If) and block is node.orelse and source.text[first : first + 4] == "elif":
                inner_lines = self.compound(self.by_node[id(block[0])])
                lines.extend(inner_lines)
                kept_any = kept_any or bool(inner_lines)
                continue
            is_first = block is next(iter(blocks_of(node)))
            header_at = self._header_start(source, at, first, is_first)
            text = source.text[header_at:first]
            end = header_at + header_end(text)
            header = (
                source.text[header_at:end] if fitting else self._header(node, statement.cell, source, header_at, end)
            )
            inner = self._needed_text(block) if fitting else self.block(block)
            handler = isinstance(node, ast.Try) and any(block is one.body for one in node.handlers)
            if inner or is_first or handler:
                lines.extend(self._numbered(dedented(header, node.col_offset), source.line_of(header_at)))
                lines.extend((indented(part, INDENT), line) for part, line in (inner or [("pass", 0)]))
                kept_any = kept_any or bool(inner)
            last = block[-1]
            at = source.end(last)
        if looped:
            self.loops.pop()
        return lines if kept_any or isinstance(node, ast.FunctionDef) else []

    @staticmethod
    def _header_start(source: Source, at: int, first: int, is_first: bool) -> int:
        """Where the header of a block starts: behind the block before it, blanks and comments passed over."""
        if is_first:
            return at
        text = source.text
        while at < first:
            if text[at] in " \t\r\n;":
                at += 1
            elif text[at] == "#":
                at = text.find("\n", at)
            else:
                break
        return at

    def _header(self, node: ast.stmt, cell: int, source: Source, start: int, end: int) -> str:
        parts: list[ast.AST] = []
        match node:
            case ast.If() | ast.While():
                parts = [node.test]
            case ast.For():
                parts = [node.iter]
            case ast.With():
                parts = [item.context_expr for item in node.items]
            case _:
                parts = []
        edits = [edit for part in parts for edit in self.edits_of(part, cell, False)]
        return source.rendered(start, end, edits)

    def block(self, body: Iterable[ast.stmt]) -> list[Line]:
        """The statements of a block that are needed, those of training only under their condition."""
        lines: list[Line] = []
        pending: list[Rendered] = []
        for node in body:
            statement = self.by_node[id(node)]
            mode = self.mode(statement)
            if mode == "none":
                continue
            rendered = self.statement(statement, fitting=mode == "fit")
            if not rendered.lines:
                continue
            if rendered.fitting:
                self.touched = True
                if rendered.otherwise:
                    lines.extend(guarded(pending))
                    lines.extend(guarded([rendered]))
                    pending = []
                else:
                    pending.append(rendered)
                continue
            lines.extend(guarded(pending))
            pending = []
            lines.extend(rendered.lines)
        lines.extend(guarded(pending))
        return lines

    def _needed_text(self, body: Iterable[ast.stmt]) -> list[Line]:
        """The statements of a block that are needed, as they stand."""
        statements = [self.by_node[id(node)] for node in body]
        return [
            line
            for statement in statements
            if self.mode(statement) != "none"
            for line in self.statement(statement, fitting=True).lines
        ]

    def mode(self, statement: Statement) -> str:
        """`always`, `label`, `fit` or `none`, by the masks; definitions and imports inside functions stay."""
        bit = 1 << statement.id
        if self.masks.serve & bit:
            return "always"
        if self.masks.label & bit:
            return "label" if statement.parent == -1 or statement.id in self.inlined else "always"
        if self.masks.fit & bit:
            return "fit"
        node = statement.node
        if statement.parent >= 0:
            if isinstance(node, ast.Import | ast.ImportFrom | ast.Global | ast.Nonlocal | ast.FunctionDef):
                return "always"
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                return "always"
        return "none"

    # ------------------------------------------------------------------ expressions

    def note(self, node: ast.AST) -> Note | None:
        return self.run.notes.get(id(node))

    def edits_of(self, node: ast.AST, cell: int, fitting: bool) -> Iterator[Edit]:
        """The edits of an expression or simple statement."""
        if id(node) in self.replaced:
            source = self.sources[cell]
            self.touched |= id(node) == self.handed_in
            yield Edit(source.start(node), source.end(node), self.replaced[id(node)])
            return
        note = self.note(node)
        if isinstance(node, ast.List | ast.Tuple | ast.Dict) and not fitting:
            made = edits.display_edits(self, node, cell)
            if made is not None:
                yield from made
                return
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            self.bound, self.whole = node.targets[0].id, node.value
            yield from self.edits_of(node.value, cell, fitting)
            self.bound, self.whole = "", None
            return
        if isinstance(node, ast.NamedExpr):
            outer = (self.bound, self.whole)
            self.bound, self.whole = node.target.id, node.value
            yield from self.edits_of(node.value, cell, fitting)
            self.bound, self.whole = outer
            return
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple | ast.List) and not fitting:
            yield from rows.other_side_edits(self, node.value, cell)
            return
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple) and not fitting:
            for part in node.value.elts:
                yield from rows.part_edits(self, part, cell)
            return
        if isinstance(node, ast.Name) and node.id in self.functions and self._learns(node.id):
            yield from self._handed_function_edits(node, cell, fitting)
            return
        if isinstance(node, ast.expr) and note is not None:
            made = self._expression_edits(node, note, cell, fitting)
            if made is not None:
                yield from made
                return
        for child in ast.iter_child_nodes(node):
            yield from self.edits_of(child, cell, fitting)

    def _expression_edits(self, node: ast.expr, note: Note, cell: int, fitting: bool) -> list[Edit] | None:
        """The edits of one expression, None when only its parts are to be looked at."""
        if note.kind == COLUMN_MASK or note.op == "row-numbers":
            return []
        if note.op in ("user-call", "method-call") and isinstance(node, ast.Call):
            return self._call_edits(node, cell, fitting, note)
        if note.op == "drop-columns" and isinstance(node, ast.Call):
            return edits.drop_edits(self, node, cell, fitting=fitting)
        if fitting:
            return None
        if isinstance(node, ast.Call) and note.op in ("fit", "fit-transform", "fit-predict"):
            return edits.fit_edits(self, node, note, cell)
        if note.op.startswith("idiom:"):
            return edits.idiom_edits(self, node, note, cell)
        if note.op == "row-changing":
            return edits.guard_edits(self, node, cell)
        if note.op == "concat":
            return together.together_edits(self, node, note, cell)
        if note.op == "lookup" and isinstance(node, ast.Call):
            return lookups.lookup_edits(self, node, cell)
        if note.op == "rows-and-columns" and isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            return edits.rows_and_columns(self, node, cell)
        if note.op in ("reads", "outside"):
            return edits.site_edits(self, node, cell)
        if note.op == CHANGES:
            return None
        if isinstance(node, ast.Slice | ast.Starred) or any(
            isinstance(part, ast.Slice) for part in getattr(node, "elts", ())
        ):
            return None
        if _is_learned(node, note) and self._looks_at_rows(node) and not self._fits(node):
            return None if _is_several(node) or _binds(node) else edits.site_edits(self, node, cell)
        return None

    def _looks_at_rows(self, node: ast.AST) -> bool:
        for inner in ast.walk(node):
            if inner is node:
                continue
            note = self.note(inner)
            if note is not None and (note.time is Time.ROW or note.op in ("outside", "reads")):
                return True
        return False

    def _fits(self, node: ast.AST) -> bool:
        """Whether an expression fits an estimator on the way, which serving has to restore."""
        for inner in ast.walk(node):
            note = self.note(inner)
            if note is not None and note.op in ("fit", "fit-transform", "fit-predict"):
                return True
        return False

    def edits_of_children(self, node: ast.AST, cell: int, fitting: bool) -> Iterator[Edit]:
        for child in ast.iter_child_nodes(node):
            yield from self.edits_of(child, cell, fitting)

    def statement_of(self, node: ast.AST, cell: int) -> Statement | None:
        best: Statement | None = None
        for statement in self.program.statements:
            if statement.cell == cell and statement.line <= node.lineno <= statement.end_line:  # type: ignore[attr-defined]
                best = statement
        return best

    # ------------------------------------------------------------------ functions

    def _call_edits(self, node: ast.Call, cell: int, fitting: bool, note: Note) -> list[Edit] | None:
        source = self.sources[cell]
        if not fitting and _is_learned(node, note) and self._looks_at_rows(node) and not _binds(node):
            return edits.site_edits(self, node, cell)
        named = isinstance(node.func, ast.Name)
        children = [child for child in ast.iter_child_nodes(node) if not (named and child is node.func)]
        inner = [edit for child in children for edit in self.edits_of(child, cell, fitting)]
        if not isinstance(node.func, ast.Name) or node.func.id not in self.functions:
            return inner
        if not self.function(node.func.id, render=not fitting):
            return inner
        self.touched = True
        close = source.end(node) - 1
        before = source.text[source.start(node) : close].rstrip()
        comma = "" if before.endswith("(") else " " if before.endswith(",") else ", "
        return [*inner, Edit(close, close, f"{comma}learned=learned")]

    def _learns(self, name: str) -> bool:
        """Whether something is learned in a function of the notebook."""
        outer = self.functions[name].id
        statements = self.program.statements
        return any(_inside(self.program, statements[learning.statement], outer) for learning in self.run.learnings)

    def _handed_function_edits(self, node: ast.Name, cell: int, fitting: bool) -> Iterator[Edit]:
        """A function that learns, given to another: `df.apply(scaled)`; it gets `learned` where it is called."""
        if not self.function(node.id, render=not fitting):
            return
        self.touched = True
        source = self.sources[cell]
        text = f"lambda *args, **options: {node.id}(*args, **options, learned=learned)"
        yield Edit(source.start(node), source.end(node), text)

    def function(self, name: str, *, render: bool = True) -> bool:
        """Render a function of the notebook; whether it takes `learned`."""
        if name in self.threaded:
            return True
        if name in self.plain or name in self._rendering:
            return False
        if not render:
            return False
        statement = self.functions[name]
        self._rendering.append(name)
        touched, self.touched = self.touched, False
        loops, self.loops = self.loops, []
        node = statement.node
        assert isinstance(node, ast.FunctionDef)
        inner = [s for s in self.program.statements if _inside(self.program, s, statement.id)]
        if not any(self.masks.all >> s.id & 1 for s in inner):
            lines = self._verbatim(statement)
            needs = False
        else:
            lines = self.compound(statement)
            needs = self.touched
        if needs:
            lines = _with_parameter(lines)
            self.threaded[name] = lines
        else:
            self.plain[name] = (
                self._verbatim(statement) if not any(self.masks.all >> s.id & 1 for s in inner) else lines
            )
        self.touched = touched
        self.loops = loops
        self._rendering.pop()
        return needs

    def _verbatim(self, statement: Statement) -> list[Line]:
        source = self.sources[statement.cell]
        node = statement.node
        start = source.offset(statement.line, 0)
        text = dedented(
            source.text[start : source.end(node)] + source.trailing_comment(source.end(node)), node.col_offset
        )
        return self._numbered(text, statement.line)

    def definition(self, name: str) -> list[Line]:
        """The text of a function or class of the notebook at module level, with the comments above it."""
        statement = self.functions.get(name)
        if statement is None:
            statement = next(
                s for s in reversed(self.program.statements) if isinstance(s.node, ast.ClassDef) and s.node.name == name
            )
            lines = self._verbatim(statement)
        else:
            lines = self.threaded.get(name) or self.plain.get(name) or self._verbatim(statement)
        source = self.sources[statement.cell]
        comments = source.leading_comments(source.offset(statement.line, 0))
        return [*((text, line) for line, text in comments), *lines]


def _is_learned(node: ast.AST, note: Note) -> bool:
    """Whether an expression is a value that is learned: no method of one, and no call that changes a container."""
    match node:
        case ast.Call(func=ast.Attribute(attr=method)) if changes_receiver(method, {}, alone=False):
            return False
        case _:
            return note.time is Time.LEARNED and note.kind != "method"


def _binds(node: ast.AST) -> bool:
    """Whether an expression binds a name for the statements around it (`:=`), as no function of its own could."""
    if isinstance(node, ast.Lambda):
        return False
    return isinstance(node, ast.NamedExpr) or any(_binds(child) for child in ast.iter_child_nodes(node))


def _is_several(node: ast.expr) -> bool:
    """Whether an expression is no value that can be kept: several without brackets, or something to go through once."""
    match node:
        case ast.Tuple():
            return True
        case ast.Call(func=ast.Name(id="enumerate" | "zip" | "map" | "filter" | "reversed" | "iter")):
            return True
        case ast.Call(func=ast.Attribute(attr="items" | "keys" | "iteritems"), args=[], keywords=[]):
            return True
        case _:
            return False


def guarded(pending: list[Rendered]) -> list[Line]:
    """Statements of training only, under one condition, with what serving does instead."""
    if not pending:
        return []
    lines: list[Line] = [("if learned.fitting:", 0)]
    for rendered in pending:
        lines.extend((indented(text, INDENT), line) for text, line in rendered.lines)
    otherwise = [line for rendered in pending for line in rendered.otherwise]
    if otherwise:
        lines.append(("else:", 0))
        lines.extend((indented(text, INDENT), line) for text, line in otherwise)
    return lines


def _inside(program: Program, statement: Statement, outer: int) -> bool:
    parent = statement.parent
    while parent >= 0:
        if parent == outer:
            return True
        parent = program.statements[parent].parent
    return False


def _with_parameter(lines: list[Line]) -> list[Line]:
    """The function's header with a last parameter `learned`."""
    text = "\n".join(line for line, _ in lines)
    end = header_end(text)
    header = text[:end]
    close = header.rindex(")") if "->" not in header else header.rindex(")", 0, header.rindex("->"))
    before = header[:close].rstrip()
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.FunctionDef)
    if node.args.kwarg is not None:
        at = header.rindex("**", 0, close)
        header = header[:at] + "learned, " + header[at:]
    else:
        comma = "" if before.endswith("(") else " " if before.endswith(",") else ", "
        default = "=None" if node.args.defaults and not node.args.kwonlyargs and node.args.vararg is None else ""
        header = header[:close] + f"{comma}learned{default}" + header[close:]
    added = header.split("\n")
    return [(part, lines[number][1]) for number, part in enumerate(added)] + lines[len(added) :]


def names_bound(program: Program) -> set[str]:
    """All names that the notebook's code binds anywhere, parameters of functions included."""
    names: set[str] = set()
    for statement in program.statements:
        if statement.parent != -1:
            continue
        for inner in nodes_of(statement.node):
            match inner:
                case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.alias(asname=str(name)):
                    names.add(name)
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.alias(name=name):
                    names.add(name)
                case _:
                    pass
    return names


def names_in(lines: Iterable[Line]) -> frozenset[str]:
    """Names that rendered lines read and do not bind themselves first."""
    text = "\n".join(line for line, _ in lines)
    return free_names(parsed(text)) if text.strip() else frozenset()
