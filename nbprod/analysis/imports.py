"""Import statements: the names that they bind."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nbprod.analysis.modules import public_names
from nbprod.analysis.values import Value

if TYPE_CHECKING:
    from nbprod.analysis.interpreter import Interpreter


def import_names(run: Interpreter, node: ast.Import | ast.ImportFrom) -> None:
    """An import statement."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            qualified = alias.name if alias.asname else alias.name.partition(".")[0]
            _bind(run, alias.asname or qualified, Value("module", name=qualified))
        elif alias.name != "*":
            _bind(run, alias.asname or alias.name, Value("lib", name=f"{node.module or ''}.{alias.name}"))
        else:
            _everything(run, node)


def _everything(run: Interpreter, node: ast.ImportFrom) -> None:
    """`from module import *`: what the module's source says that it gives; unknown where it cannot be read."""
    module = node.module or ""
    names = public_names(module, run.folder)
    if names is None:
        run.open_imports.append(run.at)
        return
    for name, origin in names.items():
        _bind(run, name, Value("lib", name=origin))


def _bind(run: Interpreter, name: str, value: Value) -> None:
    run.bind(name, value)
    if run.state.names.get(name) is not None and run.is_global(name):
        run.state.imports |= {name}
