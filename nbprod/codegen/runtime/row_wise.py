"""Whether the steps that only training rows go through look at one row at a time, by their text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

_METHODS = frozenset(
    {"abs", "assign", "astype", "between", "contains", "copy", "drop", "dropna", "endswith", "eq", "ge", "gt", "isin"}
    | {"isna", "isnull", "le", "lower", "lt", "ne", "notna", "notnull", "query", "rename", "startswith", "strip"}
    | {"to_numpy", "upper"}
)
_BY_POSITION = frozenset({"iat", "iloc"})


def across_rows(step: Mapping[str, Any], splits: frozenset[str]) -> Iterator[ast.expr]:
    """What in a step's text may look at other rows, or at the place of a row among them.

    Calls are known ones, of row-wise methods or of a split (`splits` are names of its function); a query is a constant
    text that calls nothing; and no subscript chooses rows by their place.
    """
    for node in ast.walk(ast.parse(step["code"])):
        if isinstance(node, (ast.Call, ast.Subscript)) and not _is_row_wise(node, splits):
            yield node


def _is_row_wise(node: ast.Call | ast.Subscript, splits: frozenset[str]) -> bool:
    return not _is_by_place(node) if isinstance(node, ast.Subscript) else _is_known(node, splits)


def _is_known(call: ast.Call, splits: frozenset[str]) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name in splits or (name in _METHODS and (name != "query" or _is_constant_query(call)))


def _is_constant_query(call: ast.Call) -> bool:
    text = call.args[0] if call.args else None
    if not isinstance(text, ast.Constant) or not isinstance(text.value, str):
        return False
    plain = re.sub(r"`[^`]*`", "column", text.value.replace("@", "")).strip()
    try:
        tree = ast.parse(plain, mode="eval")
    except SyntaxError:
        return False
    return not any(
        isinstance(node, (ast.Call, ast.Subscript)) or (isinstance(node, ast.Name) and _is_a_place(node.id))
        for node in ast.walk(tree)
    )


def _is_a_place(name: str) -> bool:
    return name == "index" or name.startswith("ilevel_")


def _is_by_place(subscript: ast.Subscript) -> bool:
    """Whether a subscript is a range or a number of a row; what stands behind a comma chooses columns."""
    if isinstance(subscript.value, ast.Attribute) and subscript.value.attr in _BY_POSITION:
        return True
    chosen: Any = subscript.slice
    if isinstance(chosen, ast.Tuple):
        chosen = chosen.elts[0] if chosen.elts else chosen
        if isinstance(chosen, ast.Slice) and chosen.lower is chosen.upper is chosen.step is None:
            return False
    if isinstance(chosen, ast.UnaryOp):
        chosen = chosen.operand
        return isinstance(chosen, ast.Constant) and isinstance(chosen.value, int)
    return isinstance(chosen, ast.Slice) or (isinstance(chosen, ast.Constant) and type(chosen.value) is int)
