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

from msgspec.structs import replace

from nbprod.analysis.interpreter import Interpreter
from nbprod.analysis.program import blocks_of
from nbprod.analysis.values import Note
from nbprod.model.plan import LearnedSite, LookupTable, Refusal
from nbprod.model.program import Program, Statement
from nbprod.notebook.parsed import children
from nbprod.plan import edits, expressions, rows
from nbprod.plan.liveness import names_bound
from nbprod.plan.masks import Masks
from nbprod.plan.rendered import INDENT, Line, Rendered, numbered
from nbprod.plan.source import Edit, Source, dedented, header_end, indented


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
        self.stems: list[str] = []
        self.lookups: dict[int, LookupTable] = {}
        self.idioms: dict[str, str] = {}
        self.taken = names_bound(program)
        self.refusals: list[Refusal] = []
        self.functions: dict[str, Statement] = {
            s.node.name: s for s in program.statements if isinstance(s.node, ast.FunctionDef) and s.parent == -1
        }
        self.threaded: dict[str, list[Line]] = {}
        self.plain: dict[str, list[Line]] = {}
        self.rendering: list[str] = []
        self.site_counts: dict[str, int] = {}
        self.loops: list[str] = []
        self.touched = False
        self.replaced: dict[int, str] = {}
        self.handed_in = -1
        self.inlined: set[int] = set()
        self.left_out: Statement | None = None
        self.module_names: frozenset[str] = frozenset()
        self.together = False
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
        return Rendered(numbered(text, node.lineno), fitting=True)

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
        gone = [(bits, name) for at, bits, name in self.run.dropped if at == statement.id]
        return bool(gone) and all(self.masks.never_made(bits) and not self.may_be_raw(name) for bits, name in gone)

    def may_be_raw(self, name: str) -> bool:
        """Whether raw data that is read has a column of this name, as far as anybody knows."""
        reads = [event.const for event in self.run.events if event.kind == "read"]
        return any(path not in self.run.schemas or name in self.run.schemas[path] for path in reads)

    def _drops_columns(self, call: ast.Call) -> bool:
        note = self.note(call)
        return note is not None and note.op == "drop-columns" and edits.rows_of_drop(call) is None

    def text(self, statement: Statement, *, fitting: bool) -> list[Line]:
        source = self.sources[statement.cell]
        node = statement.node
        start = source.offset(statement.line, node.col_offset)
        edits = list(self.edits_of(node, statement.cell, fitting))
        text = source.rendered(start, source.end(node), edits) + source.trailing_comment(source.end(node))
        text = dedented(text, node.col_offset)
        return numbered(text, statement.line)

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
                lines.extend(numbered(dedented(header, node.col_offset), source.line_of(header_at)))
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
        if statement is self.left_out:
            return "none"
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

    def is_of_other_side(self, note: Note | None) -> bool:
        """Whether something is on the side of the split that the model is not trained on."""
        return note is not None and note.side == {"train": "test", "test": "train"}.get(self.side)

    def edits_of(self, node: ast.AST, cell: int, fitting: bool) -> Iterator[Edit]:
        """The edits of an expression or simple statement."""
        return expressions.edits_of(self, node, cell, fitting)

    def edits_of_children(self, node: ast.AST, cell: int, fitting: bool) -> Iterator[Edit]:
        for child in children(node):
            yield from self.edits_of(child, cell, fitting)

    def statement_of(self, node: ast.AST, cell: int) -> Statement | None:
        best: Statement | None = None
        for statement in self.program.statements:
            if statement.cell == cell and statement.line <= node.lineno <= statement.end_line:  # type: ignore[attr-defined]
                best = statement
        return best


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
