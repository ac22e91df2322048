"""A cell's syntax tree seen by the names that ast-grep rules use: tree-sitter's kinds and fields of Python.

Python's own tree is there already and costs nothing more. What tree-sitter has and Python's tree has not (arguments as
one node, parentheses, the inner assignment of `a = b = c`) is made where a rule asks for it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from nbprod.notebook.parsed import INNER_FIELDS, children

_KINDS: dict[type, str] = {
    ast.Assign: "assignment",
    ast.AnnAssign: "assignment",
    ast.AsyncFunctionDef: "function_definition",
    ast.Attribute: "attribute",
    ast.AugAssign: "augmented_assignment",
    ast.BinOp: "binary_operator",
    ast.BoolOp: "boolean_operator",
    ast.Call: "call",
    ast.ClassDef: "class_definition",
    ast.Compare: "comparison_operator",
    ast.Delete: "delete_statement",
    ast.Dict: "dictionary",
    ast.DictComp: "dictionary_comprehension",
    ast.Expr: "expression_statement",
    ast.FunctionDef: "function_definition",
    ast.GeneratorExp: "generator_expression",
    ast.IfExp: "conditional_expression",
    ast.Import: "import_statement",
    ast.JoinedStr: "string",
    ast.Lambda: "lambda",
    ast.List: "list",
    ast.ListComp: "list_comprehension",
    ast.Name: "identifier",
    ast.Return: "return_statement",
    ast.Set: "set",
    ast.SetComp: "set_comprehension",
    ast.Slice: "slice",
    ast.Starred: "list_splat",
    ast.Subscript: "subscript",
}
OF_ONE_KIND = frozenset(_KINDS) - {ast.JoinedStr}
"""Types whose nodes are all of one kind, as `_KINDS` has it."""

_CONSTANTS: dict[type, str] = {
    bool: "boolean",
    bytes: "string",
    complex: "float",
    float: "float",
    int: "integer",
    str: "string",
    type(None): "none",
    type(...): "ellipsis",
}
_ONE_STRING = re.compile(
    r"[a-zA-Z]{0,2}(?:\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}(?:[^\\]|\\.)*?'{3}|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')",
    re.DOTALL,
)


def types_of(kind: str) -> frozenset[type]:
    """The types whose nodes are all of that kind."""
    return frozenset(type_ for type_ in OF_ONE_KIND if _KINDS[type_] == kind)


class Part(Struct, eq=False):
    """A node that Python's tree has not: its kind, its text and what stands in it."""

    kind: str
    text: str
    children: Sequence[Node] = ()


Node = ast.AST | Part


