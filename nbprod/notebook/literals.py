"""The value of an expression of literals, found by its syntax tree alone: nothing is executed."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Container
from typing import Any

CONTAINERS = {"dict": dict, "list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
MOST_BITS = 4096
"""Of a whole number: a power in a notebook must not keep its reader busy."""

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
    ast.Not: operator.not_,
}


def literal_value(node: ast.expr, bound: Container[str] = ()) -> Any:
    """The value of literals, of containers of them (`dict(a=1)` too) and of arithmetic with numbers (`60 * 60`).

    `bound` are names that the notebook gives a meaning of its own. Raises ValueError for anything else.
    """
    try:
        return _value(node, bound)
    except (TypeError, ArithmeticError, RecursionError) as error:
        raise ValueError("no literal") from error


def _value(node: ast.expr, bound: Container[str]) -> Any:
    match node:
        case ast.Constant(value=value) if value is not ...:
            return value
        case ast.List(elts=elements):
            return [_value(each, bound) for each in elements]
        case ast.Tuple(elts=elements):
            return tuple(_value(each, bound) for each in elements)
        case ast.Set(elts=elements):
            return {_value(each, bound) for each in elements}
        case ast.Dict(keys=keys, values=values):
            return {_key(key, bound): _value(each, bound) for key, each in zip(keys, values, strict=True)}
        case ast.UnaryOp(op=sign, operand=operand):
            return _UNARY[type(sign)](_number(operand, bound))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
            return _calculated(sign, _number(left, bound), _number(right, bound))
        case ast.Call(func=ast.Name(id=name), args=[] | [_], keywords=given) if name in CONTAINERS:
            if name in bound or (given and name != "dict"):
                raise ValueError("no literal")
            parts = [_value(each, bound) for each in node.args]
            named = {_name(each): _value(each.value, bound) for each in given}
            made: Any = CONTAINERS[name](*parts, **named)
            return made
    raise ValueError("no literal")


def _key(node: ast.expr | None, bound: Container[str]) -> Any:
    if node is None:  # `**other`
        raise ValueError("no literal")
    return _value(node, bound)


def _name(keyword: ast.keyword) -> str:
    if keyword.arg is None:
        raise ValueError("no literal")
    return keyword.arg


def _number(node: ast.expr, bound: Container[str]) -> Any:
    value = _value(node, bound)
    if not isinstance(value, int | float | complex):
        raise ValueError("no number")
    return value


def _calculated(sign: ast.operator, left: Any, right: Any) -> Any:
    is_power = isinstance(sign, ast.Pow) and isinstance(left, int) and isinstance(right, int)
    if is_power and left.bit_length() * abs(right) > MOST_BITS:
        raise ValueError("too large")
    value = _BINARY[type(sign)](left, right)
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        raise ValueError("too large")
    return value
