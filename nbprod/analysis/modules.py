"""What `from module import *` binds, read from the module's source: nothing is imported."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from nbprod.notebook.parsed import syntax_tree

MOST_NESTED = 4
LARGEST_SOURCE = 2_000_000


@cache
def public_names(module: str, folder: str = "") -> Mapping[str, str] | None:
    """Name → qualified name of all that a star import of `module` binds, None where that cannot be known.

    `folder` is looked in first, for modules beside the notebook.
    """
    return _public(module, folder, MOST_NESTED)


@cache
def names_of_script(path: str, folder: str) -> tuple[str, ...] | None:
    """The names that running a script binds at its top level, None where it is not there or is not Python."""
    place = Path(folder) / path
    try:
        tree = syntax_tree(place.read_bytes()) if place.suffix == ".py" else None
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if tree is None:
        return None
    bound = [_bound(statement, "__main__", None) for statement in _top_level(tree.body)]
    return tuple(dict.fromkeys(name for names in bound for name in names or ()))


def _public(module: str, folder: str, depth: int) -> dict[str, str] | None:
    if module in sys.builtin_module_names or (module in sys.modules and _is_standard(module)):
        # Part of the interpreter itself, or there already: looking into it runs nothing.
        loaded = import_module(module)
        names = getattr(loaded, "__all__", None) or [name for name in dir(loaded) if not name.startswith("_")]
        return {name: f"{module}.{name}" for name in names}
    tree, spec = _parsed(module, folder)
    if tree is None or depth == 0:
        return _of_extension(module, spec)
    declared = _declared(tree)
    found: dict[str, str] = {}
    for statement in _top_level(tree.body):
        bound = _bound(statement, module, spec)
        if bound is None:
            inner = _public(_origin(statement, module, spec), folder, depth - 1)
            if inner is None and declared is None:
                return None
            bound = {name: _home(origin, module, name) for name, origin in (inner or {}).items()}
        found.update(bound)
    if declared is not None:
        return {name: found.get(name, f"{module}.{name}") for name in declared}
    return {name: origin for name, origin in found.items() if not name.startswith("_")}


def _of_extension(module: str, spec: ModuleSpec | None) -> dict[str, str] | None:
    """A compiled module of the standard library is safe to look into; any other is not."""
    if spec is None or not _is_standard(module) or not _is_compiled(spec):
        return None
    return {name: f"{module}.{name}" for name in dir(import_module(module)) if not name.startswith("_")}


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def _is_compiled(spec: ModuleSpec) -> bool:
    return spec.origin is not None and spec.origin.endswith((".so", ".pyd"))


def _parsed(module: str, folder: str) -> tuple[ast.Module | None, ModuleSpec | None]:
    spec = _find(module, folder)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None, spec
    try:
        content = Path(spec.origin).read_bytes()
        return (syntax_tree(content) if len(content) < LARGEST_SOURCE else None), spec
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None, spec


def _find(module: str, folder: str) -> ModuleSpec | None:
    """The module's place on the path, without importing the packages around it."""
    where = [folder, *sys.path] if folder else None
    spec: ModuleSpec | None = None
    name = ""
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        try:
            spec = PathFinder.find_spec(name, where)
        except (ImportError, ValueError, OSError):
            return None
        if spec is None:
            return None
        where = list(spec.submodule_search_locations or ())
    return spec


def _declared(tree: ast.Module) -> list[str] | None:
    """The names in `__all__` where it is written out, None where it is not there or is computed."""
    names: list[str] | None = None
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                names = _strings(value)
            case ast.AugAssign(target=ast.Name(id="__all__"), value=value) if names is not None:
                more = _strings(value)
                names = None if more is None else [*names, *more]
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="__all__"))) as call):
                more = [name for argument in call.args for name in _strings(argument) or ()]
                names = [*(names or ()), *more] if more else None
            case _ if _mentions_all(statement):
                names = None  # a function or a loop may add to it
            case _:
                continue
        if names is None:
            return None
    return names


def _mentions_all(statement: ast.stmt) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "__all__" for node in ast.walk(statement))


def _strings(node: ast.expr) -> list[str] | None:
    match node:
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            found = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            return found if len(found) == len(parts) else None
        case ast.Constant(value=str(text)):
            return [text]
        case _:
            return None


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.Try):
            blocks = [statement.body, statement.orelse, getattr(statement, "finalbody", [])]
            for block in blocks:
                yield from _top_level(block)


def _bound(statement: ast.stmt, module: str, spec: ModuleSpec | None) -> dict[str, str] | None:
    """Name → qualified name of what a statement binds, None for a star import."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name: f"{module}.{name}"}
        case ast.Import(names=names):
            return {a.asname or a.name.partition(".")[0]: a.name for a in names}
        case ast.ImportFrom(names=names):
            if any(a.name == "*" for a in names):
                return None
            origin = _origin(statement, module, spec)
            return {a.asname or a.name: _home(f"{origin}.{a.name}", module, a.name) for a in names}
        case ast.Assign(targets=targets):
            stored = (n for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))
            return {node.id: f"{module}.{node.id}" for node in stored}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name: f"{module}.{name}"}
        case _:
            return {}


def _home(origin: str, module: str, name: str) -> str:
    """A name that a package takes from its own inner modules is the package's."""
    return f"{module}.{name}" if origin.partition(".")[0] == module.partition(".")[0] else origin


def _origin(statement: ast.stmt, module: str, spec: ModuleSpec | None) -> str:
    """The module that an import takes from, relative ones resolved."""
    assert isinstance(statement, ast.ImportFrom)
    if not statement.level:
        return statement.module or ""
    is_package = spec is not None and spec.submodule_search_locations is not None
    parents = module.split(".")
    kept = parents[: len(parents) - statement.level + (1 if is_package else 0)]
    return ".".join([*kept, *([statement.module] if statement.module else [])])
