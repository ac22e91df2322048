"""Python's own scope rules: which names a piece of code binds, and which it reads from outside."""

from __future__ import annotations

import ast
from functools import lru_cache

from nbprod.notebook.parsed import children, nodes_below

Scoped = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef


@lru_cache(maxsize=4096)
def nodes_of(node: ast.AST) -> tuple[ast.AST, ...]:
    """The node and all within it, as `nodes_below` gives them."""
    return tuple(nodes_below(node))


@lru_cache(maxsize=4096)
def bound_names(node: ast.AST) -> frozenset[str]:
    """Names that an assignment target or a match pattern binds."""
    names = set()
    for inner in nodes_of(node):
        if type(inner) is ast.Name:
            if type(inner.ctx) is ast.Store:
                names.add(inner.id)
        elif isinstance(inner, ast.pattern):
            match inner:
                case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                    names.add(name)
    return frozenset(names)


@lru_cache(maxsize=4096)
def free_names(node: ast.AST) -> frozenset[str]:
    """Names that a function, class, statement or expression reads and does not bind itself."""
    reads: set[str] = set()
    binds: set[str] = set()
    _collect(node, reads, binds)
    return frozenset(reads - binds)


@lru_cache(maxsize=4096)
def declared_global(node: ast.AST) -> tuple[frozenset[str], frozenset[str]]:
    """Names that a function declares global: those that it reads, and those that it binds in the notebook."""
    inner = nodes_of(node)
    declared = {name for part in inner if isinstance(part, ast.Global) for name in part.names}
    if not declared:
        return frozenset(), frozenset()
    named = [part for part in inner if isinstance(part, ast.Name) and part.id in declared]
    read = {part.id for part in named if isinstance(part.ctx, ast.Load)}
    read |= {part.target.id for part in inner if isinstance(part, ast.AugAssign) and isinstance(part.target, ast.Name)}
    return frozenset(read & declared), frozenset(part.id for part in named if isinstance(part.ctx, ast.Store))


def _collect(node: ast.AST, reads: set[str], binds: set[str]) -> None:
    match node:
        case ast.Name():
            (reads if isinstance(node.ctx, ast.Load) else binds).add(node.id)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            arguments = node.args
            for default in (*arguments.defaults, *(d for d in arguments.kw_defaults if d is not None)):
                _collect(default, reads, binds)
            for decorator in getattr(node, "decorator_list", []):
                _collect(decorator, reads, binds)
            inner_reads: set[str] = set()
            inner_binds = {
                a.arg
                for a in (
                    *arguments.posonlyargs,
                    *arguments.args,
                    *arguments.kwonlyargs,
                    arguments.vararg,
                    arguments.kwarg,
                )
                if a is not None
            }
            body = node.body if isinstance(node.body, list) else [node.body]
            for part in body:
                _collect(part, inner_reads, inner_binds)
            reads |= inner_reads - inner_binds
            if not isinstance(node, ast.Lambda):
                binds.add(node.name)
        case ast.ClassDef():
            inner_reads, inner_binds = set(), set()
            for part in (*node.bases, *(k.value for k in node.keywords), *node.decorator_list):
                _collect(part, reads, binds)
            for part in node.body:
                _collect(part, inner_reads, inner_binds)
            reads |= inner_reads - inner_binds
            binds.add(node.name)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            inner_reads, inner_binds = set(), set()
            for child in children(node):
                _collect(child, inner_reads, inner_binds)
            reads |= inner_reads - inner_binds
        case ast.Global():
            reads.update(node.names)
        case ast.Import() | ast.ImportFrom():
            for alias in node.names:
                binds.add(alias.asname or alias.name.partition(".")[0])
        case ast.ExceptHandler():
            if node.name:
                binds.add(node.name)
            for child in children(node):
                _collect(child, reads, binds)
        case _:
            for child in children(node):
                _collect(child, reads, binds)
