"""Functions of the notebook with all that they use, as the text of a module."""

from __future__ import annotations

import ast
import linecache
import types
from collections.abc import Callable
from typing import Any

import numpy as np

PLAIN = (str, int, float, bool, bytes, type(None))


class UnwrittenError(Exception):
    """A function that can't be written down apart from its notebook, and why."""


class Sources:
    """The functions that a module needs: their texts in order, and the names that they go by.

    `name_for` gives a free name, `constant` the name of a constant.
    """

    def __init__(self, name_for: Callable[[str], str], constant: Callable[[str, Any], str]) -> None:
        self.name_for = name_for
        self.constant = constant
        self.imports: dict[str, str] = {}
        self.texts: list[str] = []
        self._names: dict[int, str] = {}
        self._kept: list[Any] = []

    def name_of(self, function: Any) -> str:
        """The name by which the module can call the function. Raises UnwrittenError."""
        if id(function) in self._names:
            return self._names[id(function)]
        node = definition_of(function)
        given = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        if not all(type(each) in PLAIN for each in given):
            raise UnwrittenError(f"the function {function.__name__}, which has a default that is no plain value")
        kept = iter(ast.Constant(each) for each in given)
        node.args.defaults = [next(kept) for _ in node.args.defaults]
        node.args.kw_defaults = [None if each is None else next(kept) for each in node.args.kw_defaults]
        is_lambda = isinstance(node, ast.Lambda)
        name = self.name_for("of_value" if is_lambda else function.__name__)
        self._names[id(function)] = name
        self._kept.append(function)
        renamed = self._renamed(function, node)
        if not is_lambda and function.__name__ in _names_of(function.__code__):
            renamed[function.__name__] = name
        tree: Any = _Rename(renamed).visit(ast.parse(ast.unparse(node)))
        if is_lambda:
            self.texts.append(f"{name} = {ast.unparse(tree)}")
        else:
            tree.body[0].name = name
            tree.body[0].decorator_list = []
            self.texts.append(ast.unparse(tree))
        return name

    def _renamed(self, function: Any, node: ast.AST) -> dict[str, str]:
        """What the names that a function takes from outside are called in the module."""
        code = function.__code__
        known: dict[str, Any] = {**function.__globals__}
        known |= {name: cell.cell_contents for name, cell in zip(code.co_freevars, function.__closure__ or ())}
        outside = {name: known[name] for name in _names_of(code) if name in known and known[name] is not function}
        read = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        bound = {
            inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and not isinstance(inner.ctx, ast.Load)
        }
        bound |= {inner.arg for inner in ast.walk(node) if isinstance(inner, ast.arg)}
        for name in outside.keys() & bound:
            raise UnwrittenError(f"a function that has {name} for a name of its own, too")
        return {name: self._outside(name, value) for name, value in outside.items() if name in read}

    def _outside(self, name: str, value: Any) -> str:
        real: Any = getattr(value, "__nbprod_real__", value)
        if isinstance(real, types.ModuleType):
            self.imports[real.__name__] = real.__name__
            return real.__name__
        if isinstance(real, types.FunctionType) and real.__globals__.get("__nbprod_traced__"):
            return self.name_of(real)
        if isinstance(real, (types.FunctionType, types.BuiltinFunctionType, type)) and real.__module__:
            if real.__module__ == "builtins":
                return real.__name__
            self.imports[real.__module__] = real.__module__
            return f"{real.__module__}.{real.__qualname__}"
        function = getattr(real, "__name__", "")
        if isinstance(real, np.ufunc) and vars(np).get(function) is real:
            self.imports["numpy"] = "numpy"
            return f"numpy.{function}"
        if is_plain(real):
            return self.constant(name, real)
        raise UnwrittenError(f"a function that uses {name}, a {type(real).__name__}")


def is_plain(value: Any) -> bool:
    """Whether a constant can be written as Python writes it."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(is_plain(key) and is_plain(each) for key, each in value.items())
    return type(value) in PLAIN


def _names_of(code: types.CodeType) -> set[str]:
    return {*code.co_names, *code.co_freevars}.union(
        *(_names_of(each) for each in code.co_consts if isinstance(each, types.CodeType))
    )


class _Rename(ast.NodeTransformer):
    """Names of outside as a module calls them."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        new = self.names.get(node.id)
        return node if new is None else ast.parse(new, mode="eval").body


def definition_of(function: Any) -> ast.FunctionDef | ast.Lambda:
    """Where a function is written. Raises UnwrittenError where that can't be told."""
    code = function.__code__
    tree = ast.parse("".join(linecache.getlines(code.co_filename)))
    found: list[Any]
    kind: Any = ast.Lambda if function.__name__ == "<lambda>" else ast.FunctionDef
    found = [node for node in ast.walk(tree) if isinstance(node, kind) and _first_line(node) == code.co_firstlineno]
    if kind is ast.FunctionDef:
        found = [node for node in found if node.name == function.__name__]
    elif len(found) > 1:
        found = [node for node in found if _is_code_of(node, code)]
    if len({ast.dump(node) for node in found}) != 1:
        raise UnwrittenError(f"the text of the function {function.__name__} is not found")
    definition: ast.FunctionDef | ast.Lambda = found[0]
    return definition


def _first_line(node: Any) -> int:
    decorators = getattr(node, "decorator_list", [])
    return int(min([node.lineno, *(each.lineno for each in decorators)]))


def _is_code_of(node: ast.Lambda, code: types.CodeType) -> bool:
    made = compile(ast.Expression(node), "<lambda>", "eval").co_consts
    (own,) = [each for each in made if isinstance(each, types.CodeType)]
    return own.co_code == code.co_code and own.co_consts == code.co_consts and own.co_names == code.co_names
