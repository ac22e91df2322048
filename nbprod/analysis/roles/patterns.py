"""Patterns of code with metavariables, as ast-grep writes them: `$OBJ.fit($$$ARGS)`, `$X = $X / $Y`."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import cache

from nbprod.analysis.roles.syntax import Tree, given
from nbprod.notebook.parsed import INNER_FIELDS, syntax_tree

_ONE = "one__"
_METAVARIABLE = re.compile(r"(\$\$\$|\$)([A-Z_][A-Z0-9_]*)")

Bound = dict[str, str]
"""The text that each metavariable stands for."""


@cache
def parsed_pattern(text: str) -> ast.AST:
    """The tree of a pattern: a statement, or an expression where it is one; `$$$ARGS` is a starred name in it."""
    code = _METAVARIABLE.sub(lambda found: ("" if found[1] == "$" else "*") + _ONE + found[2], text)
    statement = syntax_tree(code).body[0]
    return statement.value if isinstance(statement, ast.Expr) else statement


def is_metavariable(name: str) -> bool:
    """Whether a name in the tree of a pattern stands for anything."""
    return name.startswith(_ONE)


def match(tree: Tree, pattern: ast.AST, node: ast.AST, bound: Bound) -> bool:
    """Whether a node is what a pattern says; what the metavariables stand for is added to `bound`."""
    if isinstance(pattern, ast.Name) and is_metavariable(pattern.id):
        text = tree.text(node)
        return bound.setdefault(pattern.id.removeprefix(_ONE), text) == text
    if type(pattern) is not type(node):
        return False
    if isinstance(pattern, ast.Call) and isinstance(node, ast.Call):
        return match(tree, pattern.func, node.func, bound) and _sequence(tree, given(pattern), given(node), bound)
    if not _may_match(pattern, node):
        return False
    for name in pattern._fields:
        mine, other = getattr(pattern, name), getattr(node, name)
        if isinstance(mine, ast.AST) and isinstance(other, ast.AST):
            if not match(tree, mine, other, bound):
                return False
        elif isinstance(mine, list) and isinstance(other, list):
            if not _sequence(tree, mine, other, bound):
                return False
        elif mine != other and name != "type_comment":
            return False
    return True


def _may_match(pattern: ast.AST, node: ast.AST) -> bool:
    """Whether what stands directly in a node is of the kinds that a pattern wants: most nodes fail here."""
    for name in INNER_FIELDS[type(pattern)]:
        mine = getattr(pattern, name)
        if not isinstance(mine, ast.AST) or type(mine) is type(getattr(node, name)):
            continue
        if not isinstance(mine, ast.Name) or not is_metavariable(mine.id):
            return False
    return True


def _sequence(tree: Tree, patterns: Sequence[ast.AST], nodes: Sequence[ast.AST], bound: Bound) -> bool:
    """Whether nodes one after the other are what patterns say; `$$$ARGS` takes as many as there are."""
    if not patterns:
        return not nodes
    first, rest = patterns[0], patterns[1:]
    if isinstance(first, ast.Starred):
        return any(_sequence(tree, rest, nodes[start:], bound) for start in range(len(nodes) + 1))
    return bool(nodes) and match(tree, first, nodes[0], bound) and _sequence(tree, rest, nodes[1:], bound)
