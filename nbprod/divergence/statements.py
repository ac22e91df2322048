"""The statements of a manifest, one by one, and which of them differ between two manifests."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from msgspec import Struct

from nbprod.notebook.parsed import syntax_tree

TRAIN_ONLY = "train-only"


class Piece(Struct, frozen=True):
    """One statement, or the head of a compound one: the author's text, its place, and what it is compared by.

    `key` is the statement's syntax without its layout; in `renamed` the names that the steps bind are numbered as
    well, so that a frame under another name compares equal.
    """

    step: int
    cell: int
    cell_id: str
    line: int
    text: str
    key: str
    renamed: str


class Change(Struct, frozen=True):
    """Statements that were replaced (both), added (`new` only) or removed (`old` only).

    `following` is the statement of the new side that stands there now, or the last one before.
    """

    old: tuple[Piece, ...]
    new: tuple[Piece, ...]
    following: Piece | None


def pieces(
    steps: Iterable[Mapping[str, Any]], wanted: Callable[[Mapping[str, Any]], bool], raw: str = ""
) -> tuple[Piece, ...]:
    """The statements of the wanted steps of a manifest, in order; heads and bodies of compound ones apart.

    `raw` is the notebook's name for the raw frame, which the steps use without binding it.
    """
    numbers = {raw: "_raw"} if raw else {}
    return tuple(piece for index, step in enumerate(steps) if wanted(step) for piece in _of_step(index, step, numbers))


def changes(old: tuple[Piece, ...], new: tuple[Piece, ...]) -> tuple[Change, ...]:
    """What differs from `old` to `new`, in the order of `new`; moved statements count as removed and added."""
    plain = _opcodes([piece.key for piece in old], [piece.key for piece in new])
    renamed = _opcodes([piece.renamed for piece in old], [piece.renamed for piece in new])
    return tuple(
        Change(old[i1:i2], new[j1:j2], new[min(j1, len(new) - 1)] if new else None)
        for i1, i2, j1, j2 in min(plain, renamed, key=_size)
    )


def without_moves(change_list: Iterable[Change]) -> tuple[Change, ...]:
    """The changes without statements that only moved; all of them where nothing else changed."""
    kept = tuple(change_list)
    gone = [piece.key for change in kept for piece in change.old]
    come = [piece.key for change in kept for piece in change.new]
    moved = {key for key in gone if gone.count(key) == come.count(key)}
    rest = tuple(
        Change(
            tuple(piece for piece in change.old if piece.key not in moved),
            tuple(piece for piece in change.new if piece.key not in moved),
            change.following,
        )
        for change in kept
    )
    return tuple(change for change in rest if change.old or change.new) or kept


def of_steps(change_list: Iterable[Change], old: frozenset[int], new: frozenset[int]) -> tuple[Change, ...]:
    """The part of the changes that lies in these steps of the old and of the new manifest."""
    parts = (
        Change(
            tuple(piece for piece in change.old if piece.step in old),
            tuple(piece for piece in change.new if piece.step in new),
            change.following,
        )
        for change in change_list
    )
    return tuple(part for part in parts if part.old or part.new)


def _opcodes(old: list[str], new: list[str]) -> list[tuple[int, int, int, int]]:
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    return [(i1, i2, j1, j2) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal"]


def _size(opcodes: list[tuple[int, int, int, int]]) -> int:
    return sum(i2 - i1 + j2 - j1 for i1, i2, j1, j2 in opcodes)


def _of_step(index: int, step: Mapping[str, Any], numbers: dict[str, str]) -> Iterator[Piece]:
    source = textwrap.dedent(str(step.get("source", "")))
    try:
        tree = syntax_tree(source)
    except SyntaxError:
        text = re.sub(r"\s+", " ", source).strip()
        yield Piece(index, int(step["cell"]), str(step["cell_id"]), int(step["line"]), source.strip(), text, text)
        return
    lines = source.splitlines()
    for depth, node, end in _flat(tree.body, 0):
        start = _first_line(node)
        head = _head(node)
        plain = _plain(head)
        renamed = ast.unparse(_Numbered(numbers).visit(syntax_tree(plain)))
        yield Piece(
            step=index,
            cell=int(step["cell"]),
            cell_id=str(step["cell_id"]),
            line=int(step["line"]) + start - 1,
            text=textwrap.dedent("\n".join(lines[start - 1 : end])).strip(),
            key=f"{depth} {plain}",
            renamed=f"{depth} {renamed}",
        )


@lru_cache(maxsize=4096)
def _plain(head: str) -> str:
    """A statement's text in one spelling."""
    return ast.unparse(ast.fix_missing_locations(_Spelling().visit(syntax_tree(head))))


def _flat(body: list[ast.stmt], depth: int) -> Iterator[tuple[int, ast.stmt, int]]:
    """Each statement with its depth and the last line of its own text, bodies following their heads."""
    for node in body:
        inner = list(_bodies(node))
        end = node.end_lineno or node.lineno
        first = min((_first_line(each) for block in inner for each in block), default=end + 1)
        yield depth, node, max(node.lineno, min(end, first - 1))
        for number, block in enumerate(inner):
            yield from _flat(block, depth + 1 + 100 * number)


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])


def _bodies(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        if block := getattr(node, name, None):
            yield block
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield part.body


def _head(node: ast.stmt) -> str:
    """The statement as plain text, without the statements in it and without a docstring."""
    if not list(_bodies(node)):
        return ast.unparse(node)
    head = syntax_tree(ast.unparse(node)).body[0]
    for name in ("body", "orelse", "finalbody"):
        if getattr(head, name, None):
            setattr(head, name, [ast.Pass()])
    for part in (*getattr(head, "handlers", ()), *getattr(head, "cases", ())):
        part.body = [ast.Pass()]
    return ast.unparse(head)


class _Spelling(ast.NodeTransformer):
    """`frame["column"]` as `frame.column`, since both mean the same column."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        match node.slice:
            case ast.Constant(value=str() as name) if name.isidentifier():
                return ast.copy_location(ast.Attribute(node.value, name, node.ctx), node)
        return node


class _Numbered(ast.NodeTransformer):
    """Names that are bound here or before, by the order in which they were first bound."""

    def __init__(self, numbers: dict[str, str]) -> None:
        self.numbers = numbers

    def visit(self, node: ast.AST) -> Any:
        # Values are read before their targets are bound, and a later binding must not rename an earlier read.
        match node:
            case ast.Assign():
                node.value = self.visit(node.value)
                node.targets = [self.visit(target) for target in node.targets]
                return node
        return super().visit(node)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if isinstance(node.ctx, ast.Store):
            self.numbers.setdefault(node.id, f"_{len(self.numbers)}")
        return ast.copy_location(ast.Name(self.numbers.get(node.id, node.id), node.ctx), node)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        self.numbers.setdefault(node.arg, f"_{len(self.numbers)}")
        return ast.arg(self.numbers[node.arg], None)