class Tree:
    """The syntax tree of one cell: its nodes by kind, in the order of the source, those that stand alone, and parents.

    Constants are left out of the nodes by kind: no rule begins with one.
    """

    def __init__(self, code: str, module: ast.Module) -> None:
        self.of_kind: dict[str, list[Any]] = {}
        self.alone: list[ast.expr] = []
        self._lines: list[str] | list[bytes] = code.split("\n")
        if not code.isascii():
            self._lines = [line.encode() for line in code.split("\n")]
        self._parents: dict[ast.AST, ast.AST] = {}
        of_kind, parents = self.of_kind, self._parents
        waiting: list[ast.AST] = [module]
        while waiting:
            node = waiting.pop()
            if type(node) is ast.Constant:
                continue
            kind = _KINDS.get(type(node)) or self.kind(node)
            if kind in of_kind:
                of_kind[kind].append(node)
            else:
                of_kind[kind] = [node]
            if INNER_FIELDS[type(node)]:
                inner = _children(node)
                for child in inner:
                    parents[child] = node
                inner.reverse()
                waiting += inner
        for statement in of_kind.get("expression_statement", ()):
            value = statement.value
            self.alone += [one for one in (value, *getattr(value, "elts", ())) if self.stands_alone(one)]

    def kind(self, node: Node) -> str:
        """The kind of a node, as tree-sitter names it where a rule may ask for it."""
        kind = _KINDS.get(type(node))
        if kind is not None:
            return "concatenated_string" if kind == "string" and self._is_concatenated(node) else kind
        match node:
            case Part():
                return node.kind
            case ast.Constant():
                kind = _CONSTANTS[type(node.value)]
                return "concatenated_string" if kind == "string" and self._is_concatenated(node) else kind
            case ast.Tuple():
                return self._kind_of_tuple(node)
            case ast.UnaryOp():
                return "not_operator" if isinstance(node.op, ast.Not) else "unary_operator"
            case ast.keyword():
                return "dictionary_splat" if node.arg is None else "keyword_argument"
            case ast.ImportFrom():
                return "future_import_statement" if node.module == "__future__" else "import_from_statement"
            case _:
                return ""

    def parent(self, node: ast.AST) -> Node | None:
        """What a node stands in: parentheses too, and the statement itself for the elements of a bare tuple in it."""
        above = self._parents.get(node)
        match above:
            case ast.Expr() | ast.Assign() | ast.AnnAssign() | ast.AugAssign() if above.value is node:
                whole = self.value(above)
                return whole if isinstance(whole, Part) else above
            case ast.AnnAssign() if above.annotation is node:
                return Part("type", self.text(node))
            case ast.Tuple() if _is_bare(above) and isinstance(outer := self._parents.get(above), ast.Expr):
                return outer
            case _:
                return above

    def stands_alone(self, node: ast.AST) -> bool:
        """Whether what a node stands in is an expression as a statement."""
        above = type(self._parents.get(node))
        return (above is ast.Expr or above is ast.Tuple) and isinstance(self.parent(node), ast.Expr)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """All that a node stands in, the nearest first."""
        above = self._parents.get(node)
        while above is not None:
            yield above
            above = self._parents.get(above)

    def field(self, node: Node, name: str) -> Node | None:
        """The part of a node with that name, None where it has none."""
        return field_of(name)(self, node)

    def below(self, node: Node) -> Sequence[Node]:
        """What stands directly in a node."""
        match node:
            case Part():
                return node.children
            case ast.Call():
                return (node.func, self.arguments(node))
            case _:
                return _children(node)

    def descendants(self, node: Node) -> Iterator[Node]:
        """All that stands in a node."""
        for child in self.below(node):
            yield child
            yield from self.descendants(child)

    def arguments(self, call: ast.Call) -> Node:
        """The arguments of a call in their order, as one node."""
        inside = given(call)
        if (
            len(inside) == 1
            and isinstance(inside[0], ast.GeneratorExp)
            and inside[0].end_col_offset == call.end_col_offset
        ):
            return inside[0]
        return Part(
            "argument_list",
            self._slice(*_end(call.func), *_end(call)),
            inside,
        )

    def text(self, node: Node) -> str:
        """The source of a node."""
        match node:
            case Part():
                return node.text
            case ast.Name():
                return node.id
            case _:
                place: Any = node
                return self._slice(place.lineno, place.col_offset, place.end_lineno, place.end_col_offset)

    def _slice(self, line: int, column: int, end_line: int, end_column: int) -> str:
        if line == end_line:
            text = self._lines[line - 1][column:end_column]
            return text if isinstance(text, str) else text.decode()
        lines = self._lines[line - 1 : end_line]
        parts = [lines[0][column:], *lines[1:-1], lines[-1][:end_column]]
        return "\n".join(part if isinstance(part, str) else part.decode() for part in parts)

    def value(self, node: ast.Expr | ast.Assign | ast.AnnAssign | ast.AugAssign) -> Node | None:
        """The value of a statement, with the parentheses around it as a node."""
        value = node.value
        if value is None:
            return None
        match node:
            case ast.Expr():
                line, column = node.lineno, node.col_offset
            case ast.Assign():
                line, column = _end(node.targets[-1])
            case ast.AnnAssign():
                line, column = _end(node.annotation)
            case ast.AugAssign():
                line, column = _end(node.target)
        between = self._slice(line, column, value.lineno, value.col_offset)
        if "(" not in between or (isinstance(value, ast.Tuple) and between.count("(") == 1 and _is_bare(value)):
            return value
        return Part("parenthesized_expression", "(" + self.text(value) + ")", (value,))

    def _kind_of_tuple(self, node: ast.Tuple) -> str:
        stored = isinstance(node.ctx, ast.Store)
        if not _is_bare(node):
            return "tuple_pattern" if stored else "tuple"
        if isinstance(self._parents.get(node), ast.Expr):
            return ""
        return "pattern_list" if stored else "expression_list"

    def _is_concatenated(self, node: Any) -> bool:
        text = self.text(node)
        if text[0] == text[-1] and text.count(text[0]) == 2:
            return False
        return _ONE_STRING.fullmatch(text) is None


