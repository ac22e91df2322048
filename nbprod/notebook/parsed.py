"""Code as a syntax tree: parsed without a word, and once where several parts of nbprod look at it."""

from __future__ import annotations

import ast
import warnings
from functools import lru_cache
from threading import Lock
from typing import Literal, overload

_FILTERS = Lock()  # warnings' filters belong to the process, and the server has threads


@overload
def syntax_tree(code: str | bytes, mode: Literal["exec"] = "exec") -> ast.Module: ...
@overload
def syntax_tree(code: str | bytes, mode: Literal["eval"]) -> ast.Expression: ...
def syntax_tree(code: str | bytes, mode: str = "exec") -> ast.AST:
    r"""The syntax tree of `code`, of its own.

    Python warns of what it parses (`"\d"`, `x is 1`): to the author when the notebook runs, and not here. Raises
    SyntaxError, ValueError, RecursionError or MemoryError where `code` is none that Python reads.
    """
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(code, mode=mode)


@lru_cache(maxsize=4096)
def parsed(code: str) -> ast.Module:
    """The syntax tree of `code`, the same one for all who ask, who therefore leave it as it is.

    Raises SyntaxError where `code` is no Python.
    """
    return syntax_tree(code)


_PLAIN = frozenset(
    {"arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "kind", "kwd_attrs", "level", "module", "n"}
    | {"op", "ops", "rest", "s", "simple", "type_comment"}
)


_OF_TEXT = frozenset({(ast.Constant, "value"), (ast.Global, "names"), (ast.Nonlocal, "names")})
"""Fields by which other kinds of nodes hold nodes, and these hold none."""

_WITH_GAPS = frozenset({"keys", "kw_defaults"})
"""Lists that hold None where `**mapping` has no key and a parameter no default."""


class _InnerFields(dict[type, tuple[str, ...]]):
    """The fields of each kind of node in which other nodes stand; operators and the contexts of names are left out."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        found = tuple(name for name in kind._fields if name not in _PLAIN and (kind, name) not in _OF_TEXT)
        self[kind] = found
        return found


INNER_FIELDS = _InnerFields()


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes directly below a node in the order of its fields, as `INNER_FIELDS` tells where."""
    found: list[ast.AST] = []
    for name in INNER_FIELDS[type(node)]:
        value = getattr(node, name, None)
        if type(value) is list:
            found += [one for one in value if one is not None] if name in _WITH_GAPS else value
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def nodes_below(node: ast.AST) -> list[ast.AST]:
    """A node and all below it, as `ast.walk` gives them, but for operators and the contexts of names."""
    found = [node]
    for one in found:
        if INNER_FIELDS[type(one)]:
            found.extend(children(one))
    return found
