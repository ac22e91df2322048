"""Whether more of a metric is better, by the function that computes it."""

from __future__ import annotations

import ast
from pathlib import Path

from nbprod.notebook.parsed import syntax_tree

# "functions ending with _score return a value to maximize, the higher the better", those "ending with _error, _loss, or
# _deviance return a value to minimize" (scikit-learn's user guide, Metrics and scoring).
LOWER = ("_error", "_loss", "_deviance")
HIGHER = ("_score",)
ALIKE = frozenset({"abs", "float", "mean", "round", "sqrt"})
"""Functions whose value grows with their argument, for the values that metrics have."""


def is_higher_better(folder: Path, metric: str, *, declared: bool = True) -> bool:
    """For a metric of the `evaluate.py` in a version's folder; what is `declared` where the function is not known.

    That less is better, where it is declared, stands.
    """
    if not declared:
        return False
    try:
        tree = syntax_tree((folder / "evaluate.py").read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return declared
    function = _function(tree, metric)
    if function is None:
        return declared
    return not function.endswith(LOWER) if function.endswith((*LOWER, *HIGHER)) else declared


def _function(tree: ast.Module, metric: str) -> str | None:
    """The name, in its library, of the function whose value a metric is."""
    imported = {
        alias.asname or alias.name: alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    made: dict[str, ast.expr] = {}
    returned: ast.expr | None = None
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                made[name] = value
            case ast.Return(value=ast.Dict(keys=keys, values=values)):
                returned = next(
                    (v for k, v in zip(keys, values, strict=True) if isinstance(k, ast.Constant) and k.value == metric),
                    returned,
                )
    seen: set[str] = set()
    while returned is not None:
        match returned:
            case ast.Name(id=name) if name in made and name not in seen:
                seen.add(name)
                returned = made[name]
            case ast.BinOp(op=ast.Pow(), left=left):
                returned = left
            case ast.Call(func=func, args=args):
                called = _called(func)
                if called not in ALIKE or not args:
                    return imported.get(called, called)
                returned = args[0]
            case _:
                return None
    return None


def _called(func: ast.expr) -> str:
    match func:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return name
        case _:
            return ""