Getter = Callable[[Tree, Node], Node | None]
"""Gives the part of a node that stands in one of its fields, None where it has no such field."""


def field_of(name: str) -> Getter:
    """How the field of that name is had from a node."""
    return _FIELDS.get(name, _nothing)


def _nothing(_tree: Tree, _node: Node) -> Node | None:
    return None


def _function(_tree: Tree, node: Node) -> Node | None:
    return node.func if type(node) is ast.Call else None


def _arguments(tree: Tree, node: Node) -> Node | None:
    return tree.arguments(node) if type(node) is ast.Call else None


def _object(_tree: Tree, node: Node) -> Node | None:
    return node.value if type(node) is ast.Attribute else None


def _attribute(_tree: Tree, node: Node) -> Node | None:
    return Part("identifier", node.attr) if type(node) is ast.Attribute else None


def _subscripted(_tree: Tree, node: Node) -> Node | None:
    return node.value if type(node) is ast.Subscript else None


def _subscript(_tree: Tree, node: Node) -> Node | None:
    if type(node) is not ast.Subscript:
        return None
    return node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and _is_bare(node.slice) else node.slice


def left_of(node: Node) -> ast.expr | None:
    """What an assignment binds first."""
    match node:
        case ast.Assign():
            return node.targets[0]
        case ast.AnnAssign() | ast.AugAssign():
            return node.target
        case _:
            return None


def _right(tree: Tree, node: Node) -> Node | None:
    match node:
        case ast.Assign() if len(node.targets) > 1:
            return Part("assignment", tree.text(node).partition("=")[2].lstrip())
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            return tree.value(node)
        case _:
            return None


def _superclasses(tree: Tree, node: Node) -> Node | None:
    if not isinstance(node, ast.ClassDef) or not (node.bases or node.keywords):
        return None
    inside = [*node.bases, *node.keywords]
    return Part("argument_list", ", ".join(map(tree.text, inside)), inside)


_FIELDS: dict[str, Getter] = {
    "function": _function,
    "arguments": _arguments,
    "object": _object,
    "attribute": _attribute,
    "value": _subscripted,
    "subscript": _subscript,
    "left": lambda _tree, node: left_of(node),
    "right": _right,
    "superclasses": _superclasses,
}


def given(call: ast.Call) -> list[ast.AST]:
    """The arguments of a call in the order of the source."""
    if not call.keywords:
        return list(call.args)
    inside: list[Any] = [*call.args, *call.keywords]
    return sorted(inside, key=lambda one: (one.lineno, one.col_offset))


def _children(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.Assign) and len(node.targets) > 1:
        inner = ast.Assign(node.targets[1:], node.value)
        inner.lineno, inner.col_offset = node.targets[1].lineno, node.targets[1].col_offset
        inner.end_lineno, inner.end_col_offset = node.end_lineno, node.end_col_offset
        return [node.targets[0], inner]
    return children(node)


def _is_bare(node: ast.Tuple) -> bool:
    """Whether a tuple is written without parentheses of its own."""
    return bool(node.elts) and (node.lineno, node.col_offset) == (node.elts[0].lineno, node.elts[0].col_offset)


def _end(node: Any) -> tuple[int, int]:
    return node.end_lineno, node.end_col_offset
